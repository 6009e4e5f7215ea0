package stub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

type object = map[string]any

// client sends plain HTTP requests, and reads the answers as JSON.
type client struct {
	t     *testing.T
	http  *http.Client
	base  string
	token string
}

func newClient(t *testing.T, s *stub.Stub) *client {
	t.Helper()
	c := &client{t: t, http: &http.Client{Transport: s.Transport()}, base: stub.URL}
	c.token = c.login(keyFor(stub.DefaultUser))
	return c
}

func keyFor(user stub.User) string {
	return fmt.Sprintf(`{"auth":{"RAX-KSKEY:apiKeyCredentials":{"username":%q,"apiKey":%q}}}`, user.Name, user.APIKey)
}

type answer struct {
	status int
	header http.Header
	body   string
	json   object
}

// send sends a request; the caller closes the answer's body.
func (c *client) send(ctx context.Context, method, path, body string) (*http.Response, error) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set("X-Auth-Token", c.token)
	return c.http.Do(request)
}

func (c *client) do(method, path, body string) answer {
	c.t.Helper()
	response, err := c.send(c.t.Context(), method, path, body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	got := answer{status: response.StatusCode, header: response.Header, body: string(text)}
	_ = json.Unmarshal(text, &got.json) // it stays nil when the body is not a JSON object
	return got
}

func (c *client) login(body string) string {
	c.t.Helper()
	got := c.do(http.MethodPost, "/v2.0/tokens", body)
	if got.status != http.StatusOK {
		c.t.Fatalf("got %d %s, want a token", got.status, got.body)
	}
	return at(got.json, "access", "token", "id").(string)
}

const account = "/ORD/v2/123456"

func (c *client) get(path string) answer { c.t.Helper(); return c.do(http.MethodGet, account+path, "") }

func (c *client) act(id, body string) answer {
	c.t.Helper()
	return c.do(http.MethodPost, account+"/servers/"+id+"/action", body)
}

// at returns a nested value of a JSON document. A text is the name of a field, and a number
// is the index of an element.
func at(document any, steps ...any) any {
	for _, step := range steps {
		switch step := step.(type) {
		case string:
			document, _ = document.(object)[step]
		case int:
			document = document.([]any)[step]
		}
	}
	return document
}

func (a answer) wantFault(t *testing.T, status int, name, message string) {
	t.Helper()
	if a.status != status {
		t.Errorf("got status %d, want %d", a.status, status)
	}
	if got := at(a.json, name, "message"); got != message {
		t.Errorf("got %s, want %s %q", a.body, name, message)
	}
	if got, want := a.header.Get("Content-Type"), "application/json; charset=UTF-8"; got != want {
		t.Errorf("got content type %q, want %q", got, want)
	}
}

// look reads a server once, and returns its status, vm_state and task_state.
func (c *client) look(id string) string {
	c.t.Helper()
	got := c.get("/servers/" + id)
	if got.status != http.StatusOK {
		return fmt.Sprint(got.status)
	}
	server := got.json["server"].(object)
	task := server["OS-EXT-STS:task_state"]
	if task == nil {
		task = "null"
	}
	return fmt.Sprintf("%s %s %s", server["status"], server["OS-EXT-STS:vm_state"], task)
}

// host is the id of the host that a server is on.
func (c *client) host(id string) string {
	c.t.Helper()
	return at(c.get("/servers/"+id).json, "server", "hostId").(string)
}

// statesAt reads a server at some times from now on. Each line has the time, what look
// returned, and the host: A is the host at the beginning, and B is another one.
func (c *client) statesAt(id string, times ...time.Duration) []string {
	c.t.Helper()
	var seen []string
	var past time.Duration
	original := c.host(id)
	for _, after := range times {
		time.Sleep(after - past)
		past = after
		where := "A"
		text := c.look(id)
		if len(text) > 3 && c.host(id) != original {
			where = "B"
		}
		seen = append(seen, fmt.Sprintf("%.1f %s %s", after.Seconds(), text, where))
	}
	return seen
}

// ms makes durations of milliseconds.
func ms(times ...int) []time.Duration {
	var durations []time.Duration
	for _, t := range times {
		durations = append(durations, time.Duration(t)*time.Millisecond)
	}
	return durations
}

func TestStub_migratesThroughTheObservedStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		id := s.AddServer(stub.Server{})
		c := newClient(t, s)
		got := c.act(id, `{"migrate": {}}`)
		if got.status != http.StatusAccepted || got.body != "" {
			t.Errorf("got %d %q, want 202 and no body", got.status, got.body)
		}
		if a, b := got.header.Get("x-compute-request-id"), got.header.Get("x-openstack-request-id"); a != b || !strings.HasPrefix(a, "req-") {
			t.Errorf("got request ids %q and %q, want the same one twice", a, b)
		}
		want := []string{
			"0.0 RESIZE active resize_prep A",
			"0.8 RESIZE active resize_prep A",
			"0.9 RESIZE active resize_migrating A",
			"3.9 RESIZE active resize_migrated B",
			"4.2 RESIZE active resize_finish B",
			"7.1 RESIZE active resize_finish B",
			"7.2 VERIFY_RESIZE resized null B",
		}
		if diff := cmp.Diff(want, c.statesAt(id, ms(0, 800, 900, 3900, 4200, 7100, 7200)...)); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
		entry := at(c.get("/servers/"+id+"/os-instance-actions").json, "instanceActions", 0).(object)
		if entry["action"] != "migrate" || entry["request_id"] != got.header.Get("x-compute-request-id") ||
			entry["message"] != nil || entry["user_id"] != stub.DefaultUser.ID || entry["project_id"] != "123456" {
			t.Errorf("got log entry %v, want that of the request", entry)
		}
		if _, err := time.Parse("2006-01-02T15:04:05.000000", entry["start_time"].(string)); err != nil {
			t.Error(err)
		}
	})
}

