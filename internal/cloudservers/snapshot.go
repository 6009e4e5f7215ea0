package cloudservers

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// snapshot is what was read of the servers of a region lately.
type snapshot struct {
	flight singleflight.Group

	mu      sync.Mutex
	alone   time.Time // when a server was last read by itself for want of a list
	servers map[string]memory
	full    time.Time // when all servers were listed
	listed  time.Time // when that list, or one of changes since, had arrived
	asOf    time.Time // what changed since, by the API's clock, may be in none of them; zero if not known
}

// memory is a server as it was asked for at a time by this machine's clock.
type memory struct {
	server  *Server
	at      time.Time
	arrived time.Time
	stale   bool // something was asked of the server since
}

// maxRenewals is for how long a list of all servers is kept up to date by lists
// of what changed since.
const maxRenewals = time.Minute

// Peek reads a server for a refresh or a plan, of which Terraform makes many at
// the same time. What it returns came with an answer, or the last page of a list,
// that arrived at most a poll interval ago. Within such an interval the first
// server costs a request of its own. From the second one on one list of all
// servers answers for all, which costs its pages; and where there was such a list
// within the last minute, one of what has changed since.
func (r *Region) Peek(ctx context.Context, id string) (*Server, error) {
	interval := r.client.config.PollInterval
	server, listed := r.seen.recall(id, interval)
	switch {
	case server != nil:
		return server, nil
	case listed, // the list may have missed a server that is new
		r.refusals.believed(), r.seen.first(interval):
		return r.Server(ctx, id)
	}
	flight := r.seen.flight.DoChan("", func() (any, error) { //nolint:contextcheck // see Config.Context
		if _, listed := r.seen.recall(id, interval); listed {
			return nil, nil // another flight has landed since this one was called for
		}
		ctx, cancel := context.WithTimeout(r.client.config.Context, listTimeout)
		defer cancel()
		return nil, r.survey(ctx)
	})
	select {
	case result := <-flight:
		if result.Err != nil && !refusesLists(result.Err) {
			return nil, result.Err
		}
	case <-ctx.Done():
		return nil, &Error{Op: opServers, Err: context.Cause(ctx)}
	}
	if server, _ := r.seen.recall(id, interval); server != nil {
		return server, nil
	}
	return r.Server(ctx, id)
}

// listTimeout bounds a shared list with all its pages and repetitions, since
// nobody's cancellation does.
const listTimeout = 5 * time.Minute

// survey lists all servers, or what has changed since that was done lately.
func (r *Region) survey(ctx context.Context) error {
	asked, since := time.Now(), r.seen.renewable()
	servers, first, err := r.list(ctx, "", since, false)
	if err != nil {
		return err
	}
	r.seen.keep(asked, servers...)
	r.seen.complete(asked, first, since.IsZero())
	return nil
}

// recall returns a server that arrived within the age, and whether a list that
// did should have had it. A server that a list of changes does not have is as it
// was in the list before.
func (s *snapshot) recall(id string, age time.Duration) (server *Server, listed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	listed = !s.listed.IsZero() && time.Since(s.listed) <= age
	seen := s.servers[id]
	if fresh := time.Since(seen.arrived) <= age || listed && !seen.at.Before(s.full); seen.stale || !fresh {
		return nil, listed
	}
	return seen.server, listed
}

// renewable is when to list changes from, by the API's clock; zero where all
// servers have to be listed.
func (s *snapshot) renewable() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full.IsZero() || time.Since(s.full) > maxRenewals {
		return time.Time{}
	}
	return s.asOf
}

// first tells whether a server may be read by itself, as the first one within an
// interval; not where a short list would answer for others too.
func (s *snapshot) first(interval time.Duration) bool {
	short := !s.renewable().IsZero()
	s.mu.Lock()
	defer s.mu.Unlock()
	if short || time.Since(s.alone) <= interval {
		return false
	}
	s.alone = time.Now()
	return true
}

// keep remembers servers that were asked for at a time, unless they were asked
// for later since.
func (s *snapshot) keep(at time.Time, servers ...*Server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.servers == nil {
		s.servers = map[string]memory{}
	}
	for _, server := range servers {
		if !s.servers[server.ID].at.After(at) {
			s.servers[server.ID] = memory{server: server, at: at, arrived: time.Now()}
		}
	}
}

// complete notes that a list has arrived, whose first page tells its time: of all
// servers, or of what changed since the one before.
func (s *snapshot) complete(asked time.Time, first Server, full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listed, s.asOf = time.Now(), first.AsOf; first.Timeless {
		s.asOf = time.Time{}
	}
	if full {
		s.full = asked
	}
}

// drop forgets a server that is gone.
func (s *snapshot) drop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.servers, id)
}

// forget is for a server of which something is asked: nobody is to take for its
// state what was before, or what is under way to be read.
func (s *snapshot) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seen, ok := s.servers[id]; ok {
		seen.stale, seen.at = true, time.Now()
		s.servers[id] = seen
	}
}

// last is a server as it was last seen, whatever was asked of it since; nil if
// that is long ago.
func (s *snapshot) last(id string) *Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.servers[id]
	if seen.server == nil || time.Since(seen.arrived) > maxMemory {
		return nil
	}
	return seen.server
}

// maxMemory is how old what is known of a server may be for the list of changes
// to reach back to it: the further back, the longer the list.
const maxMemory = 10 * time.Minute
