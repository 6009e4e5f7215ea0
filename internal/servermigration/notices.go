package servermigration

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// announce tells, after a migration, what a person should know of it.
func announce(m migration.Migration, autoConfirm bool) diag.Diagnostics {
	var notices diag.Diagnostics
	name := serverOf(m)
	switch {
	case m.Status == migration.StatusAwaiting:
		notices = append(notices, diag.NewWarningDiagnostic(
			"The migration of "+name+" awaits confirmation",
			fmt.Sprintf("The server runs on its new host. Test it, then confirm the migration with auto_confirm = true, "+
				"or revert it in the Rackspace control panel or with the API, by %s. Rackspace then confirms it by itself, and the original server is removed.",
				m.ConfirmBy().Format(time.RFC3339)),
		))
	case m.Status == migration.StatusConfirmed && !autoConfirm:
		notices = append(notices, diag.NewWarningDiagnostic(
			"The migration of "+name+" is confirmed already",
			"It was confirmed by the cloud, or by somebody, before the provider saw it await confirmation. The original server is removed; the migration cannot be reverted any more.",
		))
	}
	return notices
}

const migrateAgain = "To migrate it again once this migration is settled, change triggers, or apply with -replace; with create_before_destroy, an hour after its confirm at the earliest."

// tookOver names a migration that was adopted instead of asking for another.
func tookOver(m migration.Migration) diag.Diagnostic {
	origin := ""
	if m.SourceHostID == "" {
		origin = "; source_host_id is therefore not known"
	}
	return diag.NewWarningDiagnostic(
		"Took over the migration of "+serverOf(m),
		fmt.Sprintf("The provider's user asked for it at %s (request %s), and the state did not have it: an apply that was interrupted leaves that behind, "+
			"so does a resource that was removed from the state or replaced with create_before_destroy, and another run may have asked for it just now. "+
			"The provider went on with it instead of migrating the server twice%s. %s",
			m.RequestedAt.Format(time.RFC3339), m.RequestID, origin, migrateAgain),
	)
}

// willTakeOver is tookOver at plan time.
func willTakeOver(m migration.Migration) diag.Diagnostic {
	return diag.NewWarningDiagnostic(
		"The migration of "+serverOf(m)+" is going to be taken over",
		fmt.Sprintf("The provider's user asked for it at %s (request %s), and the state does not have it. The apply goes on with it instead of migrating the server twice. %s",
			m.RequestedAt.Format(time.RFC3339), m.RequestID, migrateAgain),
	)
}

// leftToAnother says that a destroy did nothing to a migration that another
// resource of the same run has taken over.
func leftToAnother(m migration.Migration) diag.Diagnostic {
	return diag.NewWarningDiagnostic(
		"The migration of "+serverOf(m)+" was left to the resource that took it over",
		"Another resource of the configuration was created for the same server before this one was destroyed: the replacement, with create_before_destroy, or the same one under another name. "+
			"A server has one migration at a time, so that one took over what was pending and did not migrate again; on_destroy was not carried out. "+
			"Remove create_before_destroy, or give a resource its new name with a moved block. "+migrateAgain,
	)
}

// happenedOutside tells what a person should know of what became of a migration
// since Terraform last looked at it.
func happenedOutside(m migration.Migration) diag.Diagnostics {
	name := serverOf(m)
	switch {
	case m.Status == migration.StatusReverted:
		return diag.Diagnostics{diag.NewWarningDiagnostic(
			"The migration of "+name+" was reverted",
			fmt.Sprintf("It was reverted outside of Terraform at %s%s: the server is back on its original host, and what was written since the migration is lost. "+
				"The provider does not migrate it again by itself. To migrate it again, change triggers, or apply with -replace.",
				m.SettledAt.Format(time.RFC3339), by(m.SettledBy)),
		)}
	case m.Status == migration.StatusConfirmed && m.ServerStatus == cloudservers.StatusError:
		return diag.Diagnostics{diag.NewWarningDiagnostic(
			"The server of a confirmed migration is in ERROR: "+name,
			fmt.Sprintf("Its migration was confirmed outside of Terraform at %s%s, and cannot be reverted any more. The server went into ERROR since.",
				m.SettledAt.Format(time.RFC3339), by(m.SettledBy)),
		)}
	case m.Automatic:
		return diag.Diagnostics{diag.NewWarningDiagnostic(
			"The migration of "+name+" was confirmed by Rackspace",
			fmt.Sprintf("Nobody confirmed or reverted it in time, so Rackspace confirmed it by itself at %s. The original server is removed; the migration cannot be reverted any more.",
				m.SettledAt.Format(time.RFC3339)),
		)}
	}
	return nil
}

func forgotGone(m migration.Migration) diag.Diagnostic {
	return diag.NewWarningDiagnostic(
		"The server of a pending migration is gone: "+serverOf(m),
		"It was deleted before its migration was confirmed or reverted, so the migration is removed from the state. "+
			"Remove it from the configuration too: else the next apply fails, because there is no such server.",
	)
}

func forgotPending(m migration.Migration) diag.Diagnostic {
	return diag.NewWarningDiagnostic(
		"The migration of "+serverOf(m)+" still awaits confirmation",
		"It is only removed from the state; nothing was sent to the server. "+waysOut(m),
	)
}

