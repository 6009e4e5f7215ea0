//go:build linux

package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// guide is the directory of the guide "Test your module without a cloud".
const guide = "../../../../examples/guides/test-your-module/"

// writeServers makes a file of servers.
func writeServers(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "servers.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadServers_readsTheFileOfTheGuide(t *testing.T) {
	got, err := readServers(guide+"servers.json", 20)
	if err != nil {
		t.Fatal(err)
	}
	want := []stub.Server{
		{ID: "0d5f7a1e-3c2b-4f60-8a94-1b7e5c9d2a01", Name: "web-1", FlavorID: "general1-2", Metadata: map[string]string{"role": "web"}, AccessIPv4: "127.42.0.11"},
		{ID: "0d5f7a1e-3c2b-4f60-8a94-1b7e5c9d2a02", Name: "web-2", AccessIPv4: "127.42.0.12", Timing: stub.ObservedTiming().Scaled(20 * 7.2 / 20)},
		{Name: "fragile-1", AccessIPv4: "127.42.0.13"},
		{Name: "unhealthy-1", AccessIPv4: "127.42.0.14"},
		{Name: "batch-1", Status: "SHUTOFF", AccessIPv4: "127.42.0.15"},
	}
	for i := range want {
		want[i].Region = "ORD"
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(stub.Server{}, "Health")); diff != "" {
		t.Errorf("the servers (-want +got):\n%s", diff)
	}
	for i, want := range [][2]stub.Health{ // on its first host, and elsewhere
		{stub.Healthy, stub.Healthy}, {stub.Healthy, stub.Healthy}, {stub.Healthy, stub.Wrong}, {stub.Closed, stub.Closed},
	} {
		if health := got[i].Health; health != nil {
			if got := [2]stub.Health{health(stub.Visit{Home: true}), health(stub.Visit{})}; got != want {
				t.Errorf("got the health %v of server %d, want %v", got, i, want)
			}
		} else if want[1] != stub.Healthy {
			t.Errorf("got server %d healthy, want %v", i, want)
		}
	}
}

func TestReadServers_readsEveryField(t *testing.T) {
	got, err := readServers(writeServers(t, `{"servers": [{
		"id": "0d5f7a1e-3c2b-4f60-8a94-1b7e5c9d2a01", "name": "web-1", "status": "SHUTOFF", "flavor": {"id": "general1-4"},
		"hostId": "host-a", "accessIPv4": "192.0.2.1", "accessIPv6": "2001:db8::1",
		"addresses": {"private": [{"addr": "10.0.0.5", "version": 4}, {"addr": "fd00::5"}]}, "metadata": {"role": "web"},
		"stub": {
			"region": "DFW", "healthy": "only_on_original_host", "unhealthy_as": "silent", "migration": "fails",
			"migration_takes": "72s", "confirmation": "never_ends", "original_host_down": true, "locked": true
		}
	}]}`), 2)
	if err != nil {
		t.Fatal(err)
	}
	want := []stub.Server{{
		ID: "0d5f7a1e-3c2b-4f60-8a94-1b7e5c9d2a01", Name: "web-1", Region: "DFW", Status: "SHUTOFF", FlavorID: "general1-4",
		HostID: "host-a", AccessIPv4: "192.0.2.1", AccessIPv6: "2001:db8::1", Metadata: map[string]string{"role": "web"},
		Addresses: map[string][]string{"private": {"10.0.0.5", "fd00::5"}},
		Locked:    true, Outcome: stub.OutcomeFails, ConfirmOutcome: stub.ConfirmNeverEnds, SourceDown: true,
		Timing: stub.ObservedTiming().Scaled(0.2),
	}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(stub.Server{}, "Health")); diff != "" {
		t.Errorf("the server (-want +got):\n%s", diff)
	}
	if away := got[0].Health(stub.Visit{}); away != stub.Silent {
		t.Errorf("got the health %v on another host, want it silent", away)
	}
}

