package servermigration

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// explain turns an error of the engine into a diagnostic: what failed for
// which server, what the API said, what is true of the server now, and what to
// do next. It is the only place where that is done.
func explain(err error, where record) diag.Diagnostics {
	if err == nil {
		return nil
	}
	var failure *migration.Error
	if !errors.As(err, &failure) {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Provider defect", "An unforeseen error: "+err.Error()+". Please report this.")}
	}
	text := explanation{migration: failure.Migration, failure: failure, where: where}
	summary, detail := text.of(failure.Kind)
	detail = paragraphs(detail, text.beforeThat(), text.nextTime())
	switch {
	case failure.Kind == migration.KindSettling && failure.Want == migration.StatusConfirmed && where != destroying:
		return diag.Diagnostics{diag.NewWarningDiagnostic(summary, detail)}
	case failure.Kind == migration.KindNotFound, failure.Kind == migration.KindOnMetal,
		failure.Kind == migration.KindStatus, failure.Kind == migration.KindPending, failure.Kind == migration.KindClaimed,
		failure.Kind == migration.KindUntold, failure.Kind == migration.KindNeverMigrated && failure.Migration.RequestID == "":
		return diag.Diagnostics{diag.NewAttributeErrorDiagnostic(path.Root("server_id"), summary, detail)}
	case failure.Kind == migration.KindAPI && isRegion(failure.Err):
		return diag.Diagnostics{diag.NewAttributeErrorDiagnostic(path.Root("region"), summary, detail)}
	default:
		return diag.Diagnostics{diag.NewErrorDiagnostic(summary, detail)}
	}
}

func isRegion(err error) bool {
	var region *cloudservers.RegionError
	return errors.As(err, &region)
}

// explanation writes one diagnostic.
type explanation struct {
	migration migration.Migration
	failure   *migration.Error
	where     record
}

// record says whether the state has the migration when the operation fails.
type record int

const (
	unrecorded record = iota
	recorded
	destroying // the state has it, and would lose it if that were no error
)

// kept says what the state has of a migration that goes on.
func (x explanation) kept() string {
	if x.where != unrecorded {
		return "It is in the state as it was before; apply again to go on."
	}
	return "It is not in the state, because Terraform would replace it there, that is, migrate the server again; the server's action log has it."
}