func TestStub_showsAConfirmAfterAMoment(t *testing.T) {
	for _, status := range []string{"ACTIVE", "SHUTOFF"} {
		t.Run(status, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stub.New(stub.Config{})
				id := s.AddServer(stub.Server{Status: status})
				c := newClient(t, s)
				c.act(id, `{"migrate": null}`)
				time.Sleep(8 * time.Second)
				if got := c.act(id, `{"confirmResize": null}`); got.status != http.StatusNoContent {
					t.Errorf("got %d, want 204", got.status)
				}
				vm := map[string]string{"ACTIVE": "active", "SHUTOFF": "stopped"}[status]
				want := []string{
					"0.0 VERIFY_RESIZE resized null A", // A is the new host
					"0.4 VERIFY_RESIZE resized null A",
					"0.5 " + status + " " + vm + " null A",
				}
				if diff := cmp.Diff(want, c.statesAt(id, ms(0, 400, 500)...)); diff != "" {
					t.Errorf("states (-want +got):\n%s", diff)
				}
				if got := c.act(id, `{"confirmResize": null}`); got.status != http.StatusConflict {
					t.Errorf("got %d, want a conflict: there is nothing to confirm", got.status)
				}
			})
		})
	}
}

func TestStub_acceptsOneConfirmOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		id := s.AddServer(stub.Server{})
		c := newClient(t, s)
		c.act(id, `{"migrate": {}}`)
		time.Sleep(8 * time.Second)
		c.act(id, `{"confirmResize": null}`)
		for _, after := range ms(0, 499) { // from the first confirm on, until the server is ACTIVE
			time.Sleep(after)
			if got, want := c.look(id), "VERIFY_RESIZE resized null"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			for _, name := range []string{"confirmResize", "revertResize"} {
				c.act(id, `{"`+name+`": null}`).wantFault(t, 400, "badRequest", "Instance has not been resized.")
			}
			c.act(id, `{"migrate": {}}`).wantFault(t, 409, "conflictingRequest", "Cannot 'migrate' instance "+id+" while it is in vm_state resized")
		}
		time.Sleep(time.Millisecond)
		for _, name := range []string{"confirmResize", "revertResize"} {
			c.act(id, `{"`+name+`": null}`).wantFault(t, 409, "conflictingRequest", "Cannot '"+name+"' instance "+id+" while it is in vm_state active")
		}
		if got := len(s.ActionLog(id)); got != 2 {
			t.Errorf("got %d log entries, want the migrate and the first confirm", got)
		}
	})
}

