package servermigration

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// ModifyPlan says what an apply is going to do to a server, and refuses what it
// cannot do. Terraform asks for a plan of each resource:
//
//	the resource is …     | the plan has a prior state | and a planned state
//	----------------------+----------------------------+--------------------
//	created               | no                         | yes
//	updated               | yes                        | yes
//	destroyed             | yes                        | no
//	replaced, first call  | yes                        | yes
//	replaced, second call | no                         | yes
//
// A replacement because of a taint has only the second call. So nothing but the
// engine's notes tells a replacement, or a resource with a new name, from a create.
//
// What the plan says of a migration in the state, in one diagnostic:
//
//	the plan changes …             | of a migration that …  | it says
//	-------------------------------+------------------------+------------------------------------
//	triggers, on_destroy = none    | awaits confirmation    | error: cannot migrate again
//	triggers                       | awaits, or has ended   | willMigrateAgain
//	auto_confirm is true           | awaits confirmation    | willConfirm
//	verification, may revert       | awaits confirmation    | willTest
//	nothing of these, auto_confirm | is reverted, has failed| notAsAutoConfirmWants
//	is true                        | or did not pass        |
//	it destroys it, or names       | awaits confirmation    | willDestroy
//	another server or region       |                        |
//	it replaces it, or gives it    | awaits confirmation    | error: refuseReplacement
//	another name                   | was confirmed lately   | error: refuseNewName, with the
//	                               |                        | new name only
//
// And of a server that is going to be migrated: willTakeOver, notYet, shutOffServer,
// revertedLately, or an error if it can never be migrated.
func (r *serverMigration) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var plan, state model
	created, destroyed := req.State.Raw.IsNull(), req.Plan.Raw.IsNull()
	if !destroyed {
		resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	}
	if !created {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if r.engine == nil || resp.Diagnostics.HasError() {
		return
	}
	if created {
		r.planCreate(ctx, &plan, req, resp)
		return
	}
	was, diags := r.config.migrationOf(ctx, &state, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if destroyed || isAnotherServer(&plan, &state) {
		r.planDestroy(was, &state, resp)
		return
	}
	r.planUpdate(ctx, was, &plan, &state, req, resp)
	if plan.VerificationResult.IsNull() || plan.VerificationResult.IsUnknown() {
		was.VerificationResult = nil
	}
	r.config.noteState(was, false)
}

// planCreate refuses to migrate a server whose migration the state already has.
func (r *serverMigration) planCreate(ctx context.Context, plan *model, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if plan.ServerID.IsUnknown() {
		return
	}
	was, known, destroyed := r.config.noteCreate(plan.ServerID.ValueString())
	if known && !plan.Region.IsUnknown() && !strings.EqualFold(plan.Region.ValueString(), was.Region) {
		was, known = migration.Migration{}, false // the region is corrected: a server is in one region only
	}
	switch {
	case known && !was.Status.Settled():
		resp.Diagnostics.Append(refuseReplacement(was))
	case known && destroyed && isRecent(was):
		resp.Diagnostics.Append(refuseNewName(was))
	default:
		r.checkServer(ctx, plan, was, nil, req, resp)
	}
}

// planDestroy says what becomes of a pending migration, and refuses to destroy a
// resource while another one is created for the same server.
func (r *serverMigration) planDestroy(was migration.Migration, state *model, resp *resource.ModifyPlanResponse) {
	switch created := r.config.noteState(was, true); {
	case created && !was.Status.Settled():
		resp.Diagnostics.Append(refuseReplacement(was))
	case created && isRecent(was):
		resp.Diagnostics.Append(refuseNewName(was))
	case !was.Status.Settled():
		resp.Diagnostics.Append(willDestroy(was, state.OnDestroy.ValueString(), !state.Verification.IsNull()))
	}
}

// planUpdate marks what an update is going to change as unknown.
func (r *serverMigration) planUpdate(ctx context.Context, was migration.Migration, plan, state *model, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	switch {
	case migratesAgain(plan, state):
		resp.Diagnostics.Append(willMigrateAgain(was, plan.OnDestroy, !plan.Verification.IsNull()))
		if resp.Diagnostics.HasError() {
			return
		}
		if was.Status.Settled() {
			r.checkServer(ctx, plan, was, &was, req, resp)
		}
		plan.expectAnotherMigration()
	case confirms(plan, state):
		resp.Diagnostics.Append(willConfirm(was, plan))
		plan.expectEnd()
	case testsAgain(ctx, plan, state):
		resp.Diagnostics.Append(willTest(was, plan)...)
		plan.expectEnd()
	case plan.AutoConfirm.ValueBool():
		resp.Diagnostics.Append(notAsAutoConfirmWants(was)...)
	default:
		resp.Diagnostics.Append(r.config.remind(was, time.Now())...)
	}
	// What was tested is not asked for any more. An apply that failed can have recorded
	// a result beside the arguments of before it.
	if plan.Verification.IsNull() && (!state.Verification.IsNull() || !state.VerificationResult.IsNull()) {
		plan.VerificationResult = types.ObjectNull(resultTypes)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, plan)...)
}

