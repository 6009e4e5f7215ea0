//go:build linux

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// serveAdmin serves a cloud with the sample servers, and the paths that control it.
func serveAdmin(t *testing.T) (cloud *stub.Stub, url string) {
	t.Helper()
	cloud = stub.New(stub.Config{})
	for _, server := range stub.Samples() {
		cloud.AddServer(server)
	}
	server := httptest.NewServer(withAdmin(cloud, 2))
	t.Cleanup(server.Close)
	return cloud, server.URL
}

// statusOfRead reads a server without a token, and returns the status of the answer.
func statusOfRead(t *testing.T, url string) int {
	t.Helper()
	response, err := http.Get(url + "/ORD/v2/123456/servers/" + stub.SampleWeb1)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func TestAdmin_injectsAndRemovesFaults(t *testing.T) {
	_, url := serveAdmin(t)
	if status, body := ask(t, "POST", url+"/_stub/faults", `{"call": "server", "server_id": "`+stub.SampleWeb1+`", "status": 503}`); status != "200 OK" || body != `{"name":"status 503"}`+"\n" {
		t.Errorf("got %s %s, want the name of the fault", status, body)
	}
	if got := statusOfRead(t, url); got != 503 {
		t.Errorf("got %d, want the fault's 503", got)
	}
	if status, body := ask(t, "DELETE", url+"/_stub/faults", ""); status != "200 OK" || body != "{}\n" {
		t.Errorf("got %s %s, want 200", status, body)
	}
	if got := statusOfRead(t, url); got != 401 {
		t.Errorf("got %d, want the cloud's 401", got)
	}
	_, body := ask(t, "GET", url+"/_stub/requests", "")
	var got struct{ Requests []requestObject }
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Requests) != 2 || got.Requests[0].Fault != "status 503" || got.Requests[0].Status != 503 || got.Requests[1].Status != 401 || got.Requests[1].Fault != "" {
		t.Errorf("got the requests %+v, want the two reads, the first with the fault", got.Requests)
	}
}

func TestAdmin_saysThatThereWereNoRequests(t *testing.T) {
	_, url := serveAdmin(t)
	if _, body := ask(t, "GET", url+"/_stub/requests", ""); body != `{"requests":[]}`+"\n" {
		t.Errorf("got %s, want an empty list", body)
	}
}

func TestAdmin_changesAServer(t *testing.T) {
	cloud, url := serveAdmin(t)
	before, _ := cloud.Server(stub.SampleWeb1)
	status, body := ask(t, "POST", url+"/_stub/servers/"+stub.SampleWeb1, `{
		"status": "SHUTOFF", "metadata": {"wave": "2"},
		"stub": {"healthy": "never", "migration": "no_valid_host", "migration_takes": "72s"}
	}`)
	if status != "200 OK" || body != `{"id":"`+stub.SampleWeb1+`"}`+"\n" {
		t.Errorf("got %s %s, want the id", status, body)
	}
	got, _ := cloud.Server(stub.SampleWeb1)
	want := before
	want.Status, want.VMState, want.Metadata, want.Outcome = "SHUTOFF", "stopped", map[string]string{"wave": "2"}, stub.OutcomeNoValidHost
	want.Timing = stub.ObservedTiming().Scaled(0.2)
	if got.Health == nil || got.Health(stub.Visit{Home: true}) != stub.Wrong {
		t.Error("the server is still healthy")
	}
	got.Health = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the server (-want +got):\n%s", diff)
	}
	ask(t, "POST", url+"/_stub/servers/"+stub.SampleWeb1, `{"stub": {"healthy": "always"}}`)
	if got, _ := cloud.Server(stub.SampleWeb1); got.Health != nil || got.Outcome != stub.OutcomeNoValidHost {
		t.Errorf("got the server %+v, want it healthy, and nothing else changed", got)
	}
}

func TestAdmin_movesTheClock(t *testing.T) {
	cloud, url := serveAdmin(t)
	if err := cloud.Migrate(stub.SampleWeb1, "user-7"); err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	for _, step := range []struct{ by, want string }{{"1h", "VERIFY_RESIZE"}, {"24h", "ACTIVE"}} {
		status, body := ask(t, "POST", url+"/_stub/advance", `{"by": "`+step.by+`"}`)
		var got struct{ Now time.Time }
		if err := json.Unmarshal([]byte(body), &got); err != nil || status != "200 OK" || got.Now.Before(before.Add(time.Hour)) {
			t.Errorf("got %s %s (%v), want the new time", status, body, err)
		}
		if server, _ := cloud.Server(stub.SampleWeb1); server.Status != step.want {
			t.Errorf("got the status %s after another %s, want %s", server.Status, step.by, step.want)
		}
	}
}

func TestAdmin_saysWhatIsWrong(t *testing.T) {
	_, url := serveAdmin(t)
	web := "servers/" + stub.SampleWeb1
	tests := []struct {
		name, method, path, body, want string
	}{
		{"another path", "GET", "server", "", "404 there is no GET /_stub/server; there are POST /_stub/faults, "},
		{"another method", "GET", "faults", "", "404 there is no GET /_stub/faults; there are POST /_stub/faults, "},
		{"no JSON", "POST", "faults", "status=503", "400 it is not JSON: line 1: "},
		{"a fault that does nothing", "POST", "faults", `{"call": "server"}`, "400 it does nothing; set "},
		{"a fault of an unknown server", "POST", "faults", `{"server_id": "x", "reset": true}`, `400 field "server_id": there is no server "x"`},
		{"an unknown server", "POST", "servers/x", `{}`, `400 there is no server "x"`},
		{"an unknown field", "POST", web, `{"flavour": {}}`, `400 there is no field "flavour"`},
		{"a wrong value", "POST", web, `{"stub": {"migration": "x"}}`, `400 field "stub.migration": got "x"`},
		{"another id", "POST", web, `{"id": "x"}`, `400 field "id": it cannot be changed; set it in the file of servers`},
		{"another address", "POST", web, `{"accessIPv4": "192.0.2.1"}`, `400 field "accessIPv4": it cannot be changed`},
		{"another region", "POST", web, `{"stub": {"region": "LON"}}`, `400 field "stub.region": it cannot be changed`},
		{"no time", "POST", "advance", `{}`, `400 field "by": it must be set, such as {"by": "24h"}`},
		{"a time before", "POST", "advance", `{"by": "-1h"}`, `400 field "by": got "-1h", want a string with a duration greater than 0`},
		{"too much", "POST", "faults", `{"body": "` + strings.Repeat("x", 1<<20) + `"}`, "400 http: request body too large"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, body := ask(t, test.method, url+"/_stub/"+test.path, test.body)
			var got struct{ Error string }
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err)
			}
			if text := status[:4] + got.Error; !strings.HasPrefix(text, test.want) {
				t.Errorf("got %q, want %q", text, test.want)
			}
		})
	}
}

// A request that controls the stub is not a request to the API: it gets no fault, and is
// not recorded.
func TestAdmin_isOutsideOfTheAPI(t *testing.T) {
	cloud, url := serveAdmin(t)
	cloud.Inject(stub.Fault{Status: 500})
	if status, _ := ask(t, "GET", url+"/_stub/requests", ""); status != "200 OK" || len(cloud.Requests()) != 0 {
		t.Errorf("got %s and the requests %v, want 200 and none", status, cloud.Requests())
	}
	if status, _ := ask(t, "GET", url+"/_stubs", ""); status[:3] != "500" || len(cloud.Requests()) != 1 {
		t.Errorf("got %s and the requests %v, want the API's answer to another path", status, cloud.Requests())
	}
}
