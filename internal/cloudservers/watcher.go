package cloudservers

import (
	"context"
	"errors"
	"sync"
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
	// fewServers are read one by one where a list of all servers would do for
	// them, since it may have many pages.
	fewServers = 3
	// aloneAtATime bounds how many servers are read at the same time where each
	// has to be read alone.
	aloneAtATime = 10
)

// retold is how often who waits hears of a server that is on its way, as it was
// the last time. Waking a thousand of them for it costs more than the list.
const retold = 10 * time.Second

// watcher looks at all servers of a region that somebody waits for, once every
// poll interval for all of them:
//
//	who waits                    | what is sent
//	------------------------------+-----------------------------------------------
//	nobody                       | nothing
//	one                          | GET of the server
//	several                      | one list of what changed since the last look
//	several, every fullLookEvery | one list of all servers; up to fewServers, GETs
//	several, the API refuses     | GETs, for a minute; then a list again
//	lists (refusals)             |
//
// Looks go before other reads that wait for the rate limit, but for GETs of many.
//
// A server that a list of changes does not have is as it was last seen, since
// the list reaches back to before that, for each of them. One that was not seen
// lately is read by itself.
type watcher struct {
	mu      sync.Mutex
	waiters map[*waiter]bool
	stop    context.CancelFunc // of the goroutine that looks; nil while nobody waits
}

// join adds a server to what is looked at.
func (w *watcher) join(r *Region, id string) *waiter {
	w.mu.Lock()
	defer w.mu.Unlock()
	added := &waiter{id: id, news: make(chan sighting, 1)}
	if w.waiters == nil {
		w.waiters = map[*waiter]bool{}
	}
	w.waiters[added] = true
	if w.stop == nil {
		var looking context.Context
		looking, w.stop = context.WithCancel(r.client.config.Context) // which outlives whoever came first
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
		if ctx.Err() != nil { // these are another goroutine's
			return
		}
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
	case len(waiters) == 1, l.region.refusals.believed():
		l.lookAlone(ctx, waiters)
		return
	case len(waiters) <= fewServers && l.looks >= fullLookEvery:
		l.looks = 0
		l.lookAlone(ctx, waiters)
		return
	}
	err := l.lookTogether(ctx, waiters)
	switch {
	case err == nil:
	case l.region.refusals.believed():
		l.lookAlone(ctx, waiters)
	case refusesLists(err):
		warnOfLook(ctx, err, len(waiters))
	default:
		l.tellAll(ctx, waiters, err)
	}
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
	all.SetLimit(aloneAtATime)
	for _, waiter := range waiters {
		all.Go(func() error {
			server, err := l.region.server(ctx, waiter.id, len(waiters) <= aloneAtATime)
			if errors.Is(err, ErrNotFound) {
				l.region.seen.drop(waiter.id) // so that the next look does not take it for unchanged
			}
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
		if server == nil || server.Timeless { // there is no time to list changes from
			continue
		}
		known[waiter.id] = server
		if since.IsZero() || server.AsOf.Before(since) {
			since = server.AsOf
		}
	}
	full := l.timeless || len(waiters)-len(known) > fewServers || l.looks >= fullLookEvery
	if full {
		since = time.Time{}
	}
	asked := time.Now()
	servers, first, err := l.region.list(ctx, "", since, true)
	if err != nil {
		return err
	}
	l.region.seen.keep(asked, servers...)
	l.timeless = first.Timeless
	if full {
		l.looks = 0
		l.region.seen.complete(asked, first, true)
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
			unchanged.SeenAt, unchanged.Timeless, unchanged.AsOf = first.SeenAt, first.Timeless, first.AsOf
			l.region.seen.keep(asked, &unchanged)
			if !unchanged.OnItsWay() || time.Since(waiter.told) >= retold {
				waiter.tell(sighting{server: &unchanged})
			} else {
				waiter.seen = wall()
			}
		}
	}
	l.lookAlone(ctx, alone)
	return nil
}
