package stub_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func (c *client) server(id string) object {
	c.t.Helper()
	got := c.get("/servers/" + id)
	server, _ := got.json["server"].(object)
	if server == nil {
		c.t.Fatalf("got %d %s, want a server", got.status, got.body)
	}
	return server
}

func TestStub_showsAServerAsItsSeedSays(t *testing.T) {
	s := stub.New(stub.Config{BaseURL: "https://cloud.example/"})
	c := newClient(t, s)
	id := s.AddServer(stub.Server{
		Name: "web-1", HostID: "h1", AccessIPv4: "192.0.2.1", AccessIPv6: "2001:db8::1", Metadata: map[string]string{"role": "web"},
	})
	got := c.server(id)
	for field, want := range map[string]any{
		"id": id, "name": "web-1", "status": "ACTIVE", "hostId": "h1", "accessIPv4": "192.0.2.1", "accessIPv6": "2001:db8::1",
		"metadata": object{"role": "web"}, "OS-EXT-STS:power_state": 1.0,
		"links": []any{
			object{"rel": "self", "href": "https://cloud.example" + account + "/servers/" + id},
			object{"rel": "bookmark", "href": "https://cloud.example/ORD/123456/servers/" + id},
		},
	} {
		if diff := cmp.Diff(want, got[field]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", field, diff)
		}
	}
	for i, want := range []object{{"addr": "192.0.2.1", "version": 4.0}, {"addr": "2001:db8::1", "version": 6.0}} {
		if address := at(got, "addresses", "public", i); at(address, "addr") != want["addr"] || at(address, "version") != want["version"] {
			t.Errorf("got address %v, want %v", address, want)
		}
	}
	bare := c.server(s.AddServer(stub.Server{NoHostID: true, Status: "SHUTOFF"}))
	for field, want := range map[string]any{
		"hostId": "", "metadata": object{}, "addresses": object{}, "OS-EXT-STS:power_state": 4.0, "fault": nil, "progress": nil,
	} {
		if diff := cmp.Diff(want, bare[field]); diff != "" {
			t.Errorf("%s of a bare server (-want +got):\n%s", field, diff)
		}
	}
	seen, _ := s.Server(id)
	seen.Metadata["role"] = "changed"
	if again, _ := s.Server(id); again.Metadata["role"] != "web" {
		t.Error("a change of the copy that Server returned has changed the server")
	}
	s.AddServer(stub.Server{ID: id, Name: "replaced"})
	if got := c.server(id)["name"]; got != "replaced" {
		t.Errorf("got %v, want the server replaced", got)
	}
	if got := c.get("/servers").json["servers"].([]any); len(got) != 2 {
		t.Errorf("got %d servers, want 2", len(got))
	}
}

func TestStub_setsTheStatesOfAStatus(t *testing.T) {
	tests := []struct{ status, want string }{
		{"ACTIVE", "active null"}, {"SHUTOFF", "stopped null"}, {"ERROR", "error null"}, {"BUILD", "building null"},
		{"RESIZE", "active resize_migrating"}, {"MIGRATING", "active migrating"}, {"REBOOT", "active rebooting"},
		{"VERIFY_RESIZE", "resized null"}, {"REVERT_RESIZE", "resized resize_reverting"}, {"PAUSED", "paused null"},
		{"SHELVED_OFFLOADED", "shelved_offloaded null"}, {"TELEPORTING", "active null"},
	}
	s := stub.New(stub.Config{})
	c := newClient(t, s)
	for _, test := range tests {
		t.Run(test.status, func(t *testing.T) {
			want := test.status + " " + test.want
			if got := c.look(s.AddServer(stub.Server{Status: test.status})); got != want {
				t.Errorf("added: got %s, want %s", got, want)
			}
			id := s.AddServer(stub.Server{})
			s.SetServer(id, func(server *stub.Server) { server.Status = test.status })
			if got := c.look(id); got != want {
				t.Errorf("changed: got %s, want %s", got, want)
			}
			own := s.AddServer(stub.Server{Status: test.status, VMState: "odd", TaskState: "busy"})
			if got, want := c.look(own), test.status+" odd busy"; got != want {
				t.Errorf("added with states: got %s, want %s", got, want)
			}
		})
	}
	s.SetServer("nobody", func(*stub.Server) { t.Error("a server that does not exist was changed") })
}