func TestStub_revertsToTheOriginalHost(t *testing.T) {
	tests := map[string][]string{
		"ACTIVE": {
			"0.0 REVERT_RESIZE resized resize_reverting A",
			"1.0 REVERT_RESIZE resized resize_reverting B",
			"3.0 ACTIVE active null B",
			"3.5 ACTIVE active null B",
		},
		"SHUTOFF": {
			"0.0 REVERT_RESIZE resized resize_reverting A",
			"1.0 REVERT_RESIZE resized resize_reverting B",
			"3.0 VERIFY_RESIZE resized powering-off B",
			"3.5 SHUTOFF stopped null B",
		},
	}
	for status, want := range tests {
		t.Run(status, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stub.New(stub.Config{})
				id := s.AddServer(stub.Server{Status: status})
				c := newClient(t, s)
				original := c.host(id)
				c.act(id, `{"migrate": {}}`)
				time.Sleep(8 * time.Second)
				if got := c.act(id, `{"revertResize": null}`); got.status != http.StatusAccepted {
					t.Errorf("got %d, want 202", got.status)
				}
				// A is the new host, and B is the original one.
				if diff := cmp.Diff(want, c.statesAt(id, ms(0, 1000, 3000, 3500)...)); diff != "" {
					t.Errorf("states (-want +got):\n%s", diff)
				}
				if c.host(id) != original {
					t.Error("the server is not on its original host")
				}
			})
		})
	}
}

func TestStub_failsAsObserved(t *testing.T) {
	t.Run("no valid host", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := stub.New(stub.Config{})
			id := s.AddServer(stub.Server{Outcome: stub.OutcomeNoValidHost})
			c := newClient(t, s)
			c.act(id, `{"migrate": {}}`)
			want := []string{"0.3 RESIZE active resize_prep A", "0.4 ACTIVE active null A"}
			if diff := cmp.Diff(want, c.statesAt(id, ms(300, 400)...)); diff != "" {
				t.Errorf("states (-want +got):\n%s", diff)
			}
			if fault := at(c.get("/servers/"+id).json, "server", "fault"); fault != nil {
				t.Errorf("got fault %v, want none", fault)
			}
			if got := s.ActionLog(id)[0].Message; got != "Error" {
				t.Errorf("got message %q, want Error", got)
			}
		})
	})
	t.Run("the hypervisor", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := stub.New(stub.Config{})
			id := s.AddServer(stub.Server{Outcome: stub.OutcomeFails})
			c := newClient(t, s)
			c.act(id, `{"migrate": {}}`)
			want := []string{"3.8 RESIZE active resize_migrating A", "3.9 ERROR error resize_migrating A", "4.4 ERROR error null A"}
			if diff := cmp.Diff(want, c.statesAt(id, ms(3800, 3900, 4400)...)); diff != "" {
				t.Errorf("states (-want +got):\n%s", diff)
			}
			fault := at(c.get("/servers/"+id).json, "server", "fault").(object)
			if fault["message"] != "RuntimeError" || fault["code"] != 500.0 || !strings.HasSuffix(fault["created"].(string), "Z") {
				t.Errorf("got fault %v", fault)
			}
			c.act(id, `{"migrate": {}}`).wantFault(t, 409, "conflictingRequest",
				"Cannot 'migrate' instance "+id+" while it is in vm_state error")
		})
	})
}

