package stub_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestFault_answersWithTheFaultOfItsStatus(t *testing.T) {
	tests := []struct {
		status         int
		compute, login string // the key of the body; empty: no body
	}{
		{400, "badRequest", "badRequest"},
		{401, "unauthorized", "unauthorized"},
		{403, "forbidden", "forbidden"},
		{404, "itemNotFound", "itemNotFound"},
		{405, "badMethod", "badMethod"},
		{409, "conflictingRequest", "conflictingRequest"},
		{413, "overLimit", "overLimit"},
		{415, "badMediaType", "badMediaType"},
		{429, "overLimit", "overLimit"},
		{500, "computeFault", "identityFault"},
		{501, "notImplemented", "notImplemented"},
		{502, "", ""},
		{503, "serviceUnavailable", "serviceUnavailable"},
		{504, "", ""},
	}
	for _, test := range tests {
		t.Run(http.StatusText(test.status), func(t *testing.T) {
			s := stub.New(stub.Config{})
			c := newClient(t, s)
			s.Inject(stub.Fault{Status: test.status})
			for _, got := range []struct {
				answer
				name string
			}{{c.get("/servers"), test.compute}, {c.do(http.MethodPost, "/v2.0/tokens", "{}"), test.login}} {
				if got.status != test.status {
					t.Errorf("got %d, want %d", got.status, test.status)
				}
				if got.name == "" && got.body == "" {
					continue
				}
				if code := at(got.json, got.name, "code"); code != float64(test.status) {
					t.Errorf("got %s, want %s with its code", got.body, got.name)
				}
			}
		})
	}
}

func TestFault_saysHowLongToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		c := newClient(t, s)
		s.Inject(stub.Fault{Count: 1, Status: 413, RetryAfter: 20 * time.Second})
		got := c.get("/servers")
		retryAt := s.Now().Add(20 * time.Second).Format(time.RFC3339)
		if got.header.Get("Retry-After") != "20" || at(got.json, "overLimit", "retryAt") != retryAt {
			t.Errorf("got Retry-After %s and %s, want 20 and %s", got.header.Get("Retry-After"), got.body, retryAt)
		}
		s.Inject(stub.Fault{Count: 1, Status: 503, RetryAfter: 1500 * time.Millisecond})
		if got := c.get("/servers").header.Get("Retry-After"); got != "2" {
			t.Errorf("got Retry-After %s with 503, want 2", got)
		}
	})
}

func TestFault_endsAtItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		c := newClient(t, s)
		s.Inject(stub.Fault{Status: 503, Until: s.Now().Add(time.Minute)})
		var statuses []int
		for range 4 {
			statuses = append(statuses, c.get("/servers").status)
			time.Sleep(20 * time.Second)
		}
		if diff := cmp.Diff([]int{503, 503, 503, 200}, statuses); diff != "" {
			t.Errorf("statuses (-want +got):\n%s", diff)
		}
	})
}

func TestFault_changesOnlyWhatItSays(t *testing.T) {
	s := stub.New(stub.Config{})
	id := s.AddServer(stub.Server{Name: "web-1"})
	c := newClient(t, s)
	s.Inject(stub.Fault{Count: 1, Header: http.Header{"date": nil, "X-Extra": {"1"}}})
	if got := c.get("/servers/" + id); got.status != 200 || at(got.json, "server", "name") != "web-1" ||
		got.header.Get("Date") != "" || got.header.Get("X-Extra") != "1" {
		t.Errorf("got %d %s with %v, want the right answer with other headers", got.status, got.body, got.header)
	}
	s.Inject(stub.Fault{Count: 1, Body: `{"server":[]}`})
	if got := c.act(id, `{"migrate":{}}`); got.status != http.StatusAccepted || got.body != `{"server":[]}` {
		t.Errorf("got %d %s, want the right status with another body", got.status, got.body)
	}
	if got := s.Migrations(id); got != 1 {
		t.Errorf("got %d migrations, want 1", got)
	}
	s.Inject(stub.HTML(http.StatusServiceUnavailable))
	if got := c.get("/servers"); got.header.Get("X-Compute-Request-Id") != "" {
		t.Error("a proxy's page has the API's request id")
	}
}

func TestFault_delaysTheAnswerAndWithEffectNotTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		c := newClient(t, s)
		for _, effect := range []bool{false, true} {
			id := s.AddServer(stub.Server{})
			s.Inject(stub.Fault{Call: stub.CallMigrate, Count: 2, Delay: time.Minute, Effect: effect})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := c.send(ctx, http.MethodPost, account+"/servers/"+id+"/action", `{"migrate":{}}`); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want a timeout", err)
			}
			cancel()
			if got, want := s.Migrations(id), map[bool]int{false: 0, true: 1}[effect]; got != want {
				t.Errorf("got %d migrations, want %d (effect before the delay: %t)", got, want, effect)
			}
			began := time.Now()
			other := s.AddServer(stub.Server{})
			if got := c.act(other, `{"migrate":{}}`).status; got != http.StatusAccepted || time.Since(began) != time.Minute {
				t.Errorf("got %d after %s, want 202 after a minute", got, time.Since(began))
			}
		}
	})
}

