//go:build linux

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestFault_readsEveryField(t *testing.T) {
	got, err := readFault([]byte(`{
		"name": "storm", "call": "action log", "server_id": "` + stub.SampleWeb1 + `", "skip": 1, "count": 2, "for": "10m",
		"delay": "1ms", "effect": true, "revoke_tokens": true, "lag": "3s", "status": 429, "headers": {"via": "proxy"},
		"body": "busy", "content_type": "text/plain", "retry_after": "7s"
	}`))
	if err != nil {
		t.Fatal(err)
	}
	want := faultObject{
		Name: "storm", Call: "action log", ServerID: stub.SampleWeb1, Skip: 1, Count: 2, For: 600e9,
		Delay: 1e6, Effect: true, RevokeTokens: true, Lag: 3e9, Status: 429, Headers: map[string]string{"via": "proxy"},
		Body: "busy", ContentType: "text/plain", RetryAfter: 7e9,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the fault (-want +got):\n%s", diff)
	}
}

func TestFault_changesTheAnswersThatTheClientGets(t *testing.T) {
	cloud, url := serveAdmin(t)
	path := url + "/ORD/v2/123456/servers/" + stub.SampleWeb1
	ask(t, "POST", url+"/_stub/faults", `{"skip": 1, "count": 1, "status": 429, "headers": {"via": "proxy"}, "body": "busy", "content_type": "text/plain", "retry_after": "7s"}`)
	if status, _ := ask(t, "GET", path, ""); status[:3] != "401" {
		t.Errorf("got %s for the request that is to pass, want the cloud's 401", status)
	}
	if status, body := ask(t, "GET", path, ""); status[:3] != "429" || body != "busy" {
		t.Errorf("got %s %s, want the fault", status, body)
	}
	if status, _ := ask(t, "GET", path, ""); status[:3] != "401" {
		t.Errorf("got %s after the fault, want the cloud's 401", status)
	}
	ask(t, "POST", url+"/_stub/faults", `{"for": "1h", "status": 502}`)
	for _, want := range []string{"502", "502", "401"} {
		if status, _ := ask(t, "GET", path, ""); status[:3] != want {
			t.Errorf("got %s, want %s", status, want)
		}
		if want == "502" {
			ask(t, "POST", url+"/_stub/advance", `{"by": "31m"}`)
		}
	}
	names := []string{}
	for _, request := range cloud.Requests() {
		names = append(names, request.Fault)
	}
	if diff := cmp.Diff([]string{"", "status 429, headers, body", "", "status 502", "status 502", ""}, names); diff != "" {
		t.Errorf("the faults of the requests (-want +got):\n%s", diff)
	}
}

func TestFault_saysWhatIsWrong(t *testing.T) {
	tests := []struct {
		name, text, want string
	}{
		{"no JSON", `status=503`, "it is not JSON: line 1: "},
		{"an unknown field", `{"code": 503}`, `there is no field "code"; the fields are "body", `},
		{"an unknown call", `{"call": "move", "status": 503}`, `field "call": got "move", want "token", "server", "list", "action log", "migrate", `},
		{"an unknown server", `{"server_id": "web-1", "status": 503}`, `-fault: field "server_id": there is no server "web-1"; without it all servers get the fault`},
		{"a text for a number", `{"status": "503"}`, `field "status": got a string, want a whole number`},
		{"half a number", `{"status": 503.5}`, `field "status": got a number, want a whole number`},
		{"an invalid status", `{"status": 99}`, `field "status": got 99, want 200 to 599`},
		{"a negative skip", `{"skip": -1, "status": 503}`, `field "skip": it must not be negative`},
		{"a negative count", `{"count": -1, "status": 503}`, `field "count": it must not be negative; without it all requests get the fault`},
		{"a delay that is a number", `{"delay": 3}`, `field "delay": got 3, want a string with a duration greater than 0`},
		{"two answers", `{"reset": true, "hang": true}`, `"status", "reset", "hang" and "truncate" exclude each other; set one of them`},
		{"nothing", `{"call": "migrate", "count": 1}`, `it does nothing; set "status", `},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, _, stderr := invoke(t, "-fault", test.text, "--", "true")
			if status != exitUsage || !strings.Contains(stderr, test.want) {
				t.Errorf("got status %d and %q, want %d and %q", status, stderr, exitUsage, test.want)
			}
		})
	}
}

// Several faults may be given. Their servers may be those of a file.
func TestFault_isGivenByFlag(t *testing.T) {
	servers := writeServers(t, `{"servers": [{"id": "0d5f7a1e-3c2b-4f60-8a94-1b7e5c9d2a01", "name": "a"}]}`)
	const ask = `for path in /v2.0/tokens /ORD/v2/1/servers/0d5f7a1e-3c2b-4f60-8a94-1b7e5c9d2a01; do
		curl -sS -o /dev/null -w '%{http_code} ' "$TF_VAR_stub_url$path" $data; done`
	_, stdout, stderr := invoke(t, "-servers", servers,
		"-fault", `{"call": "other", "status": 502}`, "-fault", `{"server_id": "0d5f7a1e-3c2b-4f60-8a94-1b7e5c9d2a01", "status": 504}`,
		"--", "sh", "-c", ask)
	if stdout != "502 504 " {
		t.Errorf("got %q (%s), want both faults", stdout, stderr)
	}
}
