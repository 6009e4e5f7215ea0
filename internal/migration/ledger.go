package migration

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

// ledger is what one run of Terraform knows, and the API cannot tell: what the run has
// migrated, and what it has given up. A run is one process with one engine.
type ledger struct {
	working sync.Map // by server id: a semaphore, held by the operation that works on the server
	claimed sync.Map // server ids: a Migrate of the run has the server
	begun   sync.Map // request ids: a Migrate of the run sent the request, or took its migration over
	givenUp sync.Map // server and request ids: the run has destroyed the migration
	done    sync.Map // by request id: the migration as an operation of the run has left it
}

// claim gives the server to one Migrate of the run; false if another one has it.
func (l *ledger) claim(serverID string) bool {
	_, claimed := l.claimed.LoadOrStore(serverID, true)
	return !claimed
}

// enter waits until no other operation of the run works on the server. The error
// is the context's cause.
func (l *ledger) enter(ctx context.Context, serverID string) (leave func(), err error) {
	found, _ := l.working.LoadOrStore(serverID, semaphore.NewWeighted(1))
	working := found.(*semaphore.Weighted)
	if working.Acquire(ctx, 1) != nil {
		return nil, context.Cause(ctx)
	}
	return func() { working.Release(1) }, nil
}

// giveUp notes that the run destroys a migration. It is false if a Migrate of the run
// has begun that migration or taken it over. Then nothing may be done to it.
func (l *ledger) giveUp(m Migration) bool {
	if _, begun := l.begun.Load(m.RequestID); begun {
		return false
	}
	l.givenUp.Store([2]string{m.ServerID, m.RequestID}, true)
	return true
}

// gaveUp tells whether the run has destroyed a migration.
func (l *ledger) gaveUp(serverID, requestID string) bool {
	_, gaveUp := l.givenUp.Load([2]string{serverID, requestID})
	return gaveUp
}

// begin notes what a Migrate of the run has begun or taken over.
func (l *ledger) begin(m Migration) {
	if m.RequestID != "" {
		l.begun.Store(m.RequestID, true)
	}
	l.record(m)
}

// record keeps a migration as an operation of the run has left it.
func (l *ledger) record(m Migration) {
	if m.RequestID != "" {
		l.done.Store(m.RequestID, m)
	}
}

// Recorded returns a migration that this run has begun, taken over or settled.
func (e *Engine) Recorded(requestID string) (Migration, bool) {
	found, ok := e.ledger.done.Load(requestID)
	m, _ := found.(Migration)
	return m, ok
}