func TestStub_migratesOnlyFromActiveAndShutoff(t *testing.T) {
	s := stub.New(stub.Config{})
	c := newClient(t, s)
	for status, in := range map[string]string{
		"BUILD": "vm_state building", "RESCUE": "vm_state rescued", "SUSPENDED": "vm_state suspended", "PAUSED": "vm_state paused",
		"SHELVED": "vm_state shelved", "REBOOT": "task_state rebooting", "ERROR": "vm_state error", "REVERT_RESIZE": "vm_state resized",
	} {
		id := s.AddServer(stub.Server{Status: status})
		c.act(id, `{"migrate":{}}`).wantFault(t, 409, "conflictingRequest", "Cannot 'migrate' instance "+id+" while it is in "+in)
		if got := s.Migrations(id) + len(s.ActionLog(id)); got != 0 {
			t.Errorf("%s: got a log entry or a migration from the refused request, want none", status)
		}
	}
}

func TestStub_showsProgressAndTheTimeOfEachStep(t *testing.T) {
	tests := []struct {
		name   string
		config stub.Config
		want   []string
	}{
		{"as under libvirt", stub.Config{}, []string{"0 0s", "0 0s", "0 0s", "0 3s", "0 4s", "0 7s", "<nil> 8s", "0 11s"}},
		{
			"as under XenServer", stub.Config{ReportsProgress: true},
			[]string{"0 0s", "20 0s", "40 2s", "60 3s", "80 4s", "100 7s", "<nil> 8s", "100 11s"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { testProgress(t, test.config, test.want) })
	}
	s := stub.New(stub.Config{ReportsProgress: true})
	id := s.AddServer(stub.Server{NoProgress: true, StatusWords: map[string]string{"RESIZE": "RESIZING"}})
	c := newClient(t, s)
	c.act(id, `{"migrate":{}}`)
	got := c.server(id)
	if _, has := got["progress"]; has || got["status"] != "RESIZING" {
		t.Errorf("got %v with progress %v, want RESIZING without any", got["status"], got["progress"])
	}
	for _, status := range []string{"REVERT_RESIZE", "SHUTOFF", "ERROR"} {
		if got, has := c.server(s.AddServer(stub.Server{Status: status}))["progress"]; has {
			t.Errorf("got progress %v in %s, want none", got, status)
		}
	}
}

func testProgress(t *testing.T, config stub.Config, want []string) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(config)
		id := s.AddServer(stub.Server{})
		c := newClient(t, s)
		start := s.Now()
		var got []string
		look := func(after time.Duration) {
			time.Sleep(start.Add(time.Minute + after).Sub(s.Now()))
			server := c.server(id)
			updated, err := time.Parse("2006-01-02T15:04:05Z", server["updated"].(string))
			if err != nil {
				t.Error(err)
			}
			got = append(got, fmt.Sprint(server["progress"], " ", updated.Sub(start)-time.Minute))
		}
		time.Sleep(time.Minute)
		c.act(id, `{"migrate":{}}`)
		for _, after := range ms(0, 1000, 3000, 4000, 4300, 8000) {
			look(after)
		}
		c.act(id, `{"revertResize":null}`)
		for _, after := range ms(8500, 12000) {
			look(after)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("progress and updated (-want +got):\n%s", diff)
		}
	})
}

func TestStub_sendsServersToOneOfAFewHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		id := s.AddServer(stub.Server{})
		visited := map[string]bool{}
		for range 10 {
			before, _ := s.Server(id)
			visited[before.HostID] = true
			if err := s.Migrate(id, ""); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
			if after, _ := s.Server(id); after.HostID == before.HostID {
				t.Errorf("the server stayed on host %s", before.HostID)
			}
			if err := s.Confirm(id, ""); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
		}
		if len(visited) < 2 || len(visited) > 5 {
			t.Errorf("got %d hosts, want a few", len(visited))
		}
		named := s.AddServer(stub.Server{HostID: "h1"})
		if err := s.Migrate(named, ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if after, _ := s.Server(named); after.HostID == "h1" || after.HostID == "" {
			t.Errorf("got host %q, want another one", after.HostID)
		}
	})
}

func TestStub_actsForOtherUsersAndForTheCloud(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		id := s.AddServer(stub.Server{FlavorID: "general1-2"})
		c := newClient(t, s)
		original := c.host(id)
		for _, step := range []struct {
			do   func(id, user string) error
			user string
			want string
		}{
			{s.Resize, "ann", "VERIFY_RESIZE general1-2-larger"},
			{s.Revert, "bob", "ACTIVE general1-2"},
			{s.Migrate, "", "VERIFY_RESIZE general1-2"},
			{s.Confirm, "cid", "ACTIVE general1-2"},
		} {
			if err := step.do(id, step.user); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
			server, _ := s.Server(id)
			if got := server.Status + " " + server.FlavorID; got != step.want {
				t.Errorf("got %s, want %s", got, step.want)
			}
		}
		if c.host(id) == original {
			t.Error("the server is on its original host after a confirmed migration")
		}
		var got []string
		for _, entry := range at(c.get("/servers/"+id+"/os-instance-actions").json, "instanceActions").([]any) {
			got = append(got, fmt.Sprint(at(entry, "action"), " ", at(entry, "user_id"), " ", at(entry, "project_id")))
		}
		want := []string{"confirmResize cid 123456", "migrate <nil> <nil>", "revertResize bob 123456", "resize ann 123456"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
		if got := s.Migrations(id); got != 0 {
			t.Errorf("got %d migrations by clients, want none", got)
		}
		if err := s.Confirm(id, "ann"); err == nil || !strings.Contains(err.Error(), "vm_state active") {
			t.Errorf("got %v, want the API's refusal", err)
		}
		if err := s.Migrate("nobody", ""); err == nil {
			t.Error("a server that does not exist was migrated")
		}
		if s.ActionLog("nobody") != nil || s.Migrations("nobody") != 0 {
			t.Error("a server that does not exist has a log or migrations")
		}
		if _, ok := s.Server("nobody"); ok {
			t.Error("a server that does not exist was found")
		}
	})
}

func TestStub_confirmsAutomaticallyAfterTheConfiguredTime(t *testing.T) {
	tests := []struct {
		name   string
		after  time.Duration
		status string
		wait   time.Duration
		want   string
	}{
		{"24 hours", 0, "ACTIVE", 24*time.Hour + 8*time.Second, "ACTIVE active null"},
		{"24 hours, stopped", 0, "SHUTOFF", 24*time.Hour + 8*time.Second, "SHUTOFF stopped null"},
		{"seconds", time.Second, "ACTIVE", 8200 * time.Millisecond, "ACTIVE active null"},
		{"never", -1, "ACTIVE", 1000 * time.Hour, "VERIFY_RESIZE resized null"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stub.New(stub.Config{AutoConfirmAfter: test.after, TokenLifetime: 5000 * time.Hour})
				id := s.AddServer(stub.Server{Status: test.status})
				c := newClient(t, s)
				original := c.host(id)
				c.act(id, `{"migrate":{}}`)
				time.Sleep(test.wait)
				if got := c.look(id); got != test.want {
					t.Errorf("got %s, want %s", got, test.want)
				}
				if c.host(id) == original {
					t.Error("the server is on its original host")
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		c := newClient(t, s)
		added := s.AddServer(stub.Server{Status: "VERIFY_RESIZE", HostID: "h1"})
		reverted := s.AddServer(stub.Server{Status: "VERIFY_RESIZE", HostID: "h1"})
		if err := s.Revert(reverted, "ann"); err != nil {
			t.Fatal(err)
		}
		s.Advance(24 * time.Hour)
		c.token = s.IssueToken(stub.DefaultUser)
		if got := c.look(added); got != "ACTIVE active null" {
			t.Errorf("got %s for a server that was put into VERIFY_RESIZE, want it confirmed", got)
		}
		if got := c.host(reverted); got == "h1" || got == "" {
			t.Errorf("got host %q after the revert, want the one before", got)
		}
	})
}

func TestStub_keepsAStoppedServerStoppedWhenItCannotMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		id := s.AddServer(stub.Server{Status: "SHUTOFF", Outcome: stub.OutcomeNoValidHost})
		c := newClient(t, s)
		c.act(id, `{"migrate":{}}`)
		want := []string{"0.0 RESIZE stopped resize_prep A", "0.4 SHUTOFF stopped null A"}
		if diff := cmp.Diff(want, c.statesAt(id, ms(0, 400)...)); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
	})
}