func TestFault_losesAnswersAfterTheEffect(t *testing.T) {
	for name, fault := range map[string]stub.Fault{
		"reset": {Reset: true}, "hang": {Hang: true}, "half an answer": {Truncate: true}, "a page": stub.HTML(502), "a status": {Status: 500},
	} {
		for _, effect := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				s := stub.New(stub.Config{})
				id := s.AddServer(stub.Server{})
				c := newClient(t, s)
				fault := fault
				fault.Call, fault.Effect = stub.CallMigrate, effect
				s.Inject(fault)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				response, err := c.send(ctx, http.MethodPost, account+"/servers/"+id+"/action", `{"migrate":{}}`)
				if err == nil {
					_ = response.Body.Close()
				}
				want := 0
				if effect || fault.Truncate {
					want = 1
				}
				if got := s.Migrations(id); got != want {
					t.Errorf("%s, effect %t: got %d migrations, want %d", name, effect, got, want)
				}
				last := s.Requests()[1]
				if answered := fault.Status + map[bool]int{true: 202}[fault.Truncate]; last.Status != answered || last.RequestID == "" {
					t.Errorf("%s: got status %d and request %q in the record, want %d and an id", name, last.Status, last.RequestID, answered)
				}
				if want == 1 && s.ActionLog(id)[0].RequestID != last.RequestID {
					t.Errorf("%s: the log names another request", name)
				}
			})
		}
	}
}

func TestFault_refusesConnections(t *testing.T) {
	s := stub.New(stub.Config{})
	id := s.AddServer(stub.Server{})
	c := newClient(t, s)
	network := httptest.NewServer(s)
	t.Cleanup(network.Close)
	before := len(s.Requests())
	s.Inject(stub.Fault{Call: stub.CallMigrate, Refuse: true, Effect: true, Count: 2})
	_, err := c.send(t.Context(), http.MethodPost, account+"/servers/"+id+"/action", `{"migrate":{}}`)
	var dial *net.OpError
	if !errors.As(err, &dial) || dial.Op != "dial" || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want the dial refused", err)
	}
	over := &client{t: t, http: network.Client(), base: network.URL, token: c.token}
	if _, err := over.send(t.Context(), http.MethodPost, account+"/servers/"+id+"/action", `{"migrate":{}}`); err == nil {
		t.Error("got an answer over the network, want none")
	}
	if got := s.Refused(stub.CallMigrate); got != 2 || s.Migrations(id) != 0 || len(s.Requests()) != before {
		t.Errorf("got %d refused, %d migrations and %d more requests; want 2 refused alone", got, s.Migrations(id), len(s.Requests())-before)
	}
	if got := c.act(id, `{"migrate":{}}`).status; got != http.StatusAccepted {
		t.Errorf("got %d after the fault, want 202", got)
	}
}

func TestFault_revokesTokens(t *testing.T) {
	s := stub.New(stub.Config{})
	c := newClient(t, s)
	for _, effect := range []bool{false, true} {
		id := s.AddServer(stub.Server{})
		s.Inject(stub.Fault{Call: stub.CallMigrate, RevokeTokens: true, Effect: effect, Count: 1})
		got := c.act(id, `{"migrate":{}}`)
		want, migrations, user := http.StatusUnauthorized, 0, ""
		if effect {
			want, migrations, user = http.StatusAccepted, 1, stub.DefaultUser.ID
		}
		if got.status != want || s.Migrations(id) != migrations {
			t.Errorf("got %d and %d migrations, want %d and %d", got.status, s.Migrations(id), want, migrations)
		}
		requests := s.Requests()
		if got := requests[len(requests)-1].User; got != user {
			t.Errorf("got user %q in the record, want %q", got, user)
		}
		if got := c.get("/servers").status; got != http.StatusUnauthorized {
			t.Errorf("got %d with the token, want 401", got)
		}
		c.token = c.login(keyFor(stub.DefaultUser))
	}
}

