package migration

import (
	"cmp"
	"net/http"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

const (
	// proofTime and proofLooks are how long, and how often, the same has to be seen
	// before it proves that something did not happen: no read is older than
	// proofTime. A request that was sent takes effect within effectTime or never.
	proofTime  = 10 * time.Second
	effectTime = 10 * time.Second
	proofLooks = 5

	// lookPause is the time between two looks that have to show the same.
	lookPause = proofTime / (proofLooks - 1)

	// maxUnobserved is the longest gap between two polls in which nobody can have
	// reverted our migration and begun another one.
	maxUnobserved = 10 * time.Second

	// takeOverWindow is how long after its confirmation a create takes a migration
	// over. Rackspace's cloud keeps one open for the same time.
	takeOverWindow = ConfirmationWindow

	// clockSlack is how far the API's clock and that of its action log may be apart.
	// Where the API does not tell the time, it is this machine's clock in their place.
	clockSlack = 10 * time.Second
)

// work is what one operation knows: what its caller wants, what it has sent, and
// what it has seen. It has no clock and sends nothing, so that a model of the
// cloud can drive it in place of the API.
type work struct {
	goal     goal
	userID   string                      // the account's user; empty when the token does not name it
	again    bool                        // only a pending migration is taken over, and none that is older than previous
	previous string                      // the request that the wanted migration follows; empty when its id is not known
	after    time.Time                   // when that was requested
	givenUp  func(requestID string) bool // destroyed by this run, so not taken over

	migration  Migration
	known      bool // the migration is accepted, taken over, or from the state
	hasAwaited bool // it was seen to await confirmation
	test       testState

	sent      sentState           // see situation
	sentBy    *cloudservers.Error // why the last request failed, or nil
	settledAt time.Time           // when the last confirm or revert was accepted, by the API's clock
	conflicts int                 // how often the migrate request was refused with a conflict
	retries   int                 // how often a request without effect may still be sent again
	renewed   bool                // the token was refused once, and replaced

	before      *cloudservers.Server // as it was when the migrate request was sent
	movesBefore history              // the history at that time; nil if it could not be read

	server *cloudservers.Server // as last seen; nil if it was not found
	moves  history
	log    logSource
	logErr error // why the log could not be read

	observed      time.Time // when the server was last asked for
	wasAtRest     bool      // it was seen at rest since the request was accepted
	mayBeReplaced bool      // another migration can have replaced ours unseen, or was seen to
	knownEnd      Outcome   // how our migration ended, once the log has told; logUnread before
	otherIsOver   string    // the request of somebody else's move that the log has as open, although it is proven to have ended

	shown situation // what the looks since a time have shown
	since time.Time
	looks int
}

// canHaveBegun tells whether the migration is known, or the migrate request can have been
// accepted.
func (w *work) canHaveBegun() bool { return w.known || w.sent == sentLost }

// follow notes the previous migration, where the server is to be migrated again.
func (w *work) follow(previous *Migration) {
	if previous != nil {
		w.again, w.previous, w.after = true, previous.RequestID, previous.RequestedAt
	}
}

// logSource says where the history of a look comes from.
type logSource int

const (
	logNotAsked logSource = iota // from a poll: the log was not read
	logRead
	logRefused // the log could not be read
)

// observe records what a poll or a look shows: the server, or nil if there is none, and
// the time at which it was asked for.
func (w *work) observe(server *cloudservers.Server, asked time.Time, log logSource) {
	w.server, w.log = server, log
	asked = asked.Round(0) // the monotonic clock stands still while the machine sleeps
	gap := !w.observed.IsZero() && asked.Sub(w.observed) > maxUnobserved
	w.observed = asked
	if server != nil {
		w.migration.ServerStatus, w.migration.SeenAt = server.Status, server.SeenAt
		w.migration.ServerName = cmp.Or(server.Name, w.migration.ServerName)
		w.mayBeReplaced = w.mayBeReplaced || gap && !w.hasAwaited
		switch stateOf(server) {
		case serverMoving:
			w.mayBeReplaced = w.mayBeReplaced || w.wasAtRest || w.hasAwaited
		case serverAwaiting, serverFailing, serverError:
			w.mayBeReplaced = w.mayBeReplaced || w.wasAtRest
		case serverResting, serverBusy:
			w.wasAtRest = w.known
		case serverReverting:
			w.mayBeReplaced = w.mayBeReplaced || w.goal != goalReverted || w.sent == sentNothing
		}
	}
	w.identify()
	if w.known && log == logRead && w.moves.byRequest(w.migration.RequestID) != nil {
		if w.knownEnd = w.outcome(); w.knownEnd == OutcomeOpen {
			w.knownEnd = logUnread
		}
	}
	w.noteArrival()
}

// identify finds our migration in the log, where the answer to its request was lost or
// had no request id. If the answer was lost, it is the newest one of our user that began
// since. If the answer had no request id, it has to be the only one of our user since.
func (w *work) identify() {
	if w.log != logRead || w.known && w.migration.RequestID != "" || !w.canHaveBegun() {
		return
	}
	fresh := w.newMoves()
	mine := fresh.first(func(m Move) bool { return w.ours(m) && m.Outcome != OutcomeFailed })
	if mine == nil {
		mine = fresh.first(w.ours)
	}
	other := fresh.first(func(m Move) bool { return w.ours(m) && m.RequestID != mine.RequestID })
	switch {
	case mine == nil:
	case !w.known:
		w.begin(mine.RequestID, mine.Started, w.before)
		w.mayBeReplaced = !w.hasAwaited // nobody has watched the server since the request
	case other == nil && mine.Outcome != OutcomeFailed:
		w.migration.RequestID, w.migration.RequestedAt = mine.RequestID, mine.Started
	}
}

// newMoves is the part of the history in which our migration can be: what began since its
// request was sent. Before that, it is what began after the previous migration, if the
// server is migrated again, or else all of it.
func (w *work) newMoves() history {
	switch {
	case w.canHaveBegun():
		since := w.migration.RequestedAt
		if !w.known {
			since = w.before.SeenAt
		}
		return w.moves.newerThan(func(m Move) bool {
			if w.movesBefore != nil {
				return w.movesBefore.byRequest(m.RequestID) != nil
			}
			return m.Started.Before(since.Add(-clockSlack))
		})
	case w.again && w.previous != "":
		return w.moves.newerThan(isOfRequest(w.previous))
	case w.again:
		return w.moves.newerThan(func(m Move) bool { return !m.Started.After(w.after) })
	}
	return w.moves
}

// ours tells whether a move is a migration by our user.
func (w *work) ours(m Move) bool {
	return !m.Resize && w.userID != "" && m.UserID == w.userID
}

// begin notes that a migration is known and under way. before is the server before the
// migration. It is nil after a take-over, since nothing tells the original host then.
func (w *work) begin(requestID string, at time.Time, before *cloudservers.Server) {
	w.known, w.sent, w.sentBy, w.before = true, sentNothing, nil, before
	w.wasAtRest, w.mayBeReplaced, w.knownEnd = false, false, logUnread
	m := &w.migration
	m.Status, m.RequestID, m.RequestedAt, m.AwaitingSince = StatusMigrating, requestID, at, time.Time{}
	if before != nil {
		m.SourceHostID, m.FlavorID = before.HostID, before.Flavor.ID
	} else {
		m.SourceHostID, m.FlavorID = "", w.server.Flavor.ID
	}
	w.noteArrival()
}

// takeOver makes the candidate in the log the migration of this operation.
func (w *work) takeOver() {
	offered, _ := w.candidate()
	w.begin(offered.RequestID, offered.Started, nil)
	w.migration.Adopted, w.mayBeReplaced = true, !w.hasAwaited
}

// noteArrival notes that our migration awaits confirmation, and on which host. The log
// proves that it is ours. So do polls that are so close together that nobody can have
// begun another one between them.
func (w *work) noteArrival() {
	if !w.known || w.server == nil || stateOf(w.server) != serverAwaiting || w.serverHost() == hostSource {
		return
	}
	ours := w.log == logRead && w.outcome() == OutcomeOpen || w.log != logRead && !w.mayBeReplaced && w.knownEnd == logUnread && w.migration.Status == StatusMigrating
	if !ours {
		return
	}
	m := &w.migration
	w.hasAwaited, m.Status = true, StatusAwaiting
	m.DestinationHostID = cmp.Or(m.DestinationHostID, w.server.HostID)
	m.FlavorID = cmp.Or(m.FlavorID, w.server.Flavor.ID)
	m.LaunchedAt = cmp.Or(m.LaunchedAt, w.server.LaunchedAt)
	if m.AwaitingSince.IsZero() {
		m.AwaitingSince = awaitingSince(w.server, m.RequestedAt)
	}
}

// awaitingSince is when a server that awaits confirmation came to do so: its launch on
// the new host, where the cloud tells that, or else its last change.
func awaitingSince(s *cloudservers.Server, requested time.Time) time.Time {
	if at, err := time.Parse("2006-01-02T15:04:05", s.LaunchedAt); err == nil && at.After(requested) {
		return at.Truncate(time.Second)
	}
	if at, err := time.Parse(time.RFC3339, s.Updated); err == nil && at.After(requested) {
		return at.UTC()
	}
	return s.SeenAt
}

// candidate is the migration that could be taken over, and what the log says of it. If
// a move of somebody else is open, it is that one.
func (w *work) candidate() (*Move, Outcome) {
	newer := w.newMoves()
	if open := newer.open(); open != nil && open.RequestID != w.otherIsOver {
		switch {
		case w.ours(*open) && !w.givenUp(open.RequestID):
			return open, OutcomeOpen
		case w.userID == "" && w.sent == sentLost: // it can be ours
			return nil, logUnreadable
		}
		return open, logOther
	}
	ours := newer.first(w.ours)
	switch {
	case ours == nil, w.again, w.givenUp(ours.RequestID), !w.isWithin(takeOverWindow, ours.SettledAt):
	case ours.Outcome == OutcomeConfirmed, ours.Outcome == OutcomeEnded:
		return ours, ours.Outcome
	}
	return nil, logNothing
}

// isWithin tells whether at most d passed between a time and the last look at the
// server. Where the API does not tell its time, this machine's clock may be wrong by an
// hour.
func (w *work) isWithin(d time.Duration, at time.Time) bool {
	if w.server == nil {
		return false
	}
	if w.server.Timeless {
		d += time.Hour
	}
	return w.server.SeenAt.Sub(at) <= d
}

// outcome is what the log says of the known migration.
func (w *work) outcome() Outcome {
	if move := w.moves.byRequest(w.migration.RequestID); move != nil {
		return move.Outcome
	}
	return logNothing
}

// noteEnd records how the migration has ended, as the log has it or else as the
// server shows it.
func (w *work) noteEnd(status Status) {
	if !status.Settled() {
		return
	}
	m := &w.migration
	m.Status, m.SettledBy, m.Automatic = status, "", false
	if w.server != nil {
		m.SettledAt = w.server.SeenAt
		if w.sent == sentAccepted && status != StatusFailed { // so the action log will have it
			m.SettledAt = w.settledAt
		}
		moved := w.serverHost() == hostElsewhere || m.Adopted
		if status == StatusConfirmed && m.DestinationHostID == "" && moved && stateOf(w.server) == serverResting {
			m.DestinationHostID = w.server.HostID
		}
	}
	move := w.moves.byRequest(m.RequestID)
	if w.log == logRead && move != nil && (move.Outcome == OutcomeConfirmed || move.Outcome == OutcomeReverted) {
		m.SettledAt, m.SettledBy = move.SettledAt, move.SettledBy
		m.Automatic = status == StatusConfirmed && move.SettledBy == ""
	}
}

// noteTest notes the result of a test of the moved server. ended is the status of a
// migration that had ended before the test, else empty. With revert, the migration of a
// server that did not pass is reverted.
func (w *work) noteTest(passed, revert bool, ended Status) {
	switch {
	case passed && w.test == testDue:
		w.test = testPassed
	case passed:
		w.test = testNone
	case revert && ended.Settled(): // nothing can revert it any more: concluded makes it an error
		w.test, w.goal = testFailed, goalConfirmed
	case revert:
		w.test, w.goal = testFailed, goalReverted
	default:
		w.test = testFailed
	}
}

// noteAnswer notes what became of a request. It returns the kind of error that ends the
// operation because of it, and nothing if the operation goes on.
func (w *work) noteAnswer(do action, acceptance cloudservers.Acceptance, err *cloudservers.Error) Kind {
	if w.sent == sentLost || w.sent == sentAccepted { // it had no effect, and was sent again
		w.retries--
	}
	if do == doMigrate {
		w.before, w.movesBefore = w.server, nil
		if w.log == logRead {
			w.movesBefore = append(history{}, w.moves...)
		}
	}
	w.shown, w.looks, w.sentBy = situation{}, 0, err
	switch {
	case err == nil && do == doMigrate:
		w.begin(acceptance.RequestID, acceptance.At, w.server)
	case err == nil:
		w.sent, w.settledAt = sentAccepted, acceptance.At
	case err.MaybeAccepted():
		w.sent = sentLost
	case err.OverLimit(): // the next turn waits for as long as the API says
	case err.StatusCode == http.StatusConflict, err.StatusCode == http.StatusBadRequest && do != doMigrate:
		if w.sent != sentLost { // else the conflict may be with the request that was lost
			w.sent = sentRefused
		}
		if do == doMigrate {
			w.conflicts++
		}
	case err.Credentials != nil && err.Credentials.Renewable() && !w.renewed:
		w.renewed = true
	case w.retries > 0 && err.StatusCode == 0 && err.Temporary(),
		w.retries > 0 && err.StatusCode == http.StatusNotFound && do != doMigrate: // a look tells whether the server is gone
		w.retries--
	case do == doMigrate:
		return KindRefused
	default:
		return KindUnsettled
	}
	return ""
}
