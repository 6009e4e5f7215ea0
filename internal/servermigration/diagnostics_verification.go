package servermigration

import (
	"fmt"
	"strings"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// failedChecks lists what a server did not pass, and why.
func (x explanation) failedChecks() string {
	lines := []string{"These checks failed:"}
	for _, check := range x.migration.Verification.Failed() {
		lines = append(lines, fmt.Sprintf("  - %s, %s: tried %d times; at last, %s.", check.Name, check.Target, check.Attempts, sentence(check.LastError)))
	}
	return strings.Join(lines, "\n")
}

// beforeThat tells of a failed test where something else failed after it.
func (x explanation) beforeThat() string {
	result := x.migration.Verification
	switch x.failure.Kind {
	case migration.KindTesting, migration.KindUnverified, migration.KindRolledBack:
		return ""
	}
	if result == nil || result.Passed {
		return ""
	}
	return "Before that, the moved server did not pass its verification. " + x.failedChecks()
}

func (x explanation) testing(server string) (summary, detail string) {
	summary = "The verification of " + server + " was cancelled"
	if x.failure.TimedOut() {
		summary = "The verification of " + server + " did not end within the operation's timeout"
	}
	return summary, paragraphs("The server runs on its new host, and the migration awaits confirmation; nothing was confirmed or reverted. "+x.kept(),
		x.request(), "Apply again, which tests it again. "+x.timeLeft())
}

// timeLeft is how long there is to decide, by the API's clock.
func (x explanation) timeLeft() string {
	text := "Rackspace confirms the migration by itself at " + timestamp(x.migration.ConfirmBy()).ValueString()
	if x.failure.Server != nil && !x.failure.Server.SeenAt.IsZero() {
		if left := x.migration.ConfirmBy().Sub(x.failure.Server.SeenAt).Truncate(time.Minute); left > 0 {
			text += ", in " + strings.TrimSuffix(left.String(), "0s")
		}
	}
	return text + ", whatever the verification says."
}

func (x explanation) afterRollback() string {
	if x.where != unrecorded {
		return "Find out why the server does not work on another host. To migrate it again, change triggers, or apply with -replace."
	}
	return "Find out why the server does not work on another host, and apply again: the next apply migrates it again."
}
