package bench

import (
	"context"
	"errors"
	"slices"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func (f *fleet) clearFaults() {
	f.cloud.ClearFaults()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.late = nil
}

// finish clears the faults, and applies all configurations once more. Each migration in them
// must then be confirmed, unless it was reverted or has failed before.
func (f *fleet) finish() {
	f.clearFaults()
	for _, s := range f.servers {
		s.setHealth("healthy")
		f.cloud.SetServer(s.id, func(server *stub.Server) {
			server.Outcome, server.ConfirmOutcome, server.SourceDown = stub.OutcomeMoves, stub.ConfirmSucceeds, false
		})
	}
	time.Sleep(f.config.move + 5*time.Minute)
	f.stopAll()
	synctest.Wait()
	time.Sleep(time.Minute)
	f.checkWrites()
	for _, s := range f.servers {
		if open := find(f.moves(s), (*move).isOpen); open != nil && !open.isOurs() {
			_ = f.cloud.Confirm(s.id, "somebody")
		}
	}
	time.Sleep(time.Minute)
	for _, p := range []*pipeline{f.pipelines["A"], f.pipelines["B"]} {
		f.newRun(p)
		for _, s := range f.servers {
			f.applyAgain(p, s)
		}
	}
	f.checkWrites()
}

// stopAll cancels all operations that have not ended.
func (f *fleet) stopAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, o := range f.operations {
		if o.ended.IsZero() {
			o.cancelled = time.Now()
			o.cancel()
		}
	}
}

// applyAgain applies the configuration of a pipeline for a server once more.
func (f *fleet) applyAgain(p *pipeline, s *soakServer) {
	server, exists := f.cloud.Server(s.id)
	f.mu.Lock()
	state, wanted := p.states[s], p.wanted[s]
	f.mu.Unlock()
	switch {
	case !wanted && state == nil, !exists:
		return
	case server.Status != "ACTIVE" && server.Status != "SHUTOFF" && server.Status != "VERIFY_RESIZE":
		return // only an operator can help
	case server.Status == "VERIFY_RESIZE" && find(f.moves(s), (*move).isOpen) == nil:
		return // a confirm that never ends
	}
	if state == nil {
		f.createAgain(p, s)
		return
	}
	op := &operation{what: "confirm", pipeline: p, run: p.run, server: s, given: *state}
	truth := byID(f.moves(s), state.RequestID)
	got, err := f.runToEnd(op, func(ctx context.Context, e *migration.Engine) (migration.Migration, error) {
		return e.Confirm(ctx, *state, nil)
	})
	if truth == nil || state.Status.Settled() {
		return
	}
	want := map[string]migration.Status{"": migration.StatusConfirmed, "confirmed": migration.StatusConfirmed, "reverted": migration.StatusReverted}[truth.end]
	if truth.failed || truth.end == "replaced" || truth.end == "" && server.Status != "VERIFY_RESIZE" {
		return // it has failed; some failures cannot be seen later
	}
	if got.Status != want || (err == nil) != (want == migration.StatusConfirmed) {
		f.problem("the last confirm ended with status %s (%s), want %s", got.Status, readable(err), want)
	}
}

// createAgain creates a migration that a configuration has and its state has not.
func (f *fleet) createAgain(p *pipeline, s *soakServer) {
	moves, now := f.moves(s), f.cloud.Now()
	newest := find(moves, (*move).isOurs)
	server, _ := f.cloud.Server(s.id)
	endUnknown := find(moves, (*move).isOpen) != nil && server.Status != "VERIFY_RESIZE"
	op := &operation{what: "create", pipeline: p, run: p.run, server: s, autoConfirm: true}
	got, err := f.runToEnd(op, func(ctx context.Context, e *migration.Engine) (migration.Migration, error) {
		return e.Migrate(ctx, migration.Request{ServerID: s.id, AutoConfirm: true})
	})
	var failure *migration.Error
	errors.As(err, &failure)
	ended := newest != nil && (newest.end == "replaced" || endUnknown)
	switch {
	case failure != nil && failure.Kind == migration.KindUntold && ended:
		return
	case err != nil || got.Status != migration.StatusConfirmed:
		f.problem("the last create ended with status %s (%s), want it confirmed", got.Status, readable(err))
	case newest != nil && !ended && (newest.isOpen() || newest.end == "confirmed" && now.Sub(newest.endedAt) < 23*time.Hour) && got.RequestID != newest.id:
		f.problem("the last create migrated the server again instead of taking over a migration")
	}
}

// runToEnd starts an operation, and waits until it has ended.
func (f *fleet) runToEnd(op *operation, call func(context.Context, *migration.Engine) (migration.Migration, error)) (migration.Migration, error) {
	f.start(op, operationTimeout, call)
	for range int(operationTimeout / time.Second) {
		f.mu.Lock()
		kept := op.kept
		f.mu.Unlock()
		if kept {
			break
		}
		time.Sleep(time.Second)
	}
	f.checkWrites()
	f.mu.Lock()
	defer f.mu.Unlock()
	return op.got, op.err
}

// close cancels all operations, and kills all processes.
func (f *fleet) close() {
	f.stopAll()
	for _, p := range f.pipelines {
		if p.run != nil {
			p.run.kill()
		}
	}
}

// transcript returns a copy of the story.
func (f *fleet) transcript() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.story)
}
