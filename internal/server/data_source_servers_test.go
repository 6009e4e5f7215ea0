package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// addFleet adds servers beside web-1.
func (s *scenario) addFleet() {
	home, _ := s.Server(web1)
	s.AddServer(stub.Server{Name: "web-3", Status: "SHUTOFF", Metadata: map[string]string{"role": "web", "stage": "test"}})
	s.AddServer(stub.Server{Name: "web-2", HostID: home.HostID, FlavorID: "io1-15", Metadata: map[string]string{"role": "web"}})
	s.AddServer(stub.Server{Name: "db-1", HostID: home.HostID, Metadata: map[string]string{"role": "db"}})
	s.AddServer(stub.Server{Name: "db-2", Status: "ERROR", HostID: "elsewhere"})
	s.AddServer(stub.Server{Name: "Web-4", Status: "VERIFY_RESIZE"})
	s.AddServer(stub.Server{Name: "web-9", Region: "DFW"})
	s.AddServer(stub.Server{Name: "web-8", TenantID: "654321"})
}

// names are those of the servers that were found, in order.
func names(got acctest.Instance) string {
	var found []string
	for i := range got.Len("servers") {
		found = append(found, got.Get("servers."+strconv.Itoa(i)+".name"))
	}
	return strings.Join(found, " ")
}

func TestServers_areThoseThatMatchAllArguments(t *testing.T) {
	tests := []struct {
		name   string
		config object
		want   string
	}{
		{"all", nil, "Web-4 db-1 db-2 web-1 web-2 web-3"},
		{"name", object{"name_regex": "^web-"}, "web-1 web-2 web-3"},
		{"name, anywhere and in any case", object{"name_regex": "(?i)WEB"}, "Web-4 web-1 web-2 web-3"},
		{"an empty name", object{"name_regex": ""}, "Web-4 db-1 db-2 web-1 web-2 web-3"},
		{"status", object{"status": []any{"SHUTOFF", "ERROR"}}, "db-2 web-3"},
		{"status that none has", object{"status": []any{"SUSPENDED"}}, ""},
		{"metadata", object{"metadata": object{"role": "web"}}, "web-1 web-2 web-3"},
		{"metadata, all of it", object{"metadata": object{"role": "web", "stage": "test"}}, "web-3"},
		{"metadata that none has", object{"metadata": object{"stage": ""}}, ""},
		{"no metadata", object{"metadata": object{}}, "Web-4 db-1 db-2 web-1 web-2 web-3"},
		{"flavor", object{"flavor_id": "io1-15"}, "web-2"},
		{"region", object{"region": "dfw"}, "web-9"},
		{"several arguments", object{"name_regex": "web", "status": []any{"ACTIVE"}, "flavor_id": "general1-1"}, "web-1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inVirtualTime(t, stub.Config{PageSize: 2}, func(s *scenario) {
				s.addFleet()
				got := s.mustRead(serversType, test.config)
				if got := names(got); got != test.want {
					t.Errorf("got %q, want %q", got, test.want)
				}
				wanted := strings.Fields(test.want)
				if diff := cmp.Diff(wanted, got.Keys("by_name"), cmp.Transformer("list", func(names []string) []string { return append([]string{}, names...) })); diff != "" {
					t.Errorf("got other names than wanted (-want +got):\n%s", diff)
				}
				for i, name := range wanted {
					id := got.Get("servers." + strconv.Itoa(i) + ".id")
					want(t, got, map[string]string{"by_name." + name: id, "by_id." + id: name})
				}
				if got := len(got.Keys("by_id")); got != len(wanted) {
					t.Errorf("got %d ids, want %d", got, len(wanted))
				}
			})
		})
	}
}

