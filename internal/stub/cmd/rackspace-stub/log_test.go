//go:build linux

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// login is a script that gets a token, reads a server with it, and asks about the token.
const login = `
set -eu
url=$TF_VAR_stub_url
body='{"auth":{"RAX-KSKEY:apiKeyCredentials":{"username":"demo","apiKey":"stub-api-key"}}}'
token=$(curl -sS -d "$body" "$url/v2.0/tokens" | sed 's/.*"id":"\([^"]*\)","tenant".*/\1/')
echo "$token"
curl -sS -o /dev/null -H "X-Auth-Token: $token" "$url/ORD/v2/123456/servers/` + stub.SampleWeb1 + `?x=y"
curl -sS -o /dev/null "$url/v2.0/tokens/$token"
`

func TestLog_hasAnObjectForEachRequest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "requests.jsonl")
	status, stdout, stderr := invoke(t, "-log", path, "-fault", `{"name": "maintenance", "call": "server", "status": 503}`, "--", "sh", "-c", login)
	if status != 0 {
		t.Fatalf("got status %d: %s", status, stderr)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []requestObject
	for line := range strings.Lines(string(text)) {
		var request requestObject
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&request); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if time.Since(request.Time).Abs() > time.Hour {
			t.Errorf("got the time %s, want about now", request.Time)
		}
		got = append(got, request)
	}
	server := "/ORD/v2/123456/servers/" + stub.SampleWeb1
	want := []requestObject{
		{Method: "POST", Path: "/v2.0/tokens", Call: "token", UserID: "user-1", Status: 200},
		{Method: "GET", Path: server, Query: "x=y", Call: "server", ServerID: stub.SampleWeb1, UserID: "user-1", Status: 503, Fault: "maintenance"},
		{Method: "GET", Path: "/v2.0/tokens/TOKEN", Call: "other", Status: 404},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(requestObject{}, "Time", "RequestID")); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
	if len(got) > 1 && (got[0].RequestID != "" || !strings.HasPrefix(got[1].RequestID, "req-")) {
		t.Errorf("got the request ids %q and %q, want none and one", got[0].RequestID, got[1].RequestID)
	}
	token := strings.TrimSpace(stdout)
	if len(token) < 16 {
		t.Fatalf("got the token %q, want one", token)
	}
	for _, secret := range []string{token, stub.DefaultUser.APIKey, stub.DefaultUser.Password} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the log has the secret %s:\n%s", secret, text)
		}
	}
	first, _, _ := strings.Cut(string(text), "\n")
	for _, field := range []string{"time", "method", "path", "query", "call", "server_id", "user_id", "request_id", "status", "fault"} {
		if !strings.Contains(first, `"`+field+`":`) {
			t.Errorf("the first object has no %s: %s", field, first)
		}
	}
}

func TestLog_goesToStderr(t *testing.T) {
	_, stdout, stderr := invoke(t, "-log", "-", "--", "sh", "-c", `curl -sS -o /dev/null "$TF_VAR_stub_url/"`)
	if !strings.Contains(stderr, `"path":"/"`) || stdout != "" {
		t.Errorf("got %q and %q, want the request in the second", stdout, stderr)
	}
}

func TestLog_saysThatItCannotBeWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nowhere", "requests.jsonl")
	if status, _, stderr := invoke(t, "-log", path, "--", "true"); status != exitUsage || !strings.Contains(stderr, "cannot write the request log: open "+path) {
		t.Errorf("got status %d and %q, want that there is no directory", status, stderr)
	}
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full")
	}
	const ask = `for i in 1 2; do curl -sS -o /dev/null "$TF_VAR_stub_url/"; done`
	if _, _, stderr := invoke(t, "-log", "/dev/full", "--", "sh", "-c", ask); strings.Count(stderr, "the request log is not complete") != 1 {
		t.Errorf("got %q, want one message that the log is not complete", stderr)
	}
}
