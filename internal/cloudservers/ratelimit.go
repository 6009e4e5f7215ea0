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
	open         int         // requests that have their turn and are not answered yet
	answered     []time.Time // when others were, within rateWindow, oldest first
	heldUntil    time.Time   // no turn before that, because the API said so
	waiting      []*Turn
	timer        *time.Timer          // calls giveTurns again
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
	q.mu.Lock()
	if what.action {
		q.endReservation(what)
	}
	at := len(q.waiting)
	if first := slices.IndexFunc(q.waiting, func(t *Turn) bool { return !t.priority }); turn.priority && first >= 0 {
		at = first
	}
	q.waiting = slices.Insert(q.waiting, at, turn)
	q.giveTurns()
	q.mu.Unlock()
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

// leave ends a turn whose request was answered, or was not sent.
func (t *Turn) leave(sent bool) {
	q := t.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case <-t.given:
		q.open--
	default: // its wait was cancelled; giveTurns passes it over
	}
	if sent {
		q.answered = append(q.answered, time.Now())
	}
	q.giveTurns()
}

// giveTurns gives turns to the requests that fit into the limit, and sets the timer
// for when more may fit. The lock is held.
func (q *requestQueue) giveTurns() {
	now := time.Now()
	for len(q.answered) > 0 && now.Sub(q.answered[0]) >= rateWindow {
		q.answered = q.answered[1:]
	}
	reserved, change := q.reserved(now)
	for len(q.waiting) > 0 && !q.heldUntil.After(now) {
		free := q.limit - q.open - len(q.answered)
		if !q.waiting[0].priority {
			free -= reserved + q.priorityOnly
		}
		if free <= 0 {
			break
		}
		if !q.waiting[0].taken.Load() { // else nobody waits for it any more
			q.open++
			close(q.waiting[0].given)
		}
		q.waiting = q.waiting[1:]
	}
	if q.timer != nil {
		q.timer.Stop()
	}
	if len(q.waiting) == 0 {
		return
	}
	if len(q.answered) > 0 {
		change = min(change, rateWindow-now.Sub(q.answered[0]))
	}
	if held := q.heldUntil.Sub(now); held > 0 {
		change = held
	}
	q.timer = time.AfterFunc(change, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.giveTurns()
	})
}

// hold gives no turn for a time, because the API asked for that.
func (q *requestQueue) hold(d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if until := time.Now().Add(d); until.After(q.heldUntil) {
		q.heldUntil = until
	}
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
	}
}

// endReservation ends the reservation of a server, because the turn of an action
// is asked for. A confirm or revert allows no other one: polls may see the server
// in VERIFY_RESIZE for a moment longer. A migrate request allows one again. The
// lock is held until the turn is in the queue, so that no other request takes what
// was reserved for it.
func (q *requestQueue) endReservation(action call) {
	if action.priority {
		q.reservations[action.serverID] = time.Time{}
	} else {
		delete(q.reservations, action.serverID)
	}
}

// reserved counts the reservations, and returns when the first of them ends. The
// lock is held.
func (q *requestQueue) reserved(now time.Time) (count int, change time.Duration) {
	change = rateWindow
	for _, until := range q.reservations {
		if until.After(now) {
			count, change = count+1, min(change, until.Sub(now))
		}
	}
	return count, change
}
