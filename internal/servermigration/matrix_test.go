package servermigration

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
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

// Without failures a server awaits confirmation from 7.2 s on.
var operators = []others{
	{name: "alone", most: len(occurrences)},
	{name: "somebody confirms", says: []string{"was confirmed"}, most: 3, does: map[time.Duration]func(*stub.Stub, string) error{
		7300 * time.Millisecond: func(s *stub.Stub, id string) error { return s.Confirm(id, somebody) },
	}},
	{name: "somebody reverts, and migrates it", says: []string{"was reverted", "is being migrated already"}, most: 3, does: map[time.Duration]func(*stub.Stub, string) error{
		7300 * time.Millisecond: func(s *stub.Stub, id string) error { return s.Revert(id, somebody) },
		12 * time.Second:        func(s *stub.Stub, id string) error { return s.Migrate(id, somebody) },
	}},
	{name: "somebody migrates it first", says: []string{"is being migrated already"}, most: 3, does: map[time.Duration]func(*stub.Stub, string) error{
		time.Millisecond: func(s *stub.Stub, id string) error { return s.Migrate(id, somebody) },
	}},
}

// scenario is what is asked of the engine while something fails.
type scenario struct {
	name     string
	seed     stub.Server
	before   func(*stub.Stub, string) error // what an earlier run did
	migrates int                            // migrations that the scenario asks for, 1 or none
	act      func(context.Context, *migration.Engine, string) (migration.Migration, error)
	again    bool // a failed act can be done again by another run, and then comes to its end
}

func scenarios() []scenario {
	sick := stub.Server{AccessIPv4: "192.0.2.11", Health: stub.Homesick(stub.Wrong)}
	tested := func(revert bool) func(context.Context, *migration.Engine, string) (migration.Migration, error) {
		return func(ctx context.Context, e *migration.Engine, id string) (migration.Migration, error) {
			test := &migration.Verification{Revert: revert, Plan: verification.Plan{
				SSHBanner: []verification.SSHBanner{{Port: stub.PortSSH}}, HTTP: []verification.HTTP{{URL: "http://:8080/"}},
				Interval: 5 * time.Second, Timeout: time.Minute, Successes: 3, Dial: dialOf(ctx),
			}}
			return e.Migrate(ctx, migration.Request{ServerID: id, AutoConfirm: true, Verification: test})
		}
	}
	migrate := func(autoConfirm bool) func(context.Context, *migration.Engine, string) (migration.Migration, error) {
		return func(ctx context.Context, e *migration.Engine, id string) (migration.Migration, error) {
			return e.Migrate(ctx, migration.Request{ServerID: id, AutoConfirm: autoConfirm})
		}
	}
	then := func(next func(*migration.Engine, context.Context, migration.Migration) (migration.Migration, error)) func(context.Context, *migration.Engine, string) (migration.Migration, error) {
		return func(ctx context.Context, e *migration.Engine, id string) (migration.Migration, error) {
			m, err := e.Migrate(ctx, migration.Request{ServerID: id})
			if err != nil {
				return m, err
			}
			return next(e, ctx, m)
		}
	}
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
		{name: "migrate", migrates: 1, act: migrate(false), again: true},
		{name: "migrate and confirm", migrates: 1, act: migrate(true), again: true},
		{name: "migrate a stopped server, then revert", seed: stub.Server{Status: "SHUTOFF"}, migrates: 1, act: then((*migration.Engine).Revert)},
		{name: "migrate, then refresh", migrates: 1, act: then((*migration.Engine).Refresh)},
		{name: "migrate where no host has room", seed: stub.Server{Outcome: stub.OutcomeNoValidHost}, migrates: 1, act: migrate(true)},
		{name: "migrate, test and confirm", seed: stub.Server{AccessIPv4: "192.0.2.11"}, migrates: 1, act: tested(false), again: true},
		{name: "migrate a server that is sick then", seed: sick, migrates: 1, act: tested(false), again: true},
		{name: "migrate a server that is sick then, and roll back", seed: sick, migrates: 1, act: tested(true)},
		{name: "take over what a crash left pending", before: crashed, act: migrate(true), again: true},
		{name: "record what was confirmed before a crash", before: crashedLater, act: migrate(true), again: true},
	}
}

