package stub_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// newest is the newest entry of a server's action log, with its message.
func newest(s *stub.Stub, id string) string {
	entry := s.ActionLog(id)[0]
	return entry.Action + " " + entry.Message
}

func TestOutcome_goesThroughTheStatesOfNova(t *testing.T) {
	tests := []struct {
		name    string
		outcome stub.Outcome
		want    []string
		message string
		fault   bool
	}{
		{
			"the finish fails", stub.OutcomeFinishFails,
			[]string{"7.1 RESIZE active resize_finish B", "7.2 ERROR error resize_finish B", "7.7 ERROR error null B"}, "Error", true,
		},
		{
			"the compute service is restarted", stub.OutcomeInterrupted,
			[]string{"3.8 RESIZE active resize_migrating A", "3.9 ACTIVE active null A", "60.0 ACTIVE active null A"}, "", false,
		},
		{
			"the server stays on its host", stub.OutcomeSameHost,
			[]string{"4.0 RESIZE active resize_migrated A", "7.1 RESIZE active resize_finish A", "7.2 VERIFY_RESIZE resized null A"}, "", false,
		},
	}
	times := map[stub.Outcome][]time.Duration{
		stub.OutcomeFinishFails: ms(7100, 7200, 7700), stub.OutcomeInterrupted: ms(3800, 3900, 60_000), stub.OutcomeSameHost: ms(4000, 7100, 7200),
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stub.New(stub.Config{})
				id := s.AddServer(stub.Server{Outcome: test.outcome})
				c := newClient(t, s)
				c.act(id, `{"migrate":{}}`)
				if diff := cmp.Diff(test.want, c.statesAt(id, times[test.outcome]...)); diff != "" {
					t.Errorf("states (-want +got):\n%s", diff)
				}
				if got, want := newest(s, id), "migrate "+test.message; got != want {
					t.Errorf("got log entry %q, want %q", got, want)
				}
				if got := c.server(id)["fault"] != nil; got != test.fault {
					t.Errorf("got a fault: %t, want %t", got, test.fault)
				}
			})
		})
	}
}

func TestOutcome_refusesAtOnceWhereNoHostIsValid(t *testing.T) {
	s := stub.New(stub.Config{})
	id := s.AddServer(stub.Server{Outcome: stub.OutcomeNoValidHostAtOnce})
	c := newClient(t, s)
	got := c.act(id, `{"migrate":{}}`)
	got.wantFault(t, 400, "badRequest", "No valid host was found. No valid host found for cold migrate")
	if got := c.look(id); got != "ACTIVE active null" {
		t.Errorf("got %s, want the server as it was", got)
	}
	entry := s.ActionLog(id)[0]
	if entry.Message != "Error" || entry.RequestID != got.header.Get("X-Compute-Request-Id") {
		t.Errorf("got log entry %+v, want that of the request, with an error", entry)
	}
	if got := s.Migrations(id); got != 0 {
		t.Errorf("got %d migrations, want none", got)
	}
	changed := s.AddServer(stub.Server{})
	s.SetServer(changed, func(v *stub.Server) { v.Name = "changed" })
	since := url.QueryEscape(s.Now().Add(-time.Hour).Format(time.RFC3339))
	if got := c.get("/servers?changes-since=" + since).json["servers"].([]any); len(got) != 2 {
		t.Errorf("got %d changed servers, want the one that was refused and the one that was set", len(got))
	}
}

func TestConfirmOutcome_failsOnTheNewHost(t *testing.T) {
	for name, automatic := range map[string]bool{"by somebody": false, "by the cloud": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stub.New(stub.Config{AutoConfirmAfter: time.Hour})
				id := s.AddServer(stub.Server{ConfirmOutcome: stub.ConfirmFails})
				c := newClient(t, s)
				original := c.host(id)
				c.act(id, `{"migrate":{}}`)
				time.Sleep(8 * time.Second)
				if automatic {
					time.Sleep(time.Hour)
				} else if got := c.act(id, `{"confirmResize":null}`).status; got != http.StatusNoContent {
					t.Errorf("got %d, want the confirm accepted", got)
				}
				time.Sleep(time.Second)
				if got := c.look(id); got != "ERROR error null" || c.host(id) == original {
					t.Errorf("got %s on its first host: %t; want ERROR on the new one", got, c.host(id) == original)
				}
				if got := newest(s, id); got != "confirmResize Error" {
					t.Errorf("got log entry %q, want the confirm with an error", got)
				}
			})
		})
	}
}

