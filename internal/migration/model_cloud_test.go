package migration

import (
	"strconv"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// phase is the step of a migration, revert or delete that a server of the model is in.
type phase int8

const (
	atRest    phase = iota
	moving          // on its original host
	finishing       // on its new host
	unconfirmed
	confirming // a confirm was accepted; the API shows the server as unconfirmed
	reverting  // still on its new host
	revertingBack
	poweringOff // a stopped server, at the end of a revert
	failing     // in ERROR, before the API shows the fault
	inError
	deleting
	gone
)

// shown has the status and the task that the API shows in each phase.
var shown = [...]struct{ status, task string }{
	atRest:        {cloudservers.StatusActive, ""},
	moving:        {cloudservers.StatusResize, "resize_migrating"},
	finishing:     {cloudservers.StatusResize, cloudservers.TaskResizeFinish},
	unconfirmed:   {cloudservers.StatusVerifyResize, ""},
	confirming:    {cloudservers.StatusVerifyResize, ""},
	reverting:     {cloudservers.StatusRevertResize, "resize_reverting"},
	revertingBack: {cloudservers.StatusRevertResize, "resize_reverting"},
	poweringOff:   {cloudservers.StatusVerifyResize, "powering-off"},
	failing:       {cloudservers.StatusError, "resize_migrating"},
	inError:       {cloudservers.StatusError, ""},
	deleting:      {cloudservers.StatusActive, cloudservers.TaskDeleting},
	gone:          {cloudservers.StatusDeleted, ""},
}

// The users in the model. Actions of the cloud itself have no user in the action log.
const (
	me int8 = iota
	somebody
	theCloud
)

// word is an action that a user can send. words has its name in the action log.
type word int8

const (
	toMigrate word = iota
	toResize
	toConfirm
	toRevert
	toDelete
)

var words = [...]string{cloudservers.ActionMigrate, cloudservers.ActionResize, cloudservers.ActionConfirm, cloudservers.ActionRevert, "delete"}

// entry is an entry of the action log. If it is a migrate or a resize, end and ended say how
// and when it really ended.
type entry struct {
	word  word
	user  int8
	end   ending
	at    int16
	ended int16
}

// ending is how a move ended.
type ending int8

const (
	endedOpen ending = iota // it has not ended yet
	endedFailed
	endedConfirmed
	endedReverted
)

// picture is what a read of the server shows. logPicture is what a read of the action log
// shows: how many entries it has, and which of them say Error.
type picture struct {
	phase        phase
	host, flavor int8
	launched     int8  // the entry of the move that brought it to its host, if the API shows that
	updated      int16 // the time of its last change, or untouched
}

type logPicture struct {
	length int8
	failed uint16
}

// flight is a request whose answer was lost, and whose effect is still to come.
type flight struct {
	word word
	run  int8 // the run that sent it; noRun if that has crashed or ended
	of   int8 // the move that it is to confirm or revert
	sent int16
}

const (
	noRun      = -1
	noMove     = -1
	maxEntries = 14
	untouched  = -100 // no change since before the model begins
)

// budget is how often each kind of event can still happen.
type budget struct {
	others, faults, forgotten, autos            int8 // actions of another user, and events in the cloud
	lost, late, limited, stale, unread, crashes int8 // events that concern requests and runs
}

// cloud is the model of the API: one server, its action log, and the requests whose effect is
// still to come. It is comparable, so that the model can find equal states.
type cloud struct {
	now     int16 // in ticks
	server  picture
	awaited bool  // in this tick, a read could show that the server awaits confirmation
	arrived int16 // when the last move failed, or began to await confirmation
	log     logPicture
	entries [maxEntries]entry
	pending int8    // the move that has not ended or awaits confirmation
	source  picture // the server before that move

	servers  [5]picture // earlier pictures of this tick; a read that lags can still show them
	logs     [5]logPicture
	replaced [2]int8 // how many of servers and of logs are in use

	flights [2]flight
	flying  int8 // how many of flights are in use
	left    budget
}

// setting is the part of a scenario that does not change.
type setting struct {
	hosts   int8 // how many hosts the moves use in turn; 0: each move uses a new one
	stopped bool // the server is SHUTOFF while no action changes it
	launch  bool // the API shows when the server was launched on its host
	coarse  bool // a move and a revert have fewer phases
}

// show replaces the picture of the server. In this tick, a read that lags can still show the
// earlier one.
func (c *cloud) show(p picture) {
	p.updated = c.now
	if c.replaced[0] == int8(len(c.servers)) { // there is room for five: forget the oldest
		copy(c.servers[:], c.servers[1:])
		c.replaced[0]--
	}
	if c.left.stale > 0 {
		c.servers[c.replaced[0]] = c.server
		c.replaced[0]++
	}
	if was := c.server.phase; (was == moving || was == finishing) && p.phase != finishing {
		c.arrived = c.now
	}
	c.server = p
	c.awaited = c.awaited || p.phase == unconfirmed
}

func (c *cloud) become(p phase) {
	next := c.server
	next.phase = p
	c.show(next)
}

func (c *cloud) replaceLog(next logPicture) {
	if c.replaced[1] == int8(len(c.logs)) {
		copy(c.logs[:], c.logs[1:])
		c.replaced[1]--
	}
	if c.left.stale > 0 {
		c.logs[c.replaced[1]] = c.log
		c.replaced[1]++
	}
	c.log = next
}

func (c *cloud) end(as ending) {
	c.entries[c.pending].end, c.entries[c.pending].ended = as, c.now
}

// accepts tells whether the API accepts an action now.
func (c *cloud) accepts(w word) bool {
	switch w {
	case toMigrate, toResize:
		return c.server.phase == atRest
	case toConfirm, toRevert:
		return c.server.phase == unconfirmed
	}
	return c.server.phase != deleting && c.server.phase != gone
}

// perform sends an action, which takes effect if it is accepted. It returns the entry of the
// action in the log.
func (c *cloud) perform(w word, user int8) (at int8, accepted bool) {
	if !c.accepts(w) {
		return noMove, false
	}
	at = c.log.length
	c.entries[at] = entry{word: w, user: user, at: c.now}
	c.replaceLog(logPicture{at + 1, c.log.failed})
	switch w {
	case toMigrate, toResize:
		c.pending, c.source = at, c.server
		c.become(moving)
	case toConfirm:
		c.end(endedConfirmed)
		c.server.phase = confirming // no read shows a change
	case toRevert:
		c.end(endedReverted)
		c.become(reverting)
	case toDelete:
		c.become(deleting)
	}
	return at, true
}

// leave ends the pending move. With tells, the log says that the move failed.
func (c *cloud) leave(tells bool) {
	if tells {
		c.replaceLog(logPicture{c.log.length, c.log.failed | 1<<c.pending})
	}
	c.pending, c.source = noMove, picture{}
}

// change is an event in the cloud that no user has sent.
type change struct {
	name string
	from phase
	left func(*budget) *int8 // the part of the budget that it uses; nil: it always happens in the end
	wait int16               // the least number of ticks from the request of the move to the event
	do   func(*cloud, setting)
}

// moveTime is the least number of ticks from the request of a move until it awaits
// confirmation.
const moveTime = 2

func faults(b *budget) *int8 { return &b.faults }

// changes are all events in the cloud. A server in ERROR has no further event.
var changes = [...]change{
	{"the server is on its new host", moving, nil, 0, func(c *cloud, s setting) {
		next := c.server
		next.phase, next.host = finishing, 10+c.pending
		if s.hosts > 0 {
			next.host = (c.server.host + 1) % s.hosts
		}
		if c.entries[c.pending].word == toResize {
			next.flavor++
		}
		if s.coarse {
			next.phase = unconfirmed
		}
		c.show(next)
	}},
	{"the server awaits confirmation", finishing, nil, moveTime, func(c *cloud, s setting) {
		if s.launch {
			c.server.launched = c.pending
		}
		c.become(unconfirmed)
	}},
	{"no host takes the server: only the log says so", moving, faults, 0, func(c *cloud, _ setting) {
		c.end(endedFailed)
		c.leave(true)
		c.become(atRest)
	}},
	{"the move ends where it began, and nothing says so", moving, func(b *budget) *int8 { return &b.forgotten }, 0, func(c *cloud, _ setting) {
		c.end(endedFailed)
		c.leave(false)
		c.become(atRest)
	}},
	{"the copy fails", moving, faults, 0, func(c *cloud, _ setting) { c.end(endedFailed); c.become(failing) }},
	{"the move fails on its new host", finishing, faults, 0, func(c *cloud, _ setting) { c.end(endedFailed); c.become(failing) }},
	{"the fault shows", failing, nil, 0, func(c *cloud, _ setting) { c.leave(true); c.become(inError) }},
	{"the cloud confirms by itself", unconfirmed, func(b *budget) *int8 { return &b.autos }, 0, func(c *cloud, _ setting) {
		_, _ = c.perform(toConfirm, theCloud)
		c.leave(false)
		c.become(atRest)
	}},
	{"the confirm is done", confirming, nil, 0, func(c *cloud, _ setting) { c.leave(false); c.become(atRest) }},
	{"the server is back on its old host", reverting, nil, 0, func(c *cloud, s setting) {
		next := c.source
		next.phase = revertingBack
		if s.coarse {
			next.phase = atRest
			c.leave(false)
		}
		c.show(next)
	}},
	{"the revert is nearly done", revertingBack, nil, 0, func(c *cloud, s setting) {
		if s.stopped {
			c.become(poweringOff)
			return
		}
		c.leave(false)
		c.become(atRest)
	}},
	{"the server is powered off", poweringOff, nil, 0, func(c *cloud, _ setting) { c.leave(false); c.become(atRest) }},
	{"the server is gone", deleting, nil, 0, func(c *cloud, _ setting) { c.become(gone) }},
}

// can tells whether a change can happen now.
func (c *cloud) can(change *change, s setting) bool {
	if c.server.phase != change.from || change.left != nil && *change.left(&c.left) == 0 {
		return false
	}
	wait := change.wait
	if s.coarse && change == &changes[0] {
		wait = moveTime
	}
	return wait == 0 || c.now >= c.entries[c.pending].at+wait
}

// pass is the passing of ten seconds. It drops a flight that is older than that: the request
// has no effect.
func (c *cloud) pass() {
	c.now++
	c.awaited = c.server.phase == unconfirmed || c.server.phase == confirming
	c.forgetPictures()
	for i := c.flying - 1; i >= 0; i-- {
		if c.flights[i].sent+1 < c.now {
			c.land(i)
		}
	}
}

// forgetPictures removes the earlier pictures, so that no read can show them.
func (c *cloud) forgetPictures() {
	c.servers, c.logs, c.replaced = [5]picture{}, [5]logPicture{}, [2]int8{}
}

// land removes a flight from the list, and returns it.
func (c *cloud) land(i int8) flight {
	landed := c.flights[i]
	copy(c.flights[i:], c.flights[i+1:])
	c.flying--
	c.flights[c.flying] = flight{}
	return landed
}

// start is the time of tick 0, at which all stories begin.
var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

const tick = 10 * time.Second

// at is the time of a tick. The ticks below 0 are before the story, and three days earlier
// than their numbers say.
func at(t int16) time.Time {
	if t < 0 {
		return start.Add(time.Duration(t)*tick - 72*time.Hour)
	}
	return start.Add(time.Duration(t) * tick)
}

var requestIDs = func() (ids [maxEntries]string) {
	for i := range ids {
		ids[i] = "req-" + strconv.Itoa(i)
	}
	return ids
}()

// moveOf returns the number of the entry with a request id.
func moveOf(requestID string) int8 {
	for i, id := range requestIDs {
		if id == requestID {
			return int8(i)
		}
	}
	return noMove
}

// reader turns the model's pictures into what the engine reads. It makes each value once, so
// that two equal values have the same pointer.
type reader struct {
	stopped   bool
	ages      bool // the scenario depends on how long the server has not changed
	servers   map[picture]*cloudservers.Server
	histories map[logSeen]history
}

type logSeen struct {
	picture logPicture
	entries [maxEntries]struct {
		word word
		user int8
		at   time.Time
	}
}

// clock is the API's time at a tick. It is the same for all ticks from 0 on. So two states
// can be equal although they were reached at different ticks.
func clock(t int16) time.Time { return at(min(t, 0)) }

// idle is for how many ticks a picture has not changed. It is 0 if the scenario does not
// depend on that, and it has an upper limit.
func (r *reader) idle(p picture, now int16) int16 {
	switch {
	case p.updated == untouched:
		return int16(48 * time.Hour / tick)
	case !r.ages:
		return 0
	}
	return min(now-p.updated, enough+1)
}

// server is the answer to a read, or nil for a server that is gone. The API's clock does not
// advance. So the time of the last change is set that many ticks before it.
func (r *reader) server(p picture, now int16) *cloudservers.Server {
	if p.phase == gone {
		return nil
	}
	if p.phase == confirming {
		p.phase = unconfirmed
	}
	p.updated = r.idle(p, now)
	if s := r.servers[p]; s != nil {
		return s
	}
	s := &cloudservers.Server{
		ID: "server", Status: shown[p.phase].status, TaskState: shown[p.phase].task, HostID: "host-" + strconv.Itoa(int(p.host)),
		Updated: start.Add(-time.Duration(p.updated) * tick).Format(time.RFC3339), SeenAt: start,
	}
	s.Flavor.ID = "flavor-" + strconv.Itoa(int(p.flavor))
	if r.stopped && p.phase == atRest {
		s.Status = cloudservers.StatusShutoff
	}
	if p.launched > 0 {
		s.LaunchedAt = at(int16(p.launched)).Format(time.RFC3339)
	}
	if p.phase == inError {
		s.Fault = &cloudservers.ServerFault{Code: 500, Message: "RuntimeError"}
	}
	r.servers[p] = s
	return s
}

// history is the history that the engine's own parser reads from the log.
func (r *reader) history(c *cloud, p logPicture) history {
	key := logSeen{picture: p}
	for i := range p.length {
		e := c.entries[i]
		key.entries[i].word, key.entries[i].user, key.entries[i].at = e.word, e.user, clock(e.at)
	}
	if h, ok := r.histories[key]; ok {
		return h
	}
	var log []cloudservers.Action
	for i := p.length - 1; i >= 0; i-- {
		e := c.entries[i]
		action := cloudservers.Action{Action: words[e.word], RequestID: requestIDs[i], UserID: "me"}
		switch e.user {
		case somebody:
			action.UserID = "somebody"
		case theCloud:
			action.UserID = ""
		}
		if p.failed>>i&1 == 1 {
			action.Message = cloudservers.ActionFailed
		}
		action.Start.Time = clock(e.at)
		log = append(log, action)
	}
	h := readHistory(log)
	r.histories[key] = h
	return h
}
