package servermigration

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// This file has the details of the errors before a migrate request is accepted. Those of
// the errors after that are in diagnostics_outcome.go.

func (x explanation) notFound() string {
	return paragraphs("No server with this id exists in region "+x.migration.Region+", or the user may not see it.", x.said(),
		x.nothingSent()+" Check server_id, and whether the server is in another region (argument region).")
}

func (x explanation) onMetal() string {
	return "An OnMetal server is a physical machine. Rackspace cannot move it to another host. " + x.nothingSent() + " " + x.toForget()
}

// toForget says what to change in the configuration if the server cannot be migrated.
func (x explanation) toForget() string {
	if x.in(invoking) {
		return "Correct server_id, or remove the action from the configuration."
	}
	return "Remove its migration from the configuration."
}

func (x explanation) isBeingDeleted() bool {
	task := x.failure.Server.TaskState
	return task == cloudservers.TaskDeleting || task == cloudservers.TaskSoftDeleting
}

func (x explanation) statusInTheWay() string {
	if x.isBeingDeleted() {
		return "it is being deleted"
	}
	return "its status is " + x.failure.Server.Status
}

func (x explanation) wrongStatus() string {
	if x.isBeingDeleted() {
		return paragraphs(x.nothingSent(), x.state(), x.toForget())
	}
	return paragraphs("A migration starts from ACTIVE or SHUTOFF only. "+x.nothingSent(), x.state(),
		"Bring the server into one of these states, or wait until it is in one. Then apply again.")
}

func (x explanation) busy() string {
	return paragraphs(x.because(), "Something else was being done to the server all that time. "+x.state(), "Apply again once that is over.")
}

func (x explanation) claimed() string {
	return "Another rackspace_server_migration or rackspace_server_migrate of this configuration names the same server. One apply migrates a server only once. " +
		"Nothing was sent for this one. Remove one of the two, or give it another server_id."
}

func (x explanation) turn() string {
	return paragraphs(x.because(), "It waited because of max_concurrent_migrations, because of the account's rate limit (requests_per_minute), or for another operation on the same server. "+
		"No migration was started. Apply again to migrate the server.")
}

func (x explanation) stopped() string {
	lines := []string{"Other migrations failed before, and stop_after_failures allows no further one to start:"}
	for _, failure := range x.failure.Failures {
		lines = append(lines, "  - "+explanation{migration: failure.Migration, failure: failure}.row().summary)
	}
	return paragraphs(strings.Join(lines, "\n"), "No migration of this server was requested. Find out why the others failed, then apply again.")
}

func (x explanation) whatIsPending() string {
	what := "migration"
	switch move := x.failure.Pending; {
	case move == nil:
		what = "migration or resize"
	case move.Resize:
		what = "resize"
	}
	if x.isReverting() {
		return "a " + what + " of it is being reverted"
	}
	return "a " + what + " of it is pending"
}

func (x explanation) isReverting() bool {
	return x.failure.Server != nil && x.failure.Server.Status == cloudservers.StatusRevertResize
}

func (x explanation) pending() string {
	move, what := x.failure.Pending, "The action log does not tell which."
	switch {
	case move != nil:
		what = fmt.Sprintf("User %s requested it at %s (request %s).", move.UserID, move.Started.Format(time.RFC3339), move.RequestID)
	case x.failure.Err != nil:
		what = "The server's action log would tell which, but it cannot be read. " + x.said()
	}
	if x.isReverting() {
		return paragraphs(what, x.state(), x.nothingSent()+" The server is on its way back to its original host. Apply again once it is ACTIVE or SHUTOFF.")
	}
	next := "confirm or revert what is pending, in the cloud's control panel or with the API. Apply again once the server is ACTIVE or SHUTOFF."
	switch {
	case move != nil && !move.Resize:
		next = "To manage the pending migration with Terraform, " + x.importIt() + " Otherwise " + next
	case move == nil && x.failure.Err != nil:
		next = "With a user who may read the action log, the provider can continue with a migration of its own. Otherwise " + next
	default:
		next = capital(next)
	}
	return paragraphs(what, x.state(), x.nothingSent()+" "+next)
}

