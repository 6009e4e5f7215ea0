package bench

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// do runs one command. README.md lists the commands. It returns false for a command that
// does not apply now, such as the confirm of a migration that is not in the state.
func (f *fleet) do(command string) bool {
	f.mu.Lock()
	at := len(f.story)
	f.story = append(f.story, command)
	f.mu.Unlock()
	words := strings.Fields(command)
	name, rest := words[0], options(words[1:])
	applies := true
	switch name {
	case "cloud":
		f.setUp(rest)
	case "server":
		f.add(rest)
	case "sleep", "advance":
		d, err := time.ParseDuration(rest[0])
		if err != nil {
			panic(err)
		}
		if name == "sleep" {
			time.Sleep(d)
		} else {
			f.cloud.Advance(d)
		}
	case "fault":
		f.inject(rest)
	case "clear":
		f.clearFaults()
	case "kill":
		applies = f.kill(f.pipelines[rest[0]])
	case "apply":
		f.newRun(f.pipelines[rest[0]])
	case "outcome", "confirmation", "health", "source":
		f.change(name, f.server(rest[0]), rest[1])
	case "somebody":
		f.somebody(f.server(rest[0]), rest[1])
	case "finish":
		f.finish()
	default:
		applies = f.operate(name, f.pipelines[rest[0]], f.server(rest[1]), rest[2:])
	}
	if !applies {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.story = slices.Delete(f.story, at, at+1)
		return false
	}
	synctest.Wait()
	f.checkWrites()
	return true
}

func (f *fleet) server(number string) *soakServer {
	n, err := strconv.Atoi(number)
	if err != nil {
		panic(err)
	}
	return f.servers[n-1]
}

// setUp makes the cloud.
func (f *fleet) setUp(o options) {
	f.config = fleetConfig{
		move: o.duration("move"), autoConfirm: o.duration("auto_confirm"), poll: o.duration("poll"), skew: o.duration("skew"),
		writes: o.number("writes"), concurrent: o.number("concurrent"),
	}
	timing := stub.ObservedTiming()
	timing.Migrate = f.config.move - timing.Prepare - timing.Migrated - timing.Finish
	f.cloud = stub.New(stub.Config{Timing: timing, AutoConfirmAfter: f.config.autoConfirm, WritesPerMinute: f.config.writes})
	f.cloud.Advance(f.config.skew)
}

func (f *fleet) add(o options) {
	s := &soakServer{n: len(f.servers) + 1, health: "healthy"}
	seed := stub.Server{AccessIPv4: fmt.Sprintf("192.0.2.%d", s.n), NoHostID: o.has("no_host_id"), Health: s.answer}
	if o.has("stopped") {
		seed.Status = "SHUTOFF"
	}
	s.id = f.cloud.AddServer(seed)
	f.servers = append(f.servers, s)
}

var outcomes = map[string]stub.Outcome{
	"moves": stub.OutcomeMoves, "no_valid_host": stub.OutcomeNoValidHost, "fails": stub.OutcomeFails,
	"finish_fails": stub.OutcomeFinishFails, "interrupted": stub.OutcomeInterrupted,
	"refused_at_once": stub.OutcomeNoValidHostAtOnce, "same_host": stub.OutcomeSameHost,
}

var confirmOutcomes = map[string]stub.ConfirmOutcome{
	"succeeds": stub.ConfirmSucceeds, "fails": stub.ConfirmFails, "never_ends": stub.ConfirmNeverEnds,
}

// change changes how a server behaves.
func (f *fleet) change(what string, s *soakServer, to string) {
	f.cloud.SetServer(s.id, func(server *stub.Server) {
		switch what {
		case "outcome":
			server.Outcome = outcomes[to]
		case "confirmation":
			server.ConfirmOutcome = confirmOutcomes[to]
		case "source":
			server.SourceDown = to == "down"
		case "health":
			server.PoweredOff = to == "powered_off"
		}
	})
	if what == "health" && to != "powered_off" {
		s.setHealth(to)
	}
}

