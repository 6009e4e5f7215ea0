package cloudservers_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func keyCredentials() cloudservers.Credentials {
	return cloudservers.Credentials{Username: stub.DefaultUser.Name, APIKey: stub.DefaultUser.APIKey, Origin: "the test"}
}

// newClient returns a client of a stub in process, in virtual time.
func newClient(t *testing.T, cloud *stub.Stub, change func(*cloudservers.Config)) *cloudservers.Client {
	t.Helper()
	config := cloudservers.Config{
		IdentityEndpoint: stub.URL + "/v2.0/", Credentials: keyCredentials(), MaxRetries: 3, Transport: cloud.Transport(),
	}
	if change != nil {
		change(&config)
	}
	client, err := cloudservers.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func region(t *testing.T, client *cloudservers.Client) *cloudservers.Region {
	t.Helper()
	r, err := client.Region(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// migrate asks for a migration, once its turn has come.
func migrate(ctx context.Context, r *cloudservers.Region, id string) (cloudservers.Acceptance, error) {
	turn, err := r.MigrateTurn(ctx, id)
	if err != nil {
		return cloudservers.Acceptance{}, err
	}
	return r.Migrate(ctx, id, turn)
}

// confirm confirms a migration, once its turn has come.
func confirm(ctx context.Context, r *cloudservers.Region, id string) error {
	turn, err := r.SettleTurn(ctx, id)
	if err == nil {
		_, err = r.Confirm(ctx, id, turn)
	}
	return err
}

func wantError(t *testing.T, err error) *cloudservers.Error {
	t.Helper()
	var failure *cloudservers.Error
	if !errors.As(err, &failure) {
		t.Fatalf("got %v, want an API error", err)
	}
	return failure
}

func TestClient_authenticatesByKeyPasswordAndToken(t *testing.T) {
	cloud := stub.New(stub.Config{})
	id := cloud.AddServer(stub.Server{})
	for name, credentials := range map[string]cloudservers.Credentials{
		"key":             keyCredentials(),
		"password":        {Username: stub.DefaultUser.Name, Password: stub.DefaultUser.Password},
		"key with tenant": {Username: stub.DefaultUser.Name, APIKey: stub.DefaultUser.APIKey, TenantID: "123456"},
		"token":           {Token: cloud.IssueToken(stub.DefaultUser), TenantID: "123456"},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, cloud, func(c *cloudservers.Config) { c.Credentials = credentials })
			if got := client.UserID(); got != "" {
				t.Errorf("got user %q before anything was sent", got)
			}
			if _, err := region(t, client).Server(t.Context(), id); err != nil {
				t.Error(err)
			}
			if got := client.UserID(); got != stub.DefaultUser.ID {
				t.Errorf("got user %q, want %q", got, stub.DefaultUser.ID)
			}
		})
	}
}

func TestClient_sharesOneTokenRequestAmongAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		id := cloud.AddServer(stub.Server{})
		client := newClient(t, cloud, nil)
		cloud.Inject(stub.Fault{Call: stub.CallToken, Delay: time.Second})
		all := func() {
			var group sync.WaitGroup
			for range 50 {
				group.Go(func() {
					r, err := client.Region(t.Context(), "")
					if err == nil {
						_, err = r.Server(t.Context(), id)
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
		}
		all()
		if got := cloud.Count(stub.CallToken); got != 1 {
			t.Errorf("got %d token requests, want 1", got)
		}
		cloud.RevokeTokens()
		all()
		if got := cloud.Count(stub.CallToken); got != 2 {
			t.Errorf("got %d token requests after the token was revoked, want 2", got)
		}
	})
}

func TestClient_cancellingOneCallerDisturbsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		client := newClient(t, cloud, nil)
		cloud.Inject(stub.Fault{Call: stub.CallToken, Delay: 10 * time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := client.Region(ctx, ""); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want it cancelled", err)
			}
			if got := client.PollInterval(); got != 2*time.Second {
				t.Errorf("got poll interval %s, want 2s", got)
			}
		})
		group.Go(func() {
			if _, err := client.Region(t.Context(), ""); err != nil {
				t.Errorf("got %v for the caller that waited", err)
			}
		})
		group.Wait()
	})
}

