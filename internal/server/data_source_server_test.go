package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestServer_showsEverythingThatTheAPIDocuments(t *testing.T) {
	inVirtualTime(t, stub.Config{}, func(s *scenario) {
		s.answerWith(stub.CallServer, `{"server":{"id":"`+web1+`","name":"web-1","status":"ERROR","OS-EXT-STS:task_state":"resize_finish","OS-EXT-STS:vm_state":"error",
			"OS-EXT-STS:power_state":4,"progress":60,"hostId":"abc","flavor":{"id":"general1-1"},"image":{"id":"image-1"},
			"accessIPv4":"192.0.2.1","accessIPv6":"2001:db8::1","metadata":{"role":"web","rack":"7"},"tenant_id":"123456","user_id":"user-1","key_name":"key",
			"addresses":{"public":[{"addr":"192.0.2.1","version":4},{"addr":"2001:db8::1","version":6}],"private":[{"addr":"10.0.0.1","version":4}]},
			"created":"2026-11-01T08:00:00Z","updated":"2026-11-23T10:00:00+01:00","OS-SRV-USG:launched_at":"2026-11-01T08:01:00.000000",
			"config_drive":"True","OS-DCF:diskConfig":"MANUAL","OS-EXT-AZ:availability_zone":"nova",
			"fault":{"code":500,"message":"No valid host","details":"Traceback","created":"2026-11-23T09:00:00Z"}}}`)
		got := s.mustRead(serverType, object{"id": web1})
		want(t, got, map[string]string{
			"id": web1, "name": "web-1", "region": "ORD", "status": "ERROR", "task_state": "resize_finish", "vm_state": "error", "power_state": "4", "progress": "60",
			"host_id": "abc", "flavor_id": "general1-1", "image_id": "image-1", "access_ip_v4": "192.0.2.1", "access_ip_v6": "2001:db8::1",
			"metadata.role": "web", "metadata.rack": "7", "tenant_id": "123456", "user_id": "user-1", "key_name": "key",
			"addresses.public.0.address": "192.0.2.1", "addresses.public.0.version": "4", "addresses.public.1.version": "6", "addresses.private.0.address": "10.0.0.1",
			"created": "2026-11-01T08:00:00Z", "updated": "2026-11-23T09:00:00Z", "launched_at": "2026-11-01T08:01:00Z",
			"config_drive": "True", "disk_config": "MANUAL", "availability_zone": "nova",
			"fault.code": "500", "fault.message": "No valid host", "fault.details": "Traceback",
		})
		for _, attribute := range got.Keys("") {
			if attribute != "migration" && got.Get(attribute) == "" {
				t.Errorf("got no %s, want each attribute", attribute)
			}
		}
	})
}

func TestServer_isNullWhereTheAPIDoesNotTell(t *testing.T) {
	inVirtualTime(t, stub.Config{}, func(s *scenario) {
		s.answerWith(stub.CallServer, `{"server":{"id":"`+web1+`","status":"ACTIVE","image":"","key_name":null}}`)
		got := s.mustRead(serverType, object{"id": web1})
		// A host and a flavor are never null, since null stands for every server in rackspace_servers.
		want(t, got, map[string]string{"status": "ACTIVE", "progress": "0", "image_id": "", "fault": "", "migration": ""})
		for _, attribute := range []string{"host_id", "flavor_id", "name"} {
			if got.IsNull(attribute) {
				t.Errorf("got a null %s, want it empty", attribute)
			}
		}
		for _, attribute := range []string{"image_id", "key_name", "created", "power_state", "access_ip_v4", "fault", "migration"} {
			if !got.IsNull(attribute) {
				t.Errorf("got %s %q, want null", attribute, got.Get(attribute))
			}
		}
		if len(got.Keys("addresses"))+len(got.Keys("metadata")) > 0 || got.IsNull("addresses") || got.IsNull("metadata") {
			t.Errorf("got %v, want no addresses and no metadata", got)
		}
	})
}

func TestServer_isFoundByItsExactName(t *testing.T) {
	for _, name := range []string{"web-1", "web.1 (old) [x]+", `back\slash`, "Straße 7", "web-10"} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, stub.Config{PageSize: 2}, func(s *scenario) {
				for _, other := range []string{"web-10", "web-11", "a-web-1", "web-1-b", "WEB-1", "webx1 (old) [x]+"} {
					if other != name {
						s.AddServer(stub.Server{Name: other})
					}
				}
				id := web1
				if name != "web-1" {
					id = s.AddServer(stub.Server{Name: name})
				}
				s.AddServer(stub.Server{Name: name, Region: "DFW"}) // which is another region
				want(t, s.mustRead(serverType, object{"name": name}), map[string]string{"id": id, "name": name, "region": "ORD"})
			})
		})
	}
}

