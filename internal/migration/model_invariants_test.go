package migration

import (
	"context"
	"errors"
	"math/bits"
	"slices"
)

// awaits tells whether a move awaits confirmation, or awaited it when the last look began. No
// read of the server shows that a confirm was accepted.
func (s *state) awaits(move int8, since int16) bool {
	return s.awaited && (s.entries[move].end == endedOpen || s.entries[move].ended >= since)
}

// isOurs tells whether the server is now where a move has brought it. That is so if the move
// was not reverted before this tick, and if no later move began before it. A later move does
// not count if it failed or was reverted.
func (s *state) isOurs(move int8) bool {
	for i := move + 1; i < s.log.length; i++ {
		e := s.entries[i]
		back := e.end == endedFailed || e.end == endedReverted && s.pending != i
		if (e.word == toMigrate || e.word == toResize) && !back && e.at < s.now {
			return false
		}
	}
	e := s.entries[move]
	return e.end == endedOpen || e.end == endedConfirmed || e.ended == s.now
}

// mayBegin tells whether a migrate request of a run had an effect, or can still have one.
func (s *state) mayBegin(r *run) bool {
	for i, other := range s.runs {
		if other == nil || other.plan != r.plan {
			continue
		}
		for _, f := range s.flights[:s.flying] {
			if f.run == int8(i) && f.word == toMigrate {
				return true
			}
		}
	}
	return r.began != 0
}

// allowed checks a request that is about to be sent: I1, I2 and I3.
func (m *model) allowed(s *state, r *run, do word) string {
	switch {
	case do != toMigrate && s.server.phase == unconfirmed && r.mine>>s.pending&1 == 0:
		return "I2: a " + words[do] + " is sent for a migration that is not ours"
	case do == toConfirm && r.plan.test != testNone && !r.settles && !r.tested:
		return "I3: a confirm is sent before the moved server has passed"
	case do != toMigrate:
		return ""
	case s.mayBegin(r):
		return "I1: a second migrate request is sent, though the first one had an effect or may still have one"
	}
	for i := s.log.length - 1; i > moveOf(r.previous); i-- {
		e := s.entries[i]
		if e.word != toMigrate || e.user != me || r.givenUp(requestIDs[i]) {
			continue
		}
		if e.end == endedOpen && e.at < s.now {
			return "I1: a migrate request is sent, though a migration of ours is open"
		}
		if e.end == endedConfirmed && e.ended < s.now && e.ended >= 0 && r.previous == "" {
			return "I1: a create sends a migrate request, though a migration of ours was confirmed lately"
		}
		break // older migrations do not matter
	}
	return ""
}

// adopts checks a migration that a run has taken over: I2.
func (m *model) adopts(r *run, s *state) string {
	i := moveOf(r.migration.RequestID)
	if !r.known || i == noMove || r.mine>>i&1 == 1 {
		return ""
	}
	if e := s.entries[i]; e.word != toMigrate || e.user != me || r.givenUp(requestIDs[i]) || i <= moveOf(r.previous) {
		return "I2: a migration is taken over that is not ours"
	}
	r.mine |= 1 << i
	return ""
}

// move returns the migration that a run works on. If the answer to its request had no request
// id, that is the first migration which its requests began.
func (r *run) move() int8 {
	if named := moveOf(r.migration.RequestID); named != noMove || r.began == 0 {
		return named
	}
	return int8(bits.TrailingZeros16(r.began))
}

// unsent are the kinds of errors that say that no migration was started.
var unsent = []Kind{KindAPI, KindNotFound, KindOnMetal, KindStatus, KindBusy, KindPending, KindClaimed, KindTurn, KindPreflight, KindUntold, KindRefused}