func TestClient_asksAgainForATokenThatItCouldNotRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		id := cloud.AddServer(stub.Server{})
		r := region(t, newClient(t, cloud, nil))
		cloud.RevokeTokens()
		// The renewal fails with all its repetitions, then succeeds.
		cloud.Inject(stub.Fault{Call: stub.CallToken, Status: http.StatusServiceUnavailable, Count: 4})
		if _, err := r.Server(t.Context(), id); err != nil {
			t.Errorf("got %v, want the read to go on with a new token", err)
		}
	})
}

func TestClient_renewsATokenOnceForARead(t *testing.T) {
	cloud := stub.New(stub.Config{})
	id := cloud.AddServer(stub.Server{})
	r := region(t, newClient(t, cloud, nil))
	cloud.Inject(stub.Fault{Call: stub.CallServer, Status: http.StatusUnauthorized, Count: 10})
	_, err := r.Server(t.Context(), id)
	if failure := wantError(t, err); failure.StatusCode != http.StatusUnauthorized || failure.Credentials == nil {
		t.Errorf("got %v, want refused credentials", err)
	}
	if reads, tokens := cloud.Count(stub.CallServer), cloud.Count(stub.CallToken); reads != 2 || tokens != 2 {
		t.Errorf("got %d reads and %d token requests, want 2 of each", reads, tokens)
	}
}

func TestClient_saysWhoseCredentialsWereRefused(t *testing.T) {
	cloud := stub.New(stub.Config{})
	client := newClient(t, cloud, func(c *cloudservers.Config) { c.Credentials.APIKey = "wrong" })
	_, err := client.Region(t.Context(), "")
	failure := wantError(t, err)
	if failure.StatusCode != http.StatusUnauthorized || !failure.Authentication() ||
		failure.Credentials == nil || failure.Credentials.Origin != "the test" || !failure.Credentials.Renewable() {
		t.Errorf("got %+v, want refused credentials from the test", failure)
	}
	if got := cloud.Count(stub.CallToken); got != 1 {
		t.Errorf("got %d token requests, want 1", got)
	}
}

func TestClient_cannotRenewAToken(t *testing.T) {
	cloud := stub.New(stub.Config{})
	id := cloud.AddServer(stub.Server{})
	client := newClient(t, cloud, func(c *cloudservers.Config) {
		c.Credentials = cloudservers.Credentials{Token: cloud.IssueToken(stub.DefaultUser), TenantID: "123456"}
	})
	r := region(t, client)
	cloud.RevokeTokens()
	_, err := r.Server(t.Context(), id)
	failure := wantError(t, err)
	if failure.StatusCode != http.StatusUnauthorized || failure.Credentials == nil || failure.Credentials.Renewable() {
		t.Errorf("got %+v, want a refused token", failure)
	}
	if got := cloud.Count(stub.CallToken); got != 1 {
		t.Errorf("got %d token requests, want 1", got)
	}
}

