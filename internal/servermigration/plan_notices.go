package servermigration

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// This file has the warnings of plans, and the errors with which a plan is refused.

const (
	removesOriginal = "The cloud then deletes the original copy on the old host, and the migration cannot be reverted any more."
	losesData       = "This brings the server back to its original host with its original disk, and restarts it. What was written to its local disks since the migration is lost."
)

// pendingNow begins a sentence about a migration that is not confirmed or reverted yet.
func pendingNow(m migration.Migration) string {
	if m.Status == migration.StatusMigrating {
		return "The migration is still under way"
	}
	return "The migration still awaits confirmation"
}

// willTakeOver says that the apply continues with a pending migration instead of requesting
// one, and what it does to that migration.
func willTakeOver(m migration.Migration, plan *model) diag.Diagnostic {
	then := afterTheMove(plan)
	if m.Status == migration.StatusConfirmed {
		then = "It is confirmed, so the apply only records it."
		if !plan.Verification.IsNull() {
			then = "It is confirmed, so the apply only tests the server and records the migration."
		}
	}
	return diag.NewWarningDiagnostic(
		"The migration of "+serverOf(m)+" is going to be taken over",
		join(fmt.Sprintf("The provider's user requested it at %s (request %s), and the state does not have it. The apply continues with it instead of migrating the server twice.",
			m.RequestedAt.Format(time.RFC3339), m.RequestID), then, toMigrateAgain),
	)
}

// willConfirm says that auto_confirm is going to confirm a pending migration, or may
// do so while it is not known.
func willConfirm(m migration.Migration, plan *model) diag.Diagnostic {
	if plan.AutoConfirm.IsUnknown() {
		unless := ""
		if !plan.Verification.IsNull() {
			unless = "If it is false, and verification has not changed, the apply sends nothing. Otherwise:"
		}
		return diag.NewWarningDiagnostic(
			"The migration of "+serverOf(m)+" may be confirmed",
			join(pendingNow(m)+", and auto_confirm is not known yet.", unless, afterTheMove(plan)),
		)
	}
	what := "confirmed"
	switch {
	case !plan.Verification.IsNull() && onFailure(plan) == onFailureRevert:
		what = "tested, and then confirmed or reverted"
	case !plan.Verification.IsNull():
		what = "tested and confirmed"
	}
	return diag.NewWarningDiagnostic(
		"The migration of "+serverOf(m)+" is going to be "+what,
		pendingNow(m)+", and auto_confirm is true. "+afterTheMove(plan),
	)
}

// willTest says that a changed verification can revert a pending migration.
func willTest(m migration.Migration, plan *model) diag.Diagnostics {
	if onFailure(plan) == onFailureKeep {
		return nil
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic(
		"The migration of "+serverOf(m)+" is going to be tested again, and may be reverted",
		pendingNow(m)+", and verification has changed. "+afterTheMove(plan),
	)}
}

// afterTheMove says what an apply does to a migration that awaits confirmation.
func afterTheMove(plan *model) string {
	confirms, tests, unknown := plan.AutoConfirm.ValueBool(), !plan.Verification.IsNull(), plan.AutoConfirm.IsUnknown()
	var text string
	switch {
	case unknown && tests:
		text = "The apply tests the server. If the server passes, and auto_confirm is true, the apply confirms the migration. " + removesOriginal
	case unknown:
		text = "If auto_confirm is true, the apply confirms the migration. " + removesOriginal
	case confirms && tests:
		text = "The apply tests the server. If the server passes, the apply confirms the migration. " + removesOriginal
	case confirms:
		text = "The apply confirms it. " + removesOriginal
	case tests:
		text = "The apply tests the server."
	}
	switch {
	case tests && onFailure(plan) == onFailureRevert:
		text += " If the server does not pass, the apply reverts the migration, because on_failure is \"revert\". " + losesData
	case tests && onFailure(plan) == "":
		text += " If the server does not pass, the apply does what on_failure says, which is not known yet."
	case unknown && tests:
		text += " If the server does not pass, the migration still awaits confirmation."
	case confirms && tests:
		text += " If the server does not pass, the apply fails, and the migration still awaits confirmation."
	}
	return text
}