func TestServers_areThoseOnTheHostOfAServer(t *testing.T) {
	inVirtualTime(t, stub.Config{}, func(s *scenario) {
		s.addFleet()
		host := s.mustRead(serverType, object{"name": "web-1"}).Get("host_id")
		if got := names(s.mustRead(serversType, object{"host_id": host})); got != "db-1 web-1 web-2" {
			t.Errorf("got %q, want the servers on the same host", got)
		}
		s.SetServer(web1, func(v *stub.Server) { v.NoHostID = true })
		unknown := s.mustRead(serverType, object{"name": "web-1"})
		if unknown.IsNull("host_id") {
			t.Fatal("got a null host_id, which would stand for all servers")
		}
		s.wantRefused(serversType, object{"host_id": unknown.Get("host_id")}, "host_id", "must be at least 1")
	})
}

func TestServers_areShownInFull(t *testing.T) {
	inVirtualTime(t, stub.Config{}, func(s *scenario) {
		single, list := s.mustRead(serverType, object{"id": web1}), s.mustRead(serversType, nil)
		attributes := slices.DeleteFunc(single.Keys(""), func(name string) bool { return name == "migration" || name == "region" })
		if diff := cmp.Diff(attributes, list.Keys("servers.0")); diff != "" {
			t.Errorf("got other attributes than those of rackspace_server (-want +got):\n%s", diff)
		}
		for _, name := range attributes {
			if got, want := list.Get("servers.0."+name), single.Get(name); got != want {
				t.Errorf("got %s %q, want %q", name, got, want)
			}
		}
	})
}

// A key of for_each must not change because another server appears.
func TestServers_keepTheKeysOfTheirMaps(t *testing.T) {
	inVirtualTime(t, stub.Config{}, func(s *scenario) {
		s.addFleet()
		before := s.mustRead(serversType, object{"name_regex": "^web"})
		twin := s.AddServer(stub.Server{Name: "web-1", Status: "SHUTOFF"})
		time.Sleep(time.Minute)
		after, diagnostics := s.ReadData(serversType, object{"name_regex": "^web"})
		if diff := cmp.Diff(before.Keys("by_name"), after.Keys("by_name")); diff != "" {
			t.Errorf("got other names than before (-want +got):\n%s", diff)
		}
		if !after.IsNull("by_name.web-1") || after.IsNull("by_name.web-2") {
			t.Errorf("got %q for web-1, want null, since two servers have the name", after.Get("by_name.web-1"))
		}
		want(t, after, map[string]string{"by_id." + web1: "web-1", "by_id." + twin: "web-1"})
		if got := after.Len("servers"); got != 4 {
			t.Errorf("got %d servers, want 4", got)
		}
		if diagnostics.HasError() || !says("Several servers have the same name", "web-1 (", "web-1 (", "Use by_id instead").MatchString(diagnostics.Warnings()) || strings.Contains(diagnostics.String(), "web-2") {
			t.Errorf("got the diagnostics %s, want a warning that names the two", diagnostics)
		}
		// The other one is not found, so it is not in doubt.
		if got := s.mustRead(serversType, object{"status": []any{"SHUTOFF"}}).Get("by_name.web-1"); got != twin {
			t.Errorf("got %q, want the only one that was found", got)
		}
	})
}

func TestServers_checkTheirArguments(t *testing.T) {
	tests := []struct {
		name   string
		config object
		want   []string
	}{
		{"no regular expression", object{"name_regex": "("}, []string{"Invalid regular expression", `"name_regex" is not a regular expression`}},
		{"no status", object{"status": []any{"VERIFY-RESIZE"}}, []string{"status", `"VERIFY_RESIZE"`, "VERIFY-RESIZE"}},
		{"an empty list", object{"status": []any{}}, []string{"status", "at least 1"}},
		{"a status that is null", object{"status": []any{"ACTIVE", nil}}, []string{"Null List Value", "status"}},
		{"metadata that is null", object{"metadata": object{"role": nil}}, []string{"Null Map Value", "metadata"}},
		{"an empty host", object{"host_id": ""}, []string{"host_id", "at least 1"}},
		{"an empty flavor", object{"flavor_id": ""}, []string{"flavor_id", "at least 1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inVirtualTime(t, stub.Config{}, func(s *scenario) {
				s.wantRefused(serversType, test.config, test.want...)
				if got := len(s.Requests()); got != 0 {
					t.Errorf("got %d requests, want none", got)
				}
			})
		})
	}
}

