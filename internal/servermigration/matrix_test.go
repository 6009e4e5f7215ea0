package servermigration

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/verification"
)

// tokenLifetime is short, so that tokens also expire by themselves.
const tokenLifetime = 61 * time.Second

// failure is what goes wrong with a request.
type failure struct {
	name  string
	fault stub.Fault
	do    func(*stub.Stub) // what else happens, before the request is looked at; or nil
	says  string           // what a diagnostic names as its cause
}

func failures() []failure {
	var all []failure
	for _, status := range []int{400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 501, 502, 503, 504} {
		all = append(all, failure{
			name:  strconv.Itoa(status),
			fault: stub.Fault{Status: status, RetryAfter: 5 * time.Second},
			says:  strconv.Itoa(status),
		})
	}
	page := stub.HTML(http.StatusBadGateway)
	page.Effect = true
	return append(all,
		failure{name: "reset before the effect", fault: stub.Fault{Reset: true}, says: "connection was closed"},
		failure{name: "reset after the effect", fault: stub.Fault{Reset: true, Effect: true}, says: "connection was closed"},
		failure{name: "timeout before the effect", fault: stub.Fault{Hang: true}, says: "no answer came in time"},
		failure{name: "timeout after the effect", fault: stub.Fault{Hang: true, Effect: true}, says: "no answer came in time"},
		failure{name: "proxy's page after the effect", fault: page, says: "502"},
		failure{name: "truncated answer", fault: stub.Fault{Truncate: true}, says: "connection was closed"},
		failure{name: "connection refused", fault: stub.Fault{Refuse: true}, says: "connection was refused"},
		failure{name: "token revoked", fault: stub.Fault{RevokeTokens: true}, says: "401"},
		failure{name: "token expired", do: func(s *stub.Stub) { s.Advance(tokenLifetime) }, says: "401"},
	)
}

// occurrence is which requests of a kind the failure hits.
type occurrence struct {
	name  string
	skip  int
	count int
	until time.Duration
}

var occurrences = []occurrence{
	{"the first", 0, 1, 0}, {"the third", 2, 1, 0}, {"every one for a minute", 0, 0, time.Minute}, {"every one for ever", 0, 0, 0},
}

// others is what another operator does meanwhile.
type others struct {
	name string
	does map[time.Duration]func(*stub.Stub, string) error // by the time since the beginning
	says []string                                         // what a diagnostic can name as its cause, besides the failure
	most int                                              // of the occurrences that it is combined with
}

const somebody = "user-7"

// act lets the operator act from now on. The cloud may refuse it, as it may to anybody.
func (o others) act(cloud *stub.Stub, id string) {
	for after, do := range o.does {
		time.AfterFunc(after, func() { _ = do(cloud, id) })
	}
}

// Without failures a server awaits confirmation from 7.2 s on.
var operators = []others{
	{name: "alone", most: len(occurrences)},
	{name: "somebody confirms", says: []string{"was confirmed"}, most: 3, does: map[time.Duration]func(*stub.Stub, string) error{
		7300 * time.Millisecond: func(s *stub.Stub, id string) error { return s.Confirm(id, somebody) },
	}},
	{name: "somebody reverts, and migrates it", says: []string{"was reverted", "a migration of it is pending"}, most: 3, does: map[time.Duration]func(*stub.Stub, string) error{
		7300 * time.Millisecond: func(s *stub.Stub, id string) error { return s.Revert(id, somebody) },
		12 * time.Second:        func(s *stub.Stub, id string) error { return s.Migrate(id, somebody) },
	}},
	{name: "somebody migrates it first", says: []string{"a migration of it is pending"}, most: 3, does: map[time.Duration]func(*stub.Stub, string) error{
		time.Millisecond: func(s *stub.Stub, id string) error { return s.Migrate(id, somebody) },
	}},
}

// scenario is what is asked of the engine while something fails.
type scenario struct {
	name     string
	seed     stub.Server
	before   func(*stub.Stub, string) error // what an earlier run did
	given    bool                           // the state has a migration that awaits confirmation
	migrates int                            // migrations that the scenario asks for, that one included: 1 or none
	maybe    bool                           // a success can do without
	act      func(context.Context, *migration.Engine, string) (migration.Migration, error)
	op       operation     // what an error of it means for the state
	tests    tests         // what a success says of the server
	reverts  bool          // the plan has told that the migration may be reverted
	again    bool          // a failed act can be done again by another run, and then comes to its end
	calls    []stub.Call   // that it can make
	most     int           // of the occurrences that it is combined with; 0: all
	within   time.Duration // its timeout; 0: 20 minutes
}