func TestStub_removesDeletedServersAfter30Days(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		id := s.AddServer(stub.Server{})
		s.SetServer(id, func(server *stub.Server) { server.Locked = true })
		c := newClient(t, s)
		c.do(http.MethodDelete, account+"/servers/"+id, "").wantFault(t, 409, "conflictingRequest", "Instance "+id+" is locked")
		s.SetServer(id, func(server *stub.Server) { server.Locked = false })
		start := url.QueryEscape(s.Now().Format(time.DateOnly))
		for range 2 { // the second changes nothing
			if got := c.do(http.MethodDelete, account+"/servers/"+id, "").status; got != http.StatusNoContent {
				t.Errorf("got %d, want 204", got)
			}
		}
		if got := s.ActionLog(id); len(got) != 1 || got[0].Action != "delete" || got[0].UserID != stub.DefaultUser.ID {
			t.Errorf("got log %+v, want the delete", got)
		}
		for _, day := range []struct {
			after time.Duration
			want  int
		}{{time.Hour, 1}, {29 * 24 * time.Hour, 1}, {48 * time.Hour, 0}} {
			s.Advance(day.after)
			c.token = s.IssueToken(stub.DefaultUser)
			if got := c.get("/servers?changes-since=" + start).json["servers"].([]any); len(got) != day.want {
				t.Errorf("got %d servers %s later, want %d", len(got), day.after, day.want)
			}
		}
	})
}

func TestTiming_isScaledInAllItsSteps(t *testing.T) {
	if diff := cmp.Diff(stub.ObservedTiming(), stub.ObservedTiming().Scaled(4).Scaled(0.25)); diff != "" {
		t.Errorf("scaled there and back (-want +got):\n%s", diff)
	}
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{Timing: stub.ObservedTiming().Scaled(10)})
		id := s.AddServer(stub.Server{})
		if err := s.Migrate(id, ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(719 * time.Millisecond)
		if got, _ := s.Server(id); got.Status != "RESIZE" {
			t.Errorf("got %s after 0.719 s, want RESIZE", got.Status)
		}
		time.Sleep(time.Millisecond)
		if got, _ := s.Server(id); got.Status != "VERIFY_RESIZE" {
			t.Errorf("got %s after 0.72 s, want VERIFY_RESIZE", got.Status)
		}
	})
}

func TestStub_acceptsOneOfManyMigratesAtOnce(t *testing.T) {
	s := stub.New(stub.Config{})
	id := s.AddServer(stub.Server{})
	c := newClient(t, s)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			c.act(id, `{"migrate":{}}`)
			c.get("/servers/detail")
			_, _ = s.Server(id)
			_ = s.Requests()
		})
	}
	group.Wait()
	if got := s.Migrations(id); got != 1 {
		t.Errorf("got %d migrations, want 1", got)
	}
	if got := s.Count(stub.CallMigrate); got != 20 {
		t.Errorf("got %d migrate requests, want 20", got)
	}
}
