package migration

import (
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// state is a state of the model: the cloud, and up to two runs.
type state struct {
	cloud
	runs [2]*run
}

// kind is a kind of event.
type kind int8

const (
	ofTime    kind = iota
	ofCloud        // arg: the index in changes
	ofOthers       // arg: a word
	ofFlight       // arg: the index in flights
	ofLog          // arg: 0, the number of an earlier picture, or unread
	ofServer       // arg: 0, or the number of an earlier picture
	ofPoll         // arg: as for ofServer
	ofTimeout      // a wait for something that need not happen ends
	ofTest         // arg: 1 if the server passes its verification, else 0
	ofSend         // arg: the kind of answer
	ofCrash
)

const unread = -1

// event leads from one state of the model to the next one.
type event struct {
	kind kind
	run  int8
	arg  int8
}

// events returns all events that can happen in a state.
func (m *model) events(s *state) (events []event) {
	for i := range changes {
		if s.can(&changes[i], m.setting) {
			events = append(events, event{ofCloud, noRun, int8(i)})
		}
	}
	for i := range s.flying {
		events = append(events, event{ofFlight, noRun, i})
	}
	if s.left.others > 0 {
		for _, w := range m.others {
			starts := w == toMigrate || w == toResize
			if s.accepts(w) && (!starts || !m.mayLackLog() || s.now >= s.arrived+2) {
				events = append(events, event{ofOthers, noRun, int8(w)})
			}
		}
	}
	for i, r := range s.runs {
		if r != nil && !r.ended {
			events = m.eventsOf(events, s, r, int8(i))
		}
	}
	if (!m.quick || !s.looking()) && (!m.mayLackLog() || s.server.phase != confirming) {
		events = append(events, event{kind: ofTime, run: noRun})
	}
	return events
}

// mayLackLog tells whether a read of the action log can fail. Then a confirm must end within
// ten seconds, because only the log shows that it was accepted.
func (m *model) mayLackLog() bool { return m.hidesLog || m.left.unread > 0 }

// looking tells whether a run has read the log and will now read the server. The two reads
// are a look.
func (s *state) looking() bool {
	return slices.ContainsFunc(s.runs[:], func(r *run) bool { return r != nil && r.half })
}

func (m *model) eventsOf(events []event, s *state, r *run, i int8) []event {
	add := func(kind kind, args ...int8) {
		for _, arg := range args {
			events = append(events, event{kind, i, arg})
		}
	}
	stale := func(kind kind, replaced int8) {
		add(kind, 0)
		for n := int8(1); n <= replaced && s.left.stale > 0; n++ {
			add(kind, n)
		}
	}
	switch {
	case r.half:
		stale(ofServer, s.replaced[0])
	case r.next.do == doLook || r.next.do == doLookMore && s.now > r.at:
		if !m.hidesLog {
			stale(ofLog, s.replaced[1])
		}
		if m.hidesLog || s.left.unread > 0 {
			add(ofLog, unread)
		}
	case r.next.do == doWait:
		stale(ofPoll, s.replaced[0])
		if r.lastLook != nil && s.now > r.at && !isTransitional(r.lastLook, r.known) {
			add(ofTimeout, 0)
		}
	case r.next.do == doTest:
		add(ofTest, 1, 0)
	case r.next.do == doMigrate || r.next.do == doConfirm || r.next.do == doRevert:
		add(ofSend, answered)
		if r.askedAt != s.now { // the run reads both again first
			break
		}
		if s.left.lost > 0 {
			add(ofSend, lost, vanished)
			if r.next.do == doMigrate {
				add(ofSend, nameless)
			}
		}
		if s.left.late > 0 && int(s.flying) < len(s.flights) {
			add(ofSend, late)
		}
		if s.left.limited > 0 {
			add(ofSend, limited)
		}
	}
	if s.left.crashes > 0 && (r.known || r.sent != sentNothing) {
		add(ofCrash, 0)
	}
	return events
}

// apply returns the state after an event. bad names the invariant that the event breaks.
func (m *model) apply(s state, e event) (after state, bad string) {
	switch e.kind {
	case ofTime:
		s.pass()
		return s, ""
	case ofCloud:
		if left := changes[e.arg].left; left != nil {
			*left(&s.left)--
		}
		changes[e.arg].do(&s.cloud, m.setting)
		return s, ""
	case ofOthers:
		s.left.others--
		s.perform(word(e.arg), somebody)
		return s, ""
	case ofFlight:
		f := s.land(e.arg)
		if f.run == noRun {
			_, bad = m.effect(&s, nil, f)
			return s, bad
		}
		e.run = f.run
		r := *s.runs[f.run]
		_, bad = m.effect(&s, &r, f)
		s.runs[f.run] = &r
		return s, bad
	}
	r := *s.runs[e.run]
	if e.arg > 0 && (e.kind == ofLog || e.kind == ofServer || e.kind == ofPoll) {
		s.left.stale--
	}
	p := s.server
	if e.arg > 0 && (e.kind == ofServer || e.kind == ofPoll) {
		p = s.servers[e.arg-1]
	}
	switch e.kind {
	case ofLog:
		if e.arg == unread && !m.hidesLog {
			s.left.unread--
		}
		m.readLog(&s, &r, e.arg)
	case ofServer:
		bad = m.readServer(&s, &r, p)
	case ofPoll:
		bad = m.poll(&s, &r, p)
	case ofTimeout:
		r.next = step{do: doLook}
	case ofTest:
		runTest(&s, &r, e.arg == 1)
	case ofSend:
		switch {
		case r.askedAt != s.now:
			r.next = step{do: doLook}
		default:
			switch e.arg {
			case lost, vanished, nameless:
				s.left.lost--
			case late:
				s.left.late--
			case limited:
				s.left.limited--
			}
			bad = m.send(&s, e.run, &r, e.arg)
		}
	case ofCrash:
		s.left.crashes--
		r = m.newRun(r.plan)
	}
	if s.left.stale == 0 {
		s.forgetPictures()
	}
	switch {
	case r.ended || e.kind == ofCrash:
		for i := range s.flying {
			if s.flights[i].run == e.run {
				s.flights[i].run = noRun
			}
		}
	case bad == "":
		bad = m.cancelled(&s, &r)
	}
	s.runs[e.run] = &r
	return s, bad
}

// model is one scenario, with everything that its states share.
type model struct {
	scenario
	reader
	before  Migration // the migration in Terraform's state, if the scenario has one
	engine  *Engine
	errLost *cloudservers.Error

	seed   maphash.Seed
	found  map[uint64]struct{}
	nodes  []node
	deeper []reached
}

// node is how a state was reached: the node before, and the event from there.
type node struct {
	before int32
	event  event
}

type reached struct {
	state
	node int32
}

func newModel(sc scenario, engine *Engine, errLost *cloudservers.Error) *model {
	return &model{
		scenario: sc, engine: engine, errLost: errLost, seed: maphash.MakeSeed(), found: map[uint64]struct{}{},
		reader: reader{
			sc.setting.stopped, slices.ContainsFunc(sc.plans, func(p plan) bool { return p.refresh }),
			map[picture]*cloudservers.Server{}, map[logSeen]history{},
		},
	}
}

// begin returns the first state of a scenario. In it, we migrated the server three days ago,
// and confirmed that.
func (m *model) begin() state {
	s := state{cloud: cloud{pending: noMove, arrived: -2, server: picture{updated: untouched}, left: m.left}}
	s.entries[0] = entry{word: toMigrate, user: me, at: -20, end: endedConfirmed, ended: -10}
	s.entries[1] = entry{word: toConfirm, user: me, at: -10}
	s.log.length = 2
	if m.pending != atRest {
		m.beginPending(&s)
	}
	for i := range m.plans {
		r := m.newRun(&m.plans[i])
		s.runs[i] = &r
	}
	return s
}

// beginPending adds a migration of ours to the first state. Terraform's state has it.
func (m *model) beginPending(s *state) {
	s.perform(toMigrate, me)
	m.before = Migration{
		ConfirmWindow: ConfirmationWindow,
		Region:        "ORD", ServerID: "server", RequestID: requestIDs[2], RequestedAt: start.Add(-6 * tick), Status: StatusMigrating,
		SourceHostID: "host-0", FlavorID: "flavor-0", Adopted: m.adopted,
	}
	if m.adopted {
		m.before.SourceHostID = ""
	}
	if m.pending != moving {
		changes[0].do(&s.cloud, m.setting)
		s.become(unconfirmed)
		m.before.Status, m.before.DestinationHostID = StatusAwaiting, m.server(s.server, 0).HostID
	}
	if m.pending == confirming {
		s.perform(toConfirm, me)
		s.leave(false)
		s.become(atRest)
		m.before.Status = StatusConfirmed
	}
	for range 3 {
		s.pass()
	}
}

// explore visits every state that can be reached, those with the fewest events first. bad is
// the first violation, with the events that lead to it.
func (m *model) explore() (states int, bad string) {
	m.reach(m.begin(), node{before: -1})
	for len(m.deeper) > 0 {
		level := m.deeper
		m.deeper = nil
		if len(m.nodes) > limit {
			return len(m.nodes), fmt.Sprintf("there are more than %d states; the budget is too large", limit)
		}
		for _, from := range level {
			for _, e := range m.events(&from.state) {
				after, bad := m.apply(from.state, e)
				if bad != "" {
					return len(m.nodes), m.report(from.node, bad, e)
				}
				m.reach(after, node{from.node, e})
			}
			if from.node%sampled != 0 {
				continue
			}
			if ends, bad := m.settle(from.state); bad != "" {
				return len(m.nodes), m.report(from.node, bad, ends...)
			}
		}
	}
	return len(m.nodes), ""
}

// limit is the greatest number of states of a scenario. From one state in sampled states,
// settle follows the runs to their end.
const (
	limit   = 200_000
	sampled = 199
)

func (m *model) reach(s state, by node) {
	hash := m.hash(&s)
	if _, known := m.found[hash]; known {
		return
	}
	m.found[hash] = struct{}{}
	m.nodes = append(m.nodes, by)
	if slices.ContainsFunc(s.runs[:], func(r *run) bool { return r != nil && !r.ended }) {
		m.deeper = append(m.deeper, reached{s, int32(len(m.nodes) - 1)})
	}
}

// hash identifies a state. Two states have the same hash if nothing that can still happen
// depends on their differences.
func (m *model) hash(s *state) uint64 {
	key := struct {
		cloud
		runs [2]runKey
	}{cloud: s.cloud}
	for i, r := range s.runs {
		if r != nil {
			key.runs[i] = r.key(s.now)
		}
	}
	for i := range key.log.length {
		e := &key.entries[i]
		if e.word != toMigrate && e.word != toResize {
			e.user = me // nothing depends on the user of a confirm or revert
		}
		e.at, e.ended = min(age(s.now, e.at), 2), min(age(s.now, e.ended), 1)
	}
	for i := range key.flying {
		key.flights[i].sent = age(s.now, key.flights[i].sent)
	}
	key.arrived = age(s.now, s.arrived)
	if !m.mayLackLog() {
		key.arrived = 0
	}
	key.source.updated, key.server.updated = 0, m.idle(s.server, s.now)
	for i := range key.replaced[0] {
		key.servers[i].updated = m.idle(s.servers[i], s.now)
	}
	key.now = 0
	if m.alike() { // then a state with the two runs exchanged is the same state
		key.runs[0].plan, key.runs[1].plan = nil, nil
		if maphash.Comparable(m.seed, key.runs[0]) > maphash.Comparable(m.seed, key.runs[1]) {
			key.runs[0], key.runs[1] = key.runs[1], key.runs[0]
			for i := range key.flying {
				if run := &key.flights[i].run; *run != noRun {
					*run = 1 - *run
				}
			}
		}
	}
	return maphash.Comparable(m.seed, key)
}

// alike tells whether the two runs have the same plan.
func (m *model) alike() bool {
	if len(m.plans) < 2 {
		return false
	}
	second := m.plans[1]
	second.name = m.plans[0].name
	return second == m.plans[0]
}

// settle checks I6: from this state on, without further faults, all runs end. It returns the
// events until then.
func (m *model) settle(s state) (events []event, bad string) {
	s.left = budget{}
	take := func(e event) {
		events = append(events, e)
		s, bad = m.apply(s, e)
	}
	for range 40 {
		for i := range changes {
			if s.can(&changes[i], m.setting) {
				take(event{ofCloud, noRun, int8(i)})
				break
			}
		}
		done := true
		for i := range s.runs {
			for range 20 {
				r := s.runs[i]
				if r == nil || r.ended || bad != "" {
					break
				}
				next := m.eventsOf(nil, &s, r, int8(i))
				if len(next) > 0 {
					take(next[0])
				}
				if bad != "" || s.runs[i].key(s.now) != r.key(s.now) {
					continue
				}
				if len(next) < 2 { // the run polls, and the server has not changed
					break
				}
				take(next[1])
			}
			done = done && (s.runs[i] == nil || s.runs[i].ended)
		}
		if done || bad != "" {
			return events, bad
		}
		take(event{kind: ofTime, run: noRun})
	}
	return events, "I6: a run does not end"
}

// report describes a violation, and the shortest list of events that leads to it.
func (m *model) report(from int32, bad string, last ...event) string {
	slices.Reverse(last)
	for i := from; i > 0; i = m.nodes[i].before {
		last = append(last, m.nodes[i].event)
	}
	slices.Reverse(last)
	return fmt.Sprintf("%s\nafter %d steps:\n%s", bad, len(last), m.transcript(last))
}