// tests is what a success says of the test of the moved server.
type tests int

const (
	testsNothing  tests = iota
	testsFirst          // it has passed, if we confirmed
	testsAndTells       // its result is known
	testsOrFails        // it has passed
)

// The calls that scenarios can make. A fault of another call would show nothing.
var (
	everyCall = []stub.Call{stub.CallToken, stub.CallServer, stub.CallList, stub.CallActionLog, stub.CallMigrate, stub.CallConfirm, stub.CallRevert}
	toConfirm = except(stub.CallRevert)
	toRevert  = except(stub.CallConfirm)
	toMove    = except(stub.CallConfirm, stub.CallRevert)
	toSettle  = except(stub.CallList, stub.CallMigrate)
	toRead    = except(stub.CallList, stub.CallMigrate, stub.CallConfirm, stub.CallRevert)
)

func except(calls ...stub.Call) []stub.Call {
	return slices.DeleteFunc(slices.Clone(everyCall), func(call stub.Call) bool { return slices.Contains(calls, call) })
}

func scenarios() []scenario {
	address := stub.Server{AccessIPv4: "192.0.2.11"}
	unhealthy := stub.Server{AccessIPv4: "192.0.2.11", Health: stub.HealthyOnOriginalHost(stub.Wrong)}
	unhealthyAtHome := stub.Server{AccessIPv4: "192.0.2.11", Health: func(v stub.Visit) stub.Health {
		if v.Home {
			return stub.Wrong
		}
		return stub.Healthy
	}}
	stopped := stub.Server{AccessIPv4: "192.0.2.11", Status: "SHUTOFF"}
	crashed := func(cloud *stub.Stub, id string) error {
		return cloud.Migrate(id, stub.DefaultUser.ID)
	}
	crashedLater := func(cloud *stub.Stub, id string) error {
		if err := crashed(cloud, id); err != nil {
			return err
		}
		time.Sleep(31 * time.Second)
		defer time.Sleep(31 * time.Second)
		return cloud.Confirm(id, stub.DefaultUser.ID)
	}
	return []scenario{
		{name: "migrate", migrates: 1, act: migrate(false), again: true, calls: toMove},
		{name: "migrate and confirm", migrates: 1, act: migrate(true), again: true, calls: toConfirm},
		{name: "migrate a stopped server, then revert", seed: stub.Server{Status: "SHUTOFF"}, migrates: 1, act: then((*migration.Engine).Revert), reverts: true, calls: toRevert},
		{name: "migrate, then refresh", migrates: 1, act: then((*migration.Engine).Refresh), calls: toMove},
		{name: "migrate where no host has room", seed: stub.Server{Outcome: stub.OutcomeNoValidHost}, migrates: 1, act: migrate(true), calls: toMove},
		{name: "migrate, test and confirm", seed: address, migrates: 1, act: tested(true, false, 0), tests: testsOrFails, again: true, calls: toConfirm},
		{name: "migrate a server that is unhealthy then", seed: unhealthy, migrates: 1, act: tested(true, false, 0), tests: testsOrFails, again: true, calls: toMove},
		{name: "migrate a server that is unhealthy then, and roll back", seed: unhealthy, migrates: 1, act: tested(true, true, 0), tests: testsOrFails, reverts: true, calls: toRevert},
		{name: "take over what a crash left pending", before: crashed, act: migrate(true), again: true, calls: toConfirm},
		{name: "record what was confirmed before a crash", before: crashedLater, act: migrate(true), again: true, calls: toConfirm},
		{name: "migrate and test", seed: address, migrates: 1, act: tested(false, false, 0), tests: testsAndTells, again: true, calls: toMove, most: 3},
		{name: "migrate a server that is unhealthy then, and tell", seed: unhealthy, migrates: 1, act: tested(false, false, 0), tests: testsAndTells, again: true, calls: toMove, most: 3},
		{name: "migrate a server that is unhealthy then, and roll back without auto_confirm", seed: unhealthy, migrates: 1, act: tested(false, true, 0), tests: testsAndTells, reverts: true, calls: toRevert, most: 2},
		{name: "preflight, migrate, test and confirm", seed: address, migrates: 1, act: tested(true, false, preflightTime), tests: testsOrFails, again: true, calls: toConfirm, most: 2},
		{name: "preflight of a server that is unhealthy", seed: unhealthyAtHome, act: tested(true, true, preflightTime), tests: testsOrFails, calls: toRead, most: 3},
		{name: "preflight of a server that is stopped", seed: stopped, act: tested(false, true, preflightTime), tests: testsAndTells, calls: toRead, most: 1},
		{name: "test what awaits confirmation, and roll back", seed: unhealthy, given: true, migrates: 1, act: testsGiven(true), op: recorded, tests: testsAndTells, reverts: true, calls: toSettle, most: 2},
		{name: "destroy with a test of a server that is unhealthy", seed: unhealthy, given: true, migrates: 1, act: destroysGiven, op: destroying, tests: testsFirst, calls: toSettle, most: 2},
	}
}