// somebody makes another operator act. With _and_migrate the operator also begins another
// migration, some seconds later.
func (f *fleet) somebody(s *soakServer, action string) {
	if then, found := strings.CutSuffix(action, "_and_migrate"); found {
		f.somebody(s, then)
		time.AfterFunc(4*time.Second, func() { f.somebody(s, "migrate") })
		return
	}
	act := map[string]func(id, user string) error{
		"migrate": f.cloud.Migrate, "resize": f.cloud.Resize, "confirm": f.cloud.Confirm, "revert": f.cloud.Revert, "delete": f.cloud.DeleteBy,
	}[action]
	if err := act(s.id, "somebody"); err != nil {
		f.tell("somebody's %s of %d was refused", action, s.n)
		return
	}
	f.tell("somebody's %s of %d was accepted", action, s.n)
}

// kill kills the process of a pipeline. The results of its operations are lost, and requests
// that it has sent may still arrive.
func (f *fleet) kill(p *pipeline) bool {
	if p.run == nil {
		return false
	}
	p.run.kill()
	f.mu.Lock()
	for _, o := range f.operations {
		if o.run == p.run && o.ended.IsZero() {
			o.cancelled = time.Now()
			o.cancel()
		}
	}
	f.mu.Unlock()
	p.run = nil
	return true
}

// operate starts, or cancels, an operation of a pipeline on a server.
func (f *fleet) operate(name string, p *pipeline, s *soakServer, o options) bool {
	busy := f.running(p, s)
	if name == "cancel" {
		if busy == nil {
			return false
		}
		f.mu.Lock()
		busy.cancelled = time.Now()
		f.mu.Unlock()
		busy.cancel()
		return true
	}
	state := f.state(p, s)
	if busy != nil || (name == "create") != (state == nil) {
		return false
	}
	if p.run == nil || name != "refresh" && p.run.used[s] || name == "destroy" && p.run.destroyed[s] {
		f.newRun(p)
	}
	p.run.used[s] = p.run.used[s] || name != "refresh" && name != "destroy"
	p.run.destroyed[s] = p.run.destroyed[s] || name == "destroy"
	op := &operation{what: name, pipeline: p, run: p.run, server: s, autoConfirm: o.has("auto_confirm"), onDestroy: migration.OnDestroy(o.value("on_destroy"))}
	if state != nil {
		op.given = *state
	}
	var test *migration.Verification
	if o.has("test") {
		op.test, op.rollback, op.preflight = true, o.has("rollback"), o.has("preflight")
		test = f.verification(o)
	}
	timeout := operationTimeout
	if d := o.duration("timeout"); d > 0 {
		timeout = d
	}
	f.start(op, timeout, f.calls(op, test))
	return true
}

// want records that the configuration of the operation's pipeline has a migration of its
// server.
func (f *fleet) want(op *operation) {
	f.mu.Lock()
	defer f.mu.Unlock()
	op.pipeline.wanted[op.server] = true
}

// calls returns the call of the engine that an operation makes.
func (f *fleet) calls(op *operation, test *migration.Verification) func(context.Context, *migration.Engine) (migration.Migration, error) {
	request := migration.Request{ServerID: op.server.id, AutoConfirm: op.autoConfirm, Verification: test}
	switch op.what {
	case "create", "again":
		f.want(op)
		if op.what == "again" {
			request.Previous, request.OnDestroy, request.PreviousVerification = &op.given, op.onDestroy, test
		}
		return func(ctx context.Context, e *migration.Engine) (migration.Migration, error) {
			return e.Migrate(ctx, request)
		}
	case "confirm":
		return func(ctx context.Context, e *migration.Engine) (migration.Migration, error) {
			return e.Confirm(ctx, op.given, test)
		}
	case "test":
		return func(ctx context.Context, e *migration.Engine) (migration.Migration, error) {
			return e.Test(ctx, op.given, test)
		}
	case "revert":
		return func(ctx context.Context, e *migration.Engine) (migration.Migration, error) {
			return e.Revert(ctx, op.given)
		}
	case "refresh":
		return func(ctx context.Context, e *migration.Engine) (migration.Migration, error) {
			return e.Refresh(ctx, op.given)
		}
	case "destroy":
		op.run.gaveUp[op.given.RequestID] = true
		return func(ctx context.Context, e *migration.Engine) (migration.Migration, error) {
			return e.Destroy(ctx, op.given, op.onDestroy, test)
		}
	}
	panic("no such command: " + op.what)
}
