package migration

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// operation works for one call of the engine on one server. It takes its turn,
// looks, decides, and sends at most one request before it looks again.
type operation struct {
	work
	engine *Engine
	region *cloudservers.Region
	verify *Verification // nil without one

	began   time.Time                  // when its caller asked for it
	timeout time.Duration              // from its first turn on; 0: none
	backOff backoff.ExponentialBackOff // between requests that could not be sent

	needsNoTurn bool                 // its first preflight comes before its turn
	passed      *cloudservers.Server // as it was when it passed its preflight; nil before

	lookAskedAt  time.Time            // when the older part of the last look was asked for, by the clock that is never set
	sentAt       time.Time            // when the last confirm or revert was accepted
	lastLook     *cloudservers.Server // as it was at the last look; nil after a migrate request was accepted
	failed       error                // why the last look or poll failed, or nil
	failingSince time.Time            // since when no look succeeds; zero if the last one did
}

// run brings the operation to its end. Its own time begins with its first turn. The
// preflight before that has the same time once more. Every error is an *Error.
func (o *operation) run(ctx context.Context) error {
	o.report(ctx, "reading the server and its action log")
	if err := o.locate(ctx); err != nil {
		return err
	}
	o.needsNoTurn = o.needsPreflight()
	for {
		turn, err := o.takeTurn(ctx)
		if err != nil {
			return err
		}
		err = o.runFrom(ctx, step{do: doLook}, turn)
		if err != nil || o.known { // else it goes on after its preflight
			return err
		}
	}
}

// runFrom is run, beginning with a step. The turn, which may be nil, is that of the
// request that may follow the first look. Without an error, it ends early after the
// preflight that comes before the first turn.
func (o *operation) runFrom(ctx context.Context, next step, turn *cloudservers.Turn) error {
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.timeout)
		defer cancel()
	}
	for {
		var err error
		switch next.do {
		case doFinish, doStop:
			return o.end(ctx, next)
		case doMigrate, doTakeOver: // lookAndSend has left that to a preflight
			if err = o.preflight(ctx, next); o.needsNoTurn {
				o.needsNoTurn = false
				return err
			}
			next = step{do: doLook}
		case doTest:
			next, err = o.runTest(ctx, next.status)
		case doWait:
			next, err = o.wait(ctx)
		case doLookMore:
			next = step{do: doLook}
			if err = sleep(ctx, lookPause); err != nil {
				err = o.interrupted(KindAPI, err)
			}
		default:
			if turn == nil {
				if turn, err = o.takeTurn(ctx); err != nil {
					return err
				}
			}
			next, err = o.lookAndSend(ctx, turn)
			turn = nil
		}
		if err != nil {
			return err
		}
	}
}

// lookAndSend looks, decides, and sends the request that follows from that, if any. The
// turn is given back if it is not used.
func (o *operation) lookAndSend(ctx context.Context, turn *cloudservers.Turn) (step, error) {
	defer turn.Release()
	next, err := o.look(ctx)
	if next.do == doTakeOver && !o.needsNoTurn {
		o.takeOver()
		o.report(ctx, "going on with request "+o.migration.RequestID)
		next = o.decided()
	}
	switch {
	case next.do == doMigrate && !o.needsPreflight(), next.do == doConfirm, next.do == doRevert:
		return o.send(ctx, next.do, turn)
	}
	return next, err
}

func (o *operation) decided() step { return decide(o.situation()) }

// locate finds the API of the migration's region, and whose account it is.
func (o *operation) locate(ctx context.Context) error {
	region, err := o.engine.client.Region(ctx, o.migration.Region)
	if err != nil {
		return o.fail(KindAPI, err)
	}
	o.region, o.migration.Region, o.userID = region, region.Name, o.engine.client.UserID()
	return nil
}

// takeTurn waits until the rate limit allows the request that may follow a look. The
// turn is nil where no request can follow.
func (o *operation) takeTurn(ctx context.Context) (*cloudservers.Turn, error) {
	take := o.region.SettleTurn // which also serves a migrate request that had its turn before
	switch {
	case o.needsNoTurn:
		return nil, nil
	case !o.canHaveBegun():
		take = o.region.MigrateTurn
	case !o.known:
	case o.goal == goalMoved, o.goal == goalObserved,
		o.server == nil && o.migration.Status != StatusAwaiting,
		o.server != nil && stateOf(o.server) != serverAwaiting:
		return nil, nil
	}
	turn, err := take(ctx, o.migration.ServerID)
	if err != nil {
		return nil, o.interrupted(KindTurn, err)
	}
	return turn, nil
}

