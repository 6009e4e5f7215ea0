package cloudservers

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// sharedServers is what plans and refreshes have read of a region's servers.
type sharedServers struct {
	list     singleflight.Group
	interval time.Duration // the poll interval

	mu       sync.Mutex
	servers  map[string]*Server   // with their arrivedAt
	listed   []string             // the ids of the last list
	askedAt  time.Time            // when the last list was asked for
	listedAt time.Time            // when it had arrived
	singleAt time.Time            // when a server was last read by itself instead of a list
	actedAt  map[string]time.Time // when an action was last asked of a server
	lastAct  time.Time            // when an action was last asked of any server
}

// SharedServer reads a server for a plan or a refresh. Terraform asks for many
// servers at the same time, and they share requests:
//
//	within one poll interval …               | what is sent
//	-----------------------------------------+-----------------------------------
//	the first server, unless there was a     | a GET of the server
//	list in the interval before              |
//	the others                               | one list of all servers
//	any server after the list has arrived    | nothing
//	a server that the list does not have, or | a GET of the server
//	of which an action was asked since       |
//	any server, the API refuses lists        | a GET of the server
//
// What it returns arrived at most a poll interval ago, and was asked for after the
// last action of this client. It is not fresh enough to decide on an action.
func (r *Region) SharedServer(ctx context.Context, id string) (*Server, error) {
	server, alone := r.shared.find(id)
	if server == nil && !alone && !r.refusesLists() {
		err := r.shareList(ctx, func() bool { return r.shared.hasList(time.Time{}) || r.refusesLists() })
		if err != nil && !isListRefusal(err) {
			return nil, err
		}
		server, _ = r.shared.find(id)
	}
	if server != nil {
		return server, nil
	}
	server, err := r.Server(ctx, id)
	if err == nil {
		r.shared.keep([]*Server{server}, time.Time{})
	}
	return server, err
}

// SharedServers lists all servers of the region for a plan or a refresh. It shares the
// list of SharedServer. What it returns arrived at most a poll interval ago. It was
// asked for after each action that this client sent before the call. Where the API
// refuses lists, that is the error. The servers must not be changed.
func (r *Region) SharedServers(ctx context.Context) ([]*Server, error) {
	called := time.Now()
	for {
		if servers, ok := r.shared.all(called); ok {
			return servers, nil
		}
		err := r.shareList(ctx, func() bool { return r.shared.hasList(called) })
		if err != nil {
			return nil, err
		}
	}
}

// shareList lists all servers once for all callers that need a list at the same time,
// unless it is needless by then.
func (r *Region) shareList(ctx context.Context, isNeedless func() bool) error {
	return r.client.share(ctx, &r.shared.list, opServers, func(ctx context.Context) error {
		if isNeedless() {
			return nil
		}
		servers, first, err := r.list(ctx, nil, false)
		if err == nil {
			r.shared.keep(servers, first.askedAt)
		}
		return err
	})
}

// hasList tells whether all returns a list.
func (s *sharedServers) hasList(called time.Time) bool {
	_, ok := s.all(called)
	return ok
}

// all returns the servers of the last list, unless it arrived more than an interval
// ago, or is too old for a call of SharedServers.
func (s *sharedServers) all(called time.Time) (servers []*Server, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.listedAt) > s.interval || s.askedAt.Before(called) && !s.askedAt.After(s.lastAct) {
		return nil, false
	}
	for _, id := range s.listed {
		servers = append(servers, s.servers[id])
	}
	return servers, true
}

// keep adds servers that were read, unless they were asked for again since. listed is
// when they were asked for as a list of all servers; it is zero where they are none.
func (s *sharedServers) keep(servers []*Server, listed time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !listed.IsZero() {
		s.listed, s.askedAt, s.listedAt = nil, listed, time.Now()
	}
	for _, server := range servers {
		if known := s.servers[server.ID]; known == nil || !known.AskedAt.After(server.AskedAt) {
			server.arrivedAt, s.servers[server.ID] = time.Now(), server
		}
		if !listed.IsZero() {
			s.listed = append(s.listed, server.ID)
		}
	}
}

// find returns a server that arrived within an interval, and was asked for after
// the last action. If there is none, alone tells whether it is to be read by
// itself: a list that has arrived within the interval lacks it, or it is the first
// one within the interval. It is not read by itself where a list was needed just
// before: then many servers are being refreshed.
func (s *sharedServers) find(id string) (server *Server, alone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	server = s.servers[id]
	if server != nil && time.Since(server.arrivedAt) <= s.interval && server.AskedAt.After(s.actedAt[id]) {
		return server, false
	}
	alone = time.Since(s.listedAt) <= s.interval || time.Since(s.singleAt) > s.interval && time.Since(s.listedAt) > 2*s.interval
	if alone {
		s.singleAt = time.Now()
	}
	return nil, alone
}

// expire notes that an action is asked of a server. What was asked for before that
// is out of date.
func (s *sharedServers) expire(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastAct = time.Now()
	s.actedAt[id] = s.lastAct
}
