package cloudservers

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"
	"golang.org/x/sync/errgroup"
)

const (
	// overlap is how far before the last poll a list of changes begins. The API's
	// clocks may differ a little, and its times are whole seconds.
	overlap = 10 * time.Second
	// fullListEvery is after how many polls one lists all servers, in case that a
	// list of changes missed one. With the default poll interval that takes a little
	// longer than a minute. So the long list does not always meet migrations that
	// begin each minute.
	fullListEvery = 31
	// fewServers is up to how many servers are read one by one instead of with a
	// list of all servers, which may have many pages.
	fewServers = 3
	// parallelReads bounds how many servers are read at the same time where each
	// has to be read by itself.
	parallelReads = 10
)

// watcher polls all servers of a region that somebody waits for, once every poll
// interval for all of them:
//
//	who waits                    | what is sent
//	------------------------------+-----------------------------------------------
//	nobody                       | nothing
//	one                          | GET of the server
//	several, at first and then   | one list of all servers; up to fewServers, GETs
//	every fullListEvery          |
//	several, otherwise           | one list of what changed since the last poll
//	several, the API refuses     | GETs, for a minute; then a list again
//	lists (refusesLists)         |
//
// Polls go before other reads that wait for the rate limit. GETs of more than
// parallelReads servers do not.
//
// A list of changes goes back to when each server was last read. So a server that
// it does not have is unchanged. That holds for servers of the token's own tenant
// alone: lists leave out servers of other tenants, which an administrator can read
// by id. With Config.AllTenants it holds for all servers, once a list had one of
// another tenant. A server that lists may leave out is read by itself at each poll.
// So is one that was not read for maxServerAge, and one that a list of all servers
// should have had.
//
// A region has a watcher as long as a Watch of it is under way.
type watcher struct {
	region    *Region
	waiters   map[*waiter]bool   // guarded by region.mu
	stop      context.CancelFunc // ends the polls
	sinceFull int                // polls since all servers were read, and not only what changed

	mu      sync.Mutex
	servers map[string]*Server // as last read
}

// Watch polls a server once every poll interval, the first time within one interval.
// It calls look with the server, until look is done or fails or the context ends. All
// servers of a region that are watched at a time share their requests, see watcher. A
// look that takes long does not delay the others: it is called next with the newest
// poll, and misses those before.
//
// A poll that fails is logged. Watch goes on if a later poll may succeed, so that
// a server is not lost because the API cannot be reached for a while. A server that
// is gone is ErrNotFound, after two polls in a row that say so. When the context
// ends the wait, the error is the context's cause. If the last poll failed, its error
// is joined to that.
func (r *Region) Watch(ctx context.Context, id string, look func(*Server) (done bool, err error)) error {
	waiter := r.join(id) //nolint:contextcheck // see Config.Context
	defer r.leave(waiter)
	missing := false
	var failed error // of the last poll
	var failure *Error
	for {
		var polled pollResult
		select {
		case polled = <-waiter.results:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return errors.Join(context.Cause(ctx), failed)
		}
		failed = polled.err
		switch {
		case polled.err == nil:
			missing = false
			if done, err := look(polled.server); done || err != nil {
				return err
			}
		case errors.Is(polled.err, ErrNotFound) && !missing:
			missing = true
		case errors.As(polled.err, &failure) && !failure.Temporary():
			return polled.err
		}
	}
}

// pollResult is a server as one poll found it, or why the poll failed.
type pollResult struct {
	server *Server
	err    error
}

// waiter is one Watch.
type waiter struct {
	id      string
	results chan pollResult // holds the newest one only
}

// pollTimeout bounds the repetitions of one poll, so that its callers learn of a
// failure in time. The time of one exchange is added.
const pollTimeout = time.Minute

// join adds a server to those that are polled.
func (r *Region) join(id string) *waiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.watcher == nil {
		ctx, stop := context.WithCancel(r.client.config.Context) // not the first caller's: it may end before the others
		r.watcher = &watcher{region: r, stop: stop, sinceFull: fullListEvery, waiters: map[*waiter]bool{}, servers: map[string]*Server{}}
		go r.watcher.run(ctx)
	}
	added := &waiter{id: id, results: make(chan pollResult, 1)}
	r.watcher.waiters[added] = true
	return added
}

// leave ends a wait; the last one ends the polls.
func (r *Region) leave(gone *waiter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.watcher.waiters, gone)
	if len(r.watcher.waiters) == 0 {
		r.watcher.stop()
		r.watcher = nil
	}
}

// run polls the servers of the waits of now. A wait that begins while a poll is under
// way gets the next one. The answer to this one may be older than the caller's last
// action.
func (w *watcher) run(ctx context.Context) {
	tick := time.NewTicker(w.region.client.config.PollInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		w.region.mu.Lock()
		waiters := slices.Collect(maps.Keys(w.waiters))
		w.region.mu.Unlock()
		w.poll(ctx, waiters)
	}
}