// onFailure is what is done to a migration whose server does not pass; empty while
// that is not known.
func onFailure(plan *model) string {
	action, _ := plan.Verification.Attributes()["on_failure"].(types.String)
	return action.ValueString()
}

// shutOffServer warns of a server that cannot pass its verification because it does not run.
func shutOffServer(m migration.Migration, plan *model) diag.Diagnostics {
	if m.ServerStatus != cloudservers.StatusShutoff || plan.Verification.IsNull() {
		return nil
	}
	then := "If it is still shut off when the plan is applied, the apply fails, and the server is not moved. Start the server before, or remove verification."
	if preflight, known := plan.Verification.Attributes()["preflight"].(types.Bool); known && preflight.Equal(types.BoolValue(false)) {
		then = "It stays shut off on its new host. With preflight = false it is moved, but it cannot pass there. Start the server before, or remove verification."
	}
	return diag.Diagnostics{diag.NewAttributeWarningDiagnostic(path.Root("verification"),
		capital(serverOf(m))+" is shut off, so it cannot pass its verification", then)}
}

// revertedLately warns of a server whose migrations were reverted in the last 24 hours.
// Another migration restarts it once more.
func revertedLately(found migration.Preview) diag.Diagnostics {
	if len(found.RolledBack) == 0 {
		return nil
	}
	times := "once"
	if len(found.RolledBack) > 1 {
		times = fmt.Sprintf("%d times", len(found.RolledBack))
	}
	lines := []string{"The provider's user requested these migrations, and they were reverted:"}
	for _, move := range found.RolledBack {
		lines = append(lines, fmt.Sprintf("  - requested at %s, reverted at %s (request %s)", move.Started.Format(time.RFC3339), move.SettledAt.Format(time.RFC3339), move.RequestID))
	}
	return diag.Diagnostics{diag.NewAttributeWarningDiagnostic(path.Root("server_id"),
		capital(serverOf(found.Migration))+" was migrated and reverted "+times+" in the last 24 hours",
		paragraphs(strings.Join(lines, "\n"), "Each migration and each revert restarts the server. The apply migrates it again. Find out first why the server was reverted. In a CI pipeline, limit the retries."))}
}

// willMigrateAgain says what a change of triggers does. It refuses the change if a migration
// is pending and on_destroy does not say what to do with it. tested says whether the server
// must pass a verification before that migration is confirmed.
func willMigrateAgain(m migration.Migration, onDestroy types.String, tested bool) diag.Diagnostic {
	name := serverOf(m)
	warning := func(detail string) diag.Diagnostic {
		return diag.NewWarningDiagnostic(capital(name)+" is going to be migrated again", detail)
	}
	switch {
	case m.Status.Settled():
		return warning(fmt.Sprintf("Its migration is %s, and triggers have changed.", m.Status))
	case onDestroy.IsUnknown():
		return warning(join(pendingNow(m) + ", and triggers have changed. The apply first does to that migration what on_destroy says, which is not known yet. With \"none\" the apply fails."))
	}
	switch migration.OnDestroy(onDestroy.ValueString()) {
	case migration.OnDestroyConfirm:
		first := "The apply first confirms the pending migration. "
		if tested {
			first = "The apply first tests the server. If the server does not pass, the apply fails, and the migration still awaits confirmation. If it passes, the apply confirms the pending migration. "
		}
		return warning(pendingNow(m) + ", triggers have changed, and on_destroy is \"confirm\". " + first + removesOriginal)
	case migration.OnDestroyRevert:
		return diag.NewWarningDiagnostic(
			"The migration of "+name+" is going to be reverted, and data will be lost",
			pendingNow(m)+", triggers have changed, and on_destroy is \"revert\". The apply first reverts the pending migration. "+losesData+" Then the server is migrated again.",
		)
	}
	wait := ""
	if by := m.ConfirmBy(); !by.IsZero() {
		wait = fmt.Sprintf("  - Or wait: after %s the cloud confirms it automatically.\n", by.Format(time.RFC3339))
	}
	return diag.NewAttributeErrorDiagnostic(path.Root("triggers"),
		"Cannot migrate "+name+" again: its migration is not confirmed or reverted yet",
		pendingNow(m)+", and on_destroy is \"none\". A server has one migration at a time. What can be done with the pending one:\n"+
			"  - Confirm it: set auto_confirm = true, do not change triggers yet, and apply. Or set on_destroy = \"confirm\": the apply then confirms it and migrates the server again.\n"+
			"  - Revert it: set on_destroy = \"revert\". The apply then reverts it and migrates the server again. What was written to its local disks since the migration is lost.\n"+
			wait+"To destroy the resource instead, undo the change of triggers first.",
	)
}