func (x explanation) of(kind migration.Kind) (summary, detail string) {
	server := serverOf(x.migration)
	switch kind {
	case migration.KindNotFound:
		return "There is no server " + x.migration.ServerID,
			paragraphs("No server with this id exists in region "+x.migration.Region+", or the user may not see it.", x.said(),
				"Nothing was sent to any server. Check server_id, and whether the server is in another region (argument region).")
	case migration.KindOnMetal:
		return "Cannot migrate " + server + ": it is an OnMetal server",
			"An OnMetal server is a physical machine; Rackspace cannot move it to another host. Nothing was sent to it. Remove it from what is to be migrated."
	case migration.KindStatus:
		if x.failure.Server.TaskState == cloudservers.TaskDeleting {
			return "Cannot migrate " + server + ": it is being deleted",
				paragraphs(x.nothingSent(), x.state(), "Remove it from the configuration.")
		}
		return fmt.Sprintf("Cannot migrate %s: its status is %s", server, x.failure.Server.Status),
			paragraphs("A migration starts from ACTIVE or SHUTOFF only. "+x.nothingSent(), x.state(),
				"Bring the server into one of these states, or wait until it is in one, and apply again.")
	case migration.KindBusy:
		return "Cannot migrate " + server + ": it is busy",
			paragraphs(x.because(), "Until then something else was being done to the server. "+x.state(), "Apply again once that is over.")
	case migration.KindPending:
		return x.pending(server)
	case migration.KindClaimed:
		return "Another resource migrates " + server + " already",
			"A server is migrated once in an apply, and another rackspace_server_migration of this configuration has it. Nothing was sent for this one. Remove one of the two, or give it another server_id."
	case migration.KindTurn:
		return "The turn of " + server + " did not come",
			paragraphs(x.because(), "It waited for other migrations, because of max_concurrent_migrations or of the account's rate limit (requests_per_minute). No migration was asked for. Apply again to migrate it.")
	case migration.KindStopped:
		return "The migration of " + server + " was not started",
			paragraphs("Others failed before, and stop_after_failures lets no further one start:\n"+x.failures(), "No migration of this server was asked for. Find out why the others failed, and apply again.")
	case migration.KindUntold:
		return x.untold(server)
	case migration.KindRefused:
		return "Cannot migrate " + server, paragraphs(x.said(), "No migration was started.", x.advice())
	case migration.KindUndecided:
		return "It is not known whether the migration of " + server + " was started",
			paragraphs(x.said(), "The migrate request can have been accepted although its answer did not arrive, and "+
				"neither the server nor its action log could tell. It was not sent again, so that the server is not migrated twice.",
				"Apply again once the API answers and the action log can be read: if it shows that the server was migrated, the provider takes that migration up and does not migrate the server again.")
	case migration.KindFailed:
		return "The migration of " + server + " failed", paragraphs(x.whyFailed(), x.request(), x.afterFailure())
	case migration.KindReverted:
		return "The migration of " + server + " was reverted",
			paragraphs("Somebody reverted it while it was being waited for"+by(x.migration.SettledBy)+": the server is back on its original host, "+
				"and what was written since the migration is lost.", x.request(),
				"Find out why before you migrate the server again.")
	case migration.KindGone:
		return "The server of the migration is gone: " + server,
			paragraphs("It was deleted while its migration was pending.", x.request(), "Remove the migration from the configuration.")
	case migration.KindInterrupted:
		return x.interrupted(server)
	case migration.KindWait:
		return "Cannot follow the migration of " + server,
			paragraphs(x.said(), "The migration was accepted and goes on in the cloud. "+x.kept(), x.request(), x.advice(), x.goOn())
	case migration.KindTesting:
		return x.testing(server)
	case migration.KindUnverified:
		return "The migration of " + server + " was not confirmed: the server did not pass its verification",
			paragraphs(x.failedChecks(), "The server runs on its new host, and the migration awaits confirmation: on_failure is \"keep\". "+x.kept(),
				x.request(), "Mend the server and apply again, which tests it again; or revert the migration in the Rackspace control panel or with the API. "+x.timeLeft())
	case migration.KindRolledBack:
		return "The migration of " + server + " was rolled back: the server did not pass its verification",
			paragraphs(x.failedChecks(), "The provider reverted the migration, because on_failure is \"revert\": the server is back on its original host, with its original disk, "+
				"and what was written since the migration is lost. Nothing awaits confirmation.", x.request(), x.afterRollback())
	case migration.KindUnsettled:
		return "Cannot " + verb(x.failure.Want) + " the migration of " + server,
			paragraphs(x.said(), "The server runs on its new host, and the migration still awaits confirmation. "+x.kept(), x.request(), x.advice(), x.deadline())
	case migration.KindUnproven:
		notSent := "The " + verb(x.failure.Want) + " was not sent"
		if x.failure.Sent {
			notSent += " again"
		}
		return "It is not known what awaits confirmation on " + server,
			paragraphs(x.said(), notSent+". Nothing proves that it is this migration: "+
				"somebody may have settled it and begun another one, or a resize. The server's action log, which would tell, cannot be read or does not name it. "+x.kept(),
				x.request(), "Apply again with a user who may read the action log, or look at the server and "+verb(x.failure.Want)+" by hand what awaits confirmation. "+x.deadline())
	case migration.KindSettling:
		return x.settling(server)
	case migration.KindConfirmed:
		return "The migration of " + server + " was confirmed",
			paragraphs("It was confirmed"+by(x.migration.SettledBy)+" before it could be reverted, and cannot be reverted any more. The server stays on its new host.", x.request())
	case migration.KindNeverMigrated:
		if x.migration.RequestID != "" {
			return "There is no migration to confirm: " + server + " has none of request " + x.migration.RequestID,
				"Its action log has no migrate entry of that request. Check migration_id: it is the id of a rackspace_server_migration."
		}
		return "There is no migration to import: " + server + " was never migrated",
			"Its action log has no migrate entry. Check the server's id and region. To migrate it, leave out the import: creating the resource migrates the server."
	default:
		return x.apiFailed(server)
	}
}

// serverOf names a migration's server as a person would.
func serverOf(m migration.Migration) string {
	if m.ServerName == "" {
		return "server " + m.ServerID
	}
	return fmt.Sprintf("server %s (%s)", m.ServerName, m.ServerID)
}

