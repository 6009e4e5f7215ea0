package servermigration

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// ModifyPlan says what an apply is going to do to a server, and refuses what it
// cannot do.
func (r *serverMigration) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var plan, state model
	if !req.Plan.Raw.IsNull() {
		resp.Diagnostics.Append(plan.read(ctx, req.Plan.Get)...)
	}
	if req.State.Raw.IsNull() {
		if !resp.Diagnostics.HasError() {
			r.checkServer(ctx, &plan, req, resp)
		}
		return
	}
	resp.Diagnostics.Append(state.read(ctx, req.State.Get)...)
	pending, diags := state.migration()
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	onDestroy := state.OnDestroy.ValueString()
	if r.Shared != nil {
		r.note(pending, onDestroy)
	}
	switch {
	case pending.Status.Settled():
	case req.Plan.Raw.IsNull():
		resp.Diagnostics.Append(willDestroy(pending, onDestroy))
	case replaces(&plan, &state) && !settlesOnDestroy(onDestroy):
		resp.Diagnostics.Append(refuseReplace(pending))
	case replaces(&plan, &state):
		resp.Diagnostics.Append(willDestroy(pending, onDestroy))
	case confirms(&plan, &state):
		plan.Status = types.StringUnknown()
		plan.ServerStatus = types.StringUnknown()
		plan.ServerName = types.StringUnknown()
		if plan.DestinationHostID.IsNull() { // it is imported, and still under way
			plan.DestinationHostID = types.StringUnknown()
		}
		if plan.RequestID.IsNull() { // the action log may tell by now
			plan.ID, plan.RequestID, plan.RequestedAt = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
		}
		plan.ConfirmBy = types.StringUnknown()
		plan.SettledAt = types.StringUnknown()
		if !plan.Verification.IsNull() {
			plan.VerificationResult = types.ObjectUnknown(resultTypes)
		}
		resp.Diagnostics.Append(plan.write(ctx, resp.Plan.Set)...)
	}
}

// planTimeout bounds what a plan waits for the API.
const planTimeout = time.Minute

// checkServer looks at a server that is going to be migrated, where the plan
// knows which it is. What stands in the way for good is an error; what may be
// over by the time of the apply is a warning.
func (r *serverMigration) checkServer(ctx context.Context, plan *model, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var region types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("region"), &region)...)
	if r.Shared == nil || plan.ServerID.IsUnknown() || region.IsUnknown() || resp.Diagnostics.HasError() {
		return
	}
	old, replacing := r.noted(plan.ServerID.ValueString())
	if replacing && !old.migration.Status.Settled() && !settlesOnDestroy(old.onDestroy) {
		resp.Diagnostics.Append(refuseReplace(old.migration))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, planTimeout)
	defer cancel()
	found, err := r.engine.Check(ctx, region.ValueString(), plan.ServerID.ValueString())
	if plan.Region.IsUnknown() && found.Region != "" {
		plan.Region = types.StringValue(found.Region)
		resp.Diagnostics.Append(plan.write(ctx, resp.Plan.Set)...)
	}
	var failure *migration.Error
	switch errors.As(err, &failure); {
	case failure == nil && found.Adopted && !replacing:
		resp.Diagnostics.Append(willTakeOver(found))
	case failure == nil:
	case replacing && (failure.Kind == migration.KindPending || failure.Kind == migration.KindUntold): // the destroy comes first
	case failure.Kind == migration.KindStatus, failure.Kind == migration.KindPending, failure.Kind == migration.KindUntold:
		resp.Diagnostics.Append(notYet(failure))
	default:
		resp.Diagnostics.Append(explain(err, unrecorded)...)
	}
}

// replaces tells whether a plan is going to migrate again.
func replaces(plan, state *model) bool {
	return !plan.ServerID.Equal(state.ServerID) || !plan.Triggers.Equal(state.Triggers) ||
		!strings.EqualFold(plan.Region.ValueString(), state.Region.ValueString())
}

// confirms tells whether an update is going to confirm the migration: it is
// pending, and auto_confirm asks for it. That is so after a change of
// auto_confirm, and when an apply ended before it saw the end of a confirm.
func confirms(plan, state *model) bool {
	wanted := plan.AutoConfirm.ValueBool() || plan.AutoConfirm.IsUnknown()
	return !migration.Status(state.Status.ValueString()).Settled() && wanted
}
