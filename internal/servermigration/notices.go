package servermigration

import (
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// announce tells, after a migration, what a person should know of it.
func announce(m migration.Migration, autoConfirm bool) diag.Diagnostics {
	name := serverOf(m)
	switch {
	case m.Status == migration.StatusAwaiting:
		return diag.Diagnostics{diag.NewWarningDiagnostic(
			"The migration of "+name+" awaits confirmation",
			fmt.Sprintf("The server runs on its new host. Test it, then confirm the migration with auto_confirm = true, "+
				"or revert it in the Rackspace control panel or with the API, by %s. Rackspace then confirms it by itself, and the original server is removed.",
				m.ConfirmBy().Format(time.RFC3339)),
		)}
	case m.Status == migration.StatusConfirmed && !autoConfirm:
		return diag.Diagnostics{diag.NewWarningDiagnostic(
			"The migration of "+name+" is confirmed already",
			"It was confirmed by the cloud, or by somebody, before the provider saw it await confirmation. The original server is removed; the migration cannot be reverted any more.",
		)}
	}
	return nil
}

func revertedOutside(m migration.Migration) diag.Diagnostic {
	return diag.NewWarningDiagnostic(
		"The migration of "+serverOf(m)+" was reverted",
		fmt.Sprintf("It was reverted outside of Terraform at %s%s: the server is back on its original host, and what was written since the migration is lost. "+
			"The provider does not migrate it again by itself. To migrate it again, change triggers, or apply with -replace.",
			m.SettledAt.Format(time.RFC3339), by(m.SettledBy)),
	)
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

func willForget(m migration.Migration) diag.Diagnostic {
	return diag.NewWarningDiagnostic(
		"Destroying the migration of "+serverOf(m)+" does not settle it",
		"It awaits confirmation. Destroying it only removes it from the state; nothing is sent to the server. "+waysOut(m),
	)
}

func waysOut(m migration.Migration) string {
	return fmt.Sprintf("Confirm or revert it in the Rackspace control panel or with the API by %s; Rackspace then confirms it by itself.",
		m.ConfirmBy().Format(time.RFC3339))
}

func refuseReplace(m migration.Migration) diag.Diagnostic {
	return diag.NewErrorDiagnostic(
		"Cannot migrate "+serverOf(m)+" again: its migration still awaits confirmation",
		fmt.Sprintf("A server cannot be migrated while a migration of it is pending. Settle the pending one first:\n"+
			"  - confirm it: set auto_confirm = true, without any other change, and apply;\n"+
			"  - confirm or revert it in the Rackspace control panel or with the API, and apply;\n"+
			"  - or wait until %s, when Rackspace confirms it by itself, and apply.",
			m.ConfirmBy().Format(time.RFC3339)),
	)
}