func TestClient_reportsTokenAnswersThatCannotBeUsed(t *testing.T) {
	for name, body := range map[string]string{
		"no token":         `{"access":{}}`,
		"another shape":    `{"access":{"token":[]}}`,
		"no JSON":          `<html>`,
		"half an answer":   `{"access":{"token":{"id":"x`,
		"an id of objects": `{"access":{"token":{"id":"x"},"user":{"id":{}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := stub.New(stub.Config{})
				cloud.Inject(stub.Fault{Call: stub.CallToken, Status: http.StatusOK, Body: body})
				_, err := newClient(t, cloud, nil).Region(t.Context(), "")
				if failure := wantError(t, err); !failure.Authentication() || failure.Reason() == "" {
					t.Errorf("got %+v, want a failed authentication with a reason", failure)
				}
			})
		})
	}
}

func TestClient_takesAUserIDThatIsANumber(t *testing.T) {
	cloud := stub.New(stub.Config{})
	cloud.Inject(stub.Fault{Call: stub.CallToken, Status: http.StatusNonAuthoritativeInfo, Body: `{"access":{"token":{"id":"t"},"user":{"id":10045567},"serviceCatalog":[
		{"name":"cloudServersOpenStack","type":"compute","endpoints":[{"region":"ORD","publicURL":"https://ord.example/v2/1"}]}]}}`})
	client := newClient(t, cloud, func(c *cloudservers.Config) { c.Region = "ord" })
	if got := region(t, client); got.Name != "ORD" || client.UserID() != "10045567" {
		t.Errorf("got region %s and user %s, want ORD and 10045567", got.Name, client.UserID())
	}
}

func TestClient_repeatsReadsButNoActions(t *testing.T) {
	faults := map[string]stub.Fault{
		"500":            {Status: http.StatusInternalServerError},
		"502 in HTML":    stub.HTML(http.StatusBadGateway),
		"503":            {Status: http.StatusServiceUnavailable},
		"504":            {Status: http.StatusGatewayTimeout},
		"a torn line":    {Reset: true},
		"no answer":      {Hang: true},
		"half an answer": {Truncate: true},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := stub.New(stub.Config{})
				id := cloud.AddServer(stub.Server{})
				r := region(t, newClient(t, cloud, nil))
				read := fault
				read.Call, read.Count = stub.CallServer, 3
				cloud.Inject(read)
				if _, err := r.Server(t.Context(), id); err != nil {
					t.Errorf("got %v after 3 repetitions, want none", err)
				}
				read.Count = 0
				cloud.Inject(read)
				if _, err := r.Server(t.Context(), id); !wantError(t, err).Temporary() {
					t.Errorf("got %v, want a failure that may pass", err)
				}
				if got := cloud.Count(stub.CallServer); got != 4+4 {
					t.Errorf("got %d reads, want 4 each", got)
				}
				act := fault
				act.Call = stub.CallMigrate
				cloud.Inject(act)
				if _, err := migrate(t.Context(), r, id); !wantError(t, err).MaybeAccepted() {
					t.Errorf("got %v, want an unknown outcome", err)
				}
				if got := cloud.Count(stub.CallMigrate); got != 1 {
					t.Errorf("got %d migrate requests, want 1", got)
				}
			})
		})
	}
}

func TestClient_waitsAsLongAsTheRateLimitSays(t *testing.T) {
	for _, status := range []int{http.StatusRequestEntityTooLarge, http.StatusTooManyRequests} {
		synctest.Test(t, func(t *testing.T) {
			cloud := stub.New(stub.Config{})
			id := cloud.AddServer(stub.Server{})
			// More refusals than there are repetitions of other failures.
			cloud.Inject(stub.Fault{Call: stub.CallServer, Count: 6, Status: status, RetryAfter: 30 * time.Second})
			r := region(t, newClient(t, cloud, nil))
			began := time.Now()
			if _, err := r.Server(t.Context(), id); err != nil {
				t.Error(err)
			}
			if got, want := time.Since(began), 6*30*time.Second; got != want {
				t.Errorf("got %s of waiting, want %s", got, want)
			}
			cloud.Inject(stub.Fault{Call: stub.CallServer, Count: 1, Status: status, Header: http.Header{"Retry-After": nil}, Body: "{}"})
			began = time.Now()
			if _, err := r.Server(t.Context(), id); err != nil {
				t.Error(err)
			}
			if got, want := time.Since(began), 10*time.Second; got != want {
				t.Errorf("got %s of waiting where the API names no time, want %s", got, want)
			}
			cloud.Inject(stub.Fault{Call: stub.CallToken, Count: 1, Status: status, RetryAfter: 20 * time.Second})
			cloud.RevokeTokens()
			began = time.Now()
			if _, err := r.Server(t.Context(), id); err != nil {
				t.Error(err)
			}
			if got, want := time.Since(began), 20*time.Second; got != want {
				t.Errorf("got %s of waiting for a token, want %s", got, want)
			}
		})
	}
}

func TestAction_isOneRequestWhateverFails(t *testing.T) {
	faults := map[string]struct {
		fault stub.Fault
		maybe bool
	}{
		"the rate limit":       {stub.Fault{Status: http.StatusRequestEntityTooLarge, RetryAfter: 30 * time.Second}, false},
		"the newer rate limit": {stub.Fault{Status: http.StatusTooManyRequests, RetryAfter: 30 * time.Second}, false},
		"a refused token":      {stub.Fault{Status: http.StatusUnauthorized}, false},
		"a conflict":           {stub.Fault{Status: http.StatusConflict}, false},
		"a failure":            {stub.Fault{Status: http.StatusServiceUnavailable}, true},
		"a lost answer":        {stub.Fault{Reset: true, Effect: true}, true},
	}
	actions := map[stub.Call]func(*cloudservers.Region, context.Context, string, *cloudservers.Turn) (cloudservers.Acceptance, error){
		stub.CallMigrate: (*cloudservers.Region).Migrate,
		stub.CallConfirm: (*cloudservers.Region).Confirm,
		stub.CallRevert:  (*cloudservers.Region).Revert,
	}
	for name, test := range faults {
		for call, act := range actions {
			t.Run(name+" "+string(call), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cloud := stub.New(stub.Config{})
					id := cloud.AddServer(stub.Server{Status: cloudservers.StatusVerifyResize})
					r := region(t, newClient(t, cloud, nil))
					test.fault.Call = call
					cloud.Inject(test.fault)
					turn, err := r.SettleTurn(t.Context(), id)
					if err != nil {
						t.Fatal(err)
					}
					began := time.Now()
					_, err = act(r, t.Context(), id, turn)
					failure := wantError(t, err)
					if failure.StatusCode != test.fault.Status || failure.MaybeAccepted() != test.maybe || failure.OverLimit() != (test.fault.RetryAfter > 0) {
						t.Errorf("got %v (maybe accepted: %t, over limit: %t), want what the API answered", failure, failure.MaybeAccepted(), failure.OverLimit())
					}
					if got := cloud.Count(call); got != 1 || time.Since(began) != 0 {
						t.Errorf("got %d requests in %s, want one and no wait", got, time.Since(began))
					}
					// The next turn waits as long as the API said, and 401 costs a new token.
					if _, err := r.MigrateTurn(t.Context(), id); err != nil || time.Since(began) != test.fault.RetryAfter {
						t.Errorf("got %v and the next turn after %s, want it after %s", err, time.Since(began), test.fault.RetryAfter)
					}
					if _, err := r.Server(t.Context(), id); err != nil {
						t.Error(err)
					}
					tokens := 1
					if test.fault.Status == http.StatusUnauthorized {
						tokens = 2
					}
					if got := cloud.Count(stub.CallToken); got != tokens {
						t.Errorf("got %d token requests, want %d", got, tokens)
					}
				})
			})
		}
	}
}

func TestAction_isNotRepeatedAfterARefusedConnection(t *testing.T) {
	cloud := stub.New(stub.Config{})
	dials := 0
	r := region(t, newClient(t, cloud, func(c *cloudservers.Config) {
		c.Transport = roundTrip(func(req *http.Request) (*http.Response, error) {
			if req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, "/action") {
				dials++
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
			}
			return cloud.Transport().RoundTrip(req)
		})
	}))
	if _, err := migrate(t.Context(), r, cloud.AddServer(stub.Server{})); wantError(t, err).MaybeAccepted() || dials != 1 {
		t.Errorf("got %v after %d connections, want one that was refused", err, dials)
	}
}

// roundTrip is a transport that is one function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestClient_knowsItsUserAfterItsTokenWasRefused(t *testing.T) {
	cloud := stub.New(stub.Config{})
	client := newClient(t, cloud, nil)
	r := region(t, client)
	cloud.RevokeTokens()
	if _, err := migrate(t.Context(), r, cloud.AddServer(stub.Server{})); wantError(t, err).StatusCode != http.StatusUnauthorized {
		t.Errorf("got %v, want a 401", err)
	}
	if got := client.UserID(); got != stub.DefaultUser.ID {
		t.Errorf("got user %q, want %q", got, stub.DefaultUser.ID)
	}
}

func TestClient_sendsNothingOnceItsContextHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		id := cloud.AddServer(stub.Server{})
		r := region(t, newClient(t, cloud, nil))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		turn, err := r.MigrateTurn(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Migrate(ctx, id, turn); wantError(t, err).MaybeAccepted() || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want it cancelled without any effect", err)
		}
		// The deadline passes in a wait that the rate limit asked for.
		cloud.Inject(stub.Fault{Call: stub.CallServer, Status: http.StatusTooManyRequests, RetryAfter: time.Minute})
		ctx, cancel = context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		if _, err := r.Server(ctx, id); wantError(t, err).StatusCode != http.StatusTooManyRequests {
			t.Errorf("got %v, want the rate limit as the reason", err)
		}
		if got := cloud.Migrations(id); got != 0 {
			t.Errorf("got %d migrations, want none", got)
		}
	})
}

func TestClient_followsNoRedirectWithTheToken(t *testing.T) {
	followed := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	t.Cleanup(other.Close)
	cloud := stub.New(stub.Config{})
	id := cloud.AddServer(stub.Server{})
	cloud.Inject(stub.Fault{Call: stub.CallServer, Status: http.StatusTemporaryRedirect, Header: http.Header{"Location": {other.URL}}})
	_, err := region(t, newClient(t, cloud, nil)).Server(t.Context(), id)
	if failure := wantError(t, err); failure.StatusCode != http.StatusTemporaryRedirect || failure.Temporary() || followed {
		t.Errorf("got %v (followed: %t), want the redirect itself", err, followed)
	}
}

func TestClient_keepsConnectionsForTheNextBurst(t *testing.T) {
	const burst = 10
	cloud := stub.New(stub.Config{})
	id := cloud.AddServer(stub.Server{})
	var arrived sync.WaitGroup
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			arrived.Done()
			arrived.Wait() // so that no request can use the connection of another one of its burst
		}
		cloud.ServeHTTP(w, r)
	}))
	var opened atomic.Int64
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client := newClient(t, cloud, func(c *cloudservers.Config) {
		c.Transport, c.IdentityEndpoint = nil, server.URL+"/v2.0/"
	})
	reads := region(t, client)
	for range 5 {
		arrived.Add(burst)
		var all sync.WaitGroup
		for range burst {
			all.Go(func() {
				if _, err := reads.Server(t.Context(), id); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	// A connection may be closed, or come a moment too late, but not all but two each time.
	if got := opened.Load(); got > 2*burst {
		t.Errorf("got %d connections for bursts of %d requests, want them kept", got, burst)
	}
}

// endless answers with a body that does not end.
type endless struct{ http.RoundTripper }

func (e endless) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := e.RoundTripper.RoundTrip(r)
	if err == nil && r.Method == http.MethodGet {
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"server":"`), zeros{}))
	}
	return resp, err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