// sleep waits. The error is the context's cause.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// logTimeout bounds the wait for the action log of a migration that is known. The
// rate limit could hold it back for as long as the whole operation.
const logTimeout = time.Minute

// look reads the action log and then the server, and decides. A look is as old as
// its older half. If the halves are too far apart in time, both are read again.
func (o *operation) look(ctx context.Context) (step, error) {
	for {
		log, logErr := o.readLog(ctx)
		server, err := o.read(ctx)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			o.failed = errors.Join(logErr, err)
			return step{}, o.interrupted(KindAPI, context.Cause(ctx))
		case !errors.Is(err, cloudservers.ErrNotFound):
			return o.notRead(err)
		}
		source, asked := logRead, log.AskedAt
		switch {
		case logErr != nil:
			source, asked = logRefused, time.Now()
			if server != nil {
				asked = server.AskedAt
			}
			o.warnOfLog(ctx, logErr)
		case server != nil && server.AskedAt.Sub(asked) > proofTime:
			continue // so long was the rate limit reached between the two reads
		}
		o.moves, o.logErr, o.failed, o.failingSince = readHistory(log.Actions), logErr, err, time.Time{}
		o.lookAskedAt, o.lastLook = asked, server
		o.observeAndLog(ctx, server, asked, source)
		return o.decided(), nil
	}
}

// readLog reads the action log. See logTimeout.
func (o *operation) readLog(ctx context.Context) (cloudservers.ActionLog, error) {
	if o.canHaveBegun() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, logTimeout)
		defer cancel()
	}
	return o.region.ActionLog(ctx, o.migration.ServerID)
}

// read reads the server. Once a migration may have been accepted, a 404 counts only
// when it is seen twice.
func (o *operation) read(ctx context.Context) (*cloudservers.Server, error) {
	server, err := o.region.Server(ctx, o.migration.ServerID)
	if !errors.Is(err, cloudservers.ErrNotFound) || !o.canHaveBegun() || sleep(ctx, o.engine.client.PollInterval()) != nil {
		return server, err
	}
	return o.region.Server(ctx, o.migration.ServerID)
}

// notRead says what follows when the server cannot be read:
//   - Before a request was sent, the operation ends.
//   - A known migration is waited for, as long as a later read may succeed.
//   - After a request whose answer was lost, reads are tried for a while. Without them
//     nothing tells whether the request was accepted.
func (o *operation) notRead(err error) (step, error) {
	var failure *cloudservers.Error
	isTemporary := errors.As(err, &failure) && failure.Temporary()
	o.failed = err
	if o.failingSince.IsZero() {
		o.failingSince = time.Now()
	}
	switch {
	case !o.canHaveBegun(), o.goal == goalObserved:
		return step{}, o.fail(KindAPI, err)
	case !o.known && time.Since(o.failingSince) > proofTime+effectTime:
		return step{}, o.fail(KindUndecided, o.sentBy)
	case o.known && !isTemporary:
		return step{}, o.fail(o.kindWhenInterrupted(KindWait), err)
	}
	return step{do: doLookMore}, nil
}

// send sends one request, right after a look. The next step is another look where the
// last one is too old, or where the request was not accepted.
func (o *operation) send(ctx context.Context, do action, turn *cloudservers.Turn) (step, error) {
	again := step{do: doLook}
	// The machine's clock can be set back. The clock that is never set stands still while the machine sleeps.
	if turn == nil || time.Since(o.lookAskedAt) > proofTime || time.Since(o.observed) > proofTime {
		return again, nil
	}
	if ctx.Err() != nil {
		return again, o.interrupted(KindAPI, context.Cause(ctx))
	}
	if !o.canHaveBegun() {
		if err := o.engine.fleet.admit(o); err != nil {
			return again, err
		}
	}
	request := map[action]func(context.Context, string, *cloudservers.Turn) (cloudservers.Acceptance, error){
		doMigrate: o.region.Migrate, doConfirm: o.region.Confirm, doRevert: o.region.Revert,
	}[do]
	acceptance, err := request(ctx, o.migration.ServerID, turn)
	var failure *cloudservers.Error
	errors.As(err, &failure)
	if kind := o.noteAnswer(do, acceptance, failure); kind != "" {
		return again, o.fail(kind, err)
	}
	switch {
	case err == nil && do == doMigrate:
		o.lastLook = nil
		o.report(ctx, "migration accepted, request "+o.migration.RequestID)
	case err == nil:
		o.sentAt = time.Now()
		o.report(ctx, map[action]string{doConfirm: "confirmation accepted", doRevert: "revert accepted"}[do])
	case ctx.Err() != nil, failure.StatusCode == 0 && !failure.MaybeAccepted():
		if err := sleep(ctx, o.backOff.NextBackOff()); err != nil {
			return again, o.interrupted(KindAPI, errors.Join(err, failure))
		}
		return again, nil
	default:
		return again, nil
	}
	return step{do: doWait}, nil
}