func TestServers_sayWhyTheyCannotBeListed(t *testing.T) {
	inVirtualTime(t, stub.Config{}, func(s *scenario) {
		s.wantRefused(serversType, object{"region": "XYZ"}, `There is no region "XYZ"`)
		s.Inject(stub.Fault{Call: stub.CallList, Status: http.StatusServiceUnavailable, Count: 2})
		s.wantRefused(serversType, nil, "Cannot read the servers of the region", "503 serviceUnavailable", "The API has a problem")
		s.Inject(stub.Fault{Call: stub.CallList, Status: http.StatusForbidden})
		for range 5 { // also when the client has given up lists for a while
			s.wantRefused(serversType, nil, "Cannot read the servers of the region", "403 forbidden", "The API refuses to list servers", "by its id with the data source rackspace_server")
		}
		want(t, s.mustRead(serverType, object{"id": web1}), map[string]string{"name": "web-1"})
	})
}

// refreshed refreshes migrations, and checks that there are no diagnostics.
func (s *scenario) refreshed(migrations []acctest.Instance) {
	s.t.Helper()
	for _, m := range migrations {
		if got, diagnostics := s.Read(m); len(diagnostics) > 0 || got.Get("status") != "awaiting_confirmation" {
			s.t.Fatalf("got the status %q, want it awaiting:\n%s", got.Get("status"), diagnostics)
		}
	}
}

func TestServers_shareTheListOfARefresh(t *testing.T) {
	inVirtualTime(t, stub.Config{}, func(s *scenario) {
		var ids []string
		for i := range 2999 {
			ids = append(ids, s.AddServer(stub.Server{Name: fmt.Sprintf("web-%d", i+2)}))
		}
		for _, id := range ids[:100] {
			if err := s.Migrate(id, "user-7"); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		var migrations []acctest.Instance
		for _, id := range ids[:100] {
			imported, diagnostics := s.Import(servermigration.ResourceType, id)
			if diagnostics.HasError() {
				t.Fatal(diagnostics)
			}
			migrations = append(migrations, imported)
		}
		wantSent := func(lists, reads int, read func()) {
			t.Helper()
			sent := [2]int{s.Count(stub.CallList), s.Count(stub.CallServer)}
			read()
			if got, want := [2]int{s.Count(stub.CallList) - sent[0], s.Count(stub.CallServer) - sent[1]}, [2]int{lists, reads}; got != want {
				t.Errorf("got %v lists and reads, want %v", got, want)
			}
		}
		s.restart()
		wantSent(3, 0, func() {
			if got := s.mustRead(serversType, nil).Len("servers"); got != 3000 {
				t.Errorf("got %d servers, want 3000", got)
			}
		})
		wantSent(0, 0, func() { s.refreshed(migrations) })
		s.restart()
		wantSent(3, 1, func() { s.refreshed(migrations) }) // it begins with one server
		wantSent(0, 0, func() { s.mustRead(serversType, object{"status": []any{"VERIFY_RESIZE"}}) })
	})
}

func TestServers_showWhatTheSameRunHasMigrated(t *testing.T) {
	inVirtualTime(t, stub.Config{}, func(s *scenario) {
		if got := s.mustRead(serversType, nil).Get("servers.0.status"); got != "ACTIVE" {
			t.Fatalf("got the status %q, want ACTIVE", got)
		}
		s.migrate(object{"server_id": web1})
		if got := s.mustRead(serversType, nil).Get("servers.0.status"); got != "VERIFY_RESIZE" {
			t.Errorf("got the status %q, want what the apply has made of it", got)
		}
	})
}

// migrate applies a migration, and checks that there is no error.
func (s *scenario) migrate(config object) {
	s.t.Helper()
	change, diagnostics := s.Plan(s.Absent(servermigration.ResourceType), config)
	if !diagnostics.HasError() {
		_, diagnostics = s.Apply(change)
	}
	if diagnostics.HasError() {
		s.t.Fatal(diagnostics)
	}
}
