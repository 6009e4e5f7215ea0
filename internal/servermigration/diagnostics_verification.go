package servermigration

import (
	"fmt"
	"strings"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/verification"
)

// This file has the details of the errors of a verification.

func (x explanation) failedChecks() string { return failedChecks(x.migration.VerificationResult) }

// failedChecks lists what a server did not pass, and why.
func failedChecks(result *verification.Result) string {
	lines := []string{"These checks failed:"}
	for _, check := range result.Failed() {
		attempts := fmt.Sprintf("%d attempts", check.Attempts)
		if check.Attempts == 1 {
			attempts = "1 attempt"
		}
		lines = append(lines, fmt.Sprintf("  - %s, %s: %s; last result: %s.", check.Name, check.Target, attempts, sentence(check.LastError)))
	}
	return strings.Join(lines, "\n")
}

// earlierTest says that the server did not pass its verification, where the error is about
// something that failed after that.
func (x explanation) earlierTest() string {
	switch x.failure.Kind {
	case migration.KindTesting, migration.KindUnverified, migration.KindRolledBack:
		return ""
	}
	if !x.failure.Unverified {
		return ""
	}
	return "Before that, the moved server did not pass its verification. " + x.failedChecks()
}

func (x explanation) whichTestEnded() string {
	if x.failure.TimedOut() {
		return "The verification of " + serverOf(x.migration) + " did not end before the timeout of the operation"
	}
	return "The verification of " + serverOf(x.migration) + " was cancelled"
}

func (x explanation) testing() string {
	if x.migration.Status.Settled() {
		return paragraphs(x.because(), x.alreadyConfirmed()+" Whether the server works is not known. "+x.whereRecorded(), x.request(), "Apply again to test the server again.")
	}
	return paragraphs(x.because(), "The server runs on its new host, and the migration awaits confirmation. Nothing was confirmed or reverted. "+x.whereRecorded(),
		x.request(), join("Apply again to test the server again.", x.timeLeft()))
}

func (x explanation) whatIsUnverified() string {
	if x.migration.Status.Settled() {
		return "The migration of " + serverOf(x.migration) + " is confirmed, but the server did not pass its verification"
	}
	return "The migration of " + serverOf(x.migration) + " was not confirmed: the server did not pass its verification"
}

func (x explanation) unverified() string {
	if x.migration.Status.Settled() {
		then := "Fix the server. The migration is in the state with the result of its verification."
		if x.in(creating, invoking) {
			then = "Fix the server, then apply again. " +
				"The provider finds the migration in the server's action log, tests the server again, and does not migrate it again."
		}
		return paragraphs(x.failedChecks(), x.alreadyConfirmed(), x.request(), then)
	}
	return paragraphs(x.failedChecks(), "The server runs on its new host, and the migration awaits confirmation. "+x.whereRecorded(),
		x.request(), x.waysToContinue(), x.timeLeft())
}

// waysToContinue says what a person can do about a moved server that did not pass its
// verification.
func (x explanation) waysToContinue() string {
	if x.in(destroying) {
		return "What you can do:\n" +
			"  - Test again: fix the server, and destroy again, which confirms the migration if the server passes. If a check is wrong, correct verification and apply before that.\n" +
			"  - Confirm it without a test: remove verification, apply, and destroy again.\n" +
			"  - Revert it: set on_destroy = \"revert\", apply, and destroy again. What was written to its local disks since the migration is lost."
	}
	if x.in(again) {
		return "What you can do:\n" +
			"  - Test again: fix the server, or correct verification. Then apply again, which confirms the migration if the server passes, and migrates the server again.\n" +
			"  - Confirm it without a test: remove verification, and apply again. The server is then migrated again without a test, too.\n" +
			"  - Revert it: set on_destroy = \"revert\", and apply again, which migrates the server again after the revert. What was written to its local disks since the migration is lost.\n" +
			"  - Not migrate it again: set triggers to what they were. The migration then still awaits confirmation."
	}
	if x.in(invoking) {
		return "What you can do:\n" +
			"  - Test again: fix the server, or correct verification. Then apply again, which confirms the migration if the server passes.\n" +
			"  - Confirm it without a test: invoke rackspace_server_migration_confirm without a verification.\n" +
			"  - Revert it: invoke rackspace_server_migration_revert. What was written to its local disks since the migration is lost."
	}
	id := strings.Join([]string{x.migration.Region, x.migration.ServerID, x.migration.RequestID}, "/")
	revert := "set auto_confirm = false and on_destroy = \"revert\", and apply. Then remove only this resource from the configuration, and apply again"
	if x.in(creating) {
		revert = "first set auto_confirm = false and on_destroy = \"revert\", and remove verification. Then run terraform import ADDRESS " + id + ", and apply. Then remove only this resource from the configuration, and apply again"
	}
	return "What you can do:\n" +
		"  - Test again: fix the server, or correct verification. Then apply again, which confirms the migration if the server passes.\n" +
		"  - Confirm it without a test: remove verification, and apply again.\n" +
		"  - Revert it: " + revert + ". Or, with Terraform 1.14 or newer, invoke the action rackspace_server_migration_revert. What was written to its local disks since the migration is lost."
}

