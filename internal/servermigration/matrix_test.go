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
	"syscall"
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

// trouble is what goes wrong with a request.
type trouble struct {
	name   string
	fault  stub.Fault
	token  func(*stub.Stub) // instead of a fault: what happens to the token
	refuse bool             // instead of a fault: no connection is made
	effect bool             // the request takes effect all the same
	says   string           // what a diagnostic names as its cause
}

func troubles() []trouble {
	var all []trouble
	for _, status := range []int{400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 501, 502, 503, 504} {
		all = append(all, trouble{
			name:  strconv.Itoa(status),
			fault: stub.Fault{Status: status, RetryAfter: 5 * time.Second},
			says:  strconv.Itoa(status),
		})
	}
	page := stub.HTML(http.StatusBadGateway)
	page.Effect = true
	return append(all,
		trouble{name: "reset before the effect", fault: stub.Fault{Reset: true}, says: "connection was closed"},
		trouble{name: "reset after the effect", fault: stub.Fault{Reset: true, Effect: true}, effect: true, says: "connection was closed"},
		trouble{name: "timeout before the effect", fault: stub.Fault{Hang: true}, says: "no answer came in time"},
		trouble{name: "timeout after the effect", fault: stub.Fault{Hang: true, Effect: true}, effect: true, says: "no answer came in time"},
		trouble{name: "proxy's page after the effect", fault: page, effect: true, says: "502"},
		trouble{name: "truncated answer", fault: stub.Fault{Truncate: true}, effect: true, says: "connection was closed"},
		trouble{name: "connection refused", refuse: true, says: "connection was refused"},
		trouble{name: "token revoked", token: (*stub.Stub).RevokeTokens, says: "401"},
		trouble{name: "token expired", token: func(s *stub.Stub) { s.Advance(tokenLifetime) }, says: "401"},
	)
}

// when is which requests of a kind the trouble hits.
type when struct {
	name  string
	skip  int
	count int
	until time.Duration
}

var whens = []when{
	{"the first", 0, 1, 0}, {"the third", 2, 1, 0}, {"every one for a minute", 0, 0, time.Minute}, {"every one for ever", 0, 0, 0},
}

// troubled is a transport to a stub that lets trouble happen.
type troubled struct {
	cloud *stub.Stub
	calls func(*http.Request) bool
	when  when
	what  trouble
	began time.Time
	seen  int
}

// RoundTrip implements http.RoundTripper for trouble that is no fault of the stub.
func (t *troubled) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.what.token == nil && !t.what.refuse || !t.calls(r) {
		return t.cloud.Transport().RoundTrip(r)
	}
	t.seen++
	hit := t.seen > t.when.skip && (t.when.count == 0 || t.seen <= t.when.skip+t.when.count) &&
		(t.when.until == 0 || time.Since(t.began) < t.when.until)
	switch {
	case hit && t.what.refuse:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case hit:
		t.what.token(t.cloud)
	}
	return t.cloud.Transport().RoundTrip(r)
}

// isCall tells a request of a kind by what is on the wire.
func isCall(call stub.Call) func(*http.Request) bool {
	return func(r *http.Request) bool {
		path, act := r.URL.Path, r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/action")
		switch call {
		case stub.CallToken:
			return strings.HasSuffix(path, "/tokens")
		case stub.CallActionLog:
			return strings.HasSuffix(path, "/os-instance-actions")
		case stub.CallList:
			return strings.HasSuffix(path, "/detail")
		case stub.CallServer:
			return r.Method == http.MethodGet && strings.Contains(path, "/servers/") && !strings.HasSuffix(path, "/os-instance-actions") && !strings.HasSuffix(path, "/detail")
		default:
			return act && r.ContentLength == int64(len(map[stub.Call]string{
				stub.CallMigrate: `{"migrate":{}}`, stub.CallConfirm: `{"confirmResize":null}`, stub.CallRevert: `{"revertResize":null}`,
			}[call]))
		}
	}
}

// plot is what is asked of the engine while there is trouble.
type plot struct {
	name     string
	seed     stub.Server
	before   func(*stub.Stub, string) error // what an earlier run did
	migrates int                            // migrations that the plot asks for, 1 or none
	act      func(context.Context, *migration.Engine, string) (migration.Migration, error)
	again    bool // a failed act can be done again by another run, and then comes to its end
}