func (x explanation) apiFailed(server string) (summary, detail string) {
	var region *cloudservers.RegionError
	switch {
	case errors.As(x.failure.Err, &region) && region.Region == "":
		return "No region is set", fmt.Sprintf("The user has no default region. Set region in the provider block, one of the environment variables that stand for it, or in the resource. The account has %s.", strings.Join(region.Known, ", "))
	case errors.As(x.failure.Err, &region):
		return fmt.Sprintf("There is no region %q", region.Region), fmt.Sprintf(
			"The account has no %s Cloud Servers endpoint in it. Regions that have one: %s.", region.EndpointType, strings.Join(region.Known, ", "))
	case errors.Is(x.failure.Err, cloudservers.ErrNoCloudServers):
		return "The account has no Cloud Servers",
			"Its service catalog has no entry cloudServersOpenStack, the Cloud Servers API v2. Check that the credentials belong to the account that is meant, and that they are Rackspace's."
	}
	summary = "Cannot read " + server
	if api := x.api(); api != nil && api.Authentication() {
		summary = "Cannot authenticate with Rackspace"
	}
	return summary, paragraphs(x.said(), "Nothing was changed.", x.advice())
}

func (x explanation) pending(server string) (summary, detail string) {
	summary = "Cannot migrate " + server + ": a migration or resize of it is pending"
	what := "The action log does not tell which."
	if x.failure.Err != nil {
		what = "Its action log, which would tell which, cannot be read. " + x.said()
	}
	if entry := x.failure.Pending; entry != nil {
		summary = "Cannot migrate " + server + ": it is being migrated already"
		if entry.Action == cloudservers.ActionResize {
			summary = "Cannot migrate " + server + ": a resize of it is pending"
		}
		what = fmt.Sprintf("User %s asked for it at %s (request %s).", entry.UserID, entry.Start.Format(time.RFC3339), entry.RequestID)
	}
	switch {
	case x.failure.Forgotten:
		return summary, paragraphs(what, x.state(), x.nothingSent()+" This run has destroyed the resource that had it, or tried to, and has not settled it. Apply again to take it up, or settle it first. "+
			"Where its resource was only renamed, or moved into a module, count or for_each, say so with a moved block.")
	case x.failure.Server != nil && x.failure.Server.Status == cloudservers.StatusRevertResize:
		return summary, paragraphs(what, x.state(), x.nothingSent()+" The server is on its way back to its original host. Apply again once it is ACTIVE or SHUTOFF.")
	}
	byHand := "Confirm or revert what is pending, in the Rackspace control panel or with the API, and apply again once the server is ACTIVE or SHUTOFF."
	switch entry := x.failure.Pending; {
	case entry != nil && entry.Action == cloudservers.ActionMigrate:
		return summary, paragraphs(what, x.state(), x.nothingSent()+" To manage the pending migration with Terraform, "+x.importIt()+" Otherwise confirm"+strings.TrimPrefix(byHand, "Confirm"))
	case x.failure.Err != nil:
		return summary, paragraphs(what, x.state(), x.nothingSent()+" With a user who may read the action log the provider can go on with a migration of its own. Otherwise confirm"+strings.TrimPrefix(byHand, "Confirm"))
	}
	return summary, paragraphs(what, x.state(), x.nothingSent()+" "+byHand)
}

// nothingSent says what a create that refuses has done to the server.
func (x explanation) nothingSent() string {
	if x.failure.Sent {
		return "A migrate request was sent before, and took no effect."
	}
	return "Nothing was sent to the server."
}

// nextTime warns where the next create would find an earlier migration of the
// server that this run has destroyed.
func (x explanation) nextTime() string {
	if !x.failure.Replacing || x.where != unrecorded {
		return ""
	}
	return "This run has removed an earlier migration of the server from the state. If that one was confirmed within the last hour, the next apply takes it for the one that is wanted, and records it; to migrate the server then, apply once more with -replace."
}

func (x explanation) settling(server string) (summary, detail string) {
	accepted := "has accepted"
	if x.failure.Unsure {
		accepted = "may have accepted"
	}
	if x.failure.Want == migration.StatusReverted {
		then := "Apply again to see its end: the migration is still in the state."
		if x.where == unrecorded {
			then = "Apply again once the server has no task any more: if it was reverted, that migrates the server again; if not, it takes this migration up and tests it again."
		}
		return "The end of the revert of " + server + " was not seen",
			paragraphs(x.said(), "Rackspace "+accepted+" the revert. "+then, x.request())
	}
	then := "The migration is in the state, and the next refresh shows what became of it; if it still awaits confirmation then, apply again."
	if x.where == destroying {
		then = "Apply again to see its end: the migration is still in the state."
	}
	return "The end of the confirm of " + server + " was not seen",
		paragraphs(x.said(), "Rackspace "+accepted+" the confirm. "+then, x.request())
}

