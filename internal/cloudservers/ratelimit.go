package cloudservers

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
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

// rateWindow is the time in which at most a minute's requests are sent. It is a
// bit more than a minute, because no two clocks run at exactly the same speed.
const rateWindow = time.Minute + 50*time.Millisecond

// newRequestQueues returns the queues of an account, which keep requests below its
// limits before they are sent. Token requests have no limit. One read each poll
// interval is kept free for polls: otherwise many other reads at once could stop
// them for a minute.
func newRequestQueues(rates Rates, pollInterval time.Duration) (tokens, reads, writes *requestQueue) {
	limit := cmp.Or(rates.Read, DefaultRates.Read)
	polls := min(int(time.Minute/pollInterval), limit/2)
	return &requestQueue{limit: math.MaxInt},
		&requestQueue{limit: limit, priorityOnly: polls},
		&requestQueue{limit: cmp.Or(rates.Write, DefaultRates.Write), reservations: map[string]time.Time{}}
}

// requestQueue sends requests in order of arrival, those with priority first. The
// others leave free what is kept for requests with priority: a fixed number
// (priorityOnly), and the reservations.
//
// It sends at once as many requests as the limit of the last minute still allows. A
// token bucket would have to spread them evenly to keep the limit of every minute.
// Then the confirmations of servers that moved together would wait for each other.
//
// A request counts from its turn until a minute after its answer. By then the API
// has counted it in any case. So no minute of the API has more requests than the
// limit, however long they are on their way.
type requestQueue struct {
	limit        int
	priorityOnly int

	mu           sync.Mutex
	counted      int       // requests that have their turn, or had it and were answered within rateWindow
	heldUntil    time.Time // no turn before that, because the API said so
	waiting      []*Turn
	reservations map[string]time.Time // see reserve
}

// Turn is the right to send one request now, as far as the rate limit goes. It is
// for one request, and is given back with Release if it is not used.
type Turn struct {
	queue    *requestQueue
	priority bool
	given    chan struct{} // closed when the turn has come
	waited   time.Duration
	taken    atomic.Bool // by its request, or by Release
}

// Release gives a turn back that was not used. It does nothing after the turn was
// used, and nothing to a nil Turn.
func (t *Turn) Release() {
	if t.take() {
		t.leave(false)
	}
}

// take uses the turn up. It returns false if that has happened before, and if
// there is no turn.
func (t *Turn) take() bool { return t != nil && t.taken.CompareAndSwap(false, true) }

// wait waits until a request may be sent. The error is the context's cause.
func (q *requestQueue) wait(ctx context.Context, what call) (*Turn, error) {
	began, turn := time.Now(), &Turn{queue: q, priority: what.priority, given: make(chan struct{})}
	q.insert(turn, what)
	q.giveTurns()
	select {
	case <-turn.given:
		return turn, nil
	default:
		tflog.Debug(ctx, "Waiting for the rate limit", map[string]any{"method": what.method, "path": pathOf(what.url)})
	}
	select {
	case <-turn.given:
		turn.waited = time.Since(began)
		return turn, nil
	case <-ctx.Done():
		turn.Release()
		return nil, context.Cause(ctx)
	}
}

// insert puts a turn into the queue, and ends the reservation of the server that an
// action is for. A confirm or revert allows no other one: polls may see the server in
// VERIFY_RESIZE for a moment longer. A migrate request allows one again. Both happen
// at once, so that no other request takes what was reserved for this one.
func (q *requestQueue) insert(turn *Turn, what call) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case what.action && what.priority:
		q.reservations[what.serverID] = time.Time{}
	case what.action:
		delete(q.reservations, what.serverID)
	}
	at := len(q.waiting)
	if first := slices.IndexFunc(q.waiting, func(t *Turn) bool { return !t.priority }); turn.priority && first >= 0 {
		at = first
	}
	q.waiting = slices.Insert(q.waiting, at, turn)
}

// leave ends a turn whose request was answered, or was not sent.
func (t *Turn) leave(sent bool) {
	if sent {
		time.AfterFunc(rateWindow, t.uncount)
	} else {
		t.uncount()
	}
}

// uncount makes room for another request.
func (t *Turn) uncount() {
	t.queue.mu.Lock()
	select {
	case <-t.given:
		t.queue.counted--
	default: // its wait was cancelled; giveTurns passes it over
	}
	t.queue.mu.Unlock()
	t.queue.giveTurns()
}

// giveTurns gives turns to the requests that fit into the limit. It is called whenever
// more may fit.
func (q *requestQueue) giveTurns() {
	q.mu.Lock()
	defer q.mu.Unlock()
	now, reserved := time.Now(), q.priorityOnly
	for _, until := range q.reservations {
		if until.After(now) {
			reserved++
		}
	}
	for len(q.waiting) > 0 && !q.heldUntil.After(now) {
		next, free := q.waiting[0], q.limit-q.counted
		if !next.priority {
			free -= reserved
		}
		if free <= 0 {
			return
		}
		if !next.taken.Load() { // else nobody waits for it any more
			q.counted++
			close(next.given)
		}
		q.waiting = q.waiting[1:]
	}
}

// hold gives no turn for a time, because the API asked for that.
func (q *requestQueue) hold(d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if until := time.Now().Add(d); until.After(q.heldUntil) {
		q.heldUntil = until
	}
	time.AfterFunc(d, q.giveTurns)
}

// A reservation keeps one write request free for a confirm or revert that is due
// soon, so that migrate requests do not use it up. It begins when a poll sees that
// a migration is about to await confirmation. It ends when the turn of the confirm
// or revert is asked for, and after reservationTime at the latest. Each migration
// has one at most: the server's next MigrateTurn allows another one.
//
// The map of a queue has when each server's reservation ends. It is zero for one
// that has ended because its turn was asked for.

// reservationTime is how long a reservation lasts at most.
const reservationTime = time.Minute

// reserve makes the reservation of a server, unless it had one.
func (q *requestQueue) reserve(serverID string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, known := q.reservations[serverID]; !known {
		q.reservations[serverID] = time.Now().Add(reservationTime)
		time.AfterFunc(reservationTime, q.giveTurns)
	}
}