func TestClient_readsNoEndlessAnswers(t *testing.T) {
	cloud := stub.New(stub.Config{})
	id := cloud.AddServer(stub.Server{})
	client := newClient(t, cloud, func(c *cloudservers.Config) {
		c.Transport, c.MaxRetries = endless{cloud.Transport()}, 0
	})
	_, err := region(t, client).Server(t.Context(), id)
	if got := wantError(t, err).Reason(); got != "the answer is larger than 32 MiB" {
		t.Errorf("got %q", got)
	}
}

func TestServer_isReadAsTheAPITellsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		id := cloud.AddServer(stub.Server{Name: "web-1", Outcome: stub.OutcomeFails, HostID: "h1"})
		r := region(t, newClient(t, cloud, nil))
		if _, err := migrate(t.Context(), r, id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		got, err := r.Server(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		want := &cloudservers.Server{
			ID: id, Name: "web-1", Status: cloudservers.StatusError, HostID: "h1", TenantID: "123456", LaunchedAt: got.LaunchedAt,
			Updated: "2000-01-01T00:00:04Z", // when it failed, 4.4 s after it was asked
			Fault:   &cloudservers.ServerFault{Code: 500, Message: "RuntimeError"}, SeenAt: time.Now().UTC().Truncate(time.Second), AskedAt: time.Now(),
		}
		want.Flavor.ID, want.Addresses = "general1-1", got.Addresses
		if got.LaunchedAt == "" {
			t.Error("got no time at which the server was launched")
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(cloudservers.Server{})); diff != "" {
			t.Errorf("server (-want +got):\n%s", diff)
		}
		if got, want := got.Idle(), 56*time.Second; got != want {
			t.Errorf("got idle for %s, want %s", got, want)
		}
		answer, err := r.ActionLog(t.Context(), id)
		log := answer.Actions
		if err != nil || len(log) != 1 || !answer.AskedAt.Equal(time.Now()) {
			t.Fatalf("got %+v (%v), want 1 entry, asked for now", answer, err)
		}
		if log[0].Action != cloudservers.ActionMigrate || log[0].Message != cloudservers.ActionFailed ||
			string(log[0].UserID) != stub.DefaultUser.ID || time.Since(log[0].Start.Time) != time.Minute {
			t.Errorf("got %+v", log[0])
		}
	})
}