// failures lists what stopped a migration from starting.
func (x explanation) failures() string {
	var lines []string
	for _, failure := range x.failure.Failures {
		summary, _ := explanation{migration: failure.Migration, failure: failure, where: unrecorded}.of(failure.Kind)
		lines = append(lines, "  - "+summary)
	}
	return strings.Join(lines, "\n")
}

func (x explanation) untold(server string) (summary, detail string) {
	why := "Its action log has a migration that has neither failed nor been settled, but the server shows none."
	if entry := x.failure.Pending; entry != nil {
		why = fmt.Sprintf("Its action log has a migration, asked for at %s (request %s), and does not tell how it ended.", entry.Start.Format(time.RFC3339), entry.RequestID)
	}
	if x.failure.Err != nil {
		why = "Its action log, which would tell, cannot be read. " + x.said()
	}
	return "It is not known whether " + server + " was migrated already",
		paragraphs("It changed within the last hour, so an apply that was interrupted may have migrated it. "+why,
			x.nothingSent()+" It is not migrated on a guess.",
			"If it was migrated, "+x.importIt()+" That takes a user who may read the action log, and so does an apply that finds out by itself. If it was not, apply again an hour after its last change.")
}

func (x explanation) interrupted(server string) (summary, detail string) {
	summary = "The wait for the migration of " + server + " was cancelled"
	if x.failure.TimedOut() {
		summary = "The migration of " + server + " did not end within its timeout"
	}
	lately := ""
	if x.api() != nil {
		lately = "The server could not be looked at lately. " + x.said()
	}
	return summary, paragraphs("The migration was accepted and goes on in the cloud. "+x.kept(),
		lately, x.state(), x.request(), x.goOn())
}

func (x explanation) whyFailed() string {
	s := x.failure.Server
	switch {
	case s == nil:
		return ""
	case s.Fault != nil:
		return fmt.Sprintf("The server is in status %s. The API says: %d %s.", s.Status, s.Fault.Code, sentence(s.Fault.Message))
	case s.Status == cloudservers.StatusVerifyResize:
		return "The server awaits confirmation, but it is on the same host as before."
	default:
		return fmt.Sprintf("The server is in status %s, on its original host. The API gives no reason; most often no other host had room for it.", s.Status)
	}
}

func (x explanation) afterFailure() string {
	switch s := x.failure.Server; {
	case s != nil && s.Settled():
		return "The server was not harmed, and nothing awaits confirmation. Apply again later; if it fails again, give the request id to Rackspace support."
	case s != nil && s.Status == cloudservers.StatusVerifyResize:
		return "Revert it, and give the request id to Rackspace support."
	default:
		return "The provider does not touch a server in this status. Give the request id to Rackspace support, or reset the server's state if you know how it came about."
	}
}

func verb(want migration.Status) string {
	if want == migration.StatusReverted {
		return "revert"
	}
	return "confirm"
}

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

func (x explanation) request() string {
	if x.migration.RequestID == "" {
		return ""
	}
	return "Migrate request: " + x.migration.RequestID + "."
}

func (x explanation) deadline() string {
	return "Confirm or revert it by " + timestamp(x.migration.ConfirmBy()).ValueString() + "; Rackspace then confirms it by itself."
}

// goOn is how a migration goes on that the cloud has, but not the state.
func (x explanation) goOn() string {
	by := timestamp(x.migration.ConfirmBy()).ValueString()
	if x.where != unrecorded {
		return "Rackspace confirms it by itself at " + by + "."
	}
	return "Apply again to go on: the provider finds the migration in the server's action log, takes it up where it is, and does not migrate the server again. Rackspace confirms it by itself at " + by + "."
}

func (x explanation) importIt() string {
	return "import it: terraform import ADDRESS " + x.migration.Region + "/" + x.migration.ServerID + "."
}

func by(user string) string {
	if user == "" {
		return ""
	}
	return " (user " + user + ")"
}

func paragraphs(texts ...string) string {
	var kept []string
	for _, text := range texts {
		if text != "" {
			kept = append(kept, text)
		}
	}
	return strings.Join(kept, "\n\n")
}

func sentence(text string) string { return strings.TrimRight(strings.TrimSpace(text), ".") }