// planTimeout is the longest time that a plan waits for the API.
const planTimeout = time.Minute

// checkServer reads a server that is going to be migrated. If it can never be migrated, that
// is an error. If only its present status prevents that, it is a warning. was is its
// migration in the state, which is not taken over. previous is the same one if an update
// migrates the server again.
func (r *serverMigration) checkServer(ctx context.Context, plan *model, was migration.Migration, previous *migration.Migration, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var region types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("region"), &region)...)
	if region.IsUnknown() || resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, planTimeout)
	defer cancel()
	found, err := r.engine.Check(ctx, region.ValueString(), plan.ServerID.ValueString(), previous)
	if plan.Region.IsUnknown() && found.Region != "" {
		plan.Region = types.StringValue(found.Region)
	}
	if plan.ServerName.IsUnknown() && found.ServerName != "" {
		plan.ServerName = types.StringValue(found.ServerName)
	}
	if err == nil && found.Adopted {
		r.config.takenOver.Store(found.RequestID, found.Status)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, plan)...)
	resp.Diagnostics.Append(checked(found, err, was, plan)...)
}

// checked is the diagnostics of checkServer.
func checked(found migration.Preview, err error, was migration.Migration, plan *model) diag.Diagnostics {
	var failure *migration.Error
	if !errors.As(err, &failure) {
		switch {
		case found.Adopted && found.RequestID != was.RequestID:
			return diag.Diagnostics{willTakeOver(found.Migration, plan)}
		case found.Adopted:
			return nil
		}
		return append(shutOffServer(found.Migration, plan), revertedLately(found)...)
	}
	switch failure.Kind {
	case migration.KindStatus, migration.KindPending, migration.KindUntold:
		return diag.Diagnostics{notYet(failure)}
	}
	return explain(err, creating)
}

// isAnotherServer tells whether a change of server_id or region replaces the
// resource.
func isAnotherServer(plan, state *model) bool {
	return !plan.ServerID.Equal(state.ServerID) || isAnotherRegion(plan.Region, state.Region)
}

// isAnotherRegion tells whether two regions differ in more than their letter case.
func isAnotherRegion(a, b types.String) bool {
	return !strings.EqualFold(a.ValueString(), b.ValueString())
}

// migratesAgain tells whether an update migrates the server again.
func migratesAgain(plan, state *model) bool { return !plan.Triggers.Equal(state.Triggers) }

// confirms tells whether an update confirms the migration: it is pending, and
// auto_confirm asks for that. This is so after a change of auto_confirm, and when
// an apply ended before it saw the end of a confirmation.
func confirms(plan, state *model) bool {
	wanted := plan.AutoConfirm.ValueBool() || plan.AutoConfirm.IsUnknown()
	return !migration.Status(state.Status.ValueString()).Settled() && wanted
}

// isRecent tells whether a create would take over a migration that has ended.
func isRecent(m migration.Migration) bool {
	return m.Status == migration.StatusConfirmed && time.Since(m.SettledAt) < migration.ConfirmationWindow
}