func TestReadServers_saysWhatIsWrongWhere(t *testing.T) {
	one := func(fields string) string {
		return `{"servers": [{"name": "web-1"}, {"name": "web-2", ` + fields + `}]}`
	}
	tests := []struct {
		name, text, want string
	}{
		{"no JSON", "{\n\n]", "servers.json: it is not JSON: line 3: invalid character ']'"},
		{"half of it", `{"servers": [`, "servers.json: it is not JSON: line 1: unexpected end"},
		{"no object", `[]`, "servers.json: got an array, want an object"},
		{"null", `null`, "servers.json: got null, want an object"},
		{"no servers", `{}`, `servers.json: it has no servers; the field "servers" lists them`},
		{"another field", `{"server": []}`, `servers.json: there is no field "server"; the fields are "servers"`},
		{"servers that are no list", `{"servers": {}}`, `servers.json: field "servers": got an object, want an array`},
		{"a server that is no object", `{"servers": ["web-1"]}`, "servers.json: server 1: got a string, want an object"},
		{"no name", `{"servers": [{}]}`, `servers.json: server 1: field "name": it must be set`},
		{"an unknown field", one(`"flavour": {}`), `servers.json: server 2 (web-2): there is no field "flavour"; the fields are "accessIPv4", `},
		{"two wrong fields, of which the error names the first", one(`"flavour": {}, "hostId": 7`), `server 2 (web-2): there is no field "flavour"`},
		{"a field of the stub elsewhere", one(`"locked": true`), `server 2 (web-2): there is no field "locked"`},
		{"an unknown field of the stub", one(`"stub": {"status": "x"}`), `server 2 (web-2): field "stub": there is no field "status"; the fields are "confirmation", `},
		{"a number", one(`"hostId": 7`), `server 2 (web-2): field "hostId": got a number, want a string`},
		{"metadata that is no text", one(`"metadata": {"wave": 1}`), `server 2 (web-2): field "metadata": got a number, want a string`},
		{"a flavor that is no object", one(`"flavor": "general1-1"`), `server 2 (web-2): field "flavor": got a string, want an object`},
		{"a flavor without an id", one(`"flavor": {"name": "x"}`), `server 2 (web-2): field "flavor": there is no field "name"; the fields are "id"`},
		{"an id that is no UUID", one(`"id": "web-2"`), `server 2 (web-2): field "id": got "web-2", want a UUID in lower case`},
		{"an unknown status", one(`"status": "RUNNING"`), `server 2 (web-2): field "status": got "RUNNING", want "ACTIVE", `},
		{"an invalid address", one(`"accessIPv4": "web"`), `server 2 (web-2): field "accessIPv4": got "web", want an IPv4 address`},
		{"an address of the other version", one(`"accessIPv6": "192.0.2.1"`), `server 2 (web-2): field "accessIPv6": got "192.0.2.1", want an IPv6 address`},
		{"an address of the stub", one(`"accessIPv4": "127.42.3.11"`), `server 2 (web-2): field "accessIPv4": the addresses 127.42.0.0/16 are those that the stub chooses`},
		{"an invalid address of a network", one(`"addresses": {"private": [{"addr": "x"}]}`), `server 2 (web-2): field "addresses.addr": got "x", want an IP address`},
		{"a network's address with the other version", one(`"addresses": {"private": [{"addr": "10.0.0.5", "version": 6}]}`), `field "addresses.version": got 6, want 4 for 10.0.0.5`},
		{"an unknown region", one(`"stub": {"region": "SYD"}`), `server 2 (web-2): field "stub.region": got "SYD", want "ORD", "DFW" or "LON"`},
		{"an unknown end of migrations", one(`"stub": {"migration": "explodes"}`), `server 2 (web-2): field "stub.migration": got "explodes", want "fails", `},
		{"an unknown end of confirmations", one(`"stub": {"confirmation": "x"}`), `field "stub.confirmation": got "x", want "fails", "never_ends" or "succeeds"`},
		{"an unknown health", one(`"stub": {"healthy": true}`), `field "stub.healthy": got true or false, want a string`},
		{"an unknown place of health", one(`"stub": {"healthy": "at home"}`), `field "stub.healthy": got "at home", want "always", "never" or "only_on_original_host"`},
		{"an unknown way to be unhealthy", one(`"stub": {"healthy": "never", "unhealthy_as": "flu"}`), `field "stub.unhealthy_as": got "flu", want "closed", "dropped", "silent" or "wrong_answer"`},
		{"a way to be unhealthy alone", one(`"stub": {"unhealthy_as": "closed"}`), `field "stub.unhealthy_as": it needs the field "healthy"`},
		{"a duration that is a number", one(`"stub": {"migration_takes": 30}`), `field "stub.migration_takes": got 30, want a string with a duration greater than 0, such as "30s"`},
		{"no duration", one(`"stub": {"migration_takes": "0s"}`), `field "stub.migration_takes": got "0s", want a string with a duration`},
		{"the same id", `{"servers": [{"name": "a", "id": "0d5f7a1e-3c2b-4f60-8a94-1b7e5c9d2a01"}, {"name": "b", "id": "0d5f7a1e-3c2b-4f60-8a94-1b7e5c9d2a01"}]}`,
			`server 2 (b): field "id": server 1 (a) has the same id`},
		{"the same address", `{"servers": [{"name": "a", "accessIPv4": "192.0.2.1"}, {"name": "b", "accessIPv4": "192.0.2.1"}]}`,
			`server 2 (b): field "accessIPv4": server 1 (a) has the same address`},
		{"more servers than addresses", `{"servers": [` + strings.Repeat(`{"name": "a"},`, 244) + `{"name": "b"}]}`,
			`server 245 (b): field "accessIPv4": the stub has no address left; set it for all but 244 servers`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, _, stderr := invoke(t, "-servers", writeServers(t, test.text), "--", "true")
			if status != exitUsage || !strings.Contains(stderr, test.want) {
				t.Errorf("got status %d and %q, want %d and %q", status, stderr, exitUsage, test.want)
			}
		})
	}
	if status, _, stderr := invoke(t, "-servers", "nowhere.json", "--", "true"); status != exitUsage || !strings.Contains(stderr, "cannot read the servers: open nowhere.json") {
		t.Errorf("got status %d and %q, want that there is no file", status, stderr)
	}
}

