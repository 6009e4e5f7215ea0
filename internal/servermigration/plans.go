package servermigration

import "github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"

// serverPlans is what the plans of this run have shown of a server, until they are applied. In
// terraform test one run plans and applies several times.
type serverPlans struct {
	state    *migration.Migration // what the state has of the server
	destroys bool                 // a plan removes that from the state
	creates  bool                 // a plan creates another migration of the server
}

// plansOf returns what is planned of a server. The lock is held until unlock is called.
func (c *Config) plansOf(serverID string) (found *serverPlans, unlock func()) {
	c.mu.Lock()
	if c.plans == nil {
		c.plans = map[string]*serverPlans{}
	}
	if c.plans[serverID] == nil {
		c.plans[serverID] = &serverPlans{}
	}
	return c.plans[serverID], c.mu.Unlock
}

// noteState notes that the state has a migration and, with destroys, that a plan
// removes it. created tells that a plan of this run creates another migration of
// the same server.
func (c *Config) noteState(m migration.Migration, destroys bool) (created bool) {
	found, unlock := c.plansOf(m.ServerID)
	defer unlock()
	found.state, found.destroys = &m, found.destroys || destroys
	return found.creates
}

// inState returns the migration that the state has of a server, as this run has noted
// it. It is false if that is not the migration of the request.
func (c *Config) inState(serverID, requestID string) (migration.Migration, bool) {
	found, unlock := c.plansOf(serverID)
	defer unlock()
	if found.state == nil || requestID == "" || found.state.RequestID != requestID {
		return migration.Migration{}, false
	}
	return *found.state, true
}

// noteCreate notes that a plan creates a migration of a server. known tells that
// the state has one of the same server, which is returned, and destroyed that a
// plan of this run removes that.
func (c *Config) noteCreate(serverID string) (m migration.Migration, known, destroyed bool) {
	found, unlock := c.plansOf(serverID)
	defer unlock()
	found.creates = true
	if found.state == nil {
		return migration.Migration{}, false, false
	}
	return *found.state, true, found.destroys
}

// noteCreated notes that a planned migration of a server is created now.
func (c *Config) noteCreated(serverID string) {
	found, unlock := c.plansOf(serverID)
	defer unlock()
	found.creates = false
}

// noteDestroyed notes that the migration of a server is removed from the state now.
func (c *Config) noteDestroyed(serverID string) {
	found, unlock := c.plansOf(serverID)
	defer unlock()
	found.state, found.destroys = nil, false
}
