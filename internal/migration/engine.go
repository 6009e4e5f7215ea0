package migration

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// Engine moves servers of one account, for one run of Terraform. It is safe for
// concurrent use.
type Engine struct {
	client        *cloudservers.Client
	ledger        ledger
	fleet         *fleet
	confirmWindow time.Duration
}

// New returns an engine on a client. confirmWindow is Migration.ConfirmWindow of all
// its migrations.
func New(client *cloudservers.Client, limits Limits, confirmWindow time.Duration) *Engine {
	return &Engine{client: client, fleet: newFleet(limits), confirmWindow: confirmWindow}
}

// ConfirmWindow is how long after a server came to await confirmation the cloud confirms
// its migration by itself; 0: it never does so, or nobody knows.
func (e *Engine) ConfirmWindow() time.Duration { return e.confirmWindow }

// OnDestroy is what is done to a pending migration before it is given up.
type OnDestroy string

// What can be done to it.
const (
	OnDestroyNone    OnDestroy = "none"
	OnDestroyConfirm OnDestroy = "confirm"
	OnDestroyRevert  OnDestroy = "revert"
)

// Request asks for one migration.
type Request struct {
	Region      string // empty: the client's
	ServerID    string
	AutoConfirm bool // confirm as soon as the server has moved and passed its test

	// Verification is what the server has to pass before it is moved and, with
	// AutoConfirm, before the migration is confirmed and called a success. Without
	// AutoConfirm a moved server that does not pass is only reported
	// (Migration.VerificationResult), unless it asks for a revert. nil tests nothing.
	Verification *Verification

	// Timeout bounds the migration from the time at which it has its turn. The wait
	// for the turn (Limits, the rate limit) does not count. What is done to Previous
	// before that has the same Timeout once more. Zero sets no bound but the context's.
	Timeout time.Duration

	// PendingOnly takes over only a pending migration, and not one that was
	// confirmed in the last 24 hours.
	PendingOnly bool

	// Previous is the migration in the state, where the server is to be migrated
	// again; nil otherwise. While it is pending, OnDestroy is done to it first, with
	// PreviousVerification before a confirm.
	Previous             *Migration
	OnDestroy            OnDestroy
	PreviousVerification *Verification
}

// Migrate moves a server, and waits until it runs on its new host and awaits
// confirmation. With AutoConfirm, or where the cloud confirms by itself, it waits until
// the migration is confirmed. A migration that an earlier run asked for and could
// not record is taken over instead (Migration.Adopted). With Previous, only one
// that is newer and pending is taken over. An engine migrates a server once.
//
// Every error is an *Error. With an error and Previous, the migration that is
// returned is Previous as it is now, unless the new request was accepted.
func (e *Engine) Migrate(ctx context.Context, request Request) (Migration, error) {
	o := e.operation(Migration{ServerID: request.ServerID, Region: request.Region}, goalMoved, false)
	before := o.migration
	if request.Previous != nil {
		before = *request.Previous
		o.migration.ServerName = before.ServerName
	}
	if !e.ledger.claim(request.ServerID) {
		return before, o.fail(KindClaimed, nil)
	}
	leave, err := e.ledger.enter(ctx, request.ServerID)
	if err != nil {
		return before, o.fail(KindTurn, err)
	}
	defer leave()
	if request.Previous != nil {
		if !before.Status.Settled() {
			if before, err = e.settle(ctx, before, request.OnDestroy, request.PreviousVerification, request.Timeout); err != nil {
				return before, err
			}
		}
		o.follow(&before)
	}
	if request.AutoConfirm {
		o.goal = goalConfirmed
	}
	o.again = o.again || request.PendingOnly
	o.toTest(request.Verification, testDue)
	o.timeout = request.Timeout
	err = e.fleet.run(ctx, o)
	switch {
	case o.known:
		e.ledger.begin(o.migration)
	case request.Previous != nil:
		return before, err
	}
	return o.migration, err
}

// Confirm confirms a migration and waits until the server is at rest, after it has
// passed the test if there is one. It first waits for a migration that is under way.
// The error is nil only if the migration is confirmed, by anybody, and the server
// passed the test. Every error is an *Error.
func (e *Engine) Confirm(ctx context.Context, m Migration, test *Verification) (Migration, error) {
	return e.exclusive(ctx, m, func() (Migration, error) { return e.settleAs(ctx, m, goalConfirmed, test, testDue, 0) })
}

