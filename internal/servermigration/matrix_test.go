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

// tokenLifetime is short, so that tokens expire during the tests.
const tokenLifetime = 61 * time.Second

// failure is what goes wrong with a request.
type failure struct {
	name  string
	fault stub.Fault
	do    func(*stub.Stub) // is called before the stub handles the request; may be nil
	cause string           // what a diagnostic names as the cause
}

func failures() []failure {
	var all []failure
	for _, status := range []int{400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 501, 502, 503, 504} {
		all = append(all, failure{
			name:  strconv.Itoa(status),
			fault: stub.Fault{Status: status, RetryAfter: 5 * time.Second},
			cause: strconv.Itoa(status),
		})
	}
	page := stub.HTML(http.StatusBadGateway)
	page.Effect = true
	return append(all,
		failure{name: "reset before the effect", fault: stub.Fault{Reset: true}, cause: "connection was closed"},
		failure{name: "reset after the effect", fault: stub.Fault{Reset: true, Effect: true}, cause: "connection was closed"},
		failure{name: "timeout before the effect", fault: stub.Fault{Hang: true}, cause: "no answer came in time"},
		failure{name: "timeout after the effect", fault: stub.Fault{Hang: true, Effect: true}, cause: "no answer came in time"},
		failure{name: "proxy's page after the effect", fault: page, cause: "502"},
		failure{name: "truncated answer", fault: stub.Fault{Truncate: true}, cause: "connection was closed"},
		failure{name: "connection refused", fault: stub.Fault{Refuse: true}, cause: "connection was refused"},
		failure{name: "token revoked", fault: stub.Fault{RevokeTokens: true}, cause: "401"},
		failure{name: "token expired", do: func(s *stub.Stub) { s.Advance(tokenLifetime) }, cause: "401"},
	)
}

// occurrence tells which requests of one kind fail.
type occurrence struct {
	name       string
	skip       int           // how many requests succeed first
	count      int           // how many requests fail; 0: all
	clearAfter time.Duration // when the fault is cleared; 0: never
}

var occurrences = []occurrence{
	{"the first", 0, 1, 0}, {"the third", 2, 1, 0}, {"every one for a minute", 0, 0, time.Minute}, {"every one", 0, 0, 0},
}

// operator is another user of the account, who acts during the test.
type operator struct {
	name           string
	actions        map[time.Duration]func(*stub.Stub, string) error // by the time since the start of the test
	causes         []string                                         // what a diagnostic can name as the cause, besides the failure
	maxOccurrences int                                              // the operator is combined with this many of the occurrences
}

const somebody = "user-7"

// act schedules the operator's actions. The cloud may refuse them.
func (o operator) act(cloud *stub.Stub, id string) {
	for after, do := range o.actions {
		time.AfterFunc(after, func() { _ = do(cloud, id) })
	}
}

// operators act at times that follow from this: without failures a server awaits
// confirmation after 7.2 s.
var operators = []operator{
	{name: "no other operator", maxOccurrences: len(occurrences)},
	{name: "somebody confirms", causes: []string{"was confirmed"}, maxOccurrences: 3, actions: map[time.Duration]func(*stub.Stub, string) error{
		7300 * time.Millisecond: func(s *stub.Stub, id string) error { return s.Confirm(id, somebody) },
	}},
	{name: "somebody reverts, then migrates", causes: []string{"was reverted", "a migration of it is pending"}, maxOccurrences: 3, actions: map[time.Duration]func(*stub.Stub, string) error{
		7300 * time.Millisecond: func(s *stub.Stub, id string) error { return s.Revert(id, somebody) },
		12 * time.Second:        func(s *stub.Stub, id string) error { return s.Migrate(id, somebody) },
	}},
	{name: "somebody migrates first", causes: []string{"a migration of it is pending"}, maxOccurrences: 3, actions: map[time.Duration]func(*stub.Stub, string) error{
		time.Millisecond: func(s *stub.Stub, id string) error { return s.Migrate(id, somebody) },
	}},
}

// scenario is what a run asks of the engine. The matrix runs each scenario with each failure.
type scenario struct {
	name     string
	seed     stub.Server
	before   func(*stub.Stub, string) error // what an earlier run did
	inState  bool                           // the state has a migration that awaits confirmation
	migrates int                            // how many migrations take place, with the one in the state: 0 or 1
	mayAdopt bool                           // the run may take over a migration instead of starting one
	act      func(context.Context, *migration.Engine, string) (migration.Migration, error)

	op             operation     // which operation of the resource explains the errors
	claims         claims        // what a success says about the verification
	mayRevert      bool          // the plan has warned that the migration may be reverted
	repeatable     bool          // after a failed act, the next apply succeeds
	calls          []stub.Call   // the calls that act can make
	maxOccurrences int           // the scenario is combined with this many of the occurrences; 0: all
	within         time.Duration // its timeout; 0: 20 minutes
}

