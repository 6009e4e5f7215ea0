package stub_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// openstack is the public command-line client of OpenStack. It does not get the environment
// variables or the clouds.yaml of the caller.
type openstack struct {
	program   string
	directory string // empty
	variables []string
}

// newOpenstack returns a client with the environment variables of a cloud.
func newOpenstack(t *testing.T, variables ...string) openstack {
	t.Helper()
	program, err := exec.LookPath("openstack")
	if err != nil {
		t.Skip("the openstack client is not installed; Debian has it in the package python3-openstackclient")
	}
	return openstack{program, t.TempDir(), variables}
}

// run starts the client once and returns the JSON values that it prints. Without
// arguments the client reads commands from its input, one a line.
func (o openstack) run(t *testing.T, input string, arguments ...string) []any {
	t.Helper()
	command := exec.CommandContext(t.Context(), o.program, arguments...)
	command.Dir, command.Stdin = o.directory, strings.NewReader(input)
	command.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "HOME=" + o.directory,
		"OS_CLIENT_CONFIG_FILE=" + os.DevNull, "OS_CLIENT_SECURE_FILE=" + os.DevNull, "OS_CLIENT_VENDOR_FILE=" + os.DevNull,
	}, o.variables...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("openstack %s: %v\n%s", strings.Join(arguments, " "), err, &stderr)
	}
	return jsonValues(t, stdout.String())
}

// jsonValues returns the JSON arrays and objects in a text, which may have other lines too.
func jsonValues(t *testing.T, text string) []any {
	t.Helper()
	var values []any
	for start := strings.IndexAny(text, "[{"); start >= 0; start = strings.IndexAny(text, "[{") {
		decoder := json.NewDecoder(strings.NewReader(text[start:]))
		var value any
		if err := decoder.Decode(&value); err != nil {
			t.Fatalf("%v in %s", err, text[start:])
		}
		values, text = append(values, value), text[start+int(decoder.InputOffset()):]
	}
	return values
}

// cloudOfTwo serves a stub with two servers and quick migrations.
func cloudOfTwo(t *testing.T) (s *stub.Stub, url, web string) {
	t.Helper()
	s = stub.New(stub.Config{Timing: stub.ObservedTiming().Scaled(1000)})
	web = s.AddServer(stub.Server{Name: "web-1", AccessIPv4: "192.0.2.11", HostID: "h1"})
	s.AddServer(stub.Server{Name: "db-1", Status: "SHUTOFF", FlavorID: "general1-2"})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server.URL, web
}

