package migration

import (
	"context"
	"errors"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// Find returns a migration of a server by its request id or, when that is empty,
// the newest one, as far as the server and its action log tell: hosts other than
// the current one are unknown to them. Every error is an *Error;
// KindNeverMigrated says that there is none.
func (e *Engine) Find(ctx context.Context, region, serverID, requestID string) (Migration, error) {
	m := &mover{engine: e, migration: Migration{Region: region, ServerID: serverID}}
	if err := m.locate(ctx); err != nil {
		return m.migration, err
	}
	if err := m.look(ctx); err != nil {
		return m.migration, m.notRead(err)
	}
	log, err := m.region.ActionLog(ctx, serverID)
	if err != nil {
		return m.migration, m.fail(KindAPI, err)
	}
	if !m.recall(log, requestID) {
		m.migration.RequestID = requestID
		return m.migration, m.fail(KindNeverMigrated, nil)
	}
	return m.migration, nil
}

// Check looks at a server before a migration of it is asked for. It returns what
// a Migrate would begin with: the region's name, as the API spells it, and the
// migration that it would take over (Migration.Adopted), if there is one. The
// *Error says what stands in the way: KindNotFound and KindOnMetal for good,
// KindStatus, KindPending and KindUntold for now.
func (e *Engine) Check(ctx context.Context, region, serverID string) (Migration, error) {
	m := &mover{engine: e, migration: Migration{Region: region, ServerID: serverID}}
	if err := m.locate(ctx); err != nil {
		return m.migration, err
	}
	if err := m.peek(ctx); err != nil {
		return m.migration, m.notRead(err)
	}
	switch {
	case m.server.OnMetal():
		return m.migration, m.fail(KindOnMetal, nil)
	case !moving(m.server) && !m.server.Settled():
		return m.migration, m.fail(KindStatus, nil)
	}
	found, err := m.search(ctx)
	if found == foundOther || found == foundUnclear || found == foundStale || err != nil {
		return m.migration, m.refuse(found, err)
	}
	return m.migration, nil
}

// Filter says which pending migrations are wanted.
type Filter struct {
	Server        func(name string) bool // by the server's name
	Migrating     bool                   // those under way too
	ConfirmWithin time.Duration          // what is confirmed by itself within this time; 0: all
}

// Pending returns the migrations of a region that await confirmation and, where
// the filter wants them, those that are under way. Servers of other names cost
// no request of their own. Resizes are left out. Every error is an *Error.
func (e *Engine) Pending(ctx context.Context, region string, filter Filter) ([]Migration, error) {
	m := &mover{engine: e, migration: Migration{Region: region}}
	if err := m.locate(ctx); err != nil {
		return nil, err
	}
	status := cloudservers.StatusVerifyResize
	if filter.Migrating {
		status = ""
	}
	servers, err := m.region.Servers(ctx, status)
	if err != nil {
		return nil, m.fail(KindAPI, err)
	}
	var found []Migration
	for _, server := range servers {
		if !moving(server) || !filter.Server(server.Name) {
			continue
		}
		one := &mover{engine: e, region: m.region, migration: Migration{Region: m.region.Name, ServerID: server.ID}}
		one.saw(server)
		log, err := m.region.ActionLog(ctx, server.ID)
		switch {
		case errors.Is(err, cloudservers.ErrNotFound):
			continue // it was deleted since
		case err != nil:
			return found, one.fail(KindAPI, err)
		}
		if !one.recall(log, "") || one.migration.Status.Settled() {
			continue
		}
		// By the API's clock, as the deadline is.
		left := one.migration.ConfirmBy().Sub(server.SeenAt)
		if filter.ConfirmWithin == 0 || left <= filter.ConfirmWithin {
			found = append(found, one.migration)
		}
	}
	return found, nil
}

// recall fills in a migration that a log has, by its request id or, when that is
// empty, the newest one; false if it has none.
func (m *mover) recall(log []cloudservers.Action, requestID string) bool {
	superseded := false // by what came after it
	for _, entry := range log {
		if !begins(entry) {
			continue
		}
		if entry.Action != cloudservers.ActionMigrate || requestID != "" && requestID != entry.RequestID {
			superseded = superseded || entry.Message != cloudservers.ActionFailed
			continue
		}
		m.migration.RequestID, m.migration.RequestedAt = entry.RequestID, entry.Start.Time
		fate := fateOf(entry.RequestID, log)
		switch {
		case fate.failed:
			m.migration.settle(StatusFailed, entry.Start.Time)
		case fate.settled != "" && m.server.Status != cloudservers.StatusRevertResize:
			m.migration.settleAs(fate)
		case superseded || m.server.Settled():
			// It ended, or nothing could have come after it; the log does not say when.
			m.migration.Status = StatusConfirmed
		case m.server.Status == cloudservers.StatusVerifyResize:
			m.migration.Status, m.migration.DestinationHostID = StatusAwaiting, m.server.HostID
			m.migration.FlavorID = m.server.Flavor.ID
		case m.server.Status == cloudservers.StatusRevertResize: // on its way from there to the original host
			m.migration.Status = StatusAwaiting
		default:
			m.migration.Status = StatusMigrating
		}
		return true
	}
	return false
}

// notRead explains why a server could not be read.
func (m *mover) notRead(err error) error {
	if errors.Is(err, cloudservers.ErrNotFound) {
		return m.fail(KindNotFound, err)
	}
	return m.fail(KindAPI, err)
}
