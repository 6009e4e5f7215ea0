package migration

import "sync"

// claims is what one run did about migrations. Terraform applies in one
// process, which has one engine: what a run forgot or migrated itself is told
// apart by it from what an earlier run left behind.
type claims struct {
	mu        sync.Mutex
	taken     map[string]bool            // server ids that a Migrate of this run works on, or did
	forgotten map[string]map[string]bool // request ids, by server id
}

func newClaims() *claims {
	return &claims{taken: map[string]bool{}, forgotten: map[string]map[string]bool{}}
}

// take claims a server for one Migrate; false if another one had it.
func (c *claims) take(serverID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.taken[serverID] {
		return false
	}
	c.taken[serverID] = true
	return true
}

func (c *claims) forget(m Migration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.taken[m.ServerID] {
		return false
	}
	if c.forgotten[m.ServerID] == nil {
		c.forgotten[m.ServerID] = map[string]bool{}
	}
	c.forgotten[m.ServerID][m.RequestID] = true
	return true
}

func (c *claims) forgot(serverID, requestID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.forgotten[serverID][requestID]
}

// forgotAny tells whether this run forgot any migration of the server.
func (c *claims) forgotAny(serverID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.forgotten[serverID]) > 0
}
