package migration

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

// claims is what one run did about migrations. Terraform applies in one
// process, which has one engine: what a run forgot or migrated itself is told
// apart by it from what an earlier run left behind.
type claims struct {
	mu      sync.Mutex
	servers map[string]*claim // by server id
}

// claim is what one run did about the migrations of one server.
type claim struct {
	deciding  *semaphore.Weighted // held while a migration of it is begun, or given up
	migrated  bool                // a Migrate works on it, or did
	migration string              // the request that Migrate sent or took over; empty while there is none
	forgotten map[string]bool     // request ids; an empty one stands for any
}

func newClaims() *claims { return &claims{servers: map[string]*claim{}} }

// of returns the claim on a server, with the lock held until unlock is called.
func (c *claims) of(serverID string) (found *claim, unlock func()) {
	c.mu.Lock()
	if c.servers[serverID] == nil {
		c.servers[serverID] = &claim{deciding: semaphore.NewWeighted(1), forgotten: map[string]bool{}}
	}
	return c.servers[serverID], c.mu.Unlock
}

// take claims a server for one Migrate; false if another one had it.
func (c *claims) take(serverID string) bool {
	found, unlock := c.of(serverID)
	defer unlock()
	taken := !found.migrated
	found.migrated = true
	return taken
}

// decide waits until nobody else begins or gives up a migration of the server.
func (c *claims) decide(ctx context.Context, serverID string) (leave func(), err error) {
	found, unlock := c.of(serverID)
	unlock()
	if found.deciding.Acquire(ctx, 1) != nil {
		return nil, context.Cause(ctx)
	}
	return sync.OnceFunc(func() { found.deciding.Release(1) }), nil
}

// own says which migration the Migrate of a server works on.
func (c *claims) own(m Migration) {
	found, unlock := c.of(m.ServerID)
	defer unlock()
	found.migration = m.RequestID
}

// forget gives a migration up; false if the server's Migrate works on it.
func (c *claims) forget(m Migration) bool {
	found, unlock := c.of(m.ServerID)
	defer unlock()
	if m.RequestID != "" && found.migration == m.RequestID {
		return false
	}
	found.forgotten[m.RequestID] = true
	return true
}

// forgot tells whether this run forgot a migration that the server had before.
func (c *claims) forgot(serverID, requestID string) bool {
	found, unlock := c.of(serverID)
	defer unlock()
	return found.forgotten[requestID] || found.forgotten[""]
}

// forgotAny tells whether this run forgot any migration of the server.
func (c *claims) forgotAny(serverID string) bool {
	found, unlock := c.of(serverID)
	defer unlock()
	return len(found.forgotten) > 0
}