const preflightTime = 30 * time.Second

func migrate(autoConfirm bool) func(context.Context, *migration.Engine, string) (migration.Migration, error) {
	return func(ctx context.Context, e *migration.Engine, id string) (migration.Migration, error) {
		return e.Migrate(ctx, migration.Request{ServerID: id, AutoConfirm: autoConfirm})
	}
}

// then migrates, and does something else next.
func then(next func(*migration.Engine, context.Context, migration.Migration) (migration.Migration, error)) func(context.Context, *migration.Engine, string) (migration.Migration, error) {
	return func(ctx context.Context, e *migration.Engine, id string) (migration.Migration, error) {
		m, err := e.Migrate(ctx, migration.Request{ServerID: id})
		if err != nil {
			return m, err
		}
		return next(e, ctx, m)
	}
}

func tested(autoConfirm, revert bool, preflight time.Duration) func(context.Context, *migration.Engine, string) (migration.Migration, error) {
	return func(ctx context.Context, e *migration.Engine, id string) (migration.Migration, error) {
		test := verificationIn(ctx, revert)
		test.Preflight = preflight
		return e.Migrate(ctx, migration.Request{ServerID: id, AutoConfirm: autoConfirm, Verification: test})
	}
}

func testsGiven(revert bool) func(context.Context, *migration.Engine, string) (migration.Migration, error) {
	return func(ctx context.Context, e *migration.Engine, _ string) (migration.Migration, error) {
		return e.Test(ctx, ctx.Value(givenKey{}).(migration.Migration), verificationIn(ctx, revert))
	}
}

// destroysGiven destroys what is to be confirmed, and never reverted, although its
// verification says so.
func destroysGiven(ctx context.Context, e *migration.Engine, _ string) (migration.Migration, error) {
	return e.Destroy(ctx, ctx.Value(givenKey{}).(migration.Migration), migration.OnDestroyConfirm, verificationIn(ctx, true))
}

func verificationIn(ctx context.Context, revert bool) *migration.Verification {
	return &migration.Verification{Revert: revert, Plan: verification.Plan{
		SSHBanner: []verification.SSHBanner{{Port: stub.PortSSH}}, HTTP: []verification.HTTP{{URL: "http://:8080/"}},
		Interval: 5 * time.Second, Timeout: time.Minute, Successes: 3, Dial: dialOf(ctx),
	}}
}

// givenKey is under which a context has the migration in the state.
type givenKey struct{}

// dialKey is under which a context has how to connect to servers.
type dialKey struct{}

func dialOf(ctx context.Context) func(context.Context, string, string) (net.Conn, error) {
	return ctx.Value(dialKey{}).(*stub.Stub).Dial
}

// with are the calls and the occurrences that a scenario is combined with.
func (sc scenario) with(operator others) ([]stub.Call, []occurrence) {
	most := operator.most
	if sc.most > 0 {
		most = min(most, sc.most)
	}
	return sc.calls, occurrences[:most]
}

