package bench

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// move is a migrate or resize of a server with its end, as the action log of the cloud shows
// it. The checks must not share the engine's code for that, so they have their own.
type move struct {
	id, user string
	migrate  bool
	start    time.Time
	failed   bool
	end      string // confirmed, reverted, replaced by another move, or empty while it is open
	endedAt  time.Time
	endings  []string // request ids of its confirms and reverts
}

// moves are the moves of a server, oldest first.
func (f *fleet) moves(s *soakServer) []*move {
	log := f.cloud.ActionLog(s.id)
	slices.Reverse(log)
	var all []*move
	var last *move // the newest move that did not fail
	for _, entry := range log {
		switch entry.Action {
		case "migrate", "resize":
			m := &move{id: entry.RequestID, user: entry.UserID, migrate: entry.Action == "migrate", start: entry.Start, failed: entry.Message != ""}
			if all = append(all, m); m.failed {
				continue
			}
			if last != nil && last.end == "" {
				last.end, last.endedAt = "replaced", entry.Start
			}
			last = m
		case "confirmResize", "revertResize":
			if last == nil {
				continue
			}
			last.endings = append(last.endings, entry.RequestID)
			switch {
			case entry.Message != "": // it failed
			case entry.Action == "confirmResize":
				last.end, last.endedAt = "confirmed", entry.Start
			default:
				last.end, last.endedAt = "reverted", entry.Start
			}
		}
	}
	return all
}

func find(moves []*move, wanted func(*move) bool) *move {
	for _, m := range slices.Backward(moves) {
		if wanted(m) {
			return m
		}
	}
	return nil
}

func byID(moves []*move, id string) *move {
	return find(moves, func(m *move) bool { return id != "" && m.id == id })
}

func (m *move) isOurs() bool { return m.migrate && m.user == stub.DefaultUser.ID }

func (m *move) isOpen() bool { return !m.failed && m.end == "" }

// visibleAfter is how long after an event every operation must know of it, before it sends a
// write. Before a write, the engine reads the server and its action log. Those reads are at
// most ten seconds old, and they lag by less than ten seconds.
const visibleAfter = 25 * time.Second

// slowest is the longest delay of a read. The engine reads the server and its log one after
// the other. So a status that it returns may be as old as two delays. It must not send a
// write after such old reads.
const slowest = 50 * time.Second

// write is a migrate, confirm or revert request that has arrived.
type write struct {
	op        *operation
	call      stub.Call
	requestID string
	effective bool // it took effect
}

// checkWrite checks a write at the moment when it is sent.
func (f *fleet) checkWrite(op *operation, action string) {
	f.mu.Lock()
	ended, readable := !op.ended.IsZero(), op.readable
	f.mu.Unlock()
	switch {
	case ended:
		f.problem("%s was sent after its operation had ended", action)
	case action == "confirmResize" && op.test && !op.server.hasPassed(op.began):
		f.problem("a confirm was sent without a passed verification")
	case action == "revertResize" && !op.mayRevert():
		f.problem("a %s sent a revert that was not asked for", op.what)
	case action == "migrate" && op.preflight && !op.server.hasPassed(op.began):
		f.problem("a migrate was sent without a passed preflight")
	case action != "migrate" || !readable:
		return
	}
	now, moves := f.cloud.Now(), f.moves(op.server)
	long := func(at time.Time) bool { return now.Sub(at) > visibleAfter }
	if given := slices.Index(moves, byID(moves, op.given.RequestID)); given >= 0 {
		moves = moves[given+1:]
	}
	open := find(moves, (*move).isOpen)
	newest := find(moves, (*move).isOurs)
	switch {
	case action != "migrate":
	case open != nil && open.isOurs() && long(open.start) && !op.run.gaveUp[open.id]:
		f.problem("a migrate was sent while a migration of ours was open")
	case op.what == "create" && open == nil && newest != nil && newest.end == "confirmed" && long(newest.endedAt) &&
		now.Sub(newest.endedAt) < 23*time.Hour && !op.run.gaveUp[newest.id]:
		f.problem("a migrate was sent though a migration of ours was confirmed in the last 23 hours")
	}
}

// mayRevert tells whether the operation may send a revert. A destroy or a change of triggers
// that is to confirm a migration must never revert it.
func (o *operation) mayRevert() bool {
	switch o.what {
	case "create", "confirm", "test":
		return o.rollback
	case "again":
		return o.rollback || o.onDestroy == migration.OnDestroyRevert
	case "destroy":
		return o.onDestroy == migration.OnDestroyRevert
	}
	return o.what == "revert"
}

// checkWrites checks the effects of the writes that have arrived so far. The action log shows
// the effects.
func (f *fleet) checkWrites() {
	if f.cloud == nil {
		return
	}
	requests := f.cloud.Requests()
	for _, request := range requests[f.recorded:] {
		n, err := strconv.Atoi(request.Header.Get(operationHeader))
		if err == nil {
			f.writes = append(f.writes, &write{op: f.operations[n-1], call: request.Call, requestID: request.RequestID})
		}
	}
	f.recorded = len(requests)
	for _, s := range f.servers {
		moves := f.moves(s)
		for _, w := range f.writes {
			if w.op.server == s && !w.effective {
				f.checkEffect(w, moves)
			}
		}
	}
}