func plots() []plot {
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
	return []plot{
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

// TestMatrix_survivesEveryFault runs each plot with each trouble in each call at
// each time, in virtual time, and holds the outcome against the cloud's truth.
func TestMatrix_survivesEveryFault(t *testing.T) {
	calls := []stub.Call{stub.CallToken, stub.CallServer, stub.CallList, stub.CallActionLog, stub.CallMigrate, stub.CallConfirm, stub.CallRevert}
	cells, failures := 0, 0
	for _, p := range plots() {
		for _, call := range calls {
			for _, what := range troubles() {
				for _, w := range whens {
					cells++
					name := fmt.Sprintf("%s: %s on %s of the %s requests", p.name, what.name, w.name, call)
					if !t.Run(strings.ReplaceAll(name, "/", " "), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { cell(t, p, call, what, w) })
					}) {
						failures++
					}
				}
			}
		}
	}
	t.Logf("the matrix has %d cells, of which %d failed", cells, failures)
	if cells < 1500 {
		t.Errorf("got %d cells, want at least 1500", cells)
	}
}

func cell(t *testing.T, p plot, call stub.Call, what trouble, w when) {
	cloud := stub.New(stub.Config{AutoConfirmAfter: -1, TokenLifetime: tokenLifetime})
	id := cloud.AddServer(p.seed)
	home, _ := cloud.Server(id)
	if p.before != nil {
		if err := p.before(cloud, id); err != nil {
			t.Fatal(err)
		}
	}
	if what.token == nil && !what.refuse {
		fault := what.fault
		fault.Call, fault.Skip, fault.Count = call, w.skip, w.count
		cloud.Inject(fault)
		if w.until > 0 {
			time.AfterFunc(w.until+time.Millisecond, cloud.ClearFaults)
		}
	}
	engine := engineOn(t, &troubled{cloud: cloud, calls: isCall(call), when: w, what: what, began: time.Now()})
	// At no multiple of any interval: what happens at the very same instant as
	// the end of the wait may come first or last.
	const timeout = 2*time.Hour + 1300*time.Millisecond
	ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), dialKey{}, cloud), timeout)
	defer cancel()
	began := time.Now()
	got, err := p.act(ctx, engine, id)
	if took := time.Since(began); took > timeout+time.Second {
		t.Errorf("took %s, a second longer than its timeout at most", took)
	}

	migrations, sent := cloud.Migrations(id), cloud.Count(stub.CallMigrate)
	if migrations > p.migrates || err == nil && migrations != p.migrates {
		t.Errorf("got %d migrations (error: %v), want %d at most, and no less after a success", migrations, err, p.migrates)
	}
	if confirms := cloud.Count(stub.CallConfirm); p.seed.Health != nil && confirms > 0 {
		t.Errorf("got %d confirm requests for a server that is sick", confirms)
	}
	if err == nil {
		wantTruth(t, cloud, id, home, got)
		return
	}
	wantCause(t, explain(err, unrecorded), what, got, sent)
	// What was settled more than an hour ago is rightly not taken over any more.
	if p.again && (p.migrates > 0 || time.Since(began) < time.Hour) {
		wantEnd(t, cloud, p, id, home, got, err)
	}
}

// wantEnd does what a plot does once more, in another run and without trouble:
// as the next apply does after one that failed.
func wantEnd(t *testing.T, cloud *stub.Stub, p plot, id string, home stub.Server, was migration.Migration, failed error) {
	t.Helper()
	cloud.ClearFaults()
	cloud.SetServer(id, func(s *stub.Server) { s.Health = nil })
	engine := engineOn(t, cloud.Transport())
	var failure *migration.Error
	act := p.act
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
	if migrations := cloud.Migrations(id); migrations != p.migrates {
		t.Errorf("got %d migrations after the next apply, want %d", migrations, p.migrates)
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
func wantCause(t *testing.T, diags diag.Diagnostics, what trouble, got migration.Migration, sent int) {
	t.Helper()
	if len(diags) != 1 {
		t.Fatalf("got %d diagnostics, want one", len(diags))
	}
	text := diags[0].Summary() + "\n" + diags[0].Detail()
	named := strings.Contains(text, what.says) ||
		strings.Contains(text, "on its original host") || // of the plot where no host has room
		strings.Contains(text, "did not pass its verification") // of the plots where the server is sick
	if !named {
		t.Errorf("got a diagnostic that does not name %q:\n%s", what.says, text)
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