func TestStub_confirmsAutomaticallyAfter24Hours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		id := s.AddServer(stub.Server{})
		c := newClient(t, s)
		c.act(id, `{"migrate": {}}`)
		s.Advance(7200*time.Millisecond + 24*time.Hour - time.Second)
		c.token = c.login(keyFor(stub.DefaultUser))
		want := []string{"0.0 VERIFY_RESIZE resized null A", "1.0 ACTIVE active null A"}
		if diff := cmp.Diff(want, c.statesAt(id, ms(0, 1000)...)); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
		entry := at(c.get("/servers/"+id+"/os-instance-actions").json, "instanceActions", 0).(object)
		if entry["action"] != "confirmResize" || entry["user_id"] != nil || entry["project_id"] != nil {
			t.Errorf("got log entry %v, want a confirm by nobody", entry)
		}
		one := c.get("/servers/" + id + "/os-instance-actions/" + entry["request_id"].(string))
		if at(one.json, "instanceAction", "action") != "confirmResize" {
			t.Errorf("got %s, want the entry alone", one.body)
		}
	})
}

func TestStub_refusesWithTheObservedMessages(t *testing.T) {
	const unknown = "4d6f7665-0000-4000-8000-000000000000"
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{Users: []stub.User{stub.DefaultUser, {ID: "o", Name: "observer", APIKey: "k", Observer: true}}})
		c := newClient(t, s)
		fresh := func(server stub.Server) string { return s.AddServer(server) }

		id := fresh(stub.Server{})
		c.act(id, `{"migrate": {}}`)
		time.Sleep(time.Second)
		c.act(id, `{"migrate": {}}`).wantFault(t, 409, "conflictingRequest", "Cannot 'migrate' instance "+id+" while it is in task_state resize_migrating")
		time.Sleep(10 * time.Second)
		c.act(id, `{"migrate": {}}`).wantFault(t, 409, "conflictingRequest", "Cannot 'migrate' instance "+id+" while it is in vm_state resized")
		c.act(id, `{"revertResize": null}`)
		for name, in := range map[string]string{
			"confirmResize": "task_state resize_reverting", "revertResize": "task_state resize_reverting", "migrate": "vm_state resized",
		} {
			c.act(id, `{"`+name+`": null}`).wantFault(t, 409, "conflictingRequest", "Cannot '"+name+"' instance "+id+" while it is in "+in)
		}
		if got := len(s.ActionLog(id)); got != 2 {
			t.Errorf("got %d log entries, want 2: rejected requests leave none", got)
		}

		id = fresh(stub.Server{})
		c.act(id, `{"confirmResize": null}`).wantFault(t, 409, "conflictingRequest", "Cannot 'confirmResize' instance "+id+" while it is in vm_state active")
		id = fresh(stub.Server{Locked: true})
		c.act(id, `{"migrate": {}}`).wantFault(t, 409, "conflictingRequest", "Instance "+id+" is locked")
		c.act(fresh(stub.Server{FlavorID: "onmetal-io1"}), `{"migrate": {}}`).wantFault(t, 405, "badMethod", "The method is not allowed for this resource.")
		c.act(fresh(stub.Server{ResizeNotAllowed: true}), `{"migrate": {}}`).wantFault(t, 403, "resizeNotAllowed", "Resize not allowed for this server.")

		for _, body := range []string{
			`{}`, `{"migrate"`, `[]`, ``, `null`, `{"migrate":{}} {}`, `{"migrate":{},"confirmResize":null}`, `{"":null}`,
		} {
			c.act(id, body).wantFault(t, 400, "badRequest", "Malformed request body")
			if requests := s.Requests(); requests[len(requests)-1].Call != stub.CallOther {
				t.Errorf("%s is recorded as %s", body, requests[len(requests)-1].Call)
			}
		}
		c.act(unknown, `{}`).wantFault(t, 400, "badRequest", "Malformed request body")
		c.act(id, `{"dance": null}`).wantFault(t, 400, "badRequest", "There is no such action: dance")
		c.act(unknown, `{"migrate": {}}`).wantFault(t, 404, "itemNotFound", "Instance "+unknown+" could not be found.")
		c.get("/servers/no-uuid").wantFault(t, 404, "itemNotFound", "Instance no-uuid could not be found.")
		c.get("/servers/"+id+"/os-instance-actions/req-0").wantFault(t, 404, "itemNotFound", "Action for request_id req-0 on instance "+id+" not found")

		c.token = c.login(`{"auth":{"RAX-KSKEY:apiKeyCredentials":{"username":"observer","apiKey":"k"}}}`)
		c.act(id, `{"migrate": {}}`).wantFault(t, 403, "forbidden", "Policy doesn't allow migrate to be performed.")
		c.token = "none"
		c.get("/servers/"+id).wantFault(t, 401, "unauthorized", "Unauthorized")
	})
}