// wantColumns compares rows of a table, in the columns that are wanted.
func wantColumns(t *testing.T, what string, want []object, got any) {
	t.Helper()
	rows, _ := got.([]any)
	var found []object
	for i, row := range rows {
		columns := object{}
		for column := range want[min(i, len(want)-1)] {
			columns[column] = at(row, column)
		}
		found = append(found, columns)
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// wantRequests checks the requests of a session: one login, one migrate and one confirm. All
// requests other than the login are below one path. One request is refused, because the
// client first reads a server whose id would be the name.
func wantRequests(t *testing.T, s *stub.Stub, loginPath, below string) {
	t.Helper()
	for _, request := range s.Requests() {
		switch {
		case request.Call == stub.CallToken && request.Path != loginPath:
			t.Errorf("got a login at %s, want %s", request.Path, loginPath)
		case request.RequestID != "" && !strings.HasPrefix(request.Path, below):
			t.Errorf("got %s %s, want everything below %s", request.Method, request.Path, below)
		case request.RequestID != "" && request.User != stub.DefaultUser.ID:
			t.Errorf("got %s %s of user %q", request.Method, request.Path, request.User)
		case request.RequestID != "" && request.Status >= http.StatusBadRequest && request.Path != below+"/servers/web-1":
			t.Errorf("got %d for %s %s", request.Status, request.Method, request.Path)
		}
	}
	for call, want := range map[stub.Call]int{stub.CallToken: 1, stub.CallMigrate: 1, stub.CallConfirm: 1, stub.CallActionLog: 1} {
		if got := s.Count(call); got != want {
			t.Errorf("got %d requests of kind %q, want %d", got, call, want)
		}
	}
}

// session has all commands that move a server. One client runs them all, because most of
// the time goes into starting it.
const session = `server list -f json
server migrate --wait web-1
server show web-1 -f json
server migration confirm web-1
server event list web-1 -f json
`

// wantSession checks what a client printed in a session.
func wantSession(t *testing.T, s *stub.Stub, web string, got []any) {
	t.Helper()
	if len(got) != 3 {
		t.Fatalf("got %d answers as JSON, want 3: %v", len(got), got)
	}
	server, _ := s.Server(web)
	if server.HostID == "h1" {
		t.Error("the server was not moved")
	}
	wantColumns(t, "servers", []object{
		{"ID": web, "Name": "web-1", "Status": "ACTIVE", "Flavor": "general1-1", "Image": "", "Networks": object{"public": []any{"192.0.2.11"}}},
		{"Name": "db-1", "Status": "SHUTOFF", "Flavor": "general1-2", "Image": "", "Networks": object{}},
	}, got[0])
	wantColumns(t, "server", []object{{
		"id": web, "name": "web-1", "status": "VERIFY_RESIZE", "hostId": server.HostID, "project_id": "123456", "flavor": "general1-1 (general1-1)",
	}}, got[1:2])
	log := s.ActionLog(web)
	wantColumns(t, "events", []object{
		{"Action": "confirmResize", "Request ID": log[0].RequestID, "Server ID": web},
		{"Action": "migrate", "Request ID": log[1].RequestID, "Server ID": web},
	}, got[2])
}

func TestOpenstack_migratesAServerThroughKeystoneV3(t *testing.T) {
	s, url, web := cloudOfTwo(t)
	client := newOpenstack(t,
		"OS_IDENTITY_API_VERSION=3", "OS_AUTH_URL="+stub.KeystoneEndpoint(url), "OS_REGION_NAME=ORD",
		"OS_USERNAME="+stub.DefaultUser.Name, "OS_PASSWORD="+stub.DefaultUser.Password, "OS_USER_DOMAIN_NAME="+stub.DomainName,
		"OS_PROJECT_NAME="+stub.DefaultProject, "OS_PROJECT_DOMAIN_NAME="+stub.DomainName,
	)
	wantSession(t, s, web, client.run(t, session))
	wantRequests(t, s, "/v3/auth/tokens", novaAccount)
}

func TestOpenstack_migratesAServerThroughIdentityV2(t *testing.T) {
	s, url, web := cloudOfTwo(t)
	client := newOpenstack(t,
		"OS_AUTH_TYPE=v2password", "OS_AUTH_URL="+stub.IdentityEndpoint(url), "OS_REGION_NAME=ORD",
		"OS_USERNAME="+stub.DefaultUser.Name, "OS_PASSWORD="+stub.DefaultUser.Password, "OS_TENANT_ID=123456",
	)
	wantSession(t, s, web, client.run(t, session))
	wantRequests(t, s, "/v2.0/tokens", account)
}

// The client finds Identity v3 by itself at the root of the cloud.
func TestOpenstack_listsServersByAnApplicationCredential(t *testing.T) {
	_, url, web := cloudOfTwo(t)
	client := newOpenstack(t,
		"OS_AUTH_TYPE=v3applicationcredential", "OS_AUTH_URL="+url, "OS_REGION_NAME=ORD",
		"OS_APPLICATION_CREDENTIAL_ID="+stub.DefaultUser.Credential.ID, "OS_APPLICATION_CREDENTIAL_SECRET="+stub.DefaultUser.Credential.Secret,
	)
	got := client.run(t, "", "server", "list", "-f", "json")
	wantColumns(t, "servers", []object{{"ID": web, "Name": "web-1"}, {"Name": "db-1"}}, got[0])
}
