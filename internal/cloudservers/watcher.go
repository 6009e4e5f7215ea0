package cloudservers

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// overlap is how far back the list of changes reaches before the last look:
	// the API's clocks may differ a little, and its times are whole seconds.
	overlap = 10 * time.Second
	// fullLookEvery is how many looks there are to one that lists all servers,
	// in case a change was missed.
	fullLookEvery = 30
	// soloAtATime bounds how many servers are read at the same time where each
	// has to be read alone.
	soloAtATime = 10
)

// watcher looks at all servers of a region that somebody waits for, once every
// poll interval for all of them:
//
//	who waits                    | what is sent
//	------------------------------+-----------------------------------------------
//	nobody                       | nothing
//	one                          | GET of the server
//	several                      | one list of what changed since the last look
//	several, every fullLookEvery | one list of all servers; up to soloReads, GETs
//	several, the API refuses     | GETs, for fullLookEvery looks; then a list again
//	lists                        |
//
// A server that a list of changes does not have is as it was last seen, since
// the list reaches back to before that, for each of them. One that was not seen
// lately is read by itself.
type watcher struct {
	mu      sync.Mutex
	waiters map[*waiter]bool
	stop    context.CancelFunc // of the goroutine that looks; nil while nobody waits
	alone   atomic.Int32       // how many looks more have to do without lists, which the API refuses
}

// join adds a server to what is looked at.
func (w *watcher) join(ctx context.Context, r *Region, id string) *waiter {
	w.mu.Lock()
	defer w.mu.Unlock()
	added := &waiter{id: id, news: make(chan sighting, 1)}
	if w.waiters == nil {
		w.waiters = map[*waiter]bool{}
	}
	w.waiters[added] = true
	if w.stop == nil {
		var looking context.Context
		looking, w.stop = context.WithCancel(context.WithoutCancel(ctx)) // which outlives whoever came first
		go w.run(looking, r)
	}
	return added
}

// leave ends a wait; the last one ends the looking.
func (w *watcher) leave(gone *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.waiters, gone)
	if len(w.waiters) == 0 && w.stop != nil {
		w.stop()
		w.stop = nil
	}
}

// waiting is who waits now.
func (w *watcher) waiting() []*waiter {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []*waiter
	for waiter := range w.waiters {
		all = append(all, waiter)
	}
	return all
}

func (w *watcher) run(ctx context.Context, r *Region) {
	tick := time.NewTicker(r.client.config.PollInterval)
	defer tick.Stop()
	state := &looker{region: r}
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		// Who comes while a request is under way is not served by it: its answer
		// may be older than what was asked of the server since.
		waiters := w.waiting()
		bounded, cancel := context.WithTimeout(ctx, r.client.config.RequestTimeout+lookTimeout)
		state.look(bounded, waiters)
		cancel()
		if ctx.Err() != nil {
			return
		}
	}
}

// looker is one time of looking, from the first who waits to the last.
type looker struct {
	region   *Region
	looks    int  // since the last full one
	timeless bool // the API does not tell its time, so there is no time to list changes from
}

func (l *looker) look(ctx context.Context, waiters []*waiter) {
	l.looks++
	switch {
	case len(waiters) == 1, l.region.watcher.withoutLists():
		l.lookAlone(ctx, waiters)
		return
	case len(waiters) <= soloReads && l.looks >= fullLookEvery:
		l.looks = 0
		l.lookAlone(ctx, waiters)
		return
	}
	err := l.lookTogether(ctx, waiters)
	switch {
	case err == nil:
	case refusesLists(err):
		l.region.watcher.alone.Store(fullLookEvery)
		l.lookAlone(ctx, waiters)
	default:
		l.tellAll(ctx, waiters, err)
	}
}

// withoutLists tells whether this look is one of those that follow a refusal.
func (w *watcher) withoutLists() bool {
	left := w.alone.Load()
	if left > 0 {
		w.alone.Store(left - 1)
	}
	return left > 0
}

// refusesLists tells whether a list fails because of what it is.
func refusesLists(err error) bool {
	var failure *Error
	if !errors.As(err, &failure) {
		return false
	}
	switch failure.StatusCode {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	}
	return false
}

func (l *looker) tellAll(ctx context.Context, waiters []*waiter, err error) {
	if passing(err) {
		warnOfLook(ctx, err, len(waiters))
	}
	for _, waiter := range waiters {
		waiter.tell(sighting{err: err})
	}
}

// lookAlone reads each server by itself.
func (l *looker) lookAlone(ctx context.Context, waiters []*waiter) {
	var all errgroup.Group
	all.SetLimit(soloAtATime)
	for _, waiter := range waiters {
		all.Go(func() error {
			server, err := l.region.Server(ctx, waiter.id)
			if err != nil && passing(err) {
				warnOfLook(ctx, err, 1)
			}
			waiter.tell(sighting{server, err})
			return nil
		})
	}
	_ = all.Wait() // which only waits
}

// lookTogether finds out about all servers with one list.
func (l *looker) lookTogether(ctx context.Context, waiters []*waiter) error {
	known, since := map[string]*Server{}, time.Time{}
	for _, waiter := range waiters {
		server := l.region.seen.last(waiter.id)
		if server == nil {
			continue
		}
		known[waiter.id] = server
		if since.IsZero() || server.SeenAt.Before(since) {
			since = server.SeenAt
		}
	}
	full := l.timeless || len(waiters)-len(known) > soloReads || l.looks >= fullLookEvery
	if full {
		since = time.Time{}
	}
	asked := time.Now()
	servers, at, err := l.region.list(ctx, "", since)
	if err != nil {
		return err
	}
	l.region.seen.keep(asked, servers...)
	if l.timeless = at.IsZero(); l.timeless {
		at = clock(nil)
	}
	if full {
		l.looks = 0
		l.region.seen.complete(asked)
	}
	changed := map[string]*Server{}
	for _, server := range servers {
		changed[server.ID] = server
	}
	var alone []*waiter
	for _, waiter := range waiters {
		switch server := changed[waiter.id]; {
		case server != nil:
			waiter.tell(sighting{server: server})
		case full || known[waiter.id] == nil: // the list should have had it
			alone = append(alone, waiter)
		default:
			unchanged := *known[waiter.id]
			unchanged.SeenAt, unchanged.Timeless = at, l.timeless
			l.region.seen.keep(asked, &unchanged)
			waiter.tell(sighting{server: &unchanged})
		}
	}
	l.lookAlone(ctx, alone)
	return nil
}
