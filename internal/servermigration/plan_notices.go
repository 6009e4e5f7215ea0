package servermigration

import (
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// These are the warnings and the refusals of plans.

const (
	removesOriginal = "The original server is then removed, and the migration cannot be reverted any more."
	losesData       = "This brings the server back to its original host with its original disk, and restarts it. What was written to its local disks since the migration is lost."
)

// willTakeOver is tookOver at plan time.
func willTakeOver(m migration.Migration) diag.Diagnostic {
	return diag.NewWarningDiagnostic(
		"The migration of "+serverOf(m)+" is going to be taken over",
		fmt.Sprintf("The provider's user requested it at %s (request %s), and the state does not have it. The apply continues with it instead of migrating the server twice. %s",
			m.RequestedAt.Format(time.RFC3339), m.RequestID, toMigrateAgain),
	)
}

// willConfirm says that auto_confirm is going to confirm a pending migration.
func willConfirm(m migration.Migration, tested bool) diag.Diagnostic {
	condition := ""
	if tested {
		condition = " once the server has passed its verification"
	}
	return diag.NewWarningDiagnostic(
		"The migration of "+serverOf(m)+" is going to be confirmed",
		"It awaits confirmation. With auto_confirm = true the apply confirms it"+condition+". "+removesOriginal,
	)
}

// willMigrateAgain says what a change of triggers does, and refuses it as long as
// nothing says what becomes of a pending migration.
func willMigrateAgain(m migration.Migration, onDestroy types.String) diag.Diagnostic {
	name := serverOf(m)
	warning := func(detail string) diag.Diagnostic {
		return diag.NewWarningDiagnostic(capital(name)+" is going to be migrated again", detail)
	}
	switch {
	case m.Status.Settled():
		return warning(fmt.Sprintf("Its migration is %s, and triggers have changed.", m.Status))
	case onDestroy.IsUnknown():
		return warning("Its migration still awaits confirmation, and triggers have changed. The apply first does to it what on_destroy says, which is not known yet. With \"none\" the apply fails.")
	}
	switch migration.OnDestroy(onDestroy.ValueString()) {
	case migration.OnDestroyConfirm:
		return warning("Its migration still awaits confirmation, triggers have changed, and on_destroy is \"confirm\". The apply first confirms the pending migration. " + removesOriginal)
	case migration.OnDestroyRevert:
		return diag.NewWarningDiagnostic(
			"The migration of "+name+" is going to be reverted, and data will be lost",
			"It still awaits confirmation, triggers have changed, and on_destroy is \"revert\". The apply first reverts the pending migration. "+losesData+" Then the server is migrated again.",
		)
	}
	return diag.NewAttributeErrorDiagnostic(path.Root("triggers"),
		"Cannot migrate "+name+" again: its migration still awaits confirmation",
		fmt.Sprintf("A server has one migration at a time, and on_destroy is \"none\". What can be done with the pending one:\n"+
			"  - Confirm it: set auto_confirm = true, do not change triggers yet, and apply. Or set on_destroy = \"confirm\": the apply then confirms it and migrates the server again.\n"+
			"  - Revert it: set on_destroy = \"revert\". The apply then reverts it and migrates the server again. What was written to its local disks since the migration is lost.\n"+
			"  - Or wait: after %s Rackspace confirms it automatically.",
			m.ConfirmBy().Format(time.RFC3339)),
	)
}

// willDestroy says what a destroy is going to do to a pending migration.
func willDestroy(m migration.Migration, onDestroy string) diag.Diagnostic {
	name := serverOf(m)
	switch migration.OnDestroy(onDestroy) {
	case migration.OnDestroyConfirm:
		return diag.NewWarningDiagnostic(
			"The migration of "+name+" is going to be confirmed",
			"It still awaits confirmation, and on_destroy is \"confirm\": the destroy confirms it first. "+removesOriginal,
		)
	case migration.OnDestroyRevert:
		return diag.NewWarningDiagnostic(
			"The migration of "+name+" is going to be reverted, and data will be lost",
			"It still awaits confirmation, and on_destroy is \"revert\": the destroy reverts it. "+losesData,
		)
	default:
		return diag.NewWarningDiagnostic(
			"Destroying the migration of "+name+" leaves it pending",
			"It still awaits confirmation, and on_destroy is \"none\": the destroy only removes it from the state, and sends nothing to the server. "+byHand(m),
		)
	}
}

// remainsUnverified reminds of a server that has not passed its verification, where
// auto_confirm makes that a condition.
func remainsUnverified(m migration.Migration) diag.Diagnostic {
	return diag.NewWarningDiagnostic(
		capital(serverOf(m))+" did not pass its last verification",
		fmt.Sprintf("Its migration is %s, so the provider does not test the server again. See verification_result for the checks that failed. "+
			"This warning ends when triggers migrate the server again and it passes, or with auto_confirm = false.", m.Status),
	)
}

// refuseReplacement refuses a plan that destroys and creates migrations of one
// server, while one is pending.
func refuseReplacement(m migration.Migration) diag.Diagnostic {
	return diag.NewErrorDiagnostic(
		"Cannot replace the migration of "+serverOf(m)+": it still awaits confirmation",
		"The plan replaces the resource, or creates another one for the same server. A server has one migration at a time.\n"+
			"  - To migrate the server again, change triggers, and set on_destroy to \"confirm\" or \"revert\": the apply then confirms or reverts the pending migration first. "+
			"Do not use -replace or replace_triggered_by. If the resource is tainted, run terraform untaint ADDRESS.\n"+
			"  - If the resource has a new name, or is now in a module, count or for_each, add a moved block.\n"+
			"  - If two resources have the same server_id, remove one of them.",
	)
}

// refuseNewName refuses a plan that destroys a migration and creates another one of
// the same server, which would take over what was just removed.
func refuseNewName(m migration.Migration) diag.Diagnostic {
	return diag.NewErrorDiagnostic(
		"Cannot destroy the migration of "+serverOf(m)+" and create another one in the same plan",
		fmt.Sprintf("The migration was confirmed at %s.\n"+
			"  - If the resource has a new name, or is now in a module, count or for_each, add a moved block.\n"+
			"  - To migrate the server again, keep the resource and change triggers.",
			m.SettledAt.Format(time.RFC3339)),
	)
}

// notYet warns of a server that cannot be migrated in its present state.
func notYet(failure *migration.Error) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(path.Root("server_id"),
		capital(serverOf(failure.Migration))+" cannot be migrated at the moment",
		reasonOf(failure)+" If that is still so when the plan is applied, the apply fails without touching the server.")
}

func reasonOf(failure *migration.Error) string {
	switch move := failure.Pending; {
	case failure.Kind == migration.KindUntold && failure.Err == nil:
		return "It changed within the last 24 hours, and its action log has a migration of which it does not tell the end."
	case failure.Kind == migration.KindUntold:
		return "It changed within the last 24 hours, and its action log, which would tell whether it was migrated, cannot be read."
	case move != nil:
		what := "migration"
		if move.Resize {
			what = "resize"
		}
		return fmt.Sprintf("Its status is %s: user %s requested a %s at %s (request %s).",
			failure.Server.Status, move.UserID, what, move.Started.Format(time.RFC3339), move.RequestID)
	case failure.Server.TaskState == cloudservers.TaskDeleting, failure.Server.TaskState == cloudservers.TaskSoftDeleting:
		return "It is being deleted."
	default:
		return fmt.Sprintf("Its status is %s, and a migration starts from ACTIVE or SHUTOFF only.", failure.Server.Status)
	}
}