func (x explanation) whatPreflight() string {
	switch {
	case x.failure.Err != nil && x.failure.TimedOut():
		return "The preflight of " + serverOf(x.migration) + " did not end before the timeout of the operation"
	case x.failure.Err != nil:
		return "The preflight of " + serverOf(x.migration) + " was cancelled"
	case x.migration.VerificationResult == nil:
		return capital(serverOf(x.migration)) + " was not migrated: it is shut off, so it cannot pass its verification"
	}
	return capital(serverOf(x.migration)) + " was not migrated: it did not pass its verification before the move"
}

// preflight says why a server was not moved.
func (x explanation) preflight() string {
	if x.failure.Err != nil {
		return paragraphs(x.because(), "No request to migrate the server was sent. Apply again to migrate it.")
	}
	if x.migration.VerificationResult == nil {
		return paragraphs("No request to migrate the server was sent. A migration does not start a server that is shut off.",
			"Start the server and apply again. Or remove verification, which moves the server without a test.")
	}
	untouched := "The server was not touched: no request to migrate it was sent. "
	if x.in(again) { // its earlier migration may have been confirmed or reverted just now
		untouched = "No request to migrate the server again was sent. "
	}
	return paragraphs(x.failedChecks(), untouched+"Either the server does not work where it is, or a check is wrong. A firewall between this machine and the server can also stop a check.",
		"If a check is wrong, correct it. To move a server that does not work, set preflight = false in verification. Then apply again.")
}

// alreadyConfirmed says who confirmed a migration before its server had passed.
func (x explanation) alreadyConfirmed() string {
	return "The provider did not confirm the migration. " + whoConfirmed(x.migration) + " confirmed it. It cannot be reverted any more."
}

// whoConfirmed begins a sentence about a migration that the provider did not confirm.
func whoConfirmed(m migration.Migration) string {
	switch {
	case m.SettledBy != "":
		return "User " + m.SettledBy
	case m.Automatic:
		return "The cloud"
	}
	return "Somebody else, or the cloud,"
}

func (x explanation) untested() string {
	why := "Another migration or resize of the server began before the verification had ended."
	if x.failure.Err != nil {
		why = "The server's action log cannot be read. So another migration or resize may have begun before the verification had ended. " + x.said()
	}
	return paragraphs(why, "So it is not known whether the server worked on the host that this migration moved it to. "+x.alreadyConfirmed(), x.request(), "Find out who else works on the server. Then test it by hand.")
}

func (x explanation) rolledBack() string {
	then := "Find out why the server does not work on another host. " + x.toMigrateAgain()
	return paragraphs(x.failedChecks(), "The provider reverted the migration, because on_failure is \"revert\". The server is back on its original host, with its original disk. "+
		"What was written to its local disks since the migration is lost. Nothing awaits confirmation.", x.request(), then)
}

// timeLeft says when the cloud confirms the migration, and how long that is by the API's
// clock. It is empty where that is not known.
func (x explanation) timeLeft() string {
	if x.migration.ConfirmBy().IsZero() {
		return ""
	}
	text := "The cloud confirms the migration automatically after " + x.migration.ConfirmBy().Format(time.RFC3339)
	if x.failure.Server != nil && !x.failure.Server.SeenAt.IsZero() {
		if left := x.migration.ConfirmBy().Sub(x.failure.Server.SeenAt).Truncate(time.Minute); left > 0 {
			text += ", in " + strings.TrimSuffix(left.String(), "0s")
		}
	}
	return text + ", whether the server has passed or not."
}
