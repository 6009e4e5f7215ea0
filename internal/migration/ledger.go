package migration

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

// ledger is what one run of Terraform knows, and the API cannot tell: what the run has
// migrated, and what it has given up. A run is one process with one engine.
type ledger struct {
	mu      sync.Mutex
	servers map[string]*serverNotes // by server id
	done    map[string]Migration    // by request id
}

// serverNotes is what the run knows of one server.
type serverNotes struct {
	working  *semaphore.Weighted // held by the operation that works on the server
	migrated bool                // a Migrate of the run has the server
	begun    string              // the request id that it sent or took over
	givenUp  map[string]bool     // request ids that the run has destroyed
}

func newLedger() *ledger {
	return &ledger{servers: map[string]*serverNotes{}, done: map[string]Migration{}}
}

// of returns the notes of a server. The lock is held until unlock is called.
func (l *ledger) of(serverID string) (found *serverNotes, unlock func()) {
	l.mu.Lock()
	if l.servers[serverID] == nil {
		l.servers[serverID] = &serverNotes{working: semaphore.NewWeighted(1), givenUp: map[string]bool{}}
	}
	return l.servers[serverID], l.mu.Unlock
}

// claim gives the server to one Migrate of the run; false if another one has it.
func (l *ledger) claim(serverID string) bool {
	found, unlock := l.of(serverID)
	defer unlock()
	claimed := !found.migrated
	found.migrated = true
	return claimed
}

// enter waits until no other operation of the run works on the server. The error
// is the context's cause.
func (l *ledger) enter(ctx context.Context, serverID string) (leave func(), err error) {
	found, unlock := l.of(serverID)
	unlock()
	if found.working.Acquire(ctx, 1) != nil {
		return nil, context.Cause(ctx)
	}
	return func() { found.working.Release(1) }, nil
}

// giveUp notes that the run destroys a migration. It is false if a Migrate of the run
// has begun that migration or taken it over. Then nothing may be done to it.
func (l *ledger) giveUp(m Migration) bool {
	found, unlock := l.of(m.ServerID)
	defer unlock()
	if m.RequestID != "" && m.RequestID == found.begun {
		return false
	}
	found.givenUp[m.RequestID] = true
	return true
}

// gaveUp tells whether the run has destroyed a migration.
func (l *ledger) gaveUp(serverID, requestID string) bool {
	found, unlock := l.of(serverID)
	defer unlock()
	return found.givenUp[requestID]
}

// begin notes what a Migrate of the run has begun or taken over.
func (l *ledger) begin(m Migration) {
	found, unlock := l.of(m.ServerID)
	found.begun = m.RequestID
	unlock()
	l.record(m)
}

// record keeps a migration as an operation of the run has left it.
func (l *ledger) record(m Migration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m.RequestID != "" {
		l.done[m.RequestID] = m
	}
}

// Recorded returns a migration that this run has begun, taken over or settled.
func (e *Engine) Recorded(requestID string) (Migration, bool) {
	e.ledger.mu.Lock()
	defer e.ledger.mu.Unlock()
	m, ok := e.ledger.done[requestID]
	return m, ok
}
