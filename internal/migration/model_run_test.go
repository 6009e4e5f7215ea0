package migration

import (
	"context"
	"errors"
	"net/http"
	"time"
	"unsafe"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// plan is what a run of Terraform is asked for.
type plan struct {
	name     string
	goal     goal
	state    bool      // the migration is in the state, else it is created
	previous bool      // the server is migrated again: the migration in the state is the previous one
	settle   OnDestroy // what is done to that one first
	test     testState // testNone without a test
	rollback bool      // a server that does not pass is reverted
	gaveUp   bool      // the run has destroyed the migration that the story begins with
	refresh  bool      // a refresh; its goal is goalObserved
	imports  bool      // an import of the newest migration; its goal is goalObserved
}

// run is one run of Terraform: the engine's operation, and where its loop is.
type run struct {
	operation
	plan    *plan
	next    step
	half    bool // the log was read, and the server is next
	source  logSource
	at      int16  // when it last looked
	askedAt int16  // when the older part of that was asked for
	settles bool   // it settles the previous migration before it begins its own
	began   uint16 // the moves that its migrate requests began
	mine    uint16 // the moves that it may confirm or revert
	tested  bool   // our moved server has passed
	ended   bool
}

// newRun is a run at its beginning, with an empty ledger.
func (m *model) newRun(p *plan) run {
	r := run{plan: p, next: step{do: doLook}, at: -1, askedAt: -1}
	create := Migration{Region: "ORD", ServerID: "server", ConfirmWindow: ConfirmationWindow}
	switch {
	case p.settle != "":
		r.settles = true
		r.operation = m.operation(m.before, map[OnDestroy]goal{OnDestroyConfirm: goalConfirmed, OnDestroyRevert: goalReverted}[p.settle], true)
	case p.state:
		r.operation = m.operation(m.before, p.goal, true)
		r.test = p.test
	default:
		r.operation = m.operation(create, p.goal, false)
		r.test = p.test
	}
	switch given := m.before.RequestID; {
	case r.known:
		r.mine = 1 << moveOf(given)
	case p.previous:
		r.again, r.previous = true, given
	case p.gaveUp:
		r.givenUp = func(requestID string) bool { return requestID == given }
	}
	if p.refresh {
		r.next = step{do: doWait}
	}
	return r
}

// operation is an operation as the engine makes it, of a run that has given nothing
// up.
func (m *model) operation(of Migration, g goal, known bool) operation {
	o := *m.engine.operation(of, g, known)
	o.userID, o.givenUp = "me", func(string) bool { return false }
	return o
}

// runKey is all of a run that its future depends on. Times are how long ago they
// were, as far as that matters.
type runKey struct {
	plan                         *plan
	next                         step
	half, settles, tested, ended bool
	source, log                  logSource
	at, askedAt, observed, since int16
	began, mine                  uint16
	goal                         goal
	previous                     string
	migration                    Migration
	known, await                 bool
	rested, broken               bool
	dead                         string
	told                         Outcome
	refused, hasBefore           bool
	test                         testState
	sent                         sentState
	conflicts, retries           int
	before, server, looked       *cloudservers.Server
	listed, moves                *Move
	lasting                      situation
}

// enough is so long ago that longer makes no difference.
const enough = int16(max(proofTime+effectTime, maxUnobserved+tick) / tick)

func age(now, then int16) int16 { return min(now-then, enough) }

func ageOf(now int16, then time.Time) int16 {
	if then.IsZero() {
		return -1
	}
	return age(now, int16(then.Sub(start)/tick))
}

// key leaves out what is overwritten before it is used: what a look has shown counts
// until the next look, unless a request is sent right after it.
func (r *run) key(now int16) runKey {
	if r.ended {
		return runKey{plan: r.plan, ended: true}
	}
	k := runKey{
		plan: r.plan, next: r.next, half: r.half, settles: r.settles, tested: r.tested, began: r.began, mine: r.mine,
		goal: r.goal, previous: r.previous, migration: r.migration, known: r.known, await: r.hasAwaited,
		rested: r.wasAtRest, broken: r.mayBeReplaced, dead: r.otherIsOver, told: r.knownEnd, refused: r.sentBy != nil, hasBefore: r.before != nil, test: r.test, sent: r.sent,
		retries: r.retries, lasting: r.shown,
	}
	k.migration.ServerStatus, k.migration.AwaitingSince = "", time.Time{} // nothing in these minutes depends on the deadline
	sends := r.next.do == doMigrate || r.next.do == doConfirm || r.next.do == doRevert
	if r.half || sends {
		k.source, k.log, k.moves, k.askedAt = r.source, r.log, unsafe.SliceData(r.moves), min(age(now, r.askedAt), 1)
	}
	if sends || r.next.do == doTest {
		k.server = r.server
	}
	if sends || r.next.do == doWait {
		k.looked = r.lastLook
	}
	if r.next.do == doWait || r.next.do == doLookMore {
		k.at = min(age(now, r.at), 1)
	}
	if r.known && !r.mayBeReplaced && !r.hasAwaited {
		k.observed = ageOf(now, r.observed)
	}
	if r.shown != (situation{}) {
		k.since = ageOf(now, r.since)
	}
	if !r.known || r.migration.RequestID == "" {
		k.before, k.listed, k.conflicts = r.before, unsafe.SliceData(r.movesBefore), r.conflicts
	}
	return k
}

// The answers to requests of a run.
const (
	answered int8 = iota // accepted or refused, and the answer comes
	nameless             // the same, and the answer has no request id
	lost                 // accepted or refused, and the answer is lost
	vanished             // it has no effect, and there is no answer
	late                 // the answer is lost, and the effect comes later or never
	limited              // refused because of the rate limit
)

var answers = [...]string{answered: "", nameless: ", the answer has no request id", lost: ", the answer is lost", vanished: ", the request is lost", late: ", it is late", limited: ", over the rate limit"}

// errors of the API. That of a lost answer is made by the client itself.
var (
	errRefused  = &cloudservers.Error{StatusCode: http.StatusConflict, Message: "refused by the state of the server"}
	errLimited  = &cloudservers.Error{StatusCode: http.StatusTooManyRequests}
	errUnread   = &cloudservers.Error{StatusCode: http.StatusServiceUnavailable}
	errNotFound = &cloudservers.Error{StatusCode: http.StatusNotFound, Err: cloudservers.ErrNotFound}
)

// readLog is the first half of a look, as in operation.look.
func (m *model) readLog(s *state, r *run, stale int8) {
	r.half, r.askedAt = true, s.now
	if stale == unread {
		r.moves, r.logErr, r.source = nil, errUnread, logRefused
		return
	}
	p := s.log
	if stale > 0 {
		p = s.logs[stale-1]
	}
	r.moves, r.logErr, r.source = m.history(&s.cloud, p), nil, logRead
}

// readServer is the second half, and what is decided then. The look is as old as
// its older half, and is made again if the two are too far apart.
func (m *model) readServer(s *state, r *run, p picture) string {
	server := m.server(p, s.now)
	r.half = false
	switch {
	case r.source == logRefused:
		r.askedAt = s.now
	case server != nil && at(s.now).Sub(at(r.askedAt)) > proofTime:
		return ""
	}
	r.failed = nil
	if server == nil {
		r.failed = errNotFound
	}
	r.at, r.lastLook = s.now, server
	r.observe(server, at(r.askedAt), r.source)
	if r.plan.imports && !r.known {
		move := r.moves.first(func(m Move) bool { return !m.Resize })
		if r.server == nil || move == nil { // as Engine.Find, which says so
			r.ended = true
			return ""
		}
		r.begin(move.RequestID, move.Started, nil)
		r.mine = 1 << r.move()
	}
	return m.decided(s, r)
}

// poll is one poll of operation.wait, or the shared read of a refresh.
func (m *model) poll(s *state, r *run, p picture) string {
	server := m.server(p, s.now)
	switch {
	case server == nil && r.plan.refresh:
		r.next = step{do: doLook}
	case server == nil:
		r.failed = errNotFound
		r.observe(nil, at(s.now), logNotAsked)
		return m.decided(s, r)
	default:
		r.observe(server, at(s.now), logNotAsked)
		switch {
		case r.plan.refresh:
			if r.next = decide(r.proving()); r.next.do == doFinish || r.next.do == doWait {
				return m.ends(s, r, r.next)
			}
			r.next = step{do: doLook}
		case !r.needsDecision(server):
		case !r.known:
			r.next = step{do: doLook}
		default:
			r.failed = nil
			return m.decided(s, r)
		}
	}
	return ""
}

// proving is the situation, where as many looks were made as time allows.
func (r *run) proving() situation {
	r.looks = proofLooks
	defer func() { r.looks = 0 }()
	return r.situation()
}

// decided decides, as operation.runFrom does, until something is to be done that
// takes time.
func (m *model) decided(s *state, r *run) string {
	for {
		situation := r.proving()
		if r.plan.refresh {
			situation = r.situationByAge()
		}
		if bad := m.adopts(r, s); bad != "" {
			return bad
		}
		switch r.next = decide(situation); r.next.do {
		case doTakeOver:
			r.takeOver()
		case doFinish, doStop:
			return m.ends(s, r, r.next)
		default:
			if r.plan.imports && r.next.do == doWait {
				return m.ends(s, r, r.stillPending())
			}
			r.ended = r.plan.refresh // what cannot be told stays as it was
			return ""
		}
	}
}

// ends is operation.end. A run that has settled the previous migration goes on with
// its own.
func (m *model) ends(s *state, r *run, last step) string {
	var err error
	if r.plan.refresh {
		_, err = r.endRefresh(context.Background(), last)
	} else {
		err = r.end(context.Background(), last)
	}
	var failure *Error
	errors.As(err, &failure)
	bad := m.judge(s, r, failure)
	if !r.settles || failure != nil || bad != "" {
		r.ended = true
		return bad
	}
	before := r.migration.RequestID
	*r = run{plan: r.plan, operation: m.operation(Migration{Region: "ORD", ServerID: "server", ConfirmWindow: ConfirmationWindow}, r.plan.goal, false), next: step{do: doLook}, at: r.at, askedAt: -1}
	r.again, r.previous, r.test = true, before, r.plan.test
	return ""
}

// runTest is operation.runTest.
func runTest(s *state, r *run, passed bool) {
	ended := r.next.status
	r.noteEnd(ended)
	r.next = step{do: doLook}
	r.tested = passed && s.isOurs(r.move())
	r.noteTest(passed, r.plan.rollback, ended)
}

// send is operation.send: one request, right after a look.
func (m *model) send(s *state, i int8, r *run, outcome int8) string {
	do := map[action]word{doMigrate: toMigrate, doConfirm: toConfirm, doRevert: toRevert}[r.next.do]
	if bad := m.allowed(s, r, do); bad != "" {
		return bad
	}
	sent := flight{do, i, r.move(), s.now}
	var err *cloudservers.Error
	var accepted int8 = noMove
	bad := ""
	switch outcome {
	case answered, nameless, lost:
		if accepted, bad = m.effect(s, r, sent); accepted == noMove {
			err = errRefused
		}
		if outcome == lost {
			err = m.errLost
		}
	case vanished:
		err = m.errLost
	case late:
		s.flights[s.flying] = sent
		s.flying++
		err = m.errLost
	case limited:
		err = errLimited
	}
	acceptance := cloudservers.Acceptance{At: clock(s.now)}
	if err == nil && outcome != nameless {
		acceptance.RequestID = requestIDs[accepted]
	}
	was := r.next.do
	kind := r.noteAnswer(was, acceptance, err)
	if was == doMigrate && r.log == logRead {
		r.movesBefore = r.moves // which is equal
	}
	r.next = step{do: doLook}
	switch {
	case bad != "":
		return bad
	case kind != "":
		r.ended = true
		var failure *Error
		errors.As(r.fail(kind, err), &failure)
		return m.judge(s, r, failure)
	case err == nil && was == doMigrate:
		r.lastLook = nil
	}
	if err == nil {
		r.next = step{do: doWait}
	}
	return ""
}

// effect lets a request of a run take effect, if the cloud does not refuse it. The
// run is nil when it has crashed or ended since.
func (m *model) effect(s *state, r *run, f flight) (accepted int8, bad string) {
	pending := s.pending
	accepted, ok := s.perform(f.word, me)
	switch {
	case !ok:
		return noMove, ""
	case f.word == toMigrate && r != nil:
		r.began |= 1 << accepted
		r.mine |= 1 << accepted
		if r.began&(r.began-1) != 0 {
			return accepted, "I1: one request has moved the server twice"
		}
	case f.word == toMigrate:
	case r != nil && r.mine>>pending&1 == 0, r == nil && pending != f.of:
		return accepted, "I2: a migration was confirmed or reverted that is not ours"
	}
	return accepted, ""
}