// unchangedFor is how long an operation polls a server that does not change, before it
// reads the server and the log again.
const unchangedFor = time.Minute

// wait polls until the server is in a state that something follows from.
func (o *operation) wait(ctx context.Context) (step, error) {
	if o.goal == goalObserved {
		return o.stillPending(), nil
	}
	bounded, cancel := o.boundPolls(ctx)
	defer cancel()
	err := o.region.Watch(bounded, o.migration.ServerID, func(s *cloudservers.Server) (bool, error) {
		o.observeAndLog(ctx, s, s.AskedAt, logNotAsked)
		return o.needsDecision(s), nil
	})
	switch {
	case err == nil && o.known:
		o.failed = nil
		return o.decided(), nil
	case err == nil, ctx.Err() == nil && bounded.Err() != nil:
		return step{do: doLook}, nil
	case ctx.Err() != nil:
		return step{}, o.interrupted(KindAPI, err)
	case errors.Is(err, cloudservers.ErrNotFound):
		o.failed = err
		o.observe(nil, time.Now(), logNotAsked)
		return o.decided(), nil
	case !o.known:
		return step{}, o.fail(KindAPI, err)
	}
	return step{}, o.fail(o.kindWhenInterrupted(KindWait), err)
}

// boundPolls bounds the polls of a server whose state can last. Its next state may
// never come, or polls may show no difference.
func (o *operation) boundPolls(ctx context.Context) (context.Context, context.CancelFunc) {
	switch {
	case o.lastLook == nil || isTransitional(o.lastLook, o.known):
		return context.WithCancel(ctx)
	case o.sent == sentAccepted && time.Since(o.sentAt) < proofTime:
		return context.WithTimeout(ctx, proofTime)
	}
	return context.WithTimeout(ctx, unchangedFor)
}

// isTransitional tells whether another state of the server follows by itself.
func isTransitional(s *cloudservers.Server, known bool) bool {
	switch stateOf(s) {
	case serverMoving, serverSettling, serverReverting:
		return true
	case serverBusy:
		return !known
	}
	return false
}

// needsDecision tells whether a poll calls for a decision: it shows a state that lasts,
// and another one than the last look did.
func (o *operation) needsDecision(s *cloudservers.Server) bool {
	if isTransitional(s, o.known) {
		return false
	}
	was := o.lastLook
	return was == nil || was.Status != s.Status || was.TaskState != s.TaskState || was.HostID != s.HostID
}

// stillPending ends a look at a migration that is still under way.
func (o *operation) stillPending() step {
	switch stateOf(o.server) {
	case serverAwaiting, serverSettling, serverReverting:
		return finish(StatusAwaiting)
	}
	return finish(o.migration.Status)
}

// end ends the operation with a status or an error.
func (o *operation) end(ctx context.Context, last step) error {
	o.noteEnd(last.status)
	if last.status == StatusAwaiting {
		o.migration.Status = StatusAwaiting
		if !o.hasAwaited && o.goal != goalObserved {
			// Nothing proves that this migration is ours. Without its flavor, isShownByServer
			// does not take it for ours later.
			o.migration.DestinationHostID, o.migration.FlavorID = o.server.HostID, ""
		}
	}
	if last.do == doStop {
		if last.kind == KindUntested || o.test == testPassed && o.sent == sentNothing {
			// Nothing proves that the server was tested after our migration, and not after another one.
			o.migration.VerificationResult = nil
		}
		return o.fail(last.kind, o.cause(last.kind))
	}
	if o.goal != goalObserved {
		o.reportEnd(ctx)
	}
	if o.goal == goalReverted && o.test == testFailed && last.status == StatusReverted {
		if !o.hasReverted() {
			return o.fail(KindReverted, nil)
		}
		return o.fail(KindRolledBack, nil)
	}
	return nil
}
