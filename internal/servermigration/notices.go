package servermigration

import (
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// These are the warnings of applies and refreshes. Those of plans are in
// plan_notices.go.

// outcome is what a person should know after a server was migrated, or was not.
func outcome(m migration.Migration, err error, op operation, autoConfirm bool) diag.Diagnostics {
	var diags diag.Diagnostics
	if m.Adopted {
		diags = append(diags, tookOver(m))
	}
	if err != nil {
		return append(diags, explain(err, op)...)
	}
	return append(diags, announce(m, autoConfirm)...)
}

// announce says, after a migration, what a person should know of it.
func announce(m migration.Migration, autoConfirm bool) diag.Diagnostics {
	name := serverOf(m)
	switch {
	case m.Status == migration.StatusAwaiting:
		return diag.Diagnostics{diag.NewWarningDiagnostic(
			"The migration of "+name+" awaits confirmation",
			"The server runs on its new host. Test it. Then confirm the migration with auto_confirm = true, "+
				"or revert it in the Rackspace control panel or with the API. "+automatically(m)+" The original server is then removed.",
		)}
	case m.Status == migration.StatusConfirmed && !autoConfirm:
		return diag.Diagnostics{diag.NewWarningDiagnostic(
			"The migration of "+name+" is confirmed already",
			"It was confirmed by the cloud, or by somebody, before the provider saw it await confirmation. The original server is removed. The migration cannot be reverted any more.",
		)}
	}
	return nil
}

const toMigrateAgain = "To migrate the server again, change triggers."

// tookOver names a migration that was taken over instead of requesting another one.
func tookOver(m migration.Migration) diag.Diagnostic {
	origin := ""
	if m.SourceHostID == "" {
		origin = " So source_host_id is not known."
	}
	return diag.NewWarningDiagnostic(
		"Took over the migration of "+serverOf(m),
		fmt.Sprintf("The provider's user requested it at %s (request %s), and the state did not have it. "+
			"This happens after an apply that was interrupted, and after a resource was removed from the state. Another run can also have requested it just now. "+
			"The provider continued with it instead of migrating the server twice.%s %s",
			m.RequestedAt.Format(time.RFC3339), m.RequestID, origin, toMigrateAgain),
	)
}

// leftToAnother says that a destroy did nothing to a migration that another resource
// of the same run has taken over.
func leftToAnother(m migration.Migration) diag.Diagnostic {
	return diag.NewWarningDiagnostic(
		"The migration of "+serverOf(m)+" was left to the resource that took it over",
		"Another resource of the configuration was created for the same server before this one was destroyed: its replacement with create_before_destroy, or the same one under another name. "+
			"It took the pending migration over and did not migrate the server again. What on_destroy says was not done. "+
			"Remove create_before_destroy, or give a resource its new name with a moved block. "+toMigrateAgain,
	)
}

// happenedOutside says what a person should know of what became of a migration
// since Terraform last looked at it.
func happenedOutside(m migration.Migration) diag.Diagnostics {
	name, at := serverOf(m), m.SettledAt.Format(time.RFC3339)+by(m.SettledBy)
	switch {
	case m.Status == migration.StatusReverted:
		return diag.Diagnostics{diag.NewWarningDiagnostic(
			"The migration of "+name+" was reverted outside of Terraform",
			fmt.Sprintf("It was reverted at %s. The server is back on its original host. What was written to its local disks since the migration is lost. "+
				"The provider does not migrate the server again without being asked. %s", at, toMigrateAgain),
		)}
	case m.Status == migration.StatusConfirmed && m.ServerStatus == cloudservers.StatusError:
		return diag.Diagnostics{diag.NewWarningDiagnostic(
			"The server of a confirmed migration is in ERROR: "+name,
			fmt.Sprintf("Its migration was confirmed outside of Terraform at %s, and cannot be reverted any more. The server's status is ERROR.", at),
		)}
	case m.Automatic:
		return diag.Diagnostics{diag.NewWarningDiagnostic(
			"The migration of "+name+" was confirmed by Rackspace",
			fmt.Sprintf("Nobody confirmed or reverted it in time, so Rackspace confirmed it automatically at %s. The original server is removed. The migration cannot be reverted any more.", at),
		)}
	}
	return nil
}

// removedWithServer says why a refresh has removed a migration from the state.
func removedWithServer(m migration.Migration) diag.Diagnostic {
	return diag.NewWarningDiagnostic(
		"The server of a pending migration is gone: "+serverOf(m),
		"It was deleted before its migration was confirmed or reverted, so the migration is removed from the state. "+
			"Remove it from the configuration too. Otherwise the next apply fails, because there is no such server.",
	)
}

// removedWhilePending says what a destroy leaves to a person.
func removedWhilePending(m migration.Migration) diag.Diagnostic {
	return diag.NewWarningDiagnostic(
		"The migration of "+serverOf(m)+" still awaits confirmation",
		"It is only removed from the state. Nothing was sent to the server. "+byHand(m),
	)
}

// byHand says how a migration ends that Terraform does not know any more.
func byHand(m migration.Migration) string {
	return fmt.Sprintf("Confirm or revert it in the Rackspace control panel or with the API by %s. After that, Rackspace confirms it automatically.",
		m.ConfirmBy().Format(time.RFC3339))
}

// namesNoRequest refuses a migration that could be any of its server's.
func namesNoRequest(id string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("migration_id"), "The migration to confirm has no request id",
		fmt.Sprintf("The API named no request when %q was requested, and the server's action log could not be read. So nothing tells whether what awaits confirmation is that migration. "+
			"Nothing was sent to the server. Look at it, and confirm or revert the migration in the Rackspace control panel or with the API.", id))
}
