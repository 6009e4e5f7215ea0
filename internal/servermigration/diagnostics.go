package servermigration

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// operation is what the provider was doing when an error occurred. It decides what the
// error means for the state.
type operation int

const (
	creating   operation = iota // the state does not have the migration
	recorded                    // the state has the migration
	again                       // the server is to be migrated again, and the state has its earlier migration
	invoking                    // an action asked for it: there is no state
	destroying                  // the state has the migration, and keeps it if there is an error
)

// explain turns an error of the engine into a diagnostic. It says what failed for which
// server, what the API said, what is true of the server now, and what to do next. No other
// function does this.
func explain(err error, op operation) diag.Diagnostics {
	if err == nil {
		return nil
	}
	var failure *migration.Error
	if !errors.As(err, &failure) {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Provider defect", "An unforeseen error: "+err.Error()+". Please report this.")}
	}
	x := explanation{migration: failure.Migration, failure: failure, operation: op}
	row := x.row()
	detail := paragraphs(row.detail, x.earlierTest(), x.earlierMigration())
	if x.in(invoking) {
		detail = invokeAgain.Replace(detail)
	}
	switch {
	case x.in(row.warns...):
		return diag.Diagnostics{diag.NewWarningDiagnostic(row.summary, detail)}
	case row.argument != "":
		return diag.Diagnostics{diag.NewAttributeErrorDiagnostic(path.Root(row.argument), row.summary, detail)}
	}
	return diag.Diagnostics{diag.NewErrorDiagnostic(row.summary, detail)}
}

// invokeAgain replaces what the details say about an apply. An action is invoked.
var invokeAgain = strings.NewReplacer("Apply again", "Invoke the action again", "apply again", "invoke the action again")

// isKind tells whether an error is one of the engine, and of this kind.
func isKind(err error, kind migration.Kind) bool {
	var failure *migration.Error
	return errors.As(err, &failure) && failure.Kind == kind
}

// explanation writes the diagnostic of one error.
type explanation struct {
	migration migration.Migration
	failure   *migration.Error
	operation operation
}

func (x explanation) in(operations ...operation) bool {
	return slices.Contains(operations, x.operation)
}

// row is the diagnostic of one kind of error.
type row struct {
	summary  string
	detail   string
	argument string      // that the diagnostic points at, if any
	warns    []operation // in which it is a warning; in all others it is an error
}

