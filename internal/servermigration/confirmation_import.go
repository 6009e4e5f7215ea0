package servermigration

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

var _ resource.ResourceWithImportState = (*confirmation)(nil)

// ImportState records the confirmation of a migration that is confirmed. The id is
// that of the migration. It sends nothing that changes a server.
func (c *confirmation) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if _, _, request, _ := splitMigrationID(req.ID); request == "" {
		resp.Diagnostics.AddError("Invalid import id", fmt.Sprintf("%q is not an import id. A confirmation is imported by the id of its rackspace_server_migration: "+
			"REGION/SERVER_ID/REQUEST_ID, such as ORD/8c65cb68-0681-4c30-bc88-6b83a8a26aee/req-8d2b1c04-0001-4b6a-9c11-2a8e0f6d4b01.", req.ID))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, defaultReadTimeout)
	defer cancel()
	found, err := c.find(ctx, req.ID)
	resp.Diagnostics.Append(explainImport(found, err)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if found.Status != migration.StatusConfirmed {
		resp.Diagnostics.Append(notConfirmed(found))
		return
	}
	state := confirmationModel{
		MigrationID: types.StringValue(idOf(found)), // which spells the region as the configuration does
		Triggers:    types.MapNull(types.StringType),
		Timeouts:    timeouts.Value{Object: types.ObjectNull(map[string]attr.Type{"create": types.StringType, "read": types.StringType})},
	}
	state.fromMigration(found)
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

// notConfirmed refuses to import the confirmation of a migration that is not
// confirmed.
func notConfirmed(m migration.Migration) diag.Diagnostic {
	then := "It has ended, and cannot be confirmed any more. Remove the import, and the confirmation from the configuration."
	switch m.Status {
	case migration.StatusAwaiting:
		then = join("Remove the import. The apply then creates the confirmation, which confirms the migration.", automatically(m))
	case migration.StatusMigrating:
		then = "Remove the import. The apply then creates the confirmation, which waits for the migration and confirms it."
	}
	return diag.NewErrorDiagnostic("There is no confirmation to import: the migration of "+serverOf(m)+" is not confirmed",
		fmt.Sprintf("The status of the migration is %s. %s Nothing was sent that changes the server.", m.Status, then))
}

// removedConfirmation says why a refresh has removed a confirmation from the state.
func removedConfirmation(m migration.Migration) diag.Diagnostic {
	return diag.NewWarningDiagnostic("The server of a confirmation is gone: "+serverOf(m),
		"It was deleted before the end of the confirmation was seen. Nothing is left to confirm, so the confirmation is removed from the state. "+
			"Remove it from the configuration too. Otherwise the next apply fails, because there is no such server.")
}