// checkEffect finds out whether a write took effect. If it did, it checks the effect.
func (f *fleet) checkEffect(w *write, moves []*move) {
	if w.call == stub.CallMigrate {
		if w.effective = byID(moves, w.requestID) != nil; w.effective && f.migratesOf(w.op) > 1 {
			f.problem("one %s migrated the server more than once", w.op.what)
		}
		return
	}
	ended := find(moves, func(m *move) bool { return slices.Contains(m.endings, w.requestID) })
	if w.effective = ended != nil; !w.effective {
		return
	}
	given := byID(moves, w.op.given.RequestID)
	switch {
	case w.op.what == "create" && !ended.isOurs(),
		w.op.what == "again" && ended != given && (!ended.isOurs() || given != nil && ended.start.Before(given.start)),
		w.op.what != "create" && w.op.what != "again" && w.op.given.RequestID != "" && ended != given:
		f.problem("a %s of the %s ended a migration that is not ours", w.call, w.op.what)
	case w.call == stub.CallRevert && w.op.what == "again" && w.op.onDestroy == migration.OnDestroyConfirm && ended == given:
		f.problem("a migration was reverted instead of confirmed before the server was migrated again")
	}
}

// migratesOf is how many migrate requests of an operation took effect.
func (f *fleet) migratesOf(op *operation) int {
	n := 0
	for _, w := range f.writes {
		if w.op == op && w.call == stub.CallMigrate && w.effective {
			n++
		}
	}
	return n
}

// checkEnd checks what an operation returned.
func (f *fleet) checkEnd(op *operation) {
	f.mu.Lock()
	got, cancelled, ended := op.got, op.cancelled, op.ended
	f.mu.Unlock()
	if limit := ended.Add(-time.Second); !cancelled.IsZero() && cancelled.Before(limit) || op.deadline.Before(limit) {
		f.problem("a %s ended more than a second after its cancellation", op.what)
	}
	var failure *migration.Error
	if op.err != nil && !errors.As(op.err, &failure) {
		f.problem("a %s returned an error of another type", op.what)
		return
	}
	if op.run.ctx.Err() != nil {
		return // the process was killed, so nobody reads its result
	}
	if op.err == nil {
		f.checkSuccess(op, got)
	} else {
		f.checkError(op, got, failure)
	}
	f.checkStatus(op, got, failure)
}

// checkSuccess checks that an operation without an error did what it was asked for.
func (f *fleet) checkSuccess(op *operation, got migration.Migration) {
	wants := map[string][]migration.Status{
		"create": {migration.StatusAwaiting, migration.StatusConfirmed}, "again": {migration.StatusAwaiting, migration.StatusConfirmed},
		"test": {migration.StatusAwaiting, migration.StatusConfirmed}, "confirm": {migration.StatusConfirmed}, "revert": {migration.StatusReverted, migration.StatusFailed},
	}[op.what]
	if op.autoConfirm {
		wants = []migration.Status{migration.StatusConfirmed}
	}
	if wants != nil && !slices.Contains(wants, got.Status) {
		f.problem("a %s succeeded with status %s", op.what, got.Status)
	}
	f.checkTested(op, got)
	if op.what == "again" && got.RequestID != "" && got.RequestID == op.given.RequestID {
		f.problem("the server was not migrated again")
	}
}

// checkTested checks that a success has the result of the verification that was asked for.
func (f *fleet) checkTested(op *operation, got migration.Migration) {
	result := got.VerificationResult
	known := op.what == "create" || op.what == "again" || (op.what == "test" || op.what == "confirm") && !op.given.Status.Settled()
	switch {
	case !op.test || !known:
	case result == nil:
		f.problem("a %s succeeded without a verification", op.what)
	case (op.autoConfirm || op.what == "confirm") && !result.Passed:
		f.problem("a %s succeeded without a passed verification", op.what)
	case op.rollback && !result.Passed:
		f.problem("a %s succeeded although the server did not pass and on_failure is revert", op.what)
	}
}

// checkError checks that an error is right about which requests were sent.
func (f *fleet) checkError(op *operation, got migration.Migration, failure *migration.Error) {
	m := byID(f.moves(op.server), got.RequestID)
	switch failure.Kind {
	case migration.KindPreflight:
		if !op.preflight || f.hasSent(op, stub.CallMigrate, nil) {
			f.problem("a %s returned an error of its preflight, and it has none or has sent a migrate", op.what)
		}
	case migration.KindRolledBack:
		if !op.mayRevert() || !f.hasSent(op, stub.CallRevert, nil) {
			f.problem("a %s says that it reverted the migration, and it did not or was not to", op.what)
		}
	case migration.KindUnverified, migration.KindUntested:
		if got.Status == migration.StatusConfirmed && m != nil && f.hasSent(op, stub.CallConfirm, m.endings) {
			f.problem("a %s says that somebody else confirmed the migration, and it did so itself", op.what)
		}
	case migration.KindSettling: // the resource counts a confirm of the operation's own migration as a success
		isOwn := op.what == "create" || op.what == "confirm" || op.what == "again" && got.RequestID != op.given.RequestID
		if failure.Want == migration.StatusConfirmed && isOwn {
			f.checkTested(op, got)
		}
	}
}