func TestServer_keepsTheSpellingOfItsRegion(t *testing.T) {
	inVirtualTime(t, stub.Config{}, func(s *scenario) {
		id := s.AddServer(stub.Server{Name: "web-3", Region: "DFW"})
		want(t, s.mustRead(serverType, object{"name": "web-3", "region": "dfw"}), map[string]string{"id": id, "region": "dfw"})
	})
}

func TestServer_listsTheServersIfTheNameIsNotThatOfExactlyOne(t *testing.T) {
	inVirtualTime(t, stub.Config{}, func(s *scenario) {
		twin := s.AddServer(stub.Server{Name: "web-1", Status: "SHUTOFF"})
		s.wantRefused(serverType, object{"name": "web-1"}, `Several servers are named "web-1"`, "web-1 ("+web1+", ACTIVE)", "web-1 ("+twin+", SHUTOFF)", "Set id instead of name")
		s.wantRefused(serverType, object{"name": "web"}, `There is no server named "web"`, "have a similar name", "web-1 ("+web1+", ACTIVE)", "Check name")
		s.wantRefused(serverType, object{"name": "db"}, `There is no server named "db"`, "No server of region ORD has exactly this name", "None has a similar name", "another region")
		for i := range 30 {
			s.AddServer(stub.Server{Name: fmt.Sprintf("batch-%02d", i)})
		}
		_, diagnostics := s.ReadData(serverType, object{"name": "batch"})
		if got := strings.Count(diagnostics.Errors(), "batch-"); got != 10 || !says("batch-09", "and 20 others").MatchString(diagnostics.Errors()) {
			t.Errorf("got %d servers in %s, want ten, and how many there are", got, diagnostics)
		}
	})
}

// Nova's databases differ in how they read a regular expression.
func TestServer_hasExactlyTheNameAlsoIfTheDatabaseFindsOthers(t *testing.T) {
	inVirtualTime(t, stub.Config{}, func(s *scenario) {
		s.answerWith(stub.CallList, `{"servers":[{"id":"`+web1+`","name":"WEB-1","status":"ACTIVE"}]}`)
		s.wantRefused(serverType, object{"name": "web-1"}, `There is no server named "web-1"`, "WEB-1 ("+web1+", ACTIVE)")
	})
}

func TestServer_tellsItsNewestMigration(t *testing.T) {
	ours := stub.DefaultUser.ID
	tests := []struct {
		name   string
		events func(*scenario)
		status string
		byUs   string
		due    bool // it has a deadline
	}{
		{"awaiting", func(s *scenario) { s.must(s.Migrate(web1, ours)) }, "awaiting_confirmation", "true", true},
		{"confirmed by somebody", func(s *scenario) { s.must(s.Migrate(web1, ours)); s.must(s.Confirm(web1, "user-7")) }, "confirmed", "true", false},
		{"somebody's, reverted", func(s *scenario) { s.must(s.Migrate(web1, "user-7")); s.must(s.Revert(web1, "user-7")) }, "reverted", "false", false},
		{"the newest of two", func(s *scenario) {
			s.must(s.Migrate(web1, "user-7"))
			s.must(s.Revert(web1, "user-7"))
			s.must(s.Migrate(web1, ours))
		}, "awaiting_confirmation", "true", true},
		{"beneath a resize", func(s *scenario) {
			s.must(s.Migrate(web1, ours))
			s.must(s.Confirm(web1, ours))
			s.must(s.Resize(web1, ours))
		}, "confirmed", "true", false},
		{"failed", func(s *scenario) {
			s.SetServer(web1, func(v *stub.Server) { v.Outcome = stub.OutcomeNoValidHost })
			s.must(s.Migrate(web1, ours))
		}, "failed", "true", false},
		{"with an end that nothing tells", func(s *scenario) {
			s.must(s.Migrate(web1, ours))
			s.SetServer(web1, func(v *stub.Server) { v.Status = "REBOOT" })
		}, "", "true", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inVirtualTime(t, stub.Config{}, func(s *scenario) {
				test.events(s)
				log := s.ActionLog(web1)
				var request string
				for _, action := range log {
					if action.Action == "migrate" {
						request = action.RequestID
						break
					}
				}
				got := s.mustRead(serverType, object{"name": "web-1"})
				want(t, got, map[string]string{"migration.status": test.status, "migration.requested_by_us": test.byUs, "migration.request_id": request})
				if at := got.Get("migration.requested_at"); at == "" {
					t.Error("got no time of the request")
				}
				if by := got.Get("migration.confirm_by"); (by != "") != test.due {
					t.Errorf("got the deadline %q, want one: %t", by, test.due)
				}
			})
		})
	}
}

