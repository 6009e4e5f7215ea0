package migration

import (
	"strconv"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// phase is what a server of the model is doing.
type phase int8

const (
	atRest    phase = iota
	moving          // on the host that it comes from
	finishing       // on the host that it goes to
	unconfirmed
	confirming // a confirm was accepted, which no look shows
	reverting  // on the host that it went to
	revertingBack
	poweringOff // a stopped server, at the end of a revert
	failing     // in ERROR, before the fault shows
	inError
	deleting
	gone
)

// shown is how the API shows a phase.
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

// users of the account. The cloud is nobody's.
const (
	me int8 = iota
	somebody
	theCloud
)

// word is an action, and words its name in the log.
type word int8

const (
	toMigrate word = iota
	toResize
	toConfirm
	toRevert
	toDelete
)

var words = [...]string{cloudservers.ActionMigrate, cloudservers.ActionResize, cloudservers.ActionConfirm, cloudservers.ActionRevert, "delete"}

// entry is an entry of the action log and, for a move, the truth of how it ended.
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
	endedOpen ending = iota // it has not ended
	endedFailed
	endedConfirmed
	endedReverted
)

// picture is what a look at the server can show, and logPicture what a look at the
// log can show: how many entries, and which of them say Error.
type picture struct {
	phase        phase
	host, flavor int8
	launched     int8  // which move brought it there, where the API tells
	updated      int16 // when it changed last; untouched before the story
}

type logPicture struct {
	length int8
	failed uint16
}

// flight is a request whose answer was lost, and that has not taken effect yet.
type flight struct {
	word word
	run  int8 // noRun after a crash of the run that sent it
	of   int8 // the move that a confirm or revert is meant for
	sent int16
}

const (
	noRun      = -1
	noMove     = -1
	maxEntries = 14
	untouched  = -100
)

// budget is how often something can still happen.
type budget struct {
	others, faults, forgotten, autos            int8 // by others, and in the cloud
	lost, late, limited, stale, unread, crashes int8 // to requests and runs
}

// cloud is the model of the API: one server, its log, and what is on its way. It is
// comparable, so that states of the model can be told apart.
type cloud struct {
	now     int16 // in ticks
	server  picture
	awaited bool  // the server was shown to await confirmation at this instant
	arrived int16 // when the last move came to its end, or to await confirmation
	log     logPicture
	entries [maxEntries]entry
	pending int8    // the move that is under way or awaits confirmation
	source  picture // before it

	servers  [5]picture // that were replaced at this very instant
	logs     [5]logPicture
	replaced [2]int8

	flights [2]flight
	flying  int8
	left    budget
}

// setting is what does not change in a story.
type setting struct {
	hosts   int8 // that moves go round; 0: each leads to a host of its own
	stopped bool // the server is SHUTOFF while it rests
	launch  bool // the API tells when the server came where it is
	coarse  bool // a move and a revert show fewer states
}

// show replaces the picture of the server. What was shown until now can still be
// read at this instant.
func (c *cloud) show(p picture) {
	p.updated = c.now
	if c.replaced[0] == int8(len(c.servers)) { // the oldest ones were seen long enough
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

// accepts tells whether Nova accepts an action now.
func (c *cloud) accepts(w word) bool {
	switch w {
	case toMigrate, toResize:
		return c.server.phase == atRest
	case toConfirm, toRevert:
		return c.server.phase == unconfirmed
	}
	return c.server.phase != deleting && c.server.phase != gone
}

// perform lets an action take effect, if it is accepted. It returns the entry of the
// action.
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
		c.server.phase = confirming // without a change that a look could show
	case toRevert:
		c.end(endedReverted)
		c.become(reverting)
	case toDelete:
		c.become(deleting)
	}
	return at, true
}

// leave puts the server to rest, its move ended. The log says so if the move failed
// and that is told.
func (c *cloud) leave(tells bool) {
	if tells {
		c.replaceLog(logPicture{c.log.length, c.log.failed | 1<<c.pending})
	}
	c.pending, c.source = noMove, picture{}
}

// change is something that the cloud does by itself.
type change struct {
	name string
	from phase
	left func(*budget) *int8 // what it uses up; nil for what happens sooner or later
	wait int16               // how long after its request a move can be there
	do   func(*cloud, setting)
}

// moveTime is how many ticks a move takes at least, from its request until it awaits
// confirmation.
const moveTime = 2

func faults(b *budget) *int8 { return &b.faults }

// changes are all of them. A server that is ERROR stays so.
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

// pass lets ten seconds pass. What is on its way for longer has no effect.
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

// forgetPictures makes what was replaced unreadable.
func (c *cloud) forgetPictures() {
	c.servers, c.logs, c.replaced = [5]picture{}, [5]logPicture{}, [2]int8{}
}

// land takes a flight off the list.
func (c *cloud) land(i int8) flight {
	landed := c.flights[i]
	copy(c.flights[i:], c.flights[i+1:])
	c.flying--
	c.flights[c.flying] = flight{}
	return landed
}

// start is when the stories begin.
var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

const tick = 10 * time.Second

// at is the time of a tick; what was before the story was three days before it.
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

// moveOf is the entry with a request id.
func moveOf(requestID string) int8 {
	for i, id := range requestIDs {
		if id == requestID {
			return int8(i)
		}
	}
	return noMove
}

// reader makes what the engine reads of the model's pictures. It makes each thing
// once, so that equal things are the same pointer.
type reader struct {
	stopped   bool
	ages      bool // it matters for how long the server has not changed
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

// clock is the API's time at a tick. All that happens in a story has one time, so
// that states can be equal that are reached sooner or later.
func clock(t int16) time.Time { return at(min(t, 0)) }

// idle is for how many ticks a picture shows no change, as far as that matters.
func (r *reader) idle(p picture, now int16) int16 {
	switch {
	case p.updated == untouched:
		return int16(48 * time.Hour / tick)
	case !r.ages:
		return 0
	}
	return min(now-p.updated, enough+1)
}

// server is the answer to a read; nil for a server that is gone. The API's clock
// stands still, and what was changed before lies as far back as it was longer ago.
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

// history is what the real parser makes of the log.
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
