package migration

import (
	"context"
	"errors"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// settlingLooks is how many looks in a row, one poll interval apart, have to
// show the same thing before it is believed where one look cannot prove it.
const settlingLooks = 5

// unwatched is how long a server may go unseen without anybody having had the
// time to settle its migration and begin another one.
const unwatched = 30 * time.Second

// Engine moves servers of one account. It is safe for concurrent use.
type Engine struct {
	client *cloudservers.Client
	claims *claims
	fleet  *fleet
}

// New returns an engine on a client, for one run of Terraform.
func New(client *cloudservers.Client, limits Limits) *Engine {
	return &Engine{client, newClaims(), newFleet(limits)}
}

// Request asks for one migration.
type Request struct {
	Region      string // empty: the client's
	ServerID    string
	AutoConfirm bool // confirm as soon as the server has moved

	// Verification is what the server has to pass before AutoConfirm confirms;
	// nil confirms without a test.
	Verification *Verification

	// Timeout bounds the migration from its turn on; zero means that only the
	// context does. What it waits for others (Limits, the rate limit) is not its
	// own time.
	Timeout time.Duration
}

// Migrate moves a server and waits until it runs on its new host and awaits
// confirmation or, with AutoConfirm or where the cloud confirms by itself,
// until the migration is confirmed. A migration that an earlier run asked for
// and could not record is taken over instead (Migration.Adopted). An engine
// migrates a server once. Every error is an *Error.
func (e *Engine) Migrate(ctx context.Context, request Request) (Migration, error) {
	m := &mover{engine: e, migration: Migration{ServerID: request.ServerID, Region: request.Region}}
	if !e.claims.take(request.ServerID) {
		return m.migration, m.fail(KindClaimed, nil)
	}
	err := e.migrateInTurn(ctx, m, request)
	var failure *Error
	if errors.As(err, &failure) && m.migration.RequestID == "" && m.migration.Status == "" {
		failure.Replacing = e.claims.forgotAny(request.ServerID) && !failure.Forgotten
	}
	return m.migration, err
}

func (e *Engine) migrateInTurn(ctx context.Context, m *mover, request Request) error {
	leave, err := e.fleet.enter(ctx, m)
	if err != nil {
		return err
	}
	defer leave()
	err = m.migrate(ctx, request)
	e.fleet.note(err)
	return err
}

// Forget says that a migration is given up, so that no later Migrate of this run
// adopts it. Until leave is called, no Migrate of its server begins, so that it
// can be settled first. forgotten is false when a Migrate has taken the migration
// over: then it must be left to that one. The error is an *Error, with
// KindInterrupted.
func (e *Engine) Forget(ctx context.Context, migration Migration) (leave func(), forgotten bool, err error) {
	leave = func() {}
	if !migration.Status.Settled() {
		if leave, err = e.claims.decide(ctx, migration.ServerID); err != nil {
			m := &mover{engine: e, migration: migration}
			return nil, false, m.fail(KindInterrupted, err)
		}
	}
	return leave, e.claims.forget(migration), nil
}

// Confirm confirms a migration and waits until the server has settled, after it
// has passed the test if there is one. A migration that is under way is first
// waited for; one that turns out to be settled already is returned as it is,
// without an error. Every error is an *Error.
func (e *Engine) Confirm(ctx context.Context, migration Migration, test *Verification) (Migration, error) {
	m := &mover{engine: e, migration: migration}
	err := m.settle(ctx, func(ctx context.Context) error { return m.confirm(ctx, test) })
	return m.migration, err
}

// Revert reverts a migration and waits until the server is back on its original
// host; what was written since the migration is lost. It is otherwise like
// Confirm.
func (e *Engine) Revert(ctx context.Context, migration Migration) (Migration, error) {
	m := &mover{engine: e, migration: migration}
	err := m.settle(ctx, func(ctx context.Context) error { return m.conclude(ctx, StatusReverted) })
	return m.migration, err
}

// Refresh returns the migration as it is now, or was less than a poll interval
// ago: refreshes share what they read. For a settled one nothing is sent. Every
// error is an *Error; KindGone says that the server was deleted.
func (e *Engine) Refresh(ctx context.Context, migration Migration) (Migration, error) {
	m := &mover{engine: e, migration: migration}
	err := m.refresh(ctx, m.peek)
	return m.migration, err
}

// mover works on one migration.
type mover struct {
	engine    *Engine
	region    *cloudservers.Region
	migration Migration
	before    *cloudservers.Server // as it was when the migration was asked for
	server    *cloudservers.Server // as last seen
	want      Status               // what the migration is being settled as; empty until then

	newest     *cloudservers.Action // the newest migrate or resize that was found in the action log
	confirming bool                 // it is adopted, and its confirm was accepted already
	asked      bool                 // a migrate request was sent, whatever became of it
	settles    bool                 // it is confirmed or reverted as soon as it has moved

	seen  time.Time // when server was seen, by this machine's clock
	doubt bool      // what awaits confirmation may be another's, see prove
}

func (m *mover) migrate(ctx context.Context, request Request) error {
	ctx, cancel, err := m.begin(ctx, request.Timeout)
	defer cancel()
	if err == nil && m.confirming {
		err = m.resume(ctx)
	}
	if err == nil && m.migration.Status == StatusMigrating {
		m.settles = request.AutoConfirm
		defer m.engine.client.FreeRoom(request.ServerID)
		err = m.awaitMove(ctx)
	}
	if err != nil || m.migration.Status != StatusAwaiting {
		return err
	}
	if request.AutoConfirm {
		return m.confirm(ctx, request.Verification)
	}
	if m.doubt {
		return m.learn(ctx)
	}
	return nil
}

// begin takes a migration over, or asks for one. It returns the context of the
// migration's own time, which begins anew when its turn has come.
func (m *mover) begin(ctx context.Context, timeout time.Duration) (own context.Context, cancel context.CancelFunc, err error) {
	own, cancel = within(ctx, timeout)
	leave, err := m.engine.claims.decide(own, m.migration.ServerID)
	if err != nil {
		return own, cancel, m.fail(KindBusy, err)
	}
	defer leave()
	for {
		if err := m.inspect(own); err != nil {
			return own, cancel, err
		}
		adopted, err := m.adopt(own)
		if err == nil && !adopted {
			cancel()
			turn, failed := m.region.MigrateTurn(ctx, m.migration.ServerID)
			if own, cancel = within(ctx, timeout); failed != nil {
				return own, cancel, m.fail(KindTurn, failed)
			}
			err = m.start(own, turn)
		}
		if errors.Is(err, errTouched) {
			continue
		}
		m.engine.claims.own(m.migration)
		return own, cancel, err
	}
}

// within bounds a context; a timeout of zero does not.
func within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

// locate finds the API of the migration's region.
func (m *mover) locate(ctx context.Context) error {
	region, err := m.engine.client.Region(ctx, m.migration.Region)
	if err != nil {
		return m.fail(KindAPI, err)
	}
	m.region, m.migration.Region = region, region.Name
	return nil
}

// lookTwice looks at the server. A server that is gone is forgotten, so that only
// a second look is believed that does not find it.
func (m *mover) lookTwice(ctx context.Context, first func(context.Context) error) error {
	err := first(ctx)
	if errors.Is(err, cloudservers.ErrNotFound) && m.rest(ctx) == nil {
		err = m.look(ctx)
	}
	return err
}

func (m *mover) look(ctx context.Context) error {
	server, err := m.region.Server(ctx, m.migration.ServerID)
	if err != nil {
		return err
	}
	m.saw(server)
	return nil
}

// peek looks at the server by what was read lately, where that is cheaper.
func (m *mover) peek(ctx context.Context) error {
	server, err := m.region.Peek(ctx, m.migration.ServerID)
	if err != nil {
		return err
	}
	m.saw(server)
	return nil
}

func (m *mover) saw(server *cloudservers.Server) {
	now := time.Now().Round(0) // a monotonic clock stands still while the machine sleeps
	before := m.seen
	if server.WatchedUntil.After(before) {
		before = server.WatchedUntil
	}
	if !before.IsZero() && now.Sub(before) > unwatched || m.migration.FlavorID != "" && server.Flavor.ID != m.migration.FlavorID {
		m.doubt = true
	}
	m.server, m.seen = server, now
	m.migration.see(server)
}

func (m *mover) fail(kind Kind, err error) error {
	return &Error{Kind: kind, Migration: m.migration, Server: m.server, Want: m.want, Sent: m.asked, Err: err}
}

// waitError explains why a wait ended without a verdict; interrupted is the
// kind of a wait that was cancelled or timed out.
func (m *mover) waitError(ctx context.Context, err error, interrupted Kind) error {
	var known *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known
	case ctx.Err() != nil:
		return m.fail(interrupted, err)
	case errors.Is(err, cloudservers.ErrNotFound):
		return m.fail(KindGone, err)
	case interrupted == KindSettling:
		return m.fail(KindSettling, err)
	default:
		return m.fail(KindWait, err)
	}
}