// Everything that a server of the stub can do has a word in the file of servers.
func TestReadServers_hasAWordForEachOutcomeAndHealth(t *testing.T) {
	outcomes := slices.Sorted(maps.Values(migrations))
	if outcomes[0] != stub.OutcomeMoves || outcomes[len(outcomes)-1] != stub.OutcomeNeverEnds || len(outcomes) != int(stub.OutcomeNeverEnds)+1 {
		t.Errorf("got words for the outcomes %v, want one for each", outcomes)
	}
	if got := slices.Sorted(maps.Values(confirmations)); len(got) != int(stub.ConfirmNeverEnds)+1 {
		t.Errorf("got words for the outcomes %v of confirmations, want one for each", got)
	}
	if got := slices.Sorted(maps.Values(unhealthies)); len(got) != int(stub.Wrong) {
		t.Errorf("got words for %v, want one for each health but healthy", got)
	}
}

func TestRun_servesTheServersOfAFile(t *testing.T) {
	own := fmt.Sprintf("127.41.%d.%d", os.Getpid()/250%250, 1+os.Getpid()%250) // other tests have others
	path := writeServers(t, `{"servers": [
		{"name": "near", "stub": {"healthy": "never"}},
		{"name": "far", "accessIPv4": "192.0.2.1", "stub": {"region": "LON"}},
		{"name": "away", "accessIPv4": "`+own+`"}
	]}`)
	announced := serve(t, "-servers", path)
	for _, want := range []string{`# near +ORD +127\.42\.\d+\.11`, `# far +LON +192\.0\.2\.1`, `# away +ORD +` + regexp.QuoteMeta(own)} {
		wantMatch(t, announced, want+` +[0-9a-f-]{36}\n`)
	}
	if strings.Contains(announced, "web-1") {
		t.Errorf("got a sample server beside those of the file:\n%s", announced)
	}
	for address, want := range map[string]string{wantMatch(t, announced, `127\.42\.\d+\.11`): "503", own: "200"} {
		if got, _ := ask(t, "GET", "http://"+address+":8080/", ""); got[:3] != want {
			t.Errorf("got %s from %s, want %s", got, address, want)
		}
	}
}

func TestDuration_isAPositiveLengthOfTime(t *testing.T) {
	var got duration
	if err := got.UnmarshalJSON([]byte(`"1m30s"`)); err != nil || time.Duration(got) != 90*time.Second {
		t.Errorf("got %s (%v), want 1m30s", time.Duration(got), err)
	}
}