// TestMatrix_survivesEveryFault runs each scenario with each failure in each call at
// each time, in virtual time, and holds the outcome against the cloud's truth. Until its
// failure a case is the same as without one, so that what is never requested then cannot
// fail, and is no case.
func TestMatrix_survivesEveryFault(t *testing.T) {
	var cases atomic.Int64
	t.Cleanup(func() { t.Logf("the matrix has %d cases", cases.Load()) })
	for _, sc := range scenarios() {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			for _, operator := range operators {
				calls, occurrences := sc.with(operator)
				requests := sc.withoutFailure(t, operator)
				for _, call := range calls {
					for _, w := range occurrences {
						if requests[call] <= w.skip {
							continue
						}
						for _, what := range failures() {
							cases.Add(1)
							name := fmt.Sprintf("%s on %s of the %s requests, %s", what.name, w.name, call, operator.name)
							t.Run(strings.ReplaceAll(name, "/", " "), func(t *testing.T) {
								synctest.Test(t, func(t *testing.T) { runCase(t, sc, call, what, w, operator) })
							})
						}
					}
				}
			}
		})
	}
}

// withoutFailure runs a scenario in which nothing fails. It returns how many requests
// of each call the scenario makes.
func (sc scenario) withoutFailure(t *testing.T, operator others) map[stub.Call]int {
	requests := map[stub.Call]int{}
	t.Run("nothing fails, "+operator.name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			cloud, id := sc.begin(t)
			ctx, cancel := sc.prepare(t, cloud, id)
			defer cancel()
			for _, call := range everyCall {
				requests[call] = -cloud.Count(call)
			}
			operator.act(cloud, id)
			_, _ = sc.run(t, ctx, cloud, id)
			for _, call := range everyCall {
				requests[call] += cloud.Count(call)
			}
		})
	})
	return requests
}

// timeout is that of the act. It is at no multiple of any interval: what happens at the
// very same instant as the end of the wait may come first or last.
func (sc scenario) timeout() time.Duration {
	return cmp.Or(sc.within, 20*time.Minute) + 1300*time.Millisecond
}

func runCase(t *testing.T, sc scenario, call stub.Call, what failure, w occurrence, operator others) {
	cloud, id := sc.begin(t)
	home, _ := cloud.Server(id)
	ctx, cancel := sc.prepare(t, cloud, id)
	defer cancel()
	fault := what.fault
	fault.Call, fault.Skip, fault.Count = call, w.skip, w.count
	if what.do != nil {
		fault.Do = func() { what.do(cloud) }
	}
	cloud.Inject(fault)
	if w.until > 0 {
		time.AfterFunc(w.until+time.Millisecond, cloud.ClearFaults)
	}
	operator.act(cloud, id)
	got, err := sc.run(t, ctx, cloud, id)

	sent := cloud.Count(stub.CallMigrate)
	if operator.does != nil {
		if err == nil {
			wantOutcome(t, cloud, id, got)
		} else {
			wantCause(t, explain(err, sc.op), what.says, got, sent, operator.says...)
		}
		return
	}
	if err == nil {
		wantTruth(t, cloud, id, home, got)
		return
	}
	wantCause(t, explain(err, sc.op), what.says, got, sent)
	if sc.again {
		wantEnd(t, cloud, sc, id, home, got, err)
	}
}

// begin is the cloud of a scenario, with its server.
func (sc scenario) begin(t *testing.T) (cloud *stub.Stub, id string) {
	t.Helper()
	cloud = stub.New(stub.Config{AutoConfirmAfter: -1, TokenLifetime: tokenLifetime})
	return cloud, cloud.AddServer(sc.seed)
}

// prepare does what earlier runs did, and makes the context of the act.
func (sc scenario) prepare(t *testing.T, cloud *stub.Stub, id string) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx := context.WithValue(t.Context(), dialKey{}, cloud)
	if sc.before != nil {
		if err := sc.before(cloud, id); err != nil {
			t.Fatal(err)
		}
	}
	if sc.given {
		given, err := engineOn(t, cloud.Transport()).Migrate(ctx, migration.Request{ServerID: id})
		if err != nil {
			t.Fatal(err)
		}
		ctx = context.WithValue(ctx, givenKey{}, given)
	}
	return context.WithTimeout(ctx, sc.timeout())
}