// hasSent tells whether an operation has sent a request of a kind: one with one of these
// request ids, or any if ids is nil.
func (f *fleet) hasSent(op *operation, call stub.Call, ids []string) bool {
	return slices.ContainsFunc(f.cloud.Requests(), func(r stub.Request) bool {
		return r.Call == call && r.Header.Get(operationHeader) == strconv.Itoa(op.n) && (ids == nil || slices.Contains(ids, r.RequestID))
	})
}

// isOld tells whether an operation with this error may return an old status. That is the
// status of its last poll, or the one in the state.
func isOld(failure *migration.Error) bool {
	if failure == nil {
		return false
	}
	switch failure.Kind {
	case migration.KindInterrupted, migration.KindSettling, migration.KindWait, migration.KindTesting, migration.KindAPI,
		migration.KindTurn, migration.KindClaimed, migration.KindGone, migration.KindUnknownEnd, migration.KindUnproven, migration.KindBusy, migration.KindStopped:
		return true
	}
	return false
}

// checkStatus checks that the returned status is true, and that the operation names the
// migration that it began.
func (f *fleet) checkStatus(op *operation, got migration.Migration, failure *migration.Error) {
	moves, now := f.moves(op.server), f.cloud.Now()
	server, exists := f.cloud.Server(op.server.id)
	f.checkSent(op, got, failure, moves)
	m := byID(moves, got.RequestID)
	if m == nil || op.what == "destroy" && op.onDestroy == migration.OnDestroyNone || got.Status == op.given.Status && got.RequestID == op.given.RequestID && (op.what == "refresh" || got.Status.Settled() || isOld(failure)) {
		return // the status is the one in the state
	}
	later := len(moves) - 1 - slices.Index(moves, m)
	recently := m.end != "" && now.Sub(m.endedAt) < visibleAfter+f.config.poll+2*slowest
	isTrue := true
	switch got.Status {
	case migration.StatusConfirmed:
		isTrue = m.end == "confirmed"
		if isTrue && failure == nil && exists && later == 0 {
			isTrue = (server.Status == "ACTIVE" || server.Status == "SHUTOFF")
		}
	case migration.StatusReverted:
		isTrue = m.end == "reverted"
	case migration.StatusFailed:
		isTrue = m.failed || m.end == "replaced" || server.Status == "ERROR" || m.end == "" && server.Status != "VERIFY_RESIZE" && server.Status != "RESIZE"
	case migration.StatusAwaiting:
		// A confirm or revert that never ends does not change the status of the server.
		neverEnds := later == 0 && (server.Status == "VERIFY_RESIZE" || server.Status == "REVERT_RESIZE")
		isTrue = !exists || neverEnds || m.isOpen() && server.Status != "RESIZE" || recently || isOld(failure)
	case migration.StatusMigrating:
		isTrue = m.isOpen() || m.end == "replaced" || recently || isOld(failure)
	}
	if !isTrue {
		f.problem("a %s returned status %s, but the migration %s", op.what, got.Status, m.state(server.Status))
	}
}

// state describes a move in a sentence. The status is that of its server.
func (m *move) state(status string) string {
	switch {
	case m.failed:
		return "has failed"
	case m.end != "":
		return "was " + m.end
	}
	return "is open, and its server in " + status
}

// checkSent checks that an operation names the migration that it has begun.
func (f *fleet) checkSent(op *operation, got migration.Migration, failure *migration.Error, moves []*move) {
	for _, request := range f.cloud.Requests() {
		if request.Call != stub.CallMigrate || request.Header.Get(operationHeader) != strconv.Itoa(op.n) {
			continue
		}
		begun := byID(moves, request.RequestID)
		if begun == nil || got.RequestID == request.RequestID || got.RequestID == "" && got.Status != "" {
			continue
		}
		if failure != nil && (failure.Kind == migration.KindUndecided || failure.Kind == migration.KindGone || begun.failed && failure.Kind == migration.KindRefused) {
			continue
		}
		if named := byID(moves, got.RequestID); named != nil && named.isOurs() && !named.start.Before(begun.start) {
			continue // two runs of one user cannot know which of them began the newer one
		}
		f.problem("a %s began a migration and did not return its request id (%s)", op.what, readable(op.err))
	}
	_, recorded := op.run.engine.Recorded(got.RequestID)
	if failure == nil && got.RequestID != "" && op.what != "refresh" && op.what != "destroy" && !op.given.Status.Settled() && !recorded {
		f.problem("the engine has not recorded the migration that a %s returned", op.what)
	}
}
