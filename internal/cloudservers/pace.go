package cloudservers

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Rates are how many requests a minute an account may send to Cloud Servers.
// Token requests do not count.
type Rates struct {
	Read  int // GET
	Write int // POST
}

// DefaultRates are the limits that Rackspace documents for an account.
var DefaultRates = Rates{Read: 1000, Write: 100}

// paceWindow is the time in which no more than a minute's requests are sent. It
// is a bit longer than the minute, because requests do not all take the same time
// to arrive: the API must not count one more than was meant for its minute. If
// it does all the same, it is left alone for as long as it says.
const paceWindow = time.Minute + 100*time.Millisecond

// pace keeps requests below the account's limits before they are sent. It lets
// as many go at once as the last minute has left: a token bucket that never
// exceeds the limit of any minute would have to spread them evenly, and make
// the confirms of what has moved together wait for each other.
type pace struct {
	read, write *lane
}

func newPace(rates Rates) *pace {
	if rates.Read == 0 {
		rates.Read = DefaultRates.Read
	}
	if rates.Write == 0 {
		rates.Write = DefaultRates.Write
	}
	return &pace{read: &lane{limit: rates.Read}, write: &lane{limit: rates.Write}}
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

// lane lets requests go in order of arrival, those that end a migration before
// those that start one.
type lane struct {
	limit int

	mu    sync.Mutex
	sent  []time.Time // within paceWindow, oldest first
	until time.Time   // the API wants to be left alone until then
	queue []*ticket   // the urgent ones first
	timer *time.Timer // that will let the first of the queue go, or nil
}

type ticket struct {
	urgent bool
	goes   chan time.Time
}

// wait waits until a request may be sent, or until the context ends. It returns
// the place in the last minute that the request takes.
func (l *lane) wait(ctx context.Context, urgent bool) (time.Time, error) {
	mine := &ticket{urgent, make(chan time.Time, 1)}
	l.mu.Lock()
	at := len(l.queue)
	if urgent {
		if at = slices.IndexFunc(l.queue, func(t *ticket) bool { return !t.urgent }); at < 0 {
			at = len(l.queue)
		}
	}
	l.queue = slices.Insert(l.queue, at, mine)
	l.serve()
	l.mu.Unlock()
	select {
	case place := <-mine.goes:
		return place, nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.queue, mine); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
	}
	if len(l.queue) == 0 && l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	return time.Time{}, context.Cause(ctx)
}

// sends gives a request that is sent only now a place of now.
func (l *lane) sends(place time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.sent, place); i >= 0 {
		l.sent = slices.Delete(l.sent, i, i+1)
	}
	l.sent = append(l.sent, time.Now())
}

// serve lets go who may, and sets the timer for the next one. The lock is held.
func (l *lane) serve() {
	for len(l.queue) > 0 {
		now := time.Now()
		for len(l.sent) > 0 && now.Sub(l.sent[0]) >= paceWindow {
			l.sent = l.sent[1:]
		}
		due := l.until
		if len(l.sent) >= l.limit {
			if full := l.sent[len(l.sent)-l.limit].Add(paceWindow); full.After(due) {
				due = full
			}
		}
		if due.After(now) {
			l.sleep(due.Sub(now))
			return
		}
		l.sent = append(l.sent, now)
		l.queue[0].goes <- now
		l.queue = l.queue[1:]
	}
}

func (l *lane) sleep(d time.Duration) {
	if l.timer != nil {
		l.timer.Stop()
	}
	l.timer = time.AfterFunc(d, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.timer = nil
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