// dialKey is under which a context has how to connect to servers.
type dialKey struct{}

func dialOf(ctx context.Context) func(context.Context, string, string) (net.Conn, error) {
	return ctx.Value(dialKey{}).(*stub.Stub).Dial
}

// TestMatrix_survivesEveryFault runs each scenario with each failure in each call at
// each time, in virtual time, and holds the outcome against the cloud's truth.
func TestMatrix_survivesEveryFault(t *testing.T) {
	calls := []stub.Call{stub.CallToken, stub.CallServer, stub.CallList, stub.CallActionLog, stub.CallMigrate, stub.CallConfirm, stub.CallRevert}
	combinations := 0
	for _, operator := range operators {
		combinations += operator.most
	}
	t.Logf("the matrix has %d cases", len(scenarios())*len(calls)*len(failures())*combinations)
	for _, sc := range scenarios() {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			for _, call := range calls {
				for _, what := range failures() {
					for _, operator := range operators {
						for _, w := range occurrences[:operator.most] {
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

func runCase(t *testing.T, sc scenario, call stub.Call, what failure, w occurrence, operator others) {
	cloud := stub.New(stub.Config{AutoConfirmAfter: -1, TokenLifetime: tokenLifetime})
	id := cloud.AddServer(sc.seed)
	home, _ := cloud.Server(id)
	if sc.before != nil {
		if err := sc.before(cloud, id); err != nil {
			t.Fatal(err)
		}
	}
	fault := what.fault
	fault.Call, fault.Skip, fault.Count = call, w.skip, w.count
	if what.do != nil {
		fault.Do = func() { what.do(cloud) }
	}
	cloud.Inject(fault)
	if w.until > 0 {
		time.AfterFunc(w.until+time.Millisecond, cloud.ClearFaults)
	}
	for after, do := range operator.does {
		time.AfterFunc(after, func() { _ = do(cloud, id) }) // the cloud may refuse it, as it may to anybody
	}
	engine := engineOn(t, cloud.Transport())
	// At no multiple of any interval: what happens at the very same instant as
	// the end of the wait may come first or last.
	const timeout = 2*time.Hour + 1300*time.Millisecond
	ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), dialKey{}, cloud), timeout)
	defer cancel()
	began := time.Now()
	got, err := sc.act(ctx, engine, id)
	if took := time.Since(began); took > timeout+time.Second {
		t.Errorf("took %s, a second longer than its timeout at most", took)
	}

	migrations, sent := cloud.Migrations(id), cloud.Count(stub.CallMigrate)
	if migrations > sc.migrates || err == nil && migrations != sc.migrates {
		t.Errorf("got %d migrations (error: %v), want %d at most, and no less after a success", migrations, err, sc.migrates)
	}
	if confirms := cloud.Count(stub.CallConfirm); sc.seed.Health != nil && confirms > 0 {
		t.Errorf("got %d confirm requests for a server that is sick", confirms)
	}
	wantNobodyElsesSettled(t, cloud.ActionLog(id))
	if operator.does != nil {
		if err == nil {
			wantOutcome(t, cloud, id, got)
		} else {
			wantCause(t, explain(err, creating), what.says, got, sent, operator.says...)
		}
		return
	}
	if err == nil {
		wantTruth(t, cloud, id, home, got)
		return
	}
	wantCause(t, explain(err, creating), what.says, got, sent)
	if sc.again {
		wantEnd(t, cloud, sc, id, home, got, err)
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
	return migration.New(client, migration.Limits{})
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
		strings.Contains(text, "on its original host") || // of the scenario where no host has room
		strings.Contains(text, "did not pass its verification") // of the scenarios where the server is sick
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
