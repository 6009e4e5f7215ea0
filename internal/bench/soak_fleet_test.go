package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/verification"
)

// fleet is a cloud with servers, and two pipelines that run Terraform on them as the same
// Rackspace user, in virtual time. Everything that happens to it is a command, which is a
// line of text. So a random run can be written to a file, read by people, and run again.
type fleet struct {
	cloud     *stub.Stub
	config    fleetConfig
	began     time.Time
	servers   []*soakServer
	pipelines map[string]*pipeline
	runs      int

	mu         sync.Mutex
	operations []*operation
	late       []lateWrite
	writes     []*write
	recorded   int      // how many of the stub's requests checkWrites has read into writes
	story      []string // the commands and their results
	problems   []string // the violations that were found
}

// fleetConfig is the first command of a story.
type fleetConfig struct {
	move        time.Duration // how long a migration takes
	autoConfirm time.Duration // when the cloud confirms by itself; negative: never
	poll        time.Duration // the provider's poll_interval
	skew        time.Duration // by which the cloud's clock is ahead of this machine's
	writes      int           // the cloud's limit of writes a minute; 0: none
	concurrent  int           // max_concurrent_migrations
}

// soakServer is a server of the fleet.
type soakServer struct {
	n  int
	id string

	mu     sync.Mutex
	health string      // healthy, unhealthy (on any other host than its first), unhealthy_at_home, or late (unhealthy at first)
	times  []time.Time // of the latest connections on its present host; all of these found the server healthy
	passed time.Time   // when the latest passed test on its present host began; zero: no test passed
}

// pipeline is one working directory of Terraform, with its state.
type pipeline struct {
	name   string
	run    *run // its present process of the provider; nil: none
	states map[*soakServer]*migration.Migration
	wanted map[*soakServer]bool // its configuration has a migration of the server
}

// run is one process of the provider.
type run struct {
	name      string
	engine    *migration.Engine
	ctx       context.Context
	kill      context.CancelFunc
	used      map[*soakServer]bool // it has created, confirmed or reverted a migration of the server, which an apply does once
	destroyed map[*soakServer]bool // it has destroyed a migration of the server
	gaveUp    map[string]bool      // request ids of the migrations whose resource it has destroyed
}

// operation is one call of an engine.
type operation struct {
	n           int
	what        string
	pipeline    *pipeline
	run         *run
	server      *soakServer
	given       migration.Migration // what the state had; RequestID is empty for a create
	test        bool                // a confirm needs a passed verification
	rollback    bool                // a moved server that does not pass is reverted
	preflight   bool                // the server has to pass before it is moved
	autoConfirm bool
	onDestroy   migration.OnDestroy
	began       time.Time
	deadline    time.Time
	cancel      context.CancelFunc

	// Guarded by fleet.mu.
	readable  bool      // its last read of the action log succeeded
	cancelled time.Time // when it was cancelled
	ended     time.Time
	got       migration.Migration
	err       error
	kept      bool // its result was written to the state
}

func (o *operation) String() string {
	return fmt.Sprintf("%s %s %d (operation %d)", o.what, o.run.name, o.server.n, o.n)
}

type operationKey struct{}

func newFleet() *fleet {
	f := &fleet{pipelines: map[string]*pipeline{}, began: time.Now()}
	for _, name := range []string{"A", "B"} {
		f.pipelines[name] = &pipeline{name: name, states: map[*soakServer]*migration.Migration{}, wanted: map[*soakServer]bool{}}
	}
	return f
}

// tell adds a result to the story, as an indented line.
func (f *fleet) tell(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.story = append(f.story, fmt.Sprintf("    %9s  %s", "+"+time.Since(f.began).Round(time.Millisecond).String(), line))
}

// problem records a violation.
func (f *fleet) problem(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	f.tell("PROBLEM: %s", line)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.problems = append(f.problems, line)
}

// running returns the operation of a pipeline that works on a server, or nil.
func (f *fleet) running(p *pipeline, s *soakServer) *operation {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, o := range f.operations {
		if o.pipeline == p && o.server == s && o.ended.IsZero() {
			return o
		}
	}
	return nil
}

// state returns the migration of a server in the state of a pipeline, or nil.
func (f *fleet) state(p *pipeline, s *soakServer) *migration.Migration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return p.states[s]
}

