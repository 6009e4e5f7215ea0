package servermigration

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

var _ resource.ResourceWithModifyPlan = (*confirmation)(nil)

// ModifyPlan says that a migration is going to be confirmed. It refuses that if the server
// has not passed its verification. It can do so only if the same plan has read the
// migration from the state.
func (c *confirmation) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if c.engine == nil || !req.State.Raw.IsNull() || req.Plan.Raw.IsNull() {
		return
	}
	var plan confirmationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	_, server, request, _ := splitMigrationID(plan.MigrationID.ValueString())
	if known, found := c.config.inState(server, request); found {
		resp.Diagnostics.Append(refuseUnverified(known)...)
		if !resp.Diagnostics.HasError() && !known.Status.Settled() {
			resp.Diagnostics.Append(willConfirmByAnother(known))
		}
	}
}

// willConfirmByAnother says that a pending migration is confirmed by another resource.
func willConfirmByAnother(m migration.Migration) diag.Diagnostic {
	return diag.NewWarningDiagnostic(
		"The migration of "+serverOf(m)+" is going to be confirmed",
		pendingNow(m)+". A rackspace_server_migration_confirmation confirms it once everything that the confirmation depends on has succeeded. "+removesOriginal,
	)
}

// refuseUnverified refuses to confirm a migration whose recorded verification did not
// pass.
func refuseUnverified(m migration.Migration) diag.Diagnostics {
	if m.Status.Settled() || !hasFailed(m.VerificationResult) {
		return nil
	}
	return diag.Diagnostics{diag.NewAttributeErrorDiagnostic(path.Root("migration_id"),
		"The migration of "+serverOf(m)+" cannot be confirmed: the server did not pass its verification",
		paragraphs("The migration awaits confirmation. No confirmation was sent. The checks that failed are in verification_result of the rackspace_server_migration.",
			join("Fix the server. Then set auto_confirm = true in the rackspace_server_migration, and apply. That tests the server again, and confirms the migration if the server passes. "+
				"If a check is wrong, correct verification, which tests the server again. "+
				"To confirm the migration without a test, remove verification. "+
				"To revert it, remove this rackspace_server_migration_confirmation, set on_destroy = \"revert\", and apply. Then remove the rackspace_server_migration, and apply again. "+
				"What was written to the server's local disks since the migration is lost.", automatically(m))))}
}
