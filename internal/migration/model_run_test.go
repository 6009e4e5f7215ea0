package migration

import (
	"context"
	"errors"
	"net/http"
	"time"
	"unsafe"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// plan is what a run of Terraform is to do.
type plan struct {
	name     string
	goal     goal
	state    bool      // the state has the migration; else the run creates one
	previous bool      // the state has an earlier migration, and the server is migrated again
	settle   OnDestroy // whether the earlier migration is confirmed or reverted first
	test     testState // testNone: without a verification
	rollback bool      // a migration whose server does not pass is reverted
	gaveUp   bool      // the run has destroyed the migration with which the scenario begins
	refresh  bool      // a refresh; its goal is goalObserved
	imports  bool      // an import of the newest migration; its goal is goalObserved
}

// run is one run of Terraform: an operation of the engine, and the place in its loop.
type run struct {
	operation
	plan    *plan
	next    step
	half    bool // the run has read the log, and reads the server next
	source  logSource
	at      int16  // the tick of its last look
	askedAt int16  // the tick at which the older of the two reads was sent
	settles bool   // it first confirms or reverts the earlier migration
	began   uint16 // a bit for each move that its migrate requests began
	mine    uint16 // a bit for each move that it may confirm or revert
	tested  bool   // the server that we moved has passed its verification
	ended   bool
}

// newRun returns a run that has not begun. Its ledger is empty.
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

// operation returns an operation as the engine makes it, for a run that has destroyed no
// migration.
func (m *model) operation(of Migration, g goal, known bool) operation {
	o := *m.engine.operation(of, g, known)
	o.userID, o.givenUp = "me", func(string) bool { return false }
	return o
}

// runKey is the part of a run on which its later events depend. Its times are ages, with an
// upper limit.
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

// enough is the upper limit of an age. Nothing depends on whether an age is longer.
const enough = int16(max(proofTime+effectTime, maxUnobserved+tick) / tick)

func age(now, then int16) int16 { return min(now-then, enough) }

func ageOf(now int16, then time.Time) int16 {
	if then.IsZero() {
		return -1
	}
	return age(now, int16(then.Sub(start)/tick))
}

// key leaves out values that are replaced before they are used. The result of a look is one
// of them, unless the run sends a request right after the look.
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
	k.migration.ServerStatus, k.migration.AwaitingSince = "", time.Time{} // no scenario lasts until the deadline
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

// The kinds of answers to requests of a run.
const (
	answered int8 = iota // accepted or refused, and the answer comes
	nameless             // accepted or refused, and the answer has no request id
	lost                 // accepted or refused, and the answer is lost
	vanished             // the request is lost: no effect and no answer
	late                 // the answer is lost, and the effect comes later or never
	limited              // refused because of the rate limit
)

var answers = [...]string{answered: "", nameless: ", the answer has no request id", lost: ", the answer is lost", vanished: ", the request is lost", late: ", it is late", limited: ", over the rate limit"}

// The errors of the API. The client itself makes the error of a lost answer.
var (
	errRefused  = &cloudservers.Error{StatusCode: http.StatusConflict, Message: "refused by the state of the server"}
	errLimited  = &cloudservers.Error{StatusCode: http.StatusTooManyRequests}
	errUnread   = &cloudservers.Error{StatusCode: http.StatusServiceUnavailable}
	errNotFound = &cloudservers.Error{StatusCode: http.StatusNotFound, Err: cloudservers.ErrNotFound}
)

// readLog is the first of the two reads of operation.look.
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

// readServer is the second read of a look, and the decision after it. A look is as old as its
// older read. If the two reads are too far apart, both are made again.
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
		if r.server == nil || move == nil { // Engine.Find returns an error then
			r.ended = true
			return ""
		}
		r.begin(move.RequestID, move.Started, nil)
		r.mine = 1 << r.move()
	}
	return m.decided(s, r)
}

// poll is one poll of operation.wait, or the shared read with which a refresh begins.
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

// proving returns the situation of a run that has looked as often as a proof needs.
func (r *run) proving() situation {
	r.looks = proofLooks
	defer func() { r.looks = 0 }()
	return r.situation()
}

// decided makes decisions, as operation.runFrom does, until the next step takes time.
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
			r.ended = r.plan.refresh // the migration stays in the state as it was
			return ""
		}
	}
}

// ends is operation.end. A run that has confirmed or reverted the earlier migration then
// begins its own.
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

// send is operation.send. It sends one request, right after a look.
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
		r.movesBefore = r.moves // the two are equal, so the model needs only one of them
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

// effect is the effect of a request in the cloud, which may refuse it. r is nil if the run
// that sent it has crashed or ended since.
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