// willDestroy says what a destroy is going to do to a pending migration.
func willDestroy(m migration.Migration, onDestroy string, tested bool) diag.Diagnostic {
	name := serverOf(m)
	first := "The destroy confirms it first. "
	if tested {
		first = "The destroy first tests the server. If the server does not pass, the destroy fails, and the migration still awaits confirmation. If it passes, the destroy confirms the migration. "
	}
	switch migration.OnDestroy(onDestroy) {
	case migration.OnDestroyConfirm:
		return diag.NewWarningDiagnostic(
			"The migration of "+name+" is going to be confirmed",
			pendingNow(m)+", and on_destroy is \"confirm\". "+first+removesOriginal,
		)
	case migration.OnDestroyRevert:
		return diag.NewWarningDiagnostic(
			"The migration of "+name+" is going to be reverted, and data will be lost",
			pendingNow(m)+", and on_destroy is \"revert\". The destroy reverts it. "+losesData,
		)
	default:
		return diag.NewWarningDiagnostic(
			"Destroying the migration of "+name+" leaves it pending",
			pendingNow(m)+", and on_destroy is \"none\". The destroy only removes it from the state, and sends nothing to the server. "+byHand(m),
		)
	}
}

// notAsAutoConfirmWants warns of a migration that did not end as auto_confirm asks: it is
// not confirmed, or its server has not passed.
func notAsAutoConfirmWants(m migration.Migration) diag.Diagnostics {
	switch {
	case m.Status == migration.StatusReverted, m.Status == migration.StatusFailed:
		return diag.Diagnostics{diag.NewWarningDiagnostic(
			fmt.Sprintf("The migration of %s is %s, although auto_confirm is true", serverOf(m), m.Status),
			"The provider does not migrate the server again without being asked. "+toMigrateAgain+" That ends this warning. So does auto_confirm = false, or removing the resource.",
		)}
	case hasFailed(m.VerificationResult):
		return diag.Diagnostics{diag.NewWarningDiagnostic(
			capital(serverOf(m))+" did not pass its last verification",
			fmt.Sprintf("Its migration is %s, so the provider does not test the server again. See verification_result for the checks that failed. "+
				"To end this warning, fix the server and change triggers, which migrates and tests it again. Or set auto_confirm = false, or remove verification or the resource.", m.Status),
		)}
	}
	return nil
}

// refuseReplacement refuses a plan that destroys and creates migrations of one
// server, while one is pending.
func refuseReplacement(m migration.Migration) diag.Diagnostic {
	return diag.NewErrorDiagnostic(
		"Cannot replace the migration of "+serverOf(m)+": it is not confirmed or reverted yet",
		pendingNow(m)+". The plan replaces the resource, or creates another one for the same server. A server has one migration at a time.\n"+
			"  - To migrate the server again, change triggers, and set on_destroy to \"confirm\" or \"revert\". The apply then confirms or reverts the pending migration first. "+
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
		fmt.Sprintf("The migration was confirmed at %s. For 24 hours after that such a plan is refused, because it would not migrate the server again.\n"+
			"  - If the resource has a new name, or is now in a module, count or for_each, add a moved block.\n"+
			"  - To migrate the server again, keep the resource and change triggers.",
			m.SettledAt.Format(time.RFC3339)),
	)
}

// notYet warns of a server that cannot be migrated in its present status.
func notYet(failure *migration.Error) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(path.Root("server_id"),
		capital(serverOf(failure.Migration))+" cannot be migrated at the moment",
		reasonOf(failure)+" If that is still so when the plan is applied, the apply fails, and the server is not moved.")
}

func reasonOf(failure *migration.Error) string {
	switch move := failure.Pending; {
	case failure.Kind == migration.KindUntold && failure.Err == nil:
		return "It changed within the last 24 hours. Its action log has a migration, and does not tell how that ended."
	case failure.Kind == migration.KindUntold:
		return "It changed within the last 24 hours. Its action log would tell whether it was migrated, but it cannot be read."
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
