package servermigration

import (
	"fmt"
	"strings"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// These are the details of the errors of a verification.

// failedChecks lists what a server did not pass, and why.
func (x explanation) failedChecks() string {
	lines := []string{"These checks failed:"}
	for _, check := range x.migration.VerificationResult.Failed() {
		attempts := fmt.Sprintf("%d attempts", check.Attempts)
		if check.Attempts == 1 {
			attempts = "1 attempt"
		}
		lines = append(lines, fmt.Sprintf("  - %s, %s: %s; last result: %s.", check.Name, check.Target, attempts, sentence(check.LastError)))
	}
	return strings.Join(lines, "\n")
}

// earlierTest tells of a failed test where something else failed after it.
func (x explanation) earlierTest() string {
	result := x.migration.VerificationResult
	switch x.failure.Kind {
	case migration.KindTesting, migration.KindUnverified, migration.KindRolledBack:
		return ""
	}
	if result == nil || result.Passed {
		return ""
	}
	return "Before that, the moved server did not pass its verification. " + x.failedChecks()
}

func (x explanation) whichTestEnded() string {
	if x.failure.TimedOut() {
		return "The verification of " + serverOf(x.migration) + " did not end within the operation's timeout"
	}
	return "The verification of " + serverOf(x.migration) + " was cancelled"
}

func (x explanation) testing() string {
	if x.migration.Status.Settled() {
		return paragraphs(x.alreadyConfirmed()+" Whether the server works is not known. "+x.kept(), x.request(), "Apply again, which tests the server again.")
	}
	return paragraphs("The server runs on its new host, and the migration awaits confirmation. Nothing was confirmed or reverted. "+x.kept(),
		x.request(), "Apply again, which tests the server again. "+x.timeLeft())
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
		if x.in(creating) {
			then = "Fix the server, then apply again. " +
				"The provider finds the migration in the server's action log, tests the server again, and does not migrate it again."
		}
		return paragraphs(x.failedChecks(), x.alreadyConfirmed(), x.request(), then)
	}
	return paragraphs(x.failedChecks(), "The server runs on its new host, and the migration awaits confirmation. "+x.kept(),
		x.request(), "Fix the server, then apply again, which tests it again. Or revert the migration in the Rackspace control panel or with the API. "+x.timeLeft())
}

// alreadyConfirmed is about a migration that was confirmed before its server had
// passed.
func (x explanation) alreadyConfirmed() string {
	return "The provider did not confirm the migration. Somebody else or the cloud did" + by(x.migration.SettledBy) + ", so it cannot be reverted any more."
}

func (x explanation) untested() string {
	why := "Another migration or resize of the server began before its verification had ended."
	if x.failure.Err != nil {
		why = "The server's action log cannot be read. So another migration or resize of the server can have begun before its verification had ended. " + x.said()
	}
	return paragraphs(why, "Nothing tells whether the server worked on the host that this migration brought it to. "+x.alreadyConfirmed(), x.request(), "Find out who else works on the server. Then test it by hand.")
}

func (x explanation) rolledBack() string {
	then := "Find out why the server does not work on another host. " + x.toMigrateAgain()
	return paragraphs(x.failedChecks(), "The provider reverted the migration, because on_failure is \"revert\". The server is back on its original host, with its original disk. "+
		"What was written to its local disks since the migration is lost. Nothing awaits confirmation.", x.request(), then)
}

// timeLeft is how long there is to decide, by the API's clock.
func (x explanation) timeLeft() string {
	text := "Rackspace confirms the migration automatically after " + x.migration.ConfirmBy().Format(time.RFC3339)
	if x.failure.Server != nil && !x.failure.Server.SeenAt.IsZero() {
		if left := x.migration.ConfirmBy().Sub(x.failure.Server.SeenAt).Truncate(time.Minute); left > 0 {
			text += ", in " + strings.TrimSuffix(left.String(), "0s")
		}
	}
	return text + ", whatever the verification says."
}