func (x explanation) untold() string {
	why := "Its action log has a migration that has not ended. The server's status shows no migration."
	if move := x.failure.Pending; move != nil {
		why = fmt.Sprintf("Its action log has a migration, requested at %s (request %s). It does not tell how that ended.", move.Started.Format(time.RFC3339), move.RequestID)
	}
	if x.failure.Err != nil {
		why = "The server's action log would tell, but it cannot be read. " + x.said()
	}
	return paragraphs("The server changed within the last 24 hours. An earlier apply that was interrupted may have migrated it. "+why,
		x.nothingSent()+" The provider does not migrate it while this is not known.",
		"If it was migrated, "+x.importIt()+" The import needs a user who may read the action log. With such a user, an apply finds it too. "+
			"If it was not migrated, apply again 24 hours after its last change.")
}

func (x explanation) refused() string {
	return paragraphs(x.said(), "No migration was started.", x.advice())
}

func (x explanation) undecided() string {
	return paragraphs(x.said(), "The migrate request may have been accepted, although its answer did not arrive. Neither the server nor its action log tells whether it was. "+
		"The request was not sent again, because a second request could migrate the server twice.",
		"Apply again once the API answers and the action log can be read. If the log shows that the server was migrated, the provider continues with that migration and does not migrate the server again.")
}

func (x explanation) noRegion(region *cloudservers.RegionError) string {
	return fmt.Sprintf("There is no default region. Set region in the provider block, in one of its environment variables, or in the resource. The account has these regions: %s.",
		strings.Join(region.Known, ", "))
}

func (x explanation) unknownRegion(region *cloudservers.RegionError) string {
	return fmt.Sprintf("The account has no %s endpoint of the compute service in this region. Regions that have one: %s.", region.EndpointType, strings.Join(region.Known, ", "))
}

func (x explanation) noCloudServers() string {
	return "Its service catalog has no compute service. On Rackspace's public cloud that is the entry cloudServersOpenStack, with Keystone v3 an entry of type compute. " +
		"Check that the credentials belong to the right account. With Keystone v3, check that they are for a project (tenant_id or tenant_name)."
}

func (x explanation) notRead() string {
	return paragraphs(x.said(), "Nothing was changed.", x.advice())
}

// nothingSent says what was sent to a server whose migration was refused.
func (x explanation) nothingSent() string {
	if x.failure.Sent {
		return "A migrate request was sent before. It had no effect."
	}
	return "Nothing was sent to the server."
}

func (x explanation) noSuchMigration() string {
	return "Its action log has no migrate entry of that request. Check migration_id: it is the id of a rackspace_server_migration."
}

func (x explanation) neverMigrated() string {
	if x.in(invoking) {
		return "Its action log has no migrate entry. Check server_id and region. " +
			"To migrate the server, invoke rackspace_server_migrate."
	}
	return "Its action log has no migrate entry. Check the server's id and region. To migrate the server, remove the import: creating the resource migrates it."
}

func (x explanation) importIt() string {
	return "import it: terraform import ADDRESS " + x.migration.Region + "/" + x.migration.ServerID + "."
}

// serverOf names the server of a migration, for a message.
func serverOf(m migration.Migration) string {
	if m.ServerName == "" {
		return "server " + m.ServerID
	}
	return fmt.Sprintf("server %s (%s)", m.ServerName, m.ServerID)
}

// paragraphs joins texts with an empty line between them. Empty texts are left out.
func paragraphs(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(text string) bool { return text == "" }), "\n\n")
}

// join joins sentences to one paragraph. Empty ones are left out.
func join(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(text string) bool { return text == "" }), " ")
}

// sentence is a text of the API without the dots and spaces at its end.
func sentence(text string) string { return strings.TrimRight(strings.TrimSpace(text), ".") }

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
