package migration

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// Refresh returns the migration as it is now, or was less than a poll interval ago:
// refreshes share what they read. For one that has ended nothing is sent. What cannot
// be proven yet stays as it was. Every error is an *Error; KindGone says that the
// server was deleted.
func (e *Engine) Refresh(ctx context.Context, m Migration) (Migration, error) {
	if m.Status.Settled() {
		return m, nil
	}
	o := e.operation(m, goalObserved, true)
	if err := o.locate(ctx); err != nil {
		return o.migration, err
	}
	server, err := o.region.SharedServer(ctx, m.ServerID)
	if err == nil {
		o.observe(server, server.AskedAt, logNotAsked)
		if next := o.decided(); next.do == doFinish || next.do == doWait {
			return o.endRefresh(ctx, next)
		}
	} else if !errors.Is(err, cloudservers.ErrNotFound) {
		return o.migration, o.fail(KindAPI, err)
	}
	if _, err = o.look(ctx); err != nil {
		return o.migration, err
	}
	return o.endRefresh(ctx, decide(o.situationByAge()))
}

// situationByAge is the situation after a single look. The look is proof if the server
// has not changed for longer than a read can lag, and the migration was requested
// before that. Both are by the API's clock.
func (o *operation) situationByAge() situation {
	s := o.situation()
	s.proof = o.server != nil && o.server.Idle() > proofTime+effectTime &&
		o.server.SeenAt.Sub(o.migration.RequestedAt) > proofTime+effectTime
	return s
}

// endRefresh ends a refresh. Where nothing is proven, the migration stays as it was,
// and that is no error.
func (o *operation) endRefresh(ctx context.Context, next step) (is Migration, err error) {
	if next.do == doWait {
		next = o.stillPending()
	}
	if next.do == doFinish || next == stop(KindGone) {
		err = o.end(ctx, next)
	}
	return o.migration, err
}

// Find returns a migration of a server by its request id or, when that is empty, the
// newest one. The server and its action log do not tell the original host. Every error
// is an *Error. KindNeverMigrated says that there is none, and KindUnknownEnd that
// nothing tells how it ended.
func (e *Engine) Find(ctx context.Context, region, serverID, requestID string) (Migration, error) {
	o := e.operation(Migration{Region: region, ServerID: serverID}, goalObserved, false)
	if err := o.lookAtAny(ctx); err != nil {
		return o.migration, err
	}
	if o.logErr != nil {
		return o.migration, o.fail(KindAPI, o.logErr)
	}
	move := o.moves.first(func(m Move) bool { return !m.Resize && (requestID == "" || m.RequestID == requestID) })
	if move == nil {
		o.migration.RequestID = requestID
		return o.migration, o.fail(KindNeverMigrated, nil)
	}
	o.begin(move.RequestID, move.Started, nil)
	err := o.runFrom(ctx, o.decided(), nil)
	return o.migration, err
}

// Preview is what a plan can tell of a migration that is not requested yet.
type Preview struct {
	// Migration is what a Migrate would begin with: the region's name, as the API
	// spells it, the server's name, and the migration that it would take over
	// (Adopted), if there is one.
	Migration
	RolledBack []Move // our migrations of the server that were reverted in the last 24 hours, newest first
}

// Check looks at a server before a migration of it is requested; previous is as in
// Request. The *Error says what stands in the way: KindNotFound and KindOnMetal for
// good, KindStatus, KindPending and KindUntold for now.
func (e *Engine) Check(ctx context.Context, region, serverID string, previous *Migration) (Preview, error) {
	o := e.operation(Migration{Region: region, ServerID: serverID}, goalMoved, false)
	o.follow(previous)
	err := o.check(ctx)
	preview := Preview{Migration: o.migration}
	for _, move := range o.moves {
		if o.ours(move) && move.Outcome == OutcomeReverted && o.isWithin(takeOverWindow, move.SettledAt) {
			preview.RolledBack = append(preview.RolledBack, move)
		}
	}
	return preview, err
}

func (o *operation) check(ctx context.Context) error {
	serverID := o.migration.ServerID
	if err := o.locate(ctx); err != nil {
		return err
	}
	server, err := o.region.SharedServer(ctx, serverID)
	source := logRead
	switch {
	case errors.Is(err, cloudservers.ErrNotFound):
		return o.fail(KindNotFound, err)
	case err != nil:
		return o.fail(KindAPI, err)
	case server.Idle() <= takeOverWindow || stateOf(server) != serverResting: // else there is nothing to take over
		var log cloudservers.ActionLog
		if log, o.logErr = o.region.ActionLog(ctx, serverID); o.logErr != nil {
			source = logRefused
		}
		o.moves = readHistory(log.Actions)
	}
	if ctx.Err() != nil {
		return o.fail(KindAPI, context.Cause(ctx))
	}
	o.observe(server, server.AskedAt, source)
	s := o.situation()
	s.proof = true
	switch next := decide(s); next.do {
	case doTakeOver:
		o.takeOver()
		o.noteEnd(Status(s.log)) // nothing, if it is open
	case doStop:
		return o.end(ctx, next)
	}
	return nil
}

// Filter says which pending migrations are wanted.
type Filter struct {
	Server        func(name string) bool // by the server's name
	Migrating     bool                   // those under way too
	ConfirmWithin time.Duration          // only those that the cloud confirms within this time; 0: all
}

// Pending returns the migrations of a region that await confirmation and, where
// the filter wants them, those that are under way. Servers of other names cost
// no request of their own. Resizes are left out. Every error is an *Error.
func (e *Engine) Pending(ctx context.Context, region string, filter Filter) ([]Migration, error) {
	all := e.operation(Migration{Region: region}, goalObserved, false)
	if err := all.locate(ctx); err != nil {
		return nil, err
	}
	wanted := url.Values{"status": {cloudservers.StatusVerifyResize}}
	if filter.Migrating {
		wanted = nil
	}
	servers, err := all.region.Servers(ctx, wanted)
	if err != nil {
		return nil, all.fail(KindAPI, err)
	}
	var found []Migration
	for _, server := range servers {
		if state := stateOf(server); state < serverMoving || state > serverReverting || !filter.Server(server.Name) {
			continue
		}
		o := e.operation(Migration{Region: all.region.Name, ServerID: server.ID}, goalObserved, false)
		log, err := all.region.ActionLog(ctx, server.ID)
		switch {
		case errors.Is(err, cloudservers.ErrNotFound):
			continue // it was deleted since
		case err != nil:
			return found, o.fail(KindAPI, err)
		}
		o.moves = readHistory(log.Actions)
		open := o.moves.open()
		if open == nil || open.Resize {
			continue
		}
		o.server = server
		o.begin(open.RequestID, open.Started, nil)
		o.observe(server, server.AskedAt, logRead)
		m, _ := o.endRefresh(ctx, o.decided()) // it fails only for a server that is gone
		by := m.ConfirmBy()                    // by the API's clock, as SeenAt
		soon := !by.IsZero() && by.Sub(server.SeenAt) <= filter.ConfirmWithin
		if !m.Status.Settled() && (filter.ConfirmWithin == 0 || soon) {
			found = append(found, m)
		}
	}
	return found, nil
}