// run does what the scenario asks for, and checks what holds whatever came of it.
func (sc scenario) run(t *testing.T, ctx context.Context, cloud *stub.Stub, id string) (migration.Migration, error) {
	t.Helper()
	began := time.Now()
	got, err := sc.act(ctx, engineOn(t, cloud.Transport()), id)
	if took := time.Since(began); took > sc.timeout()+time.Second {
		t.Errorf("took %s, a second longer than its timeout at most", took)
	}
	migrations := cloud.Migrations(id)
	if migrations > sc.migrates || err == nil && migrations != sc.migrates && !sc.maybe {
		t.Errorf("got %d migrations (error: %v), want %d at most, and no less after a success", migrations, err, sc.migrates)
	}
	if sent := cloud.Count(stub.CallMigrate); sc.migrates == 0 && sent > 0 {
		t.Errorf("got %d migrate requests, want none", sent)
	}
	if confirms := cloud.Count(stub.CallConfirm); sc.seed.Health != nil && confirms > 0 {
		t.Errorf("got %d confirm requests for a server that is unhealthy", confirms)
	}
	if reverts := cloud.Count(stub.CallRevert); !sc.reverts && reverts > 0 {
		t.Errorf("got %d revert requests that no plan has announced", reverts)
	}
	diags := explain(err, sc.op)
	if !diags.HasError() {
		sc.wantTested(t, got, err)
	}
	wantNobodyElsesSettled(t, cloud.ActionLog(id))
	wantTrueWords(t, diags, cloud.ActionLog(id))
	return got, err
}

// wantTested checks what a success says of the test of the moved server. A warning is
// a success, too.
func (sc scenario) wantTested(t *testing.T, got migration.Migration, err error) {
	t.Helper()
	result := got.VerificationResult
	switch {
	case sc.tests == testsOrFails && (result == nil || !result.Passed):
		t.Errorf("got a success (%v) without a passed verification: %+v", err, result)
	case sc.tests == testsAndTells && result == nil:
		t.Errorf("got a success (%v) without a verification", err)
	}
}

// wantTrueWords holds what a diagnostic says of who has confirmed or reverted the
// migration against the action log.
func wantTrueWords(t *testing.T, diags diag.Diagnostics, log []stub.Action) {
	t.Helper()
	settled := func(action string) bool {
		return slices.ContainsFunc(log, func(a stub.Action) bool {
			return a.Action == action && a.UserID == stub.DefaultUser.ID && a.Message == ""
		})
	}
	for _, d := range diags {
		if strings.Contains(d.Detail(), "The provider reverted the migration") && !settled(cloudservers.ActionRevert) {
			t.Errorf("got a diagnostic of a revert that the action log does not have:\n%s", d.Detail())
		}
		if strings.Contains(d.Detail(), "The provider did not confirm the migration") && settled(cloudservers.ActionConfirm) {
			t.Errorf("got a diagnostic that denies a confirm of ours:\n%s", d.Detail())
		}
	}
}

// wantNobodyElsesSettled holds each confirm and revert of ours against the move
// that it ended: it has to be ours too.
func wantNobodyElsesSettled(t *testing.T, log []stub.Action) {
	t.Helper()
	var open stub.Action
	for _, entry := range slices.Backward(log) {
		switch entry.Action {
		case cloudservers.ActionMigrate, cloudservers.ActionResize:
			open = entry
		case cloudservers.ActionConfirm, cloudservers.ActionRevert:
			if entry.UserID == stub.DefaultUser.ID && open.UserID != stub.DefaultUser.ID {
				t.Errorf("got a %s of ours for the %s of %s", entry.Action, open.Action, open.UserID)
			}
		}
	}
}

// wantOutcome holds what the engine says without an error against the action log
// and the server, whoever did what.
func wantOutcome(t *testing.T, cloud *stub.Stub, id string, got migration.Migration) {
	t.Helper()
	log := cloud.ActionLog(id)
	begun := slices.IndexFunc(log, func(a stub.Action) bool { return a.RequestID == got.RequestID })
	if begun < 0 {
		t.Errorf("got request id %q, which the action log does not have", got.RequestID)
		return
	}
	is := migration.StatusAwaiting
	for _, entry := range slices.Backward(log[:begun]) {
		switch entry.Action {
		case cloudservers.ActionConfirm:
			is = migration.StatusConfirmed
		case cloudservers.ActionRevert:
			is = migration.StatusReverted
		}
		break
	}
	if got.Status != is {
		t.Errorf("got status %q without an error, but the action log says %q", got.Status, is)
	}
}