func TestServer_doesNotCallAServerNeverMigratedWhereTheLogIsRefused(t *testing.T) {
	for _, status := range []int{http.StatusForbidden, http.StatusNotFound} {
		inVirtualTime(t, stub.Config{}, func(s *scenario) {
			s.must(s.Migrate(web1, "user-7"))
			s.Inject(stub.Fault{Call: stub.CallActionLog, Status: status})
			got, diagnostics := s.ReadData(serverType, object{"id": web1})
			if diagnostics.HasError() || !says("Cannot read the action log of server web-1 ("+web1+")", fmt.Sprint(status), "it is not known whether the server was ever migrated").MatchString(diagnostics.Warnings()) {
				t.Errorf("got the diagnostics %s, want a warning", diagnostics)
			}
			want(t, got, map[string]string{"status": "VERIFY_RESIZE", "migration.status": "", "migration.requested_by_us": ""})
			if got.IsNull("migration") {
				t.Error("got the migration null, which says that there was none")
			}
		})
	}
}

func TestServer_saysWhyItCannotBeRead(t *testing.T) {
	tests := []struct {
		name   string
		fault  stub.Fault
		config object
		want   []string
	}{
		{"no such id", stub.Fault{}, object{"id": nobody}, []string{"There is no server " + nobody, "(AttributeName(\"id\"))", "No server with this id exists in region ORD", "Check id", "another region"}},
		{"no such region", stub.Fault{}, object{"id": web1, "region": "XYZ"}, []string{`There is no region "XYZ"`, "DFW, LON, ORD"}},
		{"no such region, by name", stub.Fault{}, object{"name": "web-1", "region": "XYZ"}, []string{`There is no region "XYZ"`}},
		{"refused", stub.Fault{Call: stub.CallServer, Status: http.StatusForbidden}, object{"id": web1}, []string{"Cannot read server " + web1, "403 forbidden", "a user whose role may read"}},
		{"lists refused", stub.Fault{Call: stub.CallList, Status: http.StatusForbidden}, object{"name": "web-1"}, []string{"Cannot read the servers of that name", "403 forbidden", "Name it by its id instead"}},
		{"the API is down", stub.Fault{Call: stub.CallServer, Status: http.StatusServiceUnavailable}, object{"name": "web-1"}, []string{"Cannot read server web-1", "503 serviceUnavailable", "The API has a problem"}},
		{"the log is down", stub.Fault{Call: stub.CallActionLog, Status: http.StatusServiceUnavailable}, object{"id": web1}, []string{"Cannot read server " + web1, "503 serviceUnavailable"}},
		{"a refused token", stub.Fault{Call: stub.CallToken, Status: http.StatusUnauthorized}, object{"id": web1}, []string{"Cannot authenticate with the cloud", "username from the provider block"}},
		{"no answer", stub.Fault{Call: stub.CallServer, Hang: true}, object{"id": web1}, []string{"Cannot read server " + web1, "no usable answer"}},
		{"deleted meanwhile", stub.Fault{Call: stub.CallServer, Status: http.StatusNotFound}, object{"name": "web-1"}, []string{"There is no server " + web1, "(AttributeName(\"name\"))"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inVirtualTime(t, stub.Config{}, func(s *scenario) {
				if test.fault.Call != "" {
					s.Inject(test.fault)
				}
				s.wantRefused(serverType, test.config, test.want...)
				time.Sleep(time.Hour) // in which what hangs is given up
			})
		})
	}
}

func TestServer_checksItsArguments(t *testing.T) {
	tests := []struct {
		name   string
		config object
		want   []string
	}{
		{"none", object{}, []string{"Missing Attribute Configuration", "Exactly one", "id,name"}},
		{"both", object{"id": web1, "name": "web-1"}, []string{"Invalid Attribute Combination", "id,name"}},
		{"no UUID", object{"id": "../servers"}, []string{"must be the UUID of a server in lower case"}},
		{"no name", object{"name": ""}, []string{"must be at least 1"}},
		{"no region", object{"id": web1, "region": ""}, []string{"must be at least 1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inVirtualTime(t, stub.Config{}, func(s *scenario) {
				s.wantRefused(serverType, test.config, test.want...)
				if got := len(s.Requests()); got != 0 {
					t.Errorf("got %d requests, want none", got)
				}
			})
		})
	}
}

func TestDataSources_acceptWhatAPlanDoesNotKnowYet(t *testing.T) {
	inVirtualTime(t, stub.Config{}, func(s *scenario) {
		for _, test := range []struct {
			typeName string
			config   object
		}{
			{serverType, object{"id": acctest.Unknown, "region": acctest.Unknown}},
			{serverType, object{"name": acctest.Unknown}},
			{serversType, object{"host_id": acctest.Unknown, "name_regex": acctest.Unknown, "status": acctest.Unknown, "metadata": acctest.Unknown}},
			{serversType, object{"status": []any{acctest.Unknown}, "metadata": object{"role": acctest.Unknown}, "flavor_id": acctest.Unknown}},
			{actionsType, object{"server_id": acctest.Unknown}},
		} {
			if diagnostics := s.ValidateData(test.typeName, test.config); len(diagnostics) > 0 {
				t.Errorf("got for %v:\n%s", test.config, diagnostics)
			}
		}
	})
}