// poll reads the servers and hands them to those who wait.
func (w *watcher) poll(ctx context.Context, waiters []*waiter) {
	ctx, cancel := context.WithTimeout(ctx, w.region.client.config.RequestTimeout+pollTimeout)
	defer cancel()
	w.sinceFull++
	isListed := func(waiter *waiter) bool { return !w.isLeftOut(waiter) }
	listed := slices.DeleteFunc(slices.Clone(waiters), w.isLeftOut)
	single := slices.DeleteFunc(slices.Clone(waiters), isListed)
	if len(listed) <= 1 || len(listed) <= fewServers && w.sinceFull >= fullListEvery || w.region.refusesLists() {
		w.sinceFull = 0
		w.readEach(ctx, waiters)
		return
	}
	w.readEach(ctx, append(single, w.list(ctx, listed)...))
}

// isLeftOut tells whether a server may be missing in lists although it exists. So is
// one of which nothing proves that it belongs to the token's tenant, unless lists are
// known to have the servers of all tenants.
func (w *watcher) isLeftOut(waiter *waiter) bool {
	server, tenant := w.servers[waiter.id], w.region.client.tenantID()
	return server != nil && !w.region.listsAllTenants.Load() && (tenant == "" || string(server.TenantID) != tenant)
}

// readEach reads each server by itself.
func (w *watcher) readEach(ctx context.Context, waiters []*waiter) {
	var all errgroup.Group
	all.SetLimit(parallelReads)
	for _, waiter := range waiters {
		all.Go(func() error {
			server, err := w.region.server(ctx, waiter.id, len(waiters) <= parallelReads)
			if err != nil {
				warnOfPoll(ctx, err, 1)
			}
			w.give(waiter, server, err)
			return nil
		})
	}
	_ = all.Wait() // which only waits
}

// give hands over a server, or why it could not be read. It reserves a write
// request for a migration that is about to await confirmation, or does.
func (w *watcher) give(waiter *waiter, server *Server, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case errors.Is(err, ErrNotFound):
		delete(w.servers, waiter.id) // else the next poll would take it for unchanged
	case err == nil:
		w.servers[waiter.id] = server
		if server.needsSettling() {
			w.region.client.writes.reserve(waiter.id)
		}
	}
	select {
	case <-waiter.results: // an older one that was not taken yet
	default:
	}
	waiter.results <- pollResult{server, err}
}

// list polls servers with one list: of what changed or, from time to time, of all
// servers. It returns those that have to be read by themselves.
func (w *watcher) list(ctx context.Context, waiters []*waiter) (missed []*waiter) {
	filter := w.changes(waiters)
	servers, first, err := w.region.list(ctx, filter, true)
	switch {
	case err != nil && w.region.refusesLists():
		return waiters
	case err != nil:
		warnOfPoll(ctx, err, len(waiters))
		for _, waiter := range waiters {
			if !isListRefusal(err) { // one refusal is not believed
				w.give(waiter, nil, err)
			}
		}
		return nil
	case filter == nil:
		w.sinceFull = 0
	}
	changed := map[string]*Server{}
	for _, server := range servers {
		changed[server.ID] = server
	}
	for _, waiter := range waiters {
		switch server := changed[waiter.id]; {
		case server != nil:
			w.give(waiter, server, nil)
		case filter == nil, w.servers[waiter.id] == nil: // the list should have had it
			missed = append(missed, waiter)
		default:
			unchanged := *w.servers[waiter.id]
			unchanged.receive(first)
			w.give(waiter, &unchanged, nil)
		}
	}
	return missed
}

// maxServerAge is how far a list of changes goes back at most. The further back,
// the longer the list.
const maxServerAge = 10 * time.Minute

// changes is the filter of a list of what has changed, deleted servers included, since
// each of the servers was last read. It is nil for a list of all servers: from time to
// time, and where nothing is known of many or all of them. That is each of them where
// the API does not tell its time.
func (w *watcher) changes(waiters []*waiter) url.Values {
	var since time.Time // by the API's clock
	unknown := 0
	for _, waiter := range waiters {
		switch server := w.servers[waiter.id]; {
		case server == nil, server.Timeless, time.Since(server.AskedAt) > maxServerAge:
			delete(w.servers, waiter.id)
			unknown++
		case since.IsZero(), server.asOf.Before(since):
			since = server.asOf
		}
	}
	if since.IsZero() || unknown > fewServers || w.sinceFull >= fullListEvery {
		return nil
	}
	return url.Values{"changes-since": {since.Add(-overlap).UTC().Format(time.RFC3339)}}
}

// warnOfPoll logs that a poll failed, and how many servers it was to read.
func warnOfPoll(ctx context.Context, err error, waiting int) {
	tflog.Warn(ctx, "The servers that are waited for could not be read", map[string]any{
		"servers": waiting, "error": err.Error(),
	})
}
