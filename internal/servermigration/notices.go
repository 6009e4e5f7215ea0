package servermigration

import (
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// This file has the warnings of applies and refreshes. Those of plans are in
// plan_notices.go.

// outcome is the diagnostics of an attempt to migrate a server. They do not repeat what
// the plan has said of a migration that is taken over.
func (c *Config) outcome(m migration.Migration, err error, op operation, autoConfirm bool) diag.Diagnostics {
	var diags diag.Diagnostics
	said, announced := c.takenOver.Load(m.RequestID)
	if m.Adopted && !announced {
		diags = append(diags, tookOver(m))
	}
	if err != nil {
		return append(diags, explain(err, op)...)
	}
	return append(diags, announce(m, autoConfirm || said == migration.StatusConfirmed)...)
}

// announce is the warnings after a server was migrated. There is none for a confirmed
// migration if the configuration or the plan has asked for that.
func announce(m migration.Migration, expectsConfirmed bool) diag.Diagnostics {
	name := serverOf(m)
	switch {
	case hasFailed(m.VerificationResult):
		return unverified(m)
	case m.Status == migration.StatusAwaiting:
		test := "Test it."
		if m.VerificationResult != nil {
			test = "It has passed its verification."
		}
		return diag.Diagnostics{diag.NewWarningDiagnostic(
			"The migration of "+name+" awaits confirmation",
			join("The server runs on its new host.", test, waysToEnd, automatically(m), "A confirmation deletes the original copy on the old host."),
		)}
	case m.Status == migration.StatusConfirmed && !expectsConfirmed:
		return diag.Diagnostics{diag.NewWarningDiagnostic(
			"The migration of "+name+" is confirmed already",
			"The cloud or somebody else confirmed it before the provider saw it await confirmation. The original copy on the old host is deleted. The migration cannot be reverted any more.",
		)}
	}
	return nil
}

// waysToEnd says how a migration in the state is confirmed or reverted.
const waysToEnd = "A rackspace_server_migration_confirmation confirms the migration, in this apply or later. So does auto_confirm = true. " +
	"To revert it, set on_destroy = \"revert\" and apply. Then remove only this resource from the configuration, and apply again."

// unverified says that the server of a migration without auto_confirm did not pass its
// verification. With auto_confirm that is an error.
func unverified(m migration.Migration) diag.Diagnostics {
	if !hasFailed(m.VerificationResult) {
		return nil
	}
	status := join("The migration awaits confirmation. With auto_confirm = true an apply tests the server again, and confirms the migration if the server passes. First fix the server, or correct verification. "+
		"To confirm the migration without a test, remove verification too. To revert it, set on_destroy = \"revert\" and apply. Then remove only this resource from the configuration, and apply again.", automatically(m))
	if m.Status.Settled() {
		status = "The provider did not confirm the migration. " + whoConfirmed(m) + " confirmed it. It cannot be reverted any more. Fix the server."
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic(
		capital(serverOf(m))+" did not pass its verification on its new host",
		paragraphs(failedChecks(m.VerificationResult), status),
	)}
}

const toMigrateAgain = "To migrate the server again, change triggers."

// tookOver says that the provider continued with a migration instead of requesting one.
func tookOver(m migration.Migration) diag.Diagnostic {
	origin := ""
	if m.SourceHostID == "" {
		origin = " So source_host_id is not known."
	}
	return diag.NewWarningDiagnostic(
		"Took over the migration of "+serverOf(m),
		fmt.Sprintf("The provider's user requested it at %s (request %s), and the state did not have it. "+
			"An apply that was interrupted leaves such a migration. So does a resource that was removed from the state. Another run can also have requested it just now. "+
			"The provider continued with it instead of migrating the server twice.%s %s",
			m.RequestedAt.Format(time.RFC3339), m.RequestID, origin, toMigrateAgain),
	)
}

// leftToAnother says that a destroy did nothing to a migration that another resource
// of the same run has taken over.
func leftToAnother(m migration.Migration) diag.Diagnostic {
	return diag.NewWarningDiagnostic(
		"The migration of "+serverOf(m)+" was left to the resource that took it over",
		"Before this resource was destroyed, another one was created for the same server. It is its replacement with create_before_destroy, or the same resource under another name. "+
			"The other one took the pending migration over, and did not migrate the server again. So the destroy did not do what on_destroy says. "+
			"Remove create_before_destroy, or give a resource its new name with a moved block. "+toMigrateAgain,
	)
}

// happenedOutside warns of an end of a migration that the provider has not brought about,
// and that a refresh has found.
func happenedOutside(m migration.Migration) diag.Diagnostics {
	name, at := serverOf(m), m.SettledAt.Format(time.RFC3339)+by(m.SettledBy)
	switch {
	case m.Status == migration.StatusReverted:
		return diag.Diagnostics{diag.NewWarningDiagnostic(
			"The migration of "+name+" was reverted since Terraform last read it",
			fmt.Sprintf("It was reverted at %s. The server is back on its original host. What was written to its local disks since the migration is lost. "+
				"The provider does not migrate the server again without being asked. %s", at, toMigrateAgain),
		)}
	case m.Status == migration.StatusConfirmed && m.ServerStatus == cloudservers.StatusError:
		return diag.Diagnostics{diag.NewWarningDiagnostic(
			"The server of a confirmed migration is in ERROR: "+name,
			fmt.Sprintf("Its migration was confirmed at %s. It cannot be reverted any more. The server's status is ERROR. Find the reason in the cloud's control panel, or ask the cloud's support.", at),
		)}
	case m.Automatic:
		return diag.Diagnostics{diag.NewWarningDiagnostic(
			"The migration of "+name+" was confirmed by the cloud",
			fmt.Sprintf("Nobody confirmed or reverted it in time, so the cloud confirmed it automatically at %s. The original copy on the old host is deleted. The migration cannot be reverted any more.", at),
		)}
	}
	return nil
}

// removedWithServer says why a refresh has removed a migration from the state.
func removedWithServer(m migration.Migration) diag.Diagnostic {
	return diag.NewWarningDiagnostic(
		"The server of a pending migration is gone: "+serverOf(m),
		"It was deleted before its migration was confirmed or reverted. So the migration is removed from the state. "+
			"Remove it from the configuration too. Otherwise the next apply fails, because there is no such server.",
	)
}

// byHand says how to end a migration that Terraform does not know any more.
func byHand(m migration.Migration) string {
	return toEnd(m, " in the cloud's control panel or with the API")
}

// namesNoRequest refuses an id without a request: it could mean any migration of the
// server.
func namesNoRequest(id string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("migration_id"), "The migration to confirm has no request id",
		fmt.Sprintf("The API named no request id when the migration %q was requested, and the server's action log could not be read. So nothing tells whether that migration is the one that awaits confirmation. "+
			"Nothing was sent to the server. Look at the server in the cloud's control panel. Confirm or revert its migration there or with the API.", id))
}