func TestFault_callsAFunctionAtARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		c := newClient(t, s)
		for _, effect := range []bool{false, true} {
			id := s.AddServer(stub.Server{Status: "VERIFY_RESIZE"})
			var refusal error
			s.Inject(stub.Fault{Call: stub.CallConfirm, ServerID: id, Effect: effect, Do: func() { refusal = s.Revert(id, "ann") }})
			got := c.act(id, `{"confirmResize":null}`).status
			if want := map[bool]int{false: http.StatusConflict, true: http.StatusNoContent}[effect]; got != want || (refusal != nil) != effect {
				t.Errorf("effect first: %t: got %d and %v for the revert, want %d", effect, got, refusal, want)
			}
		}
	})
}

func TestFault_matchesActionsByTheirBodies(t *testing.T) {
	s := stub.New(stub.Config{})
	c := newClient(t, s)
	id := s.AddServer(stub.Server{})
	for body, want := range map[string]stub.Call{
		`{"migrate":{}}`: stub.CallMigrate, "\n{ \"migrate\" : null }\n": stub.CallMigrate, `{"m\u0069grate":{}}`: stub.CallMigrate,
		`{"confirmResize":null}`: stub.CallConfirm, `{"revertResize":{}}`: stub.CallRevert,
		`{"migrate":{},"confirmResize":null}`: stub.CallOther, `{"migrate":`: stub.CallOther, `["migrate"]`: stub.CallOther, `{"reboot":{}}`: stub.CallOther,
	} {
		s.ClearFaults()
		for _, call := range []stub.Call{stub.CallMigrate, stub.CallConfirm, stub.CallRevert} {
			s.Inject(stub.Fault{Call: call, Header: http.Header{"X-Call": {string(call)}}})
		}
		got := c.act(id, body).header.Get("X-Call")
		if want == stub.CallOther {
			want = ""
		}
		if got != string(want) {
			t.Errorf("%s: got the fault of a %q, want that of a %q", body, got, want)
		}
	}
}

func TestTransport_honoursTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		c := newClient(t, s)
		over, cancel := context.WithCancelCause(t.Context())
		why := errors.New("enough")
		cancel(why)
		before := len(s.Requests())
		if _, err := s.Transport().RoundTrip(newRequest(t, over, http.MethodGet, stub.URL)); !errors.Is(err, why) {
			t.Errorf("got %v, want the cause", err)
		}
		if got := len(s.Requests()); got != before {
			t.Error("a request that was over before it began was sent")
		}
		s.Inject(stub.Fault{Hang: true})
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Hour, func() { cancel(why) })
		began := time.Now()
		if _, err := c.send(ctx, http.MethodGet, account+"/servers", ""); !errors.Is(err, why) || time.Since(began) != time.Hour {
			t.Errorf("got %v after %s, want the cause after an hour", err, time.Since(began))
		}
	})
}

func TestTransport_answersAsTheNetworkDoes(t *testing.T) {
	s := stub.New(stub.Config{BaseURL: stub.URL})
	network := httptest.NewServer(s)
	t.Cleanup(network.Close)
	id := s.AddServer(stub.Server{Status: "VERIFY_RESIZE"})
	token := s.IssueToken(stub.DefaultUser)
	ask := func(transport http.RoundTripper, base, method, path string) (string, string, error) {
		request := newRequest(t, t.Context(), method, base+path)
		request.Header.Set("X-Auth-Token", token)
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		return response.Status, string(body), err
	}
	for _, request := range []struct{ method, path string }{
		{http.MethodGet, account + "/servers/" + id}, {http.MethodGet, "/ORD/v2/"}, {http.MethodGet, account + "/limits"},
		{http.MethodGet, account + "/servers?limit=1"}, {http.MethodGet, "/nothing"}, {http.MethodPost, account + "/servers/" + id + "/action"},
	} {
		status, body, err := ask(network.Client().Transport, network.URL, request.method, request.path)
		gotStatus, gotBody, gotErr := ask(s.Transport(), stub.URL, request.method, request.path)
		if status != gotStatus || body != gotBody || err != nil || gotErr != nil {
			t.Errorf("%s %s: got %s %s (%v) in process, %s %s (%v) by network",
				request.method, request.path, gotStatus, gotBody, gotErr, status, body, err)
		}
	}
	// An answer without a body cannot be truncated.
	s.Inject(stub.Fault{Call: stub.CallDelete, Truncate: true})
	gone := s.AddServer(stub.Server{})
	status, body, err := ask(network.Client().Transport, network.URL, http.MethodDelete, account+"/servers/"+gone)
	gotStatus, gotBody, gotErr := ask(s.Transport(), stub.URL, http.MethodDelete, account+"/servers/"+id)
	if status != gotStatus || body != gotBody || err != nil || gotErr != nil {
		t.Errorf("got %s %q (%v) in process, %s %q (%v) by network", gotStatus, gotBody, gotErr, status, body, err)
	}
}

func newRequest(t *testing.T, ctx context.Context, method, address string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return request
}
