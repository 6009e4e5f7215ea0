package cloudservers

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// Rates are how many requests a minute an account may send to Cloud Servers.
// Token requests do not count.
type Rates struct {
	Read  int // GET
	Write int // POST
}

// DefaultRates are the limits that Rackspace documents for an account.
var DefaultRates = Rates{Read: 1000, Write: 100}

// paceWindow is the time in which no more than a minute's requests are counted;
// a bit more than a minute, since no two clocks go the same.
const paceWindow = time.Minute + 100*time.Millisecond

// pace keeps requests below the account's limits before they are sent. It lets
// as many go at once as the last minute has left: a token bucket that never
// exceeds the limit of any minute would have to spread them evenly, and make
// the confirms of what has moved together wait for each other.
type pace struct {
	read, write *lane
}

// newPace keeps room for looks at pending servers, one each poll interval: else
// many other reads at once could stop them for a minute.
func newPace(rates Rates, pollInterval time.Duration) *pace {
	if rates.Read == 0 {
		rates.Read = DefaultRates.Read
	}
	if rates.Write == 0 {
		rates.Write = DefaultRates.Write
	}
	looks := min(int(time.Minute/pollInterval), rates.Read/2)
	return &pace{read: &lane{limit: rates.Read, spare: looks}, write: &lane{limit: rates.Write}}
}

// lane is where a call waits for its turn; nil for one that needs not.
func (p *pace) lane(what call) *lane {
	switch {
	case what.op == opToken:
		return nil
	case what.method == http.MethodGet:
		return p.read
	default:
		return p.write
	}
}

// lane lets requests go in order of arrival, the urgent ones first, and the
// others only where there is room left for urgent ones that come soon.
//
// A request takes a place from its turn until a minute after its answer, by when
// the API has counted it in any case: so no minute of the API's ever has more
// requests than places, however long they are on their way.
type lane struct {
	limit int
	spare int // places that are for the urgent ones only

	mu       sync.Mutex
	open     int         // requests that are not answered yet
	answered []time.Time // when others were, within paceWindow, oldest first
	until    time.Time   // the API wants to be left alone until then
	queue    []*ticket   // the urgent ones first
	timer    *time.Timer // that will serve the queue again, or nil
	rooms    rooms
}

type ticket struct {
	urgent bool
	goes   chan struct{}
}

// Turn is a place among the requests that the rate limit allows, for one of them.
type Turn struct {
	lane   *lane
	waited time.Duration
}

// leave gives the place back, at once or, if the request was sent, in a minute.
func (t *Turn) leave(sent bool) {
	if t != nil {
		t.lane.leave(sent)
	}
}

func (t *Turn) wait() time.Duration {
	if t == nil {
		return 0
	}
	return t.waited
}

// wait waits until a request may be sent, or until the context ends.
func (l *lane) wait(ctx context.Context, what call) (*Turn, error) {
	began, mine := time.Now(), &ticket{what.urgent, make(chan struct{}, 1)}
	l.mu.Lock()
	at := len(l.queue)
	if mine.urgent {
		l.rooms.take(what.settles)
		if at = slices.IndexFunc(l.queue, func(t *ticket) bool { return !t.urgent }); at < 0 {
			at = len(l.queue)
		}
	}
	l.queue = slices.Insert(l.queue, at, mine)
	l.serve()
	l.mu.Unlock()
	select {
	case <-mine.goes:
		return &Turn{l, 0}, nil
	default:
		tflog.Debug(ctx, "Waiting for the rate limit", map[string]any{"method": what.method, "path": pathOf(what.url)})
	}
	select {
	case <-mine.goes:
		return &Turn{l, time.Since(began)}, nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.queue, mine); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
	} else {
		l.open-- // its turn has just come
	}
	l.serve()
	return nil, context.Cause(ctx)
}

// leave ends a request, which was sent, and has its answer, or was not.
func (l *lane) leave(sent bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if sent {
		l.answered = append(l.answered, time.Now())
	}
	l.serve()
}

// serve lets go who may, and sets the timer for when there may be more. The lock
// is held.
func (l *lane) serve() {
	now := time.Now()
	for len(l.answered) > 0 && now.Sub(l.answered[0]) >= paceWindow {
		l.answered = l.answered[1:]
	}
	kept, change := l.rooms.count(now)
	for len(l.queue) > 0 {
		taken := l.open + len(l.answered)
		if !l.queue[0].urgent {
			taken += kept + l.spare
		}
		switch {
		case l.until.After(now):
			l.sleep(l.until.Sub(now))
			return
		case taken >= l.limit:
			if len(l.answered) > 0 {
				change = min(change, paceWindow-now.Sub(l.answered[0]))
			}
			l.sleep(change) // or until somebody leaves
			return
		}
		l.open++
		l.queue[0].goes <- struct{}{}
		l.queue = l.queue[1:]
	}
	l.sleep(0)
}

// sleep sets the timer; zero stops it.
func (l *lane) sleep(d time.Duration) {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	if d == 0 {
		return
	}
	l.timer = time.AfterFunc(d, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.serve()
	})
}

// hold keeps everybody back, after the API has said for how long it wants to be
// left alone.
func (l *lane) hold(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := time.Now().Add(d); until.After(l.until) {
		l.until = until
	}
}
