package migration

import (
	"context"
	"errors"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// Inspection is a server as it is now, with its newest migration.
type Inspection struct {
	Region string // as the API spells it
	Server *cloudservers.Server

	// LogErr is why the API does not hand out the action log, which alone names
	// migrations. Then nothing is known of them.
	LogErr error

	// Migrated tells that the action log has a migration: the newest one is Migration,
	// and UserID requested it. Its Status is empty where neither the server nor the log
	// tells how far it has come.
	Migrated  bool
	Migration Migration
	UserID    string
	OurUserID string // the user of this engine; empty when the token does not name it
}

// Inspect looks at a server and its newest migration, once. Every error is an *Error.
func (e *Engine) Inspect(ctx context.Context, region, serverID string) (Inspection, error) {
	o := e.operation(Migration{Region: region, ServerID: serverID}, goalObserved, false)
	if err := o.lookAtAny(ctx); err != nil {
		return Inspection{}, err
	}
	found := Inspection{Region: o.region.Name, Server: o.server, LogErr: o.logErr, OurUserID: o.userID}
	var failure *cloudservers.Error
	newest := o.moves.first(func(m Move) bool { return !m.Resize })
	switch {
	case errors.As(o.logErr, &failure) && failure.Temporary():
		return found, o.fail(KindAPI, o.logErr)
	case o.logErr != nil, newest == nil:
		return found, nil
	}
	found.Migrated, found.UserID = true, newest.UserID
	o.begin(newest.RequestID, newest.Started, nil)
	next := decide(o.situationByAge())
	state := stateOf(o.server)
	isUnderWay := next.do == doWait && state >= serverMoving && state <= serverReverting
	found.Migration, _ = o.endRefresh(ctx, next) // it fails only for a server that is gone
	if next.do != doFinish && !isUnderWay {
		found.Migration.Status = ""
	}
	return found, nil
}

// lookAtAny looks at a server of which no migration is known yet. The server exists then.
func (o *operation) lookAtAny(ctx context.Context) error {
	if err := o.locate(ctx); err != nil {
		return err
	}
	_, err := o.look(ctx)
	if err == nil && o.server == nil {
		return o.fail(KindNotFound, o.failed)
	}
	return err
}

// LogEntry is an entry of a server's action log.
type LogEntry struct {
	cloudservers.Action
	Move *Move // how it ended, of a migrate or a resize; else nil
}

// Log reads the action log of a server, newest first, and the name of its region as
// the API spells it. Every error is an *Error, of KindAPI.
func (e *Engine) Log(ctx context.Context, region, serverID string) (entries []LogEntry, name string, err error) {
	o := e.operation(Migration{Region: region, ServerID: serverID}, goalObserved, false)
	if err := o.locate(ctx); err != nil {
		return nil, "", err
	}
	log, err := o.region.ActionLog(ctx, serverID)
	if err != nil {
		return nil, "", o.fail(KindAPI, err)
	}
	moves := readHistory(log.Actions) // as many as there are migrates and resizes, in the same order
	for _, action := range log.Actions {
		entry := LogEntry{Action: action}
		if action.Action == cloudservers.ActionMigrate || action.Action == cloudservers.ActionResize {
			entry.Move, moves = &moves[0], moves[1:]
		}
		entries = append(entries, entry)
	}
	return entries, o.region.Name, nil
}
