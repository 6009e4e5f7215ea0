package servermigration

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// ModifyPlan says what an apply is going to do to a migration that awaits
// confirmation, and refuses what it cannot do.
func (r *serverMigration) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.State.Raw.IsNull() {
		return
	}
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	pending, diags := state.migration()
	resp.Diagnostics.Append(diags...)
	if diags.HasError() || pending.Status.Settled() {
		return
	}
	if req.Plan.Raw.IsNull() {
		resp.Diagnostics.Append(willForget(pending))
		return
	}
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	switch {
	case resp.Diagnostics.HasError():
	case replaces(&plan, &state):
		resp.Diagnostics.Append(refuseReplace(pending))
	case confirms(&plan, &state):
		plan.Status = types.StringUnknown()
		plan.ServerStatus = types.StringUnknown()
		plan.ServerName = types.StringUnknown()
		plan.ConfirmBy = types.StringUnknown()
		plan.SettledAt = types.StringUnknown()
		resp.Diagnostics.Append(resp.Plan.Set(ctx, plan)...)
	}
}

// replaces tells whether a plan is going to migrate again.
func replaces(plan, state *model) bool {
	return !plan.ServerID.Equal(state.ServerID) || !plan.Triggers.Equal(state.Triggers) ||
		!strings.EqualFold(plan.Region.ValueString(), state.Region.ValueString())
}

// confirms tells whether an update is going to confirm the migration: it
// awaits confirmation, and auto_confirm asks for it. That is so after a change
// of auto_confirm, and when an apply ended before it saw the end of a confirm.
func confirms(plan, state *model) bool {
	return state.Status.ValueString() == string(migration.StatusAwaiting) && plan.AutoConfirm.ValueBool()
}