// row is the diagnostic of the error. The function has those of all kinds of errors.
func (x explanation) row() row {
	server := serverOf(x.migration)
	switch kind := x.failure.Kind; kind {
	case migration.KindNotFound:
		return row{"There is no server " + x.migration.ServerID, x.notFound(), "server_id", nil}
	case migration.KindOnMetal:
		return row{"Cannot migrate " + server + ": it is an OnMetal server", x.onMetal(), "server_id", nil}
	case migration.KindStatus:
		return row{"Cannot migrate " + server + ": " + x.statusInTheWay(), x.wrongStatus(), "server_id", nil}
	case migration.KindBusy:
		return row{"Cannot migrate " + server + ": it is busy", x.busy(), "", nil}
	case migration.KindPending:
		return row{"Cannot migrate " + server + ": " + x.whatIsPending(), x.pending(), "server_id", nil}
	case migration.KindClaimed:
		return row{"Another resource or action migrates " + server + " already", x.claimed(), "server_id", nil}
	case migration.KindTurn:
		return row{"The migration of " + server + " was cancelled while it waited for its turn", x.turn(), "", nil}
	case migration.KindStopped:
		return row{"The migration of " + server + " was not started", x.stopped(), "", nil}
	case migration.KindPreflight:
		return row{x.whatPreflight(), x.preflight(), "verification", nil}
	case migration.KindUntold:
		return row{"It is not known whether " + server + " was migrated already", x.untold(), "server_id", nil}
	case migration.KindRefused:
		return row{"Cannot migrate " + server, x.refused(), "", nil}
	case migration.KindUndecided:
		return row{"It is not known whether the migration of " + server + " was started", x.undecided(), "", nil}
	case migration.KindFailed:
		return row{"The migration of " + server + " failed", x.failed(), "", nil}
	case migration.KindReverted:
		return row{"The migration of " + server + " was reverted" + x.notAsDestroyWanted(migration.StatusConfirmed), x.reverted(), "", []operation{destroying}}
	case migration.KindConfirmed:
		return row{"The migration of " + server + " was confirmed" + x.notAsDestroyWanted(migration.StatusReverted), x.confirmed(), "", []operation{destroying}}
	case migration.KindUnknownEnd:
		return row{"It is not known how the migration of " + server + " ended", x.unknownEnd(), "", []operation{destroying}}
	case migration.KindGone:
		return row{"The server of a pending migration is gone: " + server, x.gone(), "", []operation{destroying}}
	case migration.KindInterrupted:
		return row{x.whatWasInterrupted(), x.interrupted(), "", nil}
	case migration.KindWait:
		return row{"Cannot follow the migration of " + server, x.notFollowed(), "", nil}
	case migration.KindTesting:
		return row{x.whichTestEnded(), x.testing(), "", nil}
	case migration.KindUnverified:
		return row{x.whatIsUnverified(), x.unverified(), "", nil}
	case migration.KindUntested:
		return row{"The migration of " + server + " is confirmed, but the server was not tested", x.untested(), "", nil}
	case migration.KindRolledBack:
		return row{"The migration of " + server + " was reverted: the server did not pass its verification", x.rolledBack(), "", nil}
	case migration.KindUnsettled:
		return row{"Cannot " + x.verb() + " the migration of " + server, x.unsettled(), "", nil}
	case migration.KindUnproven:
		return row{"It is not known what awaits confirmation on " + server, x.unproven(), "", nil}
	case migration.KindSettling:
		return row{"It is not known yet whether the migration of " + server + " is " + string(x.failure.Want), x.settling(), "", x.harmlessIfConfirmed()}
	case migration.KindNeverMigrated:
		switch {
		case x.in(invoking) && x.migration.RequestID != "":
			return row{capital(server) + " has no migration of request " + x.migration.RequestID, x.noSuchMigration(), "migration_id", nil}
		case x.in(invoking):
			return row{capital(server) + " was never migrated", x.neverMigrated(), "server_id", nil}
		case x.migration.RequestID != "":
			return row{"There is no migration to confirm: " + server + " has none of request " + x.migration.RequestID, x.noSuchMigration(), "", nil}
		}
		return row{"There is no migration to import: " + server + " was never migrated", x.neverMigrated(), "server_id", nil}
	default:
		return x.apiRow(server)
	}
}

// apiRow is the row of a call that failed before anything was asked of the server.
func (x explanation) apiRow(server string) row {
	var region *cloudservers.RegionError
	api := x.api()
	switch {
	case errors.As(x.failure.Err, &region) && region.Region == "":
		return row{"No region is set", x.noRegion(region), "region", nil}
	case errors.As(x.failure.Err, &region):
		return row{fmt.Sprintf("There is no region %q", region.Region), x.unknownRegion(region), "region", nil}
	case errors.Is(x.failure.Err, cloudservers.ErrNoCloudServers):
		return row{"The account has no compute service", x.noCloudServers(), "", nil}
	case api != nil && api.Authentication():
		return row{"Cannot authenticate with the cloud", x.notRead(), "", nil}
	}
	return row{"Cannot read " + server, x.notRead(), "", nil}
}

// harmlessIfConfirmed are the operations in which it is enough that the cloud has accepted
// a confirmation. The state has the migration, and the next refresh reads its end.
func (x explanation) harmlessIfConfirmed() []operation {
	if x.failure.Want == migration.StatusConfirmed {
		return []operation{creating, recorded}
	}
	return nil
}
