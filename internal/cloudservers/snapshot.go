package cloudservers

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// soloReads is how many servers are read one by one within a poll interval.
// From the next one on, one list of all servers answers for all.
const soloReads = 3

// snapshot is what was read of the servers of a region lately.
type snapshot struct {
	flight singleflight.Group

	mu      sync.Mutex
	since   time.Time // when the current interval of single reads began
	reads   int       // in it
	listed  time.Time // when all servers were listed
	servers map[string]memory
}

// memory is a server as it was asked for at a time by this machine's clock.
type memory struct {
	server *Server
	at     time.Time
	stale  bool // something was asked of the server since
}

// Peek reads a server for a refresh or a plan, of which Terraform makes many at
// the same time. What it returns is at most a poll interval old. A few servers
// cost a request each; beyond soloReads within a poll interval, the list of all
// servers costs its pages, however many are asked for.
func (r *Region) Peek(ctx context.Context, id string) (*Server, error) {
	server, listed := r.seen.recall(id, r.client.config.PollInterval)
	switch {
	case server != nil:
		return server, nil
	case listed: // the list may have missed a server that is new
		return r.Server(ctx, id)
	case r.seen.solo(r.client.config.PollInterval):
		return r.Server(ctx, id)
	}
	flight := r.seen.flight.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), listTimeout)
		defer cancel()
		if _, listed := r.seen.recall(id, r.client.config.PollInterval); listed {
			return nil, nil // another flight has landed since this one was called for
		}
		at := time.Now()
		servers, err := r.Servers(ctx, "")
		if err == nil {
			r.seen.keep(at, servers...)
			r.seen.complete(at)
		}
		return nil, err
	})
	select {
	case result := <-flight:
		if result.Err != nil && !refusesLists(result.Err) {
			return nil, result.Err
		}
	case <-ctx.Done():
		return nil, &Error{Op: opServers, Err: context.Cause(ctx)}
	}
	if server, _ := r.seen.recall(id, listTimeout); server != nil {
		return server, nil
	}
	return r.Server(ctx, id)
}

// listTimeout bounds a shared list with all its pages and repetitions, since
// nobody's cancellation does.
const listTimeout = 5 * time.Minute

// recall returns a server that was read within the age, and whether a list of
// that age should have had it.
func (s *snapshot) recall(id string, age time.Duration) (server *Server, listed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.servers[id]
	if seen.stale || time.Since(seen.at) > age {
		seen.server = nil
	}
	return seen.server, !s.listed.IsZero() && time.Since(s.listed) <= age
}

// solo tells whether the next read may be a single one.
func (s *snapshot) solo(interval time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.since) > interval {
		s.since, s.reads = time.Now(), 0
	}
	s.reads++
	return s.reads <= soloReads
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
			s.servers[server.ID] = memory{server: server, at: at}
		}
	}
}

func (s *snapshot) complete(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listed = at
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
	if time.Since(seen.at) > maxMemory {
		return nil
	}
	return seen.server
}

// maxMemory is how old what is known of a server may be for the list of changes
// to reach back to it: the further back, the longer the list.
const maxMemory = 10 * time.Minute