// Test tests the server of a migration that awaits confirmation. It first waits for a
// migration that is under way. A server that does not pass is no error but a result,
// as with Migrate without AutoConfirm. Every error is an *Error.
func (e *Engine) Test(ctx context.Context, m Migration, test *Verification) (Migration, error) {
	return e.exclusive(ctx, m, func() (Migration, error) { return e.settleAs(ctx, m, goalMoved, test, testDue, 0) })
}

// Revert reverts a migration and waits until the server is back on its original
// host. What was written to its local disks since the migration is lost. The error is
// nil only if the migration is reverted, by anybody, or had failed. Every error is an
// *Error.
func (e *Engine) Revert(ctx context.Context, m Migration) (Migration, error) {
	return e.exclusive(ctx, m, func() (Migration, error) { return e.settleAs(ctx, m, goalReverted, nil, testNone, 0) })
}

// Destroy gives a migration up: no create of this run takes it over. on says what is
// done first to a pending one. With a test, it is confirmed only when the server has
// passed. Nothing is sent for a migration that has ended, or that this run itself has
// begun or taken over. Every error is an *Error.
func (e *Engine) Destroy(ctx context.Context, m Migration, on OnDestroy, test *Verification) (Migration, error) {
	return e.exclusive(ctx, m, func() (Migration, error) {
		if !e.ledger.giveUp(m) || m.Status.Settled() {
			return m, nil
		}
		return e.settle(ctx, m, on, test, 0)
	})
}

// exclusive does something while no other operation of the run works on the server.
func (e *Engine) exclusive(ctx context.Context, m Migration, do func() (Migration, error)) (Migration, error) {
	leave, err := e.ledger.enter(ctx, m.ServerID)
	if err != nil {
		return m, e.operation(m, goalObserved, true).fail(KindInterrupted, err)
	}
	defer leave()
	return do()
}

// settle does to a pending migration what OnDestroy says.
func (e *Engine) settle(ctx context.Context, m Migration, on OnDestroy, test *Verification, timeout time.Duration) (Migration, error) {
	switch on {
	case OnDestroyConfirm:
		return e.settleAs(ctx, m, goalConfirmed, test, testGate, timeout)
	case OnDestroyRevert:
		return e.settleAs(ctx, m, goalReverted, nil, testNone, timeout)
	}
	return m, nil
}

// settleAs brings a migration to the end that the goal names.
func (e *Engine) settleAs(ctx context.Context, m Migration, g goal, test *Verification, due testState, timeout time.Duration) (Migration, error) {
	o := e.operation(m, g, true)
	o.timeout = timeout
	if m.Status.Settled() {
		if last := concluded(o.situation(), m.Status); last.do == doStop {
			return m, o.fail(last.kind, nil)
		}
		return m, nil
	}
	o.toTest(test, due)
	err := o.run(ctx)
	if err == nil {
		o.noteLogged(ctx)
	}
	e.ledger.record(o.migration)
	return o.migration, err
}

// noteLogged takes the time of a confirm or revert of this operation from the action
// log, where that can be read. The time of the API's answer can be a second later. With
// the log's, another resource of the same migration shows the same time.
func (o *operation) noteLogged(ctx context.Context) {
	if o.sent != sentAccepted || o.log == logRead || !o.migration.Status.Settled() {
		return
	}
	if log, err := o.readLog(ctx); err == nil {
		o.moves, o.log = readHistory(log.Actions), logRead
		o.noteEnd(o.migration.Status)
	}
}

// operation returns a new operation on a migration. It is known if its request was
// accepted before, and else still to be requested or found.
func (e *Engine) operation(m Migration, g goal, known bool) *operation {
	o := &operation{engine: e, began: time.Now(), backOff: *backoff.NewExponentialBackOff()}
	o.goal, o.migration, o.retries = g, m, e.client.MaxRetries()
	o.migration.ConfirmWindow = e.confirmWindow
	o.givenUp = func(requestID string) bool { return e.ledger.gaveUp(m.ServerID, requestID) }
	o.known, o.hasAwaited = known, m.Status == StatusAwaiting
	o.mayBeReplaced = m.Status == StatusMigrating // nobody has watched the server since the state was written
	return o
}