// willDestroy says at plan time what a destroy is going to do to the server.
func willDestroy(m migration.Migration, onDestroy string) diag.Diagnostic {
	name := serverOf(m)
	switch onDestroy {
	case onDestroyConfirm:
		return diag.NewWarningDiagnostic(
			"The migration of "+name+" is going to be confirmed",
			"It still awaits confirmation, and on_destroy is \"confirm\": the destroy confirms it first. The original server is then removed, and the migration cannot be reverted any more.",
		)
	case onDestroyRevert:
		return diag.NewWarningDiagnostic(
			"The migration of "+name+" is going to be reverted, and data will be lost",
			"It still awaits confirmation, and on_destroy is \"revert\": the destroy brings the server back to its original host with its original disk. "+
				"What was written since the migration is lost, and the server is restarted.",
		)
	default:
		return diag.NewWarningDiagnostic(
			"Destroying the migration of "+name+" does not settle it",
			"It still awaits confirmation, and on_destroy is \"none\": the destroy only removes it from the state, and sends nothing to the server. "+waysOut(m),
		)
	}
}

// settledOtherwise says that a destroy found the migration settled in another
// way than it was to settle it.
func settledOtherwise(m migration.Migration, want migration.Status) diag.Diagnostic {
	summary := fmt.Sprintf("The migration of %s was %s, not %s", serverOf(m), m.Status, want)
	if m.Status == migration.StatusConfirmed {
		return diag.NewWarningDiagnostic(summary, fmt.Sprintf(
			"It was confirmed%s before the destroy could revert it, and cannot be reverted any more. The server stays on its new host; the migration was removed from the state.", by(m.SettledBy)))
	}
	return diag.NewWarningDiagnostic(summary, fmt.Sprintf(
		"It was reverted%s before the destroy could confirm it: the server is back on its original host, and what was written since the migration is lost. The migration was removed from the state.", by(m.SettledBy)))
}

// notYet warns of a server that cannot be migrated in its present state.
func notYet(failure *migration.Error) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(path.Root("server_id"),
		fmt.Sprintf("%s cannot be migrated at the moment", capital(serverOf(failure.Migration))),
		reasonOf(failure)+" If that is still so when the plan is applied, the apply fails without touching the server.")
}

func reasonOf(failure *migration.Error) string {
	switch entry := failure.Pending; {
	case failure.Kind == migration.KindUntold && failure.Err == nil:
		return "It changed within the last hour, and the server's action log has a migration of which it does not tell the end."
	case failure.Kind == migration.KindUntold:
		return "It changed within the last hour, and the server's action log, which would tell whether it was migrated then, cannot be read."
	case entry != nil:
		return fmt.Sprintf("Its status is %s: user %s asked for a %s at %s (request %s).",
			failure.Server.Status, entry.UserID, entry.Action, entry.Start.Format(time.RFC3339), entry.RequestID)
	default:
		return fmt.Sprintf("Its status is %s, and a migration starts from ACTIVE or SHUTOFF only.", failure.Server.Status)
	}
}

// nothingToConfirm refuses a migration that has ended in another way.
func nothingToConfirm(m migration.Migration) diag.Diagnostic {
	return diag.NewErrorDiagnostic(
		fmt.Sprintf("The migration of %s cannot be confirmed: it is %s", serverOf(m), m.Status),
		fmt.Sprintf("It ended at %s%s, before it was confirmed: the server is not where the migration brought it. Nothing was sent to it. Migrate it again, with triggers or -replace of its rackspace_server_migration, once you know why.",
			m.SettledAt.Format(time.RFC3339), by(m.SettledBy)),
	)
}

// namesNoRequest refuses a migration that could be any of its server's.
func namesNoRequest(id string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("migration_id"), "The migration to confirm has no request id",
		fmt.Sprintf("The API named no request when %q was asked for, and the server's action log could not be read, so nothing tells whether what awaits confirmation is that migration. "+
			"Nothing was sent to the server. Look at it, and confirm or revert the migration in the Rackspace control panel or with the API.", id))
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

func waysOut(m migration.Migration) string {
	return fmt.Sprintf("Confirm or revert it in the Rackspace control panel or with the API by %s; Rackspace then confirms it by itself.",
		m.ConfirmBy().Format(time.RFC3339))
}

func refuseReplace(m migration.Migration) diag.Diagnostic {
	return diag.NewErrorDiagnostic(
		"Cannot migrate "+serverOf(m)+" again: its migration still awaits confirmation",
		fmt.Sprintf("A server cannot be migrated while a migration of it is pending. Settle the pending one first:\n"+
			"  - confirm it: set auto_confirm = true, without any other change, and apply;\n"+
			"  - let the replacement settle it: set on_destroy to \"confirm\" or \"revert\", without any other change, and apply; then make this change again;\n"+
			"  - confirm or revert it in the Rackspace control panel or with the API, and apply;\n"+
			"  - or wait until %s, when Rackspace confirms it by itself, and apply.",
			m.ConfirmBy().Format(time.RFC3339)),
	)
}
