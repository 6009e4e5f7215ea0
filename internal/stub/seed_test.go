package stub_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestStub_migratesInTheServersOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		id := s.AddServer(stub.Server{Timing: stub.ObservedTiming().Scaled(0.1)})
		c := newClient(t, s)
		c.act(id, `{"migrate": {}}`)
		want := []string{"71.9 RESIZE active resize_finish B", "72.0 VERIFY_RESIZE resized null B"}
		if diff := cmp.Diff(want, c.statesAt(id, ms(0, 71900, 72000)...)[1:]); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
		c.act(id, `{"confirmResize": null}`)
		want = []string{"4.9 VERIFY_RESIZE resized null A", "5.0 ACTIVE active null A"}
		if diff := cmp.Diff(want, c.statesAt(id, ms(4900, 5000)...)); diff != "" {
			t.Errorf("states after the confirm (-want +got):\n%s", diff)
		}
	})
}

func TestStub_failsInTheServersOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		id := s.AddServer(stub.Server{Outcome: stub.OutcomeFails, Timing: stub.ObservedTiming().Scaled(0.1)})
		c := newClient(t, s)
		c.act(id, `{"migrate": {}}`)
		for _, step := range []struct {
			after time.Duration
			want  bool
		}{{43900 * time.Millisecond, false}, {100 * time.Millisecond, true}} { // ERROR after 39 s, and the fault 5 s later
			time.Sleep(step.after)
			if got := at(c.get("/servers/"+id).json, "server", "fault") != nil; got != step.want || c.look(id)[:5] != "ERROR" {
				t.Errorf("got %s with a fault %t, want ERROR with %t", c.look(id), got, step.want)
			}
		}
	})
}

func TestStub_leavesAMigrationThatNeverEndsOnItsHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		id := s.AddServer(stub.Server{Outcome: stub.OutcomeNeverEnds})
		c := newClient(t, s)
		c.act(id, `{"migrate": {}}`)
		c.statesAt(id, 23*time.Hour) // the token is valid for a day
		want := []string{"0.0 RESIZE active resize_migrating A"}
		if diff := cmp.Diff(want, c.statesAt(id, 0)); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
	})
}

func TestStub_showsTheAddressesOfEachNetwork(t *testing.T) {
	s := stub.New(stub.Config{})
	given := map[string][]string{"private": {"10.0.0.5"}, "public": {"192.0.2.7", "2001:db8::7"}, "empty": {}}
	id := s.AddServer(stub.Server{AccessIPv4: "192.0.2.1", Addresses: given})
	given["private"] = nil // the server has a copy
	shown := at(newClient(t, s).get("/servers/"+id).json, "server", "addresses").(object)
	got := map[string][]any{}
	macs := map[any]bool{}
	for network, addresses := range shown {
		for _, address := range addresses.([]any) {
			got[network] = append(got[network], at(address, "addr"), at(address, "version"))
			macs[at(address, "OS-EXT-IPS-MAC:mac_addr")] = true
		}
	}
	want := map[string][]any{"private": {"10.0.0.5", 4.0}, "public": {"192.0.2.7", 4.0, "2001:db8::7", 6.0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	if len(macs) != 2 {
		t.Errorf("got the MAC addresses %v, want one for each network", macs)
	}
}
