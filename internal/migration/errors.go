package migration

import (
	"context"
	"errors"
	"fmt"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// Kind says in words what an Error means for the server.
type Kind string

// The kinds of errors.
const (
	// KindAPI is a call that failed before anything was asked of the server;
	// Err is a *cloudservers.Error, *cloudservers.RegionError or
	// cloudservers.ErrNoCloudServers.
	KindAPI Kind = "the API call failed"
	// KindNotFound is a server that does not exist in the region.
	KindNotFound Kind = "no such server"
	// KindOnMetal is a physical machine, which cannot be migrated.
	KindOnMetal Kind = "the server is an OnMetal server"
	// KindStatus is a server in a state that no migration starts from.
	KindStatus Kind = "the server's status does not allow it"
	// KindBusy is a server that something else was being done to until the wait
	// for it was cancelled or timed out.
	KindBusy Kind = "the server is busy"
	// KindPending is a server whose migration or resize awaits confirmation or
	// is under way already; Pending says which, or Err why the action log cannot
	// be read.
	KindPending Kind = "a migration or resize is pending"
	// KindClaimed is a server that another resource of the same run migrates.
	KindClaimed Kind = "another resource migrates the server"
	// KindTurn is a migration that was cancelled while it waited for its turn
	// (Limits.Concurrent, the rate limit).
	KindTurn Kind = "cancelled while it waited for its turn"
	// KindStopped is a migration that did not start because others failed
	// (Limits.Failures); Failures says which.
	KindStopped Kind = "not started after other migrations failed"
	// KindPreflight is a server that did not pass its verification before its
	// migration was requested, which was then not sent. Migration.VerificationResult
	// has the result. It is nil for a server that is SHUTOFF, and for a preflight that
	// was cancelled or timed out (Err).
	KindPreflight Kind = "the server did not pass its preflight"
	// KindUntold is a server that may have been migrated lately by a run that did
	// not record it: the action log does not tell how that ended, or cannot be read
	// (Err).
	KindUntold Kind = "unknown whether the server was migrated already"
	// KindRefused is a migrate request that the API refused: nothing happened.
	KindRefused Kind = "the API refused to migrate"
	// KindUndecided is a migrate request of which it cannot be told whether it
	// was accepted.
	KindUndecided Kind = "unknown whether the migration was accepted"
	// KindFailed is a migration that failed: the server is on its original
	// host or in ERROR.
	KindFailed Kind = "the migration failed"
	// KindReverted is a migration that somebody reverted while it was waited for.
	KindReverted Kind = "the migration was reverted"
	// KindGone is a server that was deleted while its migration was waited for.
	KindGone Kind = "the server is gone"
	// KindInterrupted is a wait that ended by cancellation or timeout: the
	// migration goes on in the cloud.
	KindInterrupted Kind = "interrupted, the migration goes on"
	// KindWait is a wait that ended because the API does not let the server or its
	// action log be read: the migration goes on in the cloud.
	KindWait Kind = "the server or its action log cannot be read any more, the migration goes on"
	// KindTesting is a test of the moved server that was cancelled or timed out:
	// the migration awaits confirmation.
	KindTesting Kind = "interrupted while the moved server was tested"
	// KindUnverified is a moved server that did not pass its test: the migration
	// awaits confirmation or, by Migration.Status, was confirmed by somebody else or
	// the cloud (Migration.VerificationResult).
	KindUnverified Kind = "the moved server did not pass its test"
	// KindUntested is a migration that somebody else or the cloud confirmed before
	// its server was tested. It cannot be tested any more, because another migration
	// or resize of it began. One may have begun where the action log cannot be read
	// (Err).
	KindUntested Kind = "confirmed before the moved server was tested"
	// KindRolledBack is a moved server that did not pass its test, and was
	// brought back to its original host.
	KindRolledBack Kind = "the moved server did not pass its test, and was rolled back"
	// KindUnsettled is a confirm or revert that the API refused: the migration
	// still awaits confirmation.
	KindUnsettled Kind = "the API refused to confirm or revert"
	// KindUnproven is a confirm or revert that was not sent: it cannot be told
	// whether what awaits confirmation is this migration, or another one or a
	// resize that somebody began since. Err may say why.
	KindUnproven Kind = "unknown whether it is this migration that awaits confirmation"
	// KindUnknownEnd is a migration that has ended, of which neither the server nor
	// the action log tells how.
	KindUnknownEnd Kind = "unknown how the migration ended"
	// KindSettling is a wait that ended after the API had accepted the confirm
	// or revert, or may have: only the end was not seen.
	KindSettling Kind = "interrupted after the confirm or revert was accepted"
	// KindConfirmed is a migration that somebody, or the cloud, confirmed before
	// it could be reverted.
	KindConfirmed Kind = "the migration was confirmed"
	// KindNeverMigrated is a server whose action log names no migration.
	KindNeverMigrated Kind = "the server was never migrated"
)

// Error is an operation of the engine that did not reach its end.
type Error struct {
	Kind       Kind
	Migration  Migration            // as far as it is known
	Server     *cloudservers.Server // as last seen, or nil
	Pending    *Move                // with KindPending and KindUntold: what the action log names, or nil
	Failures   []*Error             // with KindStopped: what failed before
	Sent       bool                 // a migrate request was sent before (with KindUnproven, a confirm or revert), and no effect of it is known
	Unverified bool                 // the moved server did not pass its test before that
	Unsure     bool                 // with KindSettling: the answer was lost, so it may not have been accepted
	Want       Status               // StatusConfirmed or StatusReverted while it is being settled, else empty
	Err        error                // the API's or the context's error, or nil
}

// Error says in one line what happened, for logs.
func (e *Error) Error() string {
	text := fmt.Sprintf("migration of server %s: %s", e.Migration.ServerID, e.Kind)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the API's or the context's error.
func (e *Error) Unwrap() error { return e.Err }

// TimedOut tells whether the context's deadline ended the wait, and not a
// cancellation, whatever became of the last look before it.
func (e *Error) TimedOut() bool {
	return errors.Is(e.Err, context.DeadlineExceeded) && !errors.Is(e.Err, context.Canceled)
}
