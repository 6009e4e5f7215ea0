package stub_test

import (
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestFault_letsReadsLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		id := s.AddServer(stub.Server{Metadata: map[string]string{"role": "web"}})
		c := newClient(t, s)
		s.Inject(stub.Fault{Lag: 5 * time.Second})
		if got := c.look(id); got != "ACTIVE active null" {
			t.Errorf("got %s for a new server, want the same as without lag", got)
		}
		since := url.QueryEscape(s.Now().Format(time.RFC3339))
		if got := c.act(id, `{"migrate":{}}`).status; got != http.StatusAccepted {
			t.Fatalf("got %d for a write, which does not lag", got)
		}
		s.SetServer(id, func(v *stub.Server) { v.Metadata["role"] = "db" })
		type read struct {
			Look    string
			Role    any
			Entries int
			Changes int
		}
		look := func() read {
			return read{
				c.look(id), at(c.server(id), "metadata", "role"),
				len(at(c.get("/servers/"+id+"/os-instance-actions").json, "instanceActions").([]any)),
				len(at(c.get("/servers/detail?changes-since="+since).json, "servers").([]any)),
			}
		}
		var got []read
		var past time.Duration
		for _, after := range ms(4900, 5000, 5900, 12_100, 12_200) {
			time.Sleep(after - past)
			past = after
			got = append(got, look())
		}
		want := []read{
			{"ACTIVE active null", "web", 0, 0},
			{"RESIZE active resize_prep", "db", 1, 1},
			{"RESIZE active resize_migrating", "db", 1, 1},
			{"RESIZE active resize_finish", "db", 1, 1},
			{"VERIFY_RESIZE resized null", "db", 1, 1},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("reads (-want +got):\n%s", diff)
		}
	})
}

func TestFault_lagsThroughConfirmsFailuresAndDeletes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		id := s.AddServer(stub.Server{Outcome: stub.OutcomeNoValidHost})
		c := newClient(t, s)
		c.act(id, `{"migrate":{}}`)
		time.Sleep(time.Second)
		message := func() any {
			return at(c.get("/servers/"+id+"/os-instance-actions").json, "instanceActions", 0, "message")
		}
		s.Inject(stub.Fault{Lag: 700 * time.Millisecond, Count: 1})
		if before, now := message(), message(); before != nil || now != "Error" {
			t.Errorf("got message %v, then %v; want none before the failure", before, now)
		}

		s.SetServer(id, func(v *stub.Server) { v.Status = "VERIFY_RESIZE" })
		time.Sleep(10 * time.Second)
		if err := s.Confirm(id, "ann"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond)
		entries := func() int {
			return len(at(c.get("/servers/"+id+"/os-instance-actions").json, "instanceActions").([]any))
		}
		s.Inject(stub.Fault{Lag: time.Second, Count: 1})
		s.Inject(stub.Fault{Lag: 100 * time.Millisecond, Count: 1})
		if before, after, now := entries(), entries(), entries(); before != 1 || after != 2 || now != 2 {
			t.Errorf("got %d entries, then %d and %d; want the confirm in all but the first", before, after, now)
		}

		time.Sleep(time.Second)
		if err := s.Delete(id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		s.Inject(stub.Fault{Lag: 1100 * time.Millisecond, Count: 1})
		if before, now := c.look(id), c.look(id); before != "ACTIVE active null" || now != "404" {
			t.Errorf("got %s, then %s; want the server there before it was deleted", before, now)
		}

		s.AddServer(stub.Server{ID: id, Name: "replaced", Status: "SHUTOFF"})
		s.Inject(stub.Fault{Lag: 1100 * time.Millisecond, Count: 1})
		if before, now := c.look(id), c.look(id); before != "ACTIVE active null" || now != "SHUTOFF stopped null" {
			t.Errorf("got %s, then %s; want the server as it was before it was replaced", before, now)
		}
	})
}