func TestStub_deletesAfterAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		id := s.AddServer(stub.Server{})
		c := newClient(t, s)
		c.act(id, `{"migrate": {}}`)
		time.Sleep(10 * time.Second)
		before := s.Now()
		if got := c.do(http.MethodDelete, account+"/servers/"+id, ""); got.status != http.StatusNoContent {
			t.Errorf("got %d, want 204", got.status)
		}
		want := []string{"0.0 ACTIVE active deleting A", "0.5 404 A"}
		if diff := cmp.Diff(want, c.statesAt(id, ms(0, 500)...)); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
		listed := c.get("/servers/detail?changes-since=" + before.Format(time.RFC3339))
		if got := at(listed.json, "servers", 0, "status"); got != "DELETED" {
			t.Errorf("got status %v in the list of changes, want DELETED", got)
		}
		if got := at(c.get("/servers/detail").json, "servers").([]any); len(got) != 0 {
			t.Errorf("got %d servers in the list, want none", len(got))
		}
		if err := s.Delete(id); err == nil {
			t.Error("a deleted server was deleted again")
		}
	})
}

func TestFault_breaksConnectionsOverHTTPAsInProcess(t *testing.T) {
	s := stub.New(stub.Config{})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	id := s.AddServer(stub.Server{})
	c := &client{t: t, http: server.Client(), base: server.URL}
	c.token = c.login(keyFor(stub.DefaultUser))
	// On a connection that was used before, net/http would send the read again by itself.
	server.Client().Transport.(*http.Transport).DisableKeepAlives = true
	send := func(client *http.Client, base string) error {
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, base+account+"/servers/"+id, nil)
		request.Header.Set("X-Auth-Token", c.token)
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
	for _, reach := range []struct {
		name   string
		client *http.Client
		base   string
	}{{"HTTP", server.Client(), server.URL}, {"in process", &http.Client{Transport: s.Transport()}, stub.URL}} {
		t.Run(reach.name, func(t *testing.T) {
			s.Inject(stub.Fault{Call: stub.CallServer, Reset: true, Count: 1})
			err := send(reach.client, reach.base)
			if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.Errno(10054)) { // on Windows
				t.Errorf("got %v, want a connection that was closed", err)
			}
			s.Inject(stub.Fault{Call: stub.CallServer, Truncate: true, Count: 1})
			if err := send(reach.client, reach.base); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got %v, want a body that was cut off", err)
			}
			s.Inject(stub.Fault{Call: stub.CallServer, Hang: true, Count: 1})
			impatient := *reach.client
			impatient.Timeout = 50 * time.Millisecond
			if err := send(&impatient, reach.base); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want a timeout", err)
			}
			if err := send(reach.client, reach.base); err != nil {
				t.Errorf("got %v after the faults, want none", err)
			}
		})
	}
}