func TestConfirmOutcome_neverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{AutoConfirmAfter: time.Hour})
		id := s.AddServer(stub.Server{ConfirmOutcome: stub.ConfirmNeverEnds})
		c := newClient(t, s)
		c.act(id, `{"migrate":{}}`)
		time.Sleep(8 * time.Second)
		if got := c.act(id, `{"confirmResize":null}`).status; got != http.StatusNoContent {
			t.Errorf("got %d, want the confirm accepted", got)
		}
		updated := c.server(id)["updated"]
		for range 3 {
			time.Sleep(time.Hour)
			c.act(id, `{"confirmResize":null}`).wantFault(t, 400, "badRequest", "Instance has not been resized.")
			c.act(id, `{"revertResize":null}`).wantFault(t, 400, "badRequest", "Instance has not been resized.")
		}
		if got := c.look(id); got != "VERIFY_RESIZE resized null" || c.server(id)["updated"] != updated {
			t.Errorf("got %s, want it to stay as it is", got)
		}
		if got := len(s.ActionLog(id)); got != 2 {
			t.Errorf("got %d log entries, want the migrate and the one confirm", got)
		}

		id = s.AddServer(stub.Server{Status: "VERIFY_RESIZE", ConfirmOutcome: stub.ConfirmNeverEnds})
		time.Sleep(2 * time.Hour) // until after the automatic confirmation
		c.act(id, `{"revertResize":null}`).wantFault(t, 400, "badRequest", "Instance has not been resized.")
		if got := newest(s, id); got != "confirmResize " {
			t.Errorf("got log entry %q, want the automatic confirmation", got)
		}
	})
}

func TestServer_refusesWhileItsSourceHostIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{AutoConfirmAfter: time.Hour})
		id := s.AddServer(stub.Server{SourceDown: true})
		c := newClient(t, s)
		isDown := func(down bool) { s.SetServer(id, func(v *stub.Server) { v.SourceDown = down }) }
		c.act(id, `{"migrate":{}}`).wantFault(t, 409, "conflictingRequest", "Service is unavailable at this time.")
		isDown(false)
		c.act(id, `{"migrate":{}}`)
		time.Sleep(8 * time.Second)
		isDown(true)
		c.act(id, `{"confirmResize":null}`).wantFault(t, 409, "conflictingRequest", "Service is unavailable at this time.")
		updated := c.server(id)["updated"]
		time.Sleep(2 * time.Hour)
		if got := c.look(id); got != "VERIFY_RESIZE resized null" || len(s.ActionLog(id)) != 1 || c.server(id)["updated"] != updated {
			t.Errorf("got %s, want the automatic confirmation to wait, and nothing of it to be seen", got)
		}
		isDown(false)
		time.Sleep(time.Minute)
		if got := c.look(id); got != "ACTIVE active null" {
			t.Errorf("got %s a minute after the host is up again, want it confirmed", got)
		}
	})
}

func TestServer_staysInARevertToAHostThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		id := s.AddServer(stub.Server{Status: "VERIFY_RESIZE", SourceDown: true, AccessIPv4: "192.0.2.1"})
		c := newClient(t, s)
		if got := c.act(id, `{"revertResize":null}`).status; got != http.StatusAccepted {
			t.Errorf("got %d, want 202", got)
		}
		time.Sleep(time.Hour)
		if got := c.look(id); got != "REVERT_RESIZE resized resize_reverting" {
			t.Errorf("got %s, want the revert never to end", got)
		}
		if conn, err := s.Dial(t.Context(), "tcp", "192.0.2.1:8080"); err == nil {
			_ = conn.Close()
			t.Error("the server answers")
		}
	})
}

