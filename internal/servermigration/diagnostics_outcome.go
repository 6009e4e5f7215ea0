package servermigration

import (
	"fmt"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// This file has the details of the errors after a migrate request was accepted.

func (x explanation) failed() string {
	return paragraphs(x.whyFailed(), x.request(), x.afterFailure())
}

func (x explanation) whyFailed() string {
	s := x.failure.Server
	switch {
	case s == nil:
		return ""
	case s.Fault != nil:
		return fmt.Sprintf("The server's status is %s. The API says: %d %s. %s", s.Status, s.Fault.Code, sentence(s.Fault.Message), x.host())
	case s.Status == cloudservers.StatusActive || s.Status == cloudservers.StatusShutoff:
		return fmt.Sprintf("The server's status is %s. %s The API gives no reason. Most often no other host had room for it.", s.Status, x.host())
	case s.Status == cloudservers.StatusVerifyResize:
		return fmt.Sprintf("The server's status is %s, but its action log says that the migration failed. %s", s.Status, x.host())
	default:
		return fmt.Sprintf("The server's status is %s. %s The API gives no reason.", s.Status, x.host())
	}
}

// host says whether the server is on its original host, as far as that is known.
func (x explanation) host() string {
	source, is := x.migration.SourceHostID, x.failure.Server.HostID
	switch {
	case source == "" || is == "":
		return "It is not known on which host it is."
	case source == is:
		return "It is on its original host."
	}
	return "It is not on its original host."
}

func (x explanation) afterFailure() string {
	then := x.toMigrateAgain()
	s := x.failure.Server
	switch {
	case s == nil:
		return then
	case s.Status == cloudservers.StatusActive || s.Status == cloudservers.StatusShutoff:
		return "Nothing awaits confirmation. " + then + " If it fails again, give the request id to the cloud's support."
	case s.Status == cloudservers.StatusVerifyResize:
		return "Revert the migration in the cloud's control panel or with the API, and give the request id to the cloud's support. " + then
	}
	return "A server in this status cannot be migrated. Give the request id to the cloud's support. Once the server is ACTIVE or SHUTOFF, it can be migrated again. " + then
}

// toMigrateAgain says how to migrate the server again after its migration has ended.
func (x explanation) toMigrateAgain() string {
	switch x.operation {
	case recorded:
		return "To migrate the server again, change triggers."
	case invoking:
		return "To migrate the server again, invoke rackspace_server_migrate."
	}
	return "To migrate the server again, apply again."
}

// notAsDestroyWanted completes the summary of a migration that has ended in another way
// than the destroy wanted.
func (x explanation) notAsDestroyWanted(want migration.Status) string {
	if x.in(destroying) {
		return ", not " + string(want)
	}
	return ""
}

func (x explanation) reverted() string {
	back := "The server is back on its original host. What was written to its local disks since the migration is lost."
	if x.in(destroying) {
		return fmt.Sprintf("It was reverted%s before the destroy could confirm it. %s The migration was removed from the state.", by(x.migration.SettledBy), back)
	}
	return paragraphs("It was reverted"+by(x.migration.SettledBy)+". "+back, x.request(), "Find out why it was reverted. "+x.toMigrateAgain())
}

func (x explanation) confirmed() string {
	if x.in(destroying) {
		return fmt.Sprintf("It was confirmed%s before the destroy could revert it. It cannot be reverted any more. The server stays on its new host. The migration was removed from the state.",
			by(x.migration.SettledBy))
	}
	return paragraphs("It was confirmed"+by(x.migration.SettledBy)+" before it could be reverted. It cannot be reverted any more. The server stays on its new host.",
		x.request(), x.toMigrateAgain())
}

func (x explanation) unknownEnd() string {
	then := "To migrate the server again, remove the resource from the state (terraform state rm ADDRESS) and apply again."
	switch x.operation {
	case creating:
		then = "Find out what was done to the server, and apply again once that is over."
	case invoking:
		then = "Find out what was done to the server. " + x.toMigrateAgain()
	case destroying:
		then = "The migration was removed from the state. If it matters on which host the server is, look it up in the cloud."
	}
	return paragraphs("It has ended. Neither the server nor its action log tells whether it was confirmed or reverted. Something else may have been done to the server since. "+x.state(),
		x.said(), x.request(), then)
}

func (x explanation) gone() string {
	if x.in(destroying) {
		return "It was deleted before its migration was confirmed or reverted. The migration was removed from the state."
	}
	return paragraphs("It was deleted before its migration was confirmed or reverted.", x.request(), x.toForget())
}

func (x explanation) whatWasInterrupted() string {
	if x.failure.TimedOut() {
		return "The migration of " + serverOf(x.migration) + " did not end within its timeout"
	}
	return "The wait for the migration of " + serverOf(x.migration) + " was cancelled"
}

func (x explanation) interrupted() string {
	unseen := x.because()
	if x.api() != nil {
		unseen = join(unseen, "The last attempts to read the server failed. "+x.said())
	}
	return paragraphs(unseen, "The migration was accepted and continues without Terraform. "+x.whereRecorded(), x.state(), x.request(), x.howToContinue())
}

func (x explanation) notFollowed() string {
	return paragraphs(x.said(), "The migration was accepted and continues without Terraform. "+x.whereRecorded(), x.request(), x.advice(), x.howToContinue())
}

func (x explanation) unsettled() string {
	return paragraphs(x.said(), "The server runs on its new host, and the migration still awaits confirmation. "+x.whereRecorded(), x.request(), x.advice(), toEnd(x.migration, ""))
}

func (x explanation) unproven() string {
	sent := "The " + x.noun() + " was not sent"
	if x.failure.Sent {
		sent += " again"
	}
	return paragraphs(x.said(), sent+". Something awaits confirmation on this server. The provider cannot tell whether it is this migration, a later one or a resize. "+
		"The server's action log would tell, but it cannot be read or does not name it. "+x.whereRecorded(), x.request(),
		join("Apply again with a user who may read the action log. Or find out in the cloud's control panel what awaits confirmation, and confirm or revert it there.", automatically(x.migration)))
}

func (x explanation) settling() string {
	accepted := "The cloud has accepted the " + x.noun() + ". "
	if x.failure.Unsure {
		accepted = "The cloud may have accepted the " + x.noun() + ". "
	}
	then := "To see its end, apply again. The migration is still in the state."
	switch {
	case x.failure.Want == migration.StatusConfirmed && x.in(creating, recorded):
		then = "The migration is in the state. The next refresh shows how it ended. If it still awaits confirmation then, apply again."
	case x.in(invoking):
		then = "The server's status and its action log show how it ended."
	case x.in(creating):
		then = "Apply again once the server has no task any more. If the migration was reverted, the apply migrates the server again. If not, the provider continues with it and tests the server again."
	}
	return paragraphs(x.said(), accepted+then, x.request())
}

// whereRecorded says where a pending migration is recorded, and how the next run finds it.
func (x explanation) whereRecorded() string {
	if x.in(invoking) {
		return "The server's action log has it."
	}
	if x.in(creating) {
		return "The provider left the migration out of the state on purpose. Otherwise Terraform would mark the resource as tainted and migrate the server again. The next apply finds the migration in the server's action log."
	}
	if x.in(destroying) {
		return "The migration is in the state. Destroy again to continue."
	}
	return "The migration is in the state. Apply again to continue."
}

// howToContinue says what to do about a migration whose end was not seen.
func (x explanation) howToContinue() string {
	if x.in(creating, invoking) {
		return join("Apply again. The provider finds the migration in the server's action log and continues with it. It does not migrate the server again.", automatically(x.migration))
	}
	return automatically(x.migration)
}

// earlierMigration says what the state has if a change of triggers did not lead to a new
// migration.
func (x explanation) earlierMigration() string {
	if x.in(again) {
		return "The state keeps the earlier migration and its triggers."
	}
	return ""
}

// verb is what the provider was about to do to the migration.
func (x explanation) verb() string {
	if x.failure.Want == migration.StatusReverted {
		return "revert"
	}
	return "confirm"
}

func (x explanation) noun() string {
	if x.failure.Want == migration.StatusReverted {
		return "revert"
	}
	return "confirmation"
}

// state is the server's status, as last seen.
func (x explanation) state() string {
	s := x.failure.Server
	switch {
	case s == nil:
		return ""
	case s.TaskState != "":
		return fmt.Sprintf("The server's status is %s (task %s).", s.Status, s.TaskState)
	default:
		return fmt.Sprintf("The server's status is %s.", s.Status)
	}
}

// request names the migrate request, by which the cloud's support can find it.
func (x explanation) request() string {
	if x.migration.RequestID == "" {
		return ""
	}
	return "Migrate request: " + x.migration.RequestID + "."
}

// by names the user who did something, if it is known.
func by(user string) string {
	if user == "" {
		return ""
	}
	return " (user " + user + ")"
}

// automatically says when the cloud confirms a migration by itself. It is empty where that
// is not known.
func automatically(m migration.Migration) string {
	if m.ConfirmBy().IsZero() {
		return ""
	}
	return "The cloud confirms it automatically after " + m.ConfirmBy().Format(time.RFC3339) + "."
}

// toEnd says what to do about a pending migration, and until when if that is known.
// where continues the sentence that begins with "Confirm or revert the migration".
func toEnd(m migration.Migration, where string) string {
	if m.ConfirmBy().IsZero() {
		return "Confirm or revert the migration" + where + "."
	}
	return "Confirm or revert the migration" + where + " by " + m.ConfirmBy().Format(time.RFC3339) + ". After that, the cloud confirms it automatically."
}