// wantEnd does what a scenario does once more, in another run and without failures:
// as the next apply does after one that failed.
func wantEnd(t *testing.T, cloud *stub.Stub, sc scenario, id string, home stub.Server, was migration.Migration, failed error) {
	t.Helper()
	cloud.ClearFaults()
	cloud.SetServer(id, func(s *stub.Server) { s.Health = nil })
	engine := engineOn(t, cloud.Transport())
	var failure *migration.Error
	act := sc.act
	if errors.As(failed, &failure) && failure.Kind == migration.KindSettling { // it is in the state
		act = func(ctx context.Context, e *migration.Engine, _ string) (migration.Migration, error) {
			return e.Refresh(ctx, was)
		}
	}
	got, err := act(context.WithValue(t.Context(), dialKey{}, cloud), engine, id)
	if err != nil {
		t.Errorf("got error %v of the next apply, want it to come to its end", err)
		return
	}
	if migrations := cloud.Migrations(id); migrations != sc.migrates {
		t.Errorf("got %d migrations after the next apply, want %d", migrations, sc.migrates)
	}
	sc.wantTested(t, got, nil)
	wantTruth(t, cloud, id, home, got)
}

func engineOn(t *testing.T, transport http.RoundTripper) *migration.Engine {
	t.Helper()
	client, err := cloudservers.New(cloudservers.Config{
		IdentityEndpoint: stub.URL + "/v2.0/", MaxRetries: 3,
		Credentials: cloudservers.Credentials{Username: stub.DefaultUser.Name, APIKey: stub.DefaultUser.APIKey, Origin: "the test"},
		Transport:   transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	return migration.New(client, migration.Limits{}, migration.ConfirmationWindow)
}

// wantTruth holds what the engine says without an error against the cloud.
func wantTruth(t *testing.T, cloud *stub.Stub, id string, home stub.Server, got migration.Migration) {
	t.Helper()
	is, _ := cloud.Server(id)
	moved := is.HostID != home.HostID
	want := map[migration.Status]bool{
		migration.StatusAwaiting:  moved && is.Status == cloudservers.StatusVerifyResize,
		migration.StatusConfirmed: moved && is.Status == home.Status,
		migration.StatusReverted:  !moved && is.Status == home.Status,
	}
	if !want[got.Status] {
		t.Errorf("got status %q without an error, but the server is in %s, moved: %t", got.Status, is.Status, moved)
	}
	if got.RequestID != "" && !slices.ContainsFunc(cloud.ActionLog(id), func(a stub.Action) bool { return a.RequestID == got.RequestID }) {
		t.Errorf("got request id %s, which the action log does not have", got.RequestID)
	}
}

// wantCause holds a diagnostic against what went wrong.
func wantCause(t *testing.T, diags diag.Diagnostics, says string, got migration.Migration, sent int, others ...string) {
	t.Helper()
	if len(diags) != 1 {
		t.Fatalf("got %d diagnostics, want one", len(diags))
	}
	text := diags[0].Summary() + "\n" + diags[0].Detail()
	named := strings.Contains(text, says) || slices.ContainsFunc(others, func(says string) bool { return strings.Contains(text, says) }) ||
		says == "404" && strings.Contains(text, "is gone") || // which it says when it is seen twice
		strings.Contains(text, "on its original host") || // of the scenario where no host has room
		strings.Contains(text, "pass its verification") // of the scenarios where the server is unhealthy or stopped
	if !named {
		t.Errorf("got a diagnostic that does not name %q or %q:\n%s", says, others, text)
	}
	for _, unwanted := range []string{"<html", "goroutine", "%!", stub.DefaultUser.APIKey, "net/http", "&{"} {
		if strings.Contains(text, unwanted) {
			t.Errorf("got a diagnostic with %q in it:\n%s", unwanted, text)
		}
	}
	if strings.Contains(text, "Nothing was changed") && sent > 0 && got.Status == "" {
		t.Errorf("got a diagnostic that nothing was changed after %d migrate requests:\n%s", sent, text)
	}
}