func TestServer_endsInSHUTOFFWhenItWasPoweredOffMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		c := newClient(t, s)
		for action, want := range map[string]string{"confirmResize": "SHUTOFF stopped null", "revertResize": "ACTIVE active null"} {
			id := s.AddServer(stub.Server{AccessIPv4: "192.0.2.1", PoweredOff: true})
			if got := c.server(id)["OS-EXT-STS:power_state"]; got != 1.0 {
				t.Errorf("got power state %v before the migration, want 1", got)
			}
			c.act(id, `{"migrate":{}}`)
			time.Sleep(8 * time.Second)
			if got := c.server(id); got["status"] != "VERIFY_RESIZE" || got["OS-EXT-STS:power_state"] != 4.0 {
				t.Errorf("got %v with power state %v, want VERIFY_RESIZE with 4", got["status"], got["OS-EXT-STS:power_state"])
			}
			if conn, err := s.Dial(t.Context(), "tcp", "192.0.2.1:8080"); err == nil {
				_ = conn.Close()
				t.Error("the server answers")
			}
			c.act(id, `{"`+action+`":null}`)
			time.Sleep(10 * time.Second)
			if got := c.look(id); got != want {
				t.Errorf("%s: got %s, want %s", action, got, want)
			}
			if err := s.DeleteBy(id, "ann"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
	})
}

func TestRelocate_changesTheHostAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		c := newClient(t, s)
		for _, status := range []string{"ACTIVE", "VERIFY_RESIZE"} {
			id := s.AddServer(stub.Server{Status: status})
			before, look, entries := c.host(id), c.look(id), len(s.ActionLog(id))
			if err := s.Relocate(id); err != nil {
				t.Fatal(err)
			}
			after := c.host(id)
			if after == before || after == "" || c.look(id) != look || len(s.ActionLog(id)) != entries {
				t.Errorf("got %s on another host: %t; want %s, and no log entry", c.look(id), after != before, look)
			}
			if status == "VERIFY_RESIZE" {
				c.act(id, `{"revertResize":null}`)
				time.Sleep(time.Minute)
				if reverted := c.host(id); reverted == after || reverted == before {
					t.Error("the server was relocated to its original host")
				}
			}
		}
		if err := s.Relocate("nobody"); err == nil {
			t.Error("a server that does not exist was relocated")
		}
	})
}

func TestStub_keepsOtherTenantsServersOutOfLists(t *testing.T) {
	admin := stub.User{ID: "admin-1", Name: "root", APIKey: "k", Admin: true}
	s := stub.New(stub.Config{Users: []stub.User{stub.DefaultUser, admin}})
	s.AddServer(stub.Server{Name: "own"})
	other := s.AddServer(stub.Server{Name: "other", TenantID: "654321"})
	c := newClient(t, s)
	for _, path := range []string{"/servers/" + other, "/servers/" + other + "/os-instance-actions"} {
		c.get(path).wantFault(t, 404, "itemNotFound", "Instance "+other+" could not be found.")
	}
	if got := c.get("/servers?all_tenants=1").status; got != http.StatusForbidden {
		t.Errorf("got %d for the servers of all tenants, want 403", got)
	}
	c.token = c.login(keyFor(admin))
	if got := c.server(other)["tenant_id"]; got != "654321" {
		t.Errorf("got tenant %v, want the server's own", got)
	}
	for query, want := range map[string]int{"": 1, "?changes-since=1999-01-01": 1, "?all_tenants=1": 2} {
		if got := c.get("/servers" + query).json["servers"].([]any); len(got) != want {
			t.Errorf("%s: got %d servers, want %d", query, len(got), want)
		}
	}
	if got := c.act(other, `{"migrate":{}}`).status; got != http.StatusAccepted {
		t.Errorf("got %d, want an admin's migrate accepted", got)
	}
	if err := s.DeleteBy(other, "ann"); err != nil {
		t.Fatal(err)
	}
	var projects []string
	for _, entry := range at(c.get("/servers/"+other+"/os-instance-actions").json, "instanceActions").([]any) {
		projects = append(projects, fmt.Sprint(at(entry, "user_id"), " of ", at(entry, "project_id")))
	}
	if diff := cmp.Diff([]string{"ann of 654321", "admin-1 of 123456"}, projects); diff != "" {
		t.Errorf("who did what (-want +got):\n%s", diff)
	}
}

func TestStub_showsEachTenantAnotherIDOfTheSameHost(t *testing.T) {
	host := func(tenant string) string {
		s := stub.New(stub.Config{})
		server, _ := s.Server(s.AddServer(stub.Server{TenantID: tenant}))
		return server.HostID
	}
	if host("") != host("123456") || host("") == host("654321") || host("654321") == "" {
		t.Error("host ids do not differ by tenant alone")
	}
}

