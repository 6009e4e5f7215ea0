package migration

import (
	"context"
	"errors"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// adoptionWindow is how long ago a migration may have been settled that nobody
// recorded: longer than it takes to apply again after a crash.
const adoptionWindow = time.Hour

// finding is what a create finds on a server.
type finding int

const (
	foundNothing finding = iota // migrate it
	foundPending                // go on with the migration
	foundDone                   // record the migration
	foundOther                  // something is in the way
	foundUnclear                // it cannot be told
	foundStale                  // the log knows more than the look at the server
)

// adopt takes over a migration that an earlier run asked for and did not
// record, so that a server is not migrated twice. These are the rules that tell
// a crash from a migration that is wanted again:
//
//	the server …           | the newest migrate or resize of the log is …          | then
//	------------------------+-------------------------------------------------------+----------------
//	migrates, or awaits    | ours, of the last 24 hours                            | go on with it
//	confirmation           | ours, being reverted, or forgotten by this run        | refuse
//	                       | one that failed, or was confirmed by now              | look again, then refuse
//	                       | ours but older, somebody else's, a resize             | refuse
//	                       | missing, or the log is unreadable                     | refuse
//	has settled, and       | ours, confirmed within the hour                       | record it
//	changed within the     | ours, of the last 25 hours, and its end is not told   | look again, then refuse
//	hour                   | ours, but failed, reverted, or forgotten by this run  | migrate
//	                       | somebody else's, older, a resize, missing             | migrate
//	                       | unreadable, and this run forgot one (a replacement)   | migrate
//	                       | unreadable otherwise                                  | refuse
//	has settled before     | (it is not read)                                      | migrate
//
// What a run forgot it destroyed first: by a replacement (triggers, -replace), or
// because another resource of the configuration had the server. A failed or
// reverted migration is not what a create was asked for; a new one is. What
// others failed to begin is passed over.
func (m *mover) adopt(ctx context.Context) (bool, error) {
	for look := 1; ; look++ {
		found, err := m.search(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return false, m.fail(KindAPI, err)
		case found == foundNothing:
			return false, nil
		case found == foundOther, found == foundUnclear && err != nil, look == settlingLooks && found != foundPending && found != foundDone:
			return false, m.refuse(found, err)
		case found == foundUnclear, found == foundStale:
			if err := m.rest(ctx); err != nil {
				return false, m.fail(KindAPI, err)
			}
			if err := m.look(ctx); err != nil {
				return false, m.notRead(err)
			}
			if found == foundStale && !moving(m.server) {
				return false, errTouched
			}
			continue
		}
		m.milestone(ctx, "Taking over a migration that is not in the state")
		return true, nil
	}
}

// search reads the action log where a migration could be found in it, and takes
// over what it finds. The error says why the log could not be read.
func (m *mover) search(ctx context.Context) (finding, error) {
	pending := moving(m.server)
	if !pending && m.server.Idle() > adoptionWindow {
		return foundNothing, nil
	}
	// Not bounded like other looks at the log: of a large fleet many wait for the
	// account's pace here, after a crash.
	log, err := m.region.ActionLog(ctx, m.migration.ServerID)
	switch {
	case err != nil && ctx.Err() == nil && pending:
		return foundOther, err
	case err != nil && ctx.Err() == nil && m.engine.claims.forgotAny(m.migration.ServerID):
		return foundNothing, nil
	case err != nil:
		return foundUnclear, err
	}
	m.newest = m.newestOf(log)
	if m.newest == nil {
		return map[bool]finding{true: foundOther, false: foundNothing}[pending], nil
	}
	fate := fateOf(m.newest.RequestID, log)
	if pending {
		return m.weighPending(fate), nil
	}
	return m.weighSettled(fate), nil
}

// ours tells whether the newest migrate or resize is a migration by our user
// that this run did not forget.
func (m *mover) ours() bool {
	return m.byUs(*m.newest) && !m.engine.claims.forgot(m.migration.ServerID, m.newest.RequestID)
}

// within tells whether a time was that shortly before the server was seen. Where
// the API does not tell when that was, this machine's clock may be off.
func (m *mover) within(d time.Duration, at time.Time) bool {
	if m.server.Timeless {
		d += adoptionWindow
	}
	return m.server.SeenAt.Sub(at) <= d
}

func (m *mover) weighPending(fate fate) finding {
	confirmed := fate.settled == StatusConfirmed
	if fate.failed || confirmed && (m.server.Status != cloudservers.StatusVerifyResize || !m.within(adoptionWindow, fate.at)) {
		m.newest = nil // it is over, and what the server does now is something else
		return foundStale
	}
	reverting := m.server.Status == cloudservers.StatusRevertResize || fate.settled == StatusReverted
	if !m.ours() || !m.within(ConfirmationWindow, m.newest.Start.Time) || reverting {
		return foundOther
	}
	m.takeOver(StatusMigrating)
	m.confirming = confirmed
	if m.server.Status == cloudservers.StatusVerifyResize {
		m.migration.DestinationHostID = m.server.HostID
	}
	return foundPending
}

func (m *mover) weighSettled(fate fate) finding {
	switch {
	case !m.ours(), fate.failed, fate.settled == StatusReverted:
		return foundNothing
	case fate.settled == "" && m.within(ConfirmationWindow+adoptionWindow, m.newest.Start.Time):
		return foundUnclear
	case fate.settled == "", !m.within(adoptionWindow, fate.at):
		return foundNothing
	}
	m.takeOver(StatusConfirmed)
	m.migration.DestinationHostID = m.server.HostID
	m.migration.settleAs(fate)
	return foundDone
}

// takeOver makes the newest migration of the log the one that is worked on.
// Where it came from nobody knows any more.
func (m *mover) takeOver(status Status) {
	m.migration.RequestID, m.migration.RequestedAt = m.newest.RequestID, m.newest.Start.Time
	m.migration.Status, m.migration.Adopted = status, true
	m.migration.SourceHostID, m.before = "", nil
	m.migration.FlavorID, m.doubt = m.server.Flavor.ID, false
}

func (m *mover) refuse(found finding, err error) error {
	kind := KindPending
	if found == foundUnclear {
		kind = KindUntold
	}
	return &Error{
		Kind: kind, Migration: m.migration, Server: m.server, Pending: m.newest, Sent: m.asked, Err: err,
		Forgotten: m.newest != nil && m.byUs(*m.newest) && m.engine.claims.forgot(m.migration.ServerID, m.newest.RequestID),
	}
}

// newestOf is the newest migrate or resize of a log that somebody began, or that
// we failed to begin; nil if there is none.
func (m *mover) newestOf(log []cloudservers.Action) *cloudservers.Action {
	for i, entry := range log {
		if begins(entry) && (entry.Message != cloudservers.ActionFailed || m.byUs(entry)) {
			return &log[i]
		}
	}
	return nil
}

// resume goes on with an adopted migration whose confirm was accepted already:
// for a moment the server reads as if nothing had been asked.
func (m *mover) resume(ctx context.Context) error {
	m.want = StatusConfirmed
	err := m.awaitSettled(ctx, settlingLooks)
	if errors.Is(err, errStillAwaiting) {
		m.want = ""
		return nil
	}
	return m.waitError(ctx, err, KindSettling)
}