// claims is what a success says about the verification of the moved server.
type claims int

const (
	claimsNothing         claims = iota
	claimsPassIfConfirmed        // the server has passed, if this run confirmed the migration
	claimsResult                 // the result is known
	claimsPass                   // the server has passed
)

// The calls that scenarios can make. A fault of any other call has no effect on a scenario.
var (
	everyCall    = []stub.Call{stub.CallToken, stub.CallServer, stub.CallList, stub.CallActionLog, stub.CallMigrate, stub.CallConfirm, stub.CallRevert}
	confirmCalls = except(stub.CallRevert)
	revertCalls  = except(stub.CallConfirm)
	migrateCalls = except(stub.CallConfirm, stub.CallRevert)
	endCalls     = except(stub.CallList, stub.CallMigrate)
	readCalls    = except(stub.CallList, stub.CallMigrate, stub.CallConfirm, stub.CallRevert)
)

func except(calls ...stub.Call) []stub.Call {
	return slices.DeleteFunc(slices.Clone(everyCall), func(call stub.Call) bool { return slices.Contains(calls, call) })
}

func scenarios() []scenario {
	address := stub.Server{AccessIPv4: "192.0.2.11"}
	unhealthy := stub.Server{AccessIPv4: "192.0.2.11", Health: stub.HealthyOnOriginalHost(stub.Wrong)}
	unhealthyOnOriginalHost := stub.Server{AccessIPv4: "192.0.2.11", Health: func(v stub.Visit) stub.Health {
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
		{name: "migrate", migrates: 1, act: migrate(false), repeatable: true, calls: migrateCalls},
		{name: "migrate and confirm", migrates: 1, act: migrate(true), repeatable: true, calls: confirmCalls},
		{name: "migrate a stopped server, then revert", seed: stub.Server{Status: "SHUTOFF"}, migrates: 1, act: migrateThen((*migration.Engine).Revert), mayRevert: true, calls: revertCalls},
		{name: "migrate, then refresh", migrates: 1, act: migrateThen((*migration.Engine).Refresh), calls: migrateCalls},
		{name: "migrate where no host has room", seed: stub.Server{Outcome: stub.OutcomeNoValidHost}, migrates: 1, act: migrate(true), calls: migrateCalls},
		{name: "migrate, test and confirm", seed: address, migrates: 1, act: migrateAndTest(true, false, 0), claims: claimsPass, repeatable: true, calls: confirmCalls},
		{name: "migrate a server that is unhealthy after the move", seed: unhealthy, migrates: 1, act: migrateAndTest(true, false, 0), claims: claimsPass, repeatable: true, calls: migrateCalls},
		{name: "migrate a server that is unhealthy after the move, and roll back", seed: unhealthy, migrates: 1, act: migrateAndTest(true, true, 0), claims: claimsPass, mayRevert: true, calls: revertCalls},
		{name: "take over a migration that a crash left pending", before: crashed, act: migrate(true), repeatable: true, calls: confirmCalls},
		{name: "record a migration that was confirmed before a crash", before: crashedLater, act: migrate(true), repeatable: true, calls: confirmCalls},
		{name: "migrate and test, without auto_confirm", seed: address, migrates: 1, act: migrateAndTest(false, false, 0), claims: claimsResult, repeatable: true, calls: migrateCalls, maxOccurrences: 3},
		{name: "migrate a server that is unhealthy after the move, without auto_confirm", seed: unhealthy, migrates: 1, act: migrateAndTest(false, false, 0), claims: claimsResult, repeatable: true, calls: migrateCalls, maxOccurrences: 3},
		{name: "migrate a server that is unhealthy after the move, and roll back without auto_confirm", seed: unhealthy, migrates: 1, act: migrateAndTest(false, true, 0), claims: claimsResult, mayRevert: true, calls: revertCalls, maxOccurrences: 2},
		{name: "preflight, migrate, test and confirm", seed: address, migrates: 1, act: migrateAndTest(true, false, preflightTime), claims: claimsPass, repeatable: true, calls: confirmCalls, maxOccurrences: 2},
		{name: "preflight of a server that is unhealthy", seed: unhealthyOnOriginalHost, act: migrateAndTest(true, true, preflightTime), claims: claimsPass, calls: readCalls, maxOccurrences: 3},
		{name: "preflight of a server that is stopped", seed: stopped, act: migrateAndTest(false, true, preflightTime), claims: claimsResult, calls: readCalls, maxOccurrences: 1},
		{name: "test a server that awaits confirmation, and roll back", seed: unhealthy, inState: true, migrates: 1, act: testInState(true), op: recorded, claims: claimsResult, mayRevert: true, calls: endCalls, maxOccurrences: 2},
		{name: "destroy with a test of a server that is unhealthy", seed: unhealthy, inState: true, migrates: 1, act: destroyInState, op: destroying, claims: claimsPassIfConfirmed, calls: endCalls, maxOccurrences: 2},
	}
}

const preflightTime = 30 * time.Second

func migrate(autoConfirm bool) func(context.Context, *migration.Engine, string) (migration.Migration, error) {
	return func(ctx context.Context, e *migration.Engine, id string) (migration.Migration, error) {
		return e.Migrate(ctx, migration.Request{ServerID: id, AutoConfirm: autoConfirm})
	}
}

// migrateThen migrates, and then makes another call of the engine.
func migrateThen(next func(*migration.Engine, context.Context, migration.Migration) (migration.Migration, error)) func(context.Context, *migration.Engine, string) (migration.Migration, error) {
	return func(ctx context.Context, e *migration.Engine, id string) (migration.Migration, error) {
		m, err := e.Migrate(ctx, migration.Request{ServerID: id})
		if err != nil {
			return m, err
		}
		return next(e, ctx, m)
	}
}

func migrateAndTest(autoConfirm, revert bool, preflight time.Duration) func(context.Context, *migration.Engine, string) (migration.Migration, error) {
	return func(ctx context.Context, e *migration.Engine, id string) (migration.Migration, error) {
		test := verificationIn(ctx, revert)
		test.Preflight = preflight
		return e.Migrate(ctx, migration.Request{ServerID: id, AutoConfirm: autoConfirm, Verification: test})
	}
}

func testInState(revert bool) func(context.Context, *migration.Engine, string) (migration.Migration, error) {
	return func(ctx context.Context, e *migration.Engine, _ string) (migration.Migration, error) {
		return e.Test(ctx, ctx.Value(stateKey{}).(migration.Migration), verificationIn(ctx, revert))
	}
}

// destroyInState destroys a migration whose on_destroy is confirm. The destroy must not
// revert it, although the verification has on_failure = "revert".
func destroyInState(ctx context.Context, e *migration.Engine, _ string) (migration.Migration, error) {
	return e.Destroy(ctx, ctx.Value(stateKey{}).(migration.Migration), migration.OnDestroyConfirm, verificationIn(ctx, true))
}

func verificationIn(ctx context.Context, revert bool) *migration.Verification {
	return &migration.Verification{Revert: revert, Plan: verification.Plan{
		SSHBanner: []verification.SSHBanner{{Port: stub.PortSSH}}, HTTP: []verification.HTTP{{URL: "http://:8080/"}},
		Interval: 5 * time.Second, Timeout: time.Minute, Successes: 3, Dial: dialOf(ctx),
	}}
}

// stateKey is the context key of the migration in the state.
type stateKey struct{}

// dialKey is the context key of the stub, which connects to its servers.
type dialKey struct{}

func dialOf(ctx context.Context) func(context.Context, string, string) (net.Conn, error) {
	return ctx.Value(dialKey{}).(*stub.Stub).Dial
}

// combinations returns the calls and the occurrences that a scenario is combined with.
func (sc scenario) combinations(operator operator) ([]stub.Call, []occurrence) {
	n := operator.maxOccurrences
	if sc.maxOccurrences > 0 {
		n = min(n, sc.maxOccurrences)
	}
	return sc.calls, occurrences[:n]
}

// TestMatrix_survivesEveryFault runs each scenario in virtual time, with each failure, in
// each call, at each occurrence. It compares the result with the state of the cloud.
//
// A case makes the same requests as a run without failures, until its failure. A request
// that such a run does not make cannot fail, so there is no case for it.
func TestMatrix_survivesEveryFault(t *testing.T) {
	var cases atomic.Int64
	t.Cleanup(func() { t.Logf("the matrix has %d cases", cases.Load()) })
	for _, sc := range scenarios() {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			for _, operator := range operators {
				calls, occurrences := sc.combinations(operator)
				requests := sc.countRequests(t, operator)
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

// countRequests runs a scenario in which nothing fails. It returns how many requests of
// each call the scenario makes.
func (sc scenario) countRequests(t *testing.T, operator operator) map[stub.Call]int {
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

// timeout is the timeout of the act. It is not a multiple of any interval. Otherwise two
// events could fall on the same instant, in an order that is not defined.
func (sc scenario) timeout() time.Duration {
	return cmp.Or(sc.within, 20*time.Minute) + 1300*time.Millisecond
}

func runCase(t *testing.T, sc scenario, call stub.Call, what failure, w occurrence, operator operator) {
	cloud, id := sc.begin(t)
	original, _ := cloud.Server(id)
	ctx, cancel := sc.prepare(t, cloud, id)
	defer cancel()
	fault := what.fault
	fault.Call, fault.Skip, fault.Count = call, w.skip, w.count
	if what.do != nil {
		fault.Do = func() { what.do(cloud) }
	}
	cloud.Inject(fault)
	if w.clearAfter > 0 {
		time.AfterFunc(w.clearAfter+time.Millisecond, cloud.ClearFaults)
	}
	operator.act(cloud, id)
	got, err := sc.run(t, ctx, cloud, id)

	sent := cloud.Count(stub.CallMigrate)
	if operator.actions != nil {
		if err == nil {
			wantStatusOfLog(t, cloud, id, got)
		} else {
			wantCause(t, explain(err, sc.op), what.cause, got, sent, operator.causes...)
		}
		return
	}
	if err == nil {
		wantStatusOfCloud(t, cloud, id, original, got)
		return
	}
	wantCause(t, explain(err, sc.op), what.cause, got, sent)
	if sc.repeatable {
		wantNextApplySucceeds(t, cloud, sc, id, original, got, err)
	}
}

// begin returns a cloud with the server of the scenario.
func (sc scenario) begin(t *testing.T) (cloud *stub.Stub, id string) {
	t.Helper()
	cloud = stub.New(stub.Config{AutoConfirmAfter: -1, TokenLifetime: tokenLifetime})
	return cloud, cloud.AddServer(sc.seed)
}

// prepare does what earlier runs did, and returns the context of the act.
func (sc scenario) prepare(t *testing.T, cloud *stub.Stub, id string) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx := context.WithValue(t.Context(), dialKey{}, cloud)
	if sc.before != nil {
		if err := sc.before(cloud, id); err != nil {
			t.Fatal(err)
		}
	}
	if sc.inState {
		given, err := engineOn(t, cloud.Transport()).Migrate(ctx, migration.Request{ServerID: id})
		if err != nil {
			t.Fatal(err)
		}
		ctx = context.WithValue(ctx, stateKey{}, given)
	}
	return context.WithTimeout(ctx, sc.timeout())
}

// run makes the scenario's call, and checks what must hold after a success and after a failure.
func (sc scenario) run(t *testing.T, ctx context.Context, cloud *stub.Stub, id string) (migration.Migration, error) {
	t.Helper()
	began := time.Now()
	got, err := sc.act(ctx, engineOn(t, cloud.Transport()), id)
	if took := time.Since(began); took > sc.timeout()+time.Second {
		t.Errorf("took %s, want at most a second longer than the timeout", took)
	}
	migrations := cloud.Migrations(id)
	if migrations > sc.migrates || err == nil && migrations != sc.migrates && !sc.mayAdopt {
		t.Errorf("got %d migrations (error: %v), want at most %d, and exactly that after a success", migrations, err, sc.migrates)
	}
	if sent := cloud.Count(stub.CallMigrate); sc.migrates == 0 && sent > 0 {
		t.Errorf("got %d migrate requests, want none", sent)
	}
	if confirms := cloud.Count(stub.CallConfirm); sc.seed.Health != nil && confirms > 0 {
		t.Errorf("got %d confirm requests for a server that is unhealthy", confirms)
	}
	if reverts := cloud.Count(stub.CallRevert); !sc.mayRevert && reverts > 0 {
		t.Errorf("got %d revert requests of which no plan has warned", reverts)
	}
	diags := explain(err, sc.op)
	if !diags.HasError() {
		sc.wantClaimed(t, got, err)
	}
	wantOnlyOursEnded(t, cloud.ActionLog(id))
	wantTrueMessages(t, diags, cloud.ActionLog(id))
	return got, err
}

// wantClaimed checks what a success says about the verification of the moved server. A
// result with only warnings is a success too.
func (sc scenario) wantClaimed(t *testing.T, got migration.Migration, err error) {
	t.Helper()
	result := got.VerificationResult
	switch {
	case sc.claims == claimsPass && (result == nil || !result.Passed):
		t.Errorf("got a success (%v) without a passed verification: %+v", err, result)
	case sc.claims == claimsResult && result == nil:
		t.Errorf("got a success (%v) without a verification", err)
	}
}

// wantTrueMessages checks that the action log agrees with what the diagnostics say about
// confirms and reverts of the provider.
func wantTrueMessages(t *testing.T, diags diag.Diagnostics, log []stub.Action) {
	t.Helper()
	settled := func(action string) bool {
		return slices.ContainsFunc(log, func(a stub.Action) bool {
			return a.Action == action && a.UserID == stub.DefaultUser.ID && a.Message == ""
		})
	}
	for _, d := range diags {
		if strings.Contains(d.Detail(), "The provider reverted the migration") && !settled(cloudservers.ActionRevert) {
			t.Errorf("got a diagnostic of a revert that is not in the action log:\n%s", d.Detail())
		}
		if strings.Contains(d.Detail(), "The provider did not confirm the migration") && settled(cloudservers.ActionConfirm) {
			t.Errorf("got a diagnostic without a confirm, but the action log has one of ours:\n%s", d.Detail())
		}
	}
}

// wantOnlyOursEnded checks that each confirm and revert of ours ended a migration of ours,
// and not one of somebody else.
func wantOnlyOursEnded(t *testing.T, log []stub.Action) {
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

// wantStatusOfLog checks that the action log agrees with the status that the engine
// returned without an error, whoever confirmed or reverted the migration.
func wantStatusOfLog(t *testing.T, cloud *stub.Stub, id string, got migration.Migration) {
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
		t.Errorf("got status %q without an error, want %q as in the action log", got.Status, is)
	}
}

// wantNextApplySucceeds makes the scenario's call again, in another run and without
// failures, as the next apply does after one that failed.
func wantNextApplySucceeds(t *testing.T, cloud *stub.Stub, sc scenario, id string, original stub.Server, was migration.Migration, failed error) {
	t.Helper()
	cloud.ClearFaults()
	cloud.SetServer(id, func(s *stub.Server) { s.Health = nil })
	engine := engineOn(t, cloud.Transport())
	var failure *migration.Error
	act := sc.act
	if errors.As(failed, &failure) && failure.Kind == migration.KindSettling { // then the migration is in the state
		act = func(ctx context.Context, e *migration.Engine, _ string) (migration.Migration, error) {
			return e.Refresh(ctx, was)
		}
	}
	got, err := act(context.WithValue(t.Context(), dialKey{}, cloud), engine, id)
	if err != nil {
		t.Errorf("got error %v of the next apply, want none", err)
		return
	}
	if migrations := cloud.Migrations(id); migrations != sc.migrates {
		t.Errorf("got %d migrations after the next apply, want %d", migrations, sc.migrates)
	}
	sc.wantClaimed(t, got, nil)
	wantStatusOfCloud(t, cloud, id, original, got)
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

// wantStatusOfCloud checks that the server agrees with the status that the engine returned
// without an error.
func wantStatusOfCloud(t *testing.T, cloud *stub.Stub, id string, original stub.Server, got migration.Migration) {
	t.Helper()
	is, _ := cloud.Server(id)
	moved := is.HostID != original.HostID
	want := map[migration.Status]bool{
		migration.StatusAwaiting:  moved && is.Status == cloudservers.StatusVerifyResize,
		migration.StatusConfirmed: moved && is.Status == original.Status,
		migration.StatusReverted:  !moved && is.Status == original.Status,
	}
	if !want[got.Status] {
		t.Errorf("got status %q without an error, but the server is in %s, moved: %t", got.Status, is.Status, moved)
	}
	if got.RequestID != "" && !slices.ContainsFunc(cloud.ActionLog(id), func(a stub.Action) bool { return a.RequestID == got.RequestID }) {
		t.Errorf("got request id %s, which the action log does not have", got.RequestID)
	}
}

// wantCause checks that there is one diagnostic, and that it names what went wrong.
func wantCause(t *testing.T, diags diag.Diagnostics, cause string, got migration.Migration, sent int, others ...string) {
	t.Helper()
	if len(diags) != 1 {
		t.Fatalf("got %d diagnostics, want one", len(diags))
	}
	text := diags[0].Summary() + "\n" + diags[0].Detail()
	named := strings.Contains(text, cause) || slices.ContainsFunc(others, func(other string) bool { return strings.Contains(text, other) }) ||
		cause == "404" && strings.Contains(text, "is gone") || // what the text says after two 404 answers
		strings.Contains(text, "on its original host") || // of the scenario where no host has room
		strings.Contains(text, "pass its verification") // of the scenarios where the server is unhealthy or stopped
	if !named {
		t.Errorf("got a diagnostic that does not name %q or one of %q:\n%s", cause, others, text)
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