func TestStub_keepsSoftDeletedServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{SoftDelete: true})
		id := s.AddServer(stub.Server{Status: "VERIFY_RESIZE"})
		c := newClient(t, s)
		since := url.QueryEscape(s.Now().Format(time.RFC3339))
		time.Sleep(time.Second)
		for range 2 { // the second changes nothing
			if got := c.do(http.MethodDelete, account+"/servers/"+id, "").status; got != http.StatusNoContent {
				t.Errorf("got %d, want 204", got)
			}
		}
		want := []string{"0.0 ACTIVE active soft-deleting A", "0.5 SOFT_DELETED soft_deleted null A"}
		if diff := cmp.Diff(want, c.statesAt(id, ms(0, 500)...)); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
		if got := c.do(http.MethodDelete, account+"/servers/"+id, "").status; got != http.StatusNoContent || len(s.ActionLog(id)) != 1 {
			t.Errorf("got %d and %d log entries, want 204 and the first delete alone", got, len(s.ActionLog(id)))
		}
		for query, want := range map[string]int{
			"": 0, "?status=SOFT_DELETED": 0, "?changes-since=" + since: 1, "?status=SOFT_DELETED&changes-since=" + since: 1, "?status=ACTIVE&changes-since=" + since: 0,
		} {
			if got := c.get("/servers/detail" + query).json["servers"].([]any); len(got) != want {
				t.Errorf("%s: got %d servers, want %d", query, len(got), want)
			}
		}
		c.act(id, `{"migrate":{}}`).wantFault(t, 409, "conflictingRequest", "Cannot 'migrate' instance "+id+" while it is in vm_state soft_deleted")
	})
}

func TestStub_listsChangesWithDeletedServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		id := s.AddServer(stub.Server{})
		c := newClient(t, s)
		before := url.QueryEscape(s.Now().Format(time.RFC3339))
		time.Sleep(10 * time.Second)
		if err := s.DeleteBy(id, "ann"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		after := url.QueryEscape(s.Now().Format(time.RFC3339))
		for query, want := range map[string]int{
			"": 0, "?changes-since=" + before: 1, "?changes-since=" + after: 0,
			"?status=DELETED&changes-since=" + before: 1, "?status=ACTIVE&changes-since=" + before: 0,
		} {
			if got := c.get("/servers/detail" + query).json["servers"].([]any); len(got) != want {
				t.Errorf("%s: got %d servers, want %d", query, len(got), want)
			}
		}
		if got := s.ActionLog(id); len(got) != 1 || got[0].UserID != "ann" {
			t.Errorf("got log %+v, want the delete by ann", got)
		}
	})
}

func TestStub_showsWhenAServerWasLaunchedOnItsHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		id := s.AddServer(stub.Server{})
		c := newClient(t, s)
		launched := func() time.Duration {
			at, err := time.Parse("2006-01-02T15:04:05.000000", c.server(id)["OS-SRV-USG:launched_at"].(string))
			if err != nil {
				t.Fatal(err)
			}
			return at.Sub(s.Now())
		}
		if got := launched(); got != -30*24*time.Hour {
			t.Errorf("got launched %s before now, want when the server was created", -got)
		}
		c.act(id, `{"migrate":{}}`)
		time.Sleep(7200 * time.Millisecond)
		if got := launched(); got != 0 {
			t.Errorf("got launched %s before now, want when it reached VERIFY_RESIZE, which is now", -got)
		}
	})
}

func TestStub_listsByTheStateBehindAStatus(t *testing.T) {
	s := stub.New(stub.Config{})
	for _, status := range []string{"ACTIVE", "RESIZE", "VERIFY_RESIZE", "REVERT_RESIZE", "ERROR"} {
		s.AddServer(stub.Server{Name: status, Status: status})
	}
	c := newClient(t, s)
	for status, want := range map[string][]string{
		"VERIFY_RESIZE": {"VERIFY_RESIZE", "REVERT_RESIZE"}, "REVERT_RESIZE": {"REVERT_RESIZE"},
		"ACTIVE": {"ACTIVE", "RESIZE"}, "RESIZE": {"RESIZE"}, "ERROR": {"ERROR"},
	} {
		var got []string
		for _, server := range c.get("/servers?status=" + status).json["servers"].([]any) {
			got = append(got, at(server, "name").(string))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", status, diff)
		}
	}
}