func TestClient_reportsAnswersWithoutWhatWasAskedFor(t *testing.T) {
	tests := []struct {
		name string
		call stub.Call
		body string
	}{
		{"a server without its main part", stub.CallServer, `{"servers":[]}`},
		{"another server", stub.CallServer, `{"server":{"id":"another","status":"ACTIVE"}}`},
		{"a log without entries", stub.CallActionLog, `{}`},
		{"a log with times that are none", stub.CallActionLog, `{"instanceActions":[{"action":"migrate","start_time":"yesterday"}]}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := stub.New(stub.Config{})
				id := cloud.AddServer(stub.Server{})
				cloud.Inject(stub.Fault{Call: test.call, Status: http.StatusOK, Body: test.body})
				r := region(t, newClient(t, cloud, nil))
				_, err := r.Server(t.Context(), id)
				if test.call == stub.CallActionLog {
					_, err = r.ActionLog(t.Context(), id)
				}
				if failure := wantError(t, err); !failure.Temporary() {
					t.Errorf("got %v, want a failure that may pass", err)
				}
			})
		})
	}
}

func TestActionLog_takesTimesWithAZoneAndWithout(t *testing.T) {
	cloud := stub.New(stub.Config{})
	id := cloud.AddServer(stub.Server{})
	cloud.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusOK, Body: `{"instanceActions":[
		{"start_time":"2026-11-23T09:19:37.000000"},{"start_time":"2026-11-23T03:19:37-06:00"},{"start_time":null,"user_id":7}]}`})
	answer, err := region(t, newClient(t, cloud, nil)).ActionLog(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	log := answer.Actions
	want := time.Date(2026, 11, 23, 9, 19, 37, 0, time.UTC)
	if !log[0].Start.Equal(want) || !log[1].Start.Equal(want) || !log[2].Start.IsZero() || log[2].UserID != "7" {
		t.Errorf("got %+v, want %s twice and no time", log, want)
	}
}

func TestNew_refusesAnIdentityEndpointThatIsNoURL(t *testing.T) {
	if _, err := cloudservers.New(cloudservers.Config{IdentityEndpoint: "http://[::1"}); err == nil {
		t.Error("got no error")
	}
}