// judge checks the result that a run returns: I3, I4 and I5.
func (m *model) judge(s *state, r *run, failure *Error) string {
	if failure != nil && slices.Contains(unsent, failure.Kind) && s.mayBegin(r) {
		return "I5: the error says that no migration was started: " + string(failure.Kind)
	}
	if !r.known {
		return ""
	}
	move := r.move()
	if move == noMove { // the run saw a migration in the server only, and no request id
		return ""
	}
	if r.log != logRead && s.entries[move].end == endedReverted && r.migration.Status == StatusFailed {
		return "" // the server is on its original host; without the log, the run cannot know why
	}
	status, end := r.migration.Status, s.entries[move].end
	if failure != nil {
		if bad := s.judgeSettler(r, move, failure.Kind); bad != "" {
			return bad
		}
		if bad := m.judgeKind(s, move, failure.Kind, status); bad != "" {
			return bad
		}
		if slices.Contains([]Kind{KindGone, KindUnproven, KindUnknownEnd, KindWait}, failure.Kind) {
			return ""
		}
	}
	busy := s.pending == move && s.server.phase != unconfirmed
	switch {
	case status == StatusAwaiting && (failure == nil || failure.Kind != KindUnproven) && !s.awaits(move, r.askedAt) && r.goal != goalObserved,
		status == StatusConfirmed && end != endedConfirmed, status == StatusReverted && end != endedReverted, status == StatusFailed && end != endedFailed:
		return "I4: the migration is called " + string(status) + ", and that is not so"
	case failure != nil || r.goal == goalObserved:
	case status.Settled() && busy && s.server.phase != deleting && s.server.phase != gone:
		return "I4: the migration is called " + string(status) + " before it is"
	case r.goal == goalConfirmed && status != StatusConfirmed,
		r.goal == goalReverted && status != StatusReverted && status != StatusFailed,
		r.goal == goalMoved && status != StatusAwaiting && status != StatusConfirmed:
		return "I4: success is reported, and the migration is " + string(status)
	case r.goal != goalReverted && r.plan.test == testDue && !r.settles && !r.tested && (r.goal != goalMoved || r.test != testFailed):
		return "I3: success is reported, and the moved server was not tested"
	}
	return ""
}

// settler returns the user who has confirmed or reverted a move.
func (s *state) settler(move int8) int8 {
	for _, e := range s.entries[move+1 : s.log.length] {
		if e.word == toConfirm || e.word == toRevert {
			return e.user
		}
	}
	return theCloud
}

// judgeSettler checks what an error says about who confirmed or reverted a migration after its
// verification. Without the action log a run cannot know that, so nothing is checked.
func (s *state) judgeSettler(r *run, move int8, kind Kind) string {
	if r.plan.test == testNone || r.settles || r.log != logRead {
		return ""
	}
	mine := s.settler(move) == me
	switch {
	case mine && (kind == KindUntested || kind == KindUnverified && r.migration.Status == StatusConfirmed):
		return "I5: the error says that somebody else confirmed the migration, and the run did"
	case mine && kind == KindReverted:
		return "I5: the error says that somebody else reverted the migration, and the run did"
	case !mine && kind == KindRolledBack:
		return "I5: the error says that the run reverted the migration, and somebody else did"
	}
	return ""
}

// judgeKind checks that the kind of an error agrees with the migration.
func (m *model) judgeKind(s *state, move int8, kind Kind, status Status) string {
	want := map[Kind][]Status{
		KindFailed: {StatusFailed}, KindReverted: {StatusReverted}, KindRolledBack: {StatusReverted}, KindConfirmed: {StatusConfirmed},
		KindUnsettled: {StatusAwaiting}, KindUnverified: {StatusAwaiting, StatusConfirmed}, KindUntested: {StatusConfirmed},
	}[kind]
	switch {
	case kind == KindFailed && (s.server.phase == failing || s.server.phase == inError): // the server failed, so this error is right in any case
	case want != nil && !slices.Contains(want, status):
		return "I5: the error says " + string(kind) + ", and the status " + string(status)
	case kind == KindGone && s.server.phase != deleting && s.server.phase != gone:
		return "I5: the error says that the server is gone"
	case kind == KindUnknownEnd && s.entries[move].end == endedOpen:
		return "I5: the error says that the migration has ended"
	}
	return ""
}

// cancelled checks the error that a run would return if it were cancelled now: I3 and I5.
func (m *model) cancelled(s *state, r *run) string {
	if r.goal == goalObserved {
		return ""
	}
	var failure *Error
	errors.As(r.interrupted(KindAPI, context.Canceled), &failure)
	if slices.Contains(unsent, failure.Kind) && s.mayBegin(r) {
		return "I5: a cancel says that no migration was started: " + string(failure.Kind)
	}
	// The resource counts this error as a success: the confirm was accepted, and only its end
	// was not seen.
	if failure.Kind == KindSettling && failure.Want == StatusConfirmed && r.plan.test == testDue && !r.settles && !r.tested {
		return "I3: a cancel says that only the end of a confirm was not seen, and the moved server was not tested"
	}
	return ""
}