// newRun starts a process of the provider.
func (f *fleet) newRun(p *pipeline) {
	f.runs++
	ctx, kill := context.WithCancel(context.Background())
	r := &run{name: fmt.Sprintf("%s%d", p.name, f.runs), ctx: ctx, kill: kill, used: map[*soakServer]bool{}, destroyed: map[*soakServer]bool{}, gaveUp: map[string]bool{}}
	client, err := cloudservers.New(cloudservers.Config{
		IdentityEndpoint: stub.IdentityEndpoint(stub.URL), MaxRetries: 3, PollInterval: f.config.poll, Context: ctx,
		Transport:   wire{f, r},
		Credentials: cloudservers.Credentials{Username: stub.DefaultUser.Name, APIKey: stub.DefaultUser.APIKey},
	})
	if err != nil {
		panic(err) // the endpoint is a constant
	}
	r.engine = migration.New(client, migration.Limits{Concurrent: f.config.concurrent}, migration.ConfirmationWindow)
	p.run = r
}

// operationTimeout is the timeout of an operation that has none of its own.
const operationTimeout = 20*time.Minute + 1300*time.Millisecond

// start starts an operation of a pipeline in the background.
func (f *fleet) start(o *operation, timeout time.Duration, call func(context.Context, *migration.Engine) (migration.Migration, error)) {
	ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), operationKey{}, o), timeout)
	o.cancel, o.began = cancel, time.Now()
	o.deadline = o.began.Add(timeout)
	f.mu.Lock()
	o.n = len(f.operations) + 1
	f.operations = append(f.operations, o)
	f.mu.Unlock()
	go func() {
		defer cancel()
		got, err := call(ctx, o.run.engine)
		f.mu.Lock()
		o.got, o.err, o.ended = got, err, time.Now()
		f.mu.Unlock()
		f.tell("%s ended: status %q, %v", o, got.Status, readable(err))
		f.checkEnd(o)
		f.keep(o)
	}()
}

// readable is a text for an error that is the same in each run.
func readable(err error) string {
	var failure *migration.Error
	if errors.As(err, &failure) {
		return "error: " + string(failure.Kind)
	}
	return fmt.Sprint(err)
}

// keep writes the result of an operation to the state, as the resource does.
func (f *fleet) keep(o *operation) {
	var failure *migration.Error
	errors.As(o.err, &failure)
	f.mu.Lock()
	defer f.mu.Unlock()
	o.kept = true
	if o.run.ctx.Err() != nil {
		return // the process was killed
	}
	is := func(kinds ...migration.Kind) bool { return failure != nil && slices.Contains(kinds, failure.Kind) }
	got := o.got
	switch {
	case o.what == "create" && o.err != nil && !is(migration.KindSettling):
		return // a failed create leaves nothing in the state
	case o.what == "destroy" && (o.err == nil || is(migration.KindGone, migration.KindReverted, migration.KindConfirmed)),
		is(migration.KindGone):
		delete(o.pipeline.states, o.server)
		if o.what == "destroy" {
			o.pipeline.wanted[o.server] = false
		}
		return
	case o.what == "refresh" && o.err != nil:
		return
	}
	o.pipeline.states[o.server] = &got
}

// connect connects to a server for its verification.
func (f *fleet) connect(ctx context.Context, network, address string) (net.Conn, error) {
	return f.cloud.Dial(ctx, network, address)
}

// successes is how many connections in a row have to find a server healthy.
const successes = 2

// verification is the test that the options of a command ask for.
func (f *fleet) verification(o options) *migration.Verification {
	test := &migration.Verification{Revert: o.has("rollback"), Plan: verification.Plan{
		SSHBanner: []verification.SSHBanner{{Port: stub.PortSSH}},
		Interval:  5 * time.Second, Timeout: time.Minute, Successes: successes, Dial: f.connect,
	}}
	if o.has("preflight") {
		test.Preflight = 30 * time.Second
	}
	return test
}

// answer is called by the stub at each connection to the server. It returns how the server
// answers.
func (s *soakServer) answer(v stub.Visit) stub.Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v.Attempt == 1 {
		s.times, s.passed = nil, time.Time{}
	}
	if !v.Home && (s.health == "unhealthy" || s.health == "late" && v.Since < 12*time.Second) || v.Home && s.health == "unhealthy_at_home" {
		s.times = nil
		return stub.Wrong
	}
	s.times = append(s.times, time.Now())
	if last := len(s.times) - successes; last >= 0 {
		s.passed = s.times[last]
	}
	return stub.Healthy
}

// hasPassed tells whether a verification that began at a time can have passed.
func (s *soakServer) hasPassed(since time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.passed.IsZero() && !s.passed.Before(since)
}

func (s *soakServer) setHealth(health string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.health = health
}

// options are the words of a command after its name.
type options []string

func (o options) has(word string) bool { return slices.Contains(o, word) }

func (o options) value(name string) string {
	for _, word := range o {
		if value, found := strings.CutPrefix(word, name+"="); found {
			return value
		}
	}
	return ""
}

func (o options) duration(name string) time.Duration {
	d, _ := time.ParseDuration(o.value(name))
	return d
}

func (o options) number(name string) int {
	n, _ := strconv.Atoi(o.value(name))
	return n
}
