package migration

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// TestModel_doesWhatTheStubDoes replays random paths of the model's cloud on the stub.
func TestModel_doesWhatTheStubDoes(t *testing.T) {
	for seed := range uint64(300) {
		synctest.Test(t, func(t *testing.T) { replay(t, rand.New(rand.NewPCG(seed, 0))) })
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}

// replay replays one random path. Each event in the cloud takes ten seconds.
func replay(t *testing.T, random *rand.Rand) {
	auto, stopped, outcome := time.Duration(-1), random.IntN(2) == 0, stub.Outcome(random.IntN(3))
	if random.IntN(2) == 0 {
		auto = tick
	}
	api := stub.New(stub.Config{AutoConfirmAfter: auto, Timing: stub.Timing{
		Migrate: tick, Finish: tick, NoValidHost: tick, Failing: tick, ConfirmStale: tick,
		RevertOnNew: tick, RevertOnOld: tick, RevertPowerOff: tick, Deleting: tick,
	}})
	seed := stub.Server{Outcome: outcome}
	if stopped {
		seed.Status = "SHUTOFF"
	}
	id := api.AddServer(seed)
	set := setting{hosts: 4, stopped: stopped}
	c := cloud{pending: noMove, left: budget{faults: 100, autos: 100}}
	hosts := map[string]int8{}
	actions := [...]func(id, user string) error{toMigrate: api.Migrate, toResize: api.Resize, toConfirm: api.Confirm, toRevert: api.Revert,
		toDelete: func(id, _ string) error { return api.Delete(id) }}
	for range 12 {
		if w := word(random.IntN(len(actions) + 3)); int(w) < len(actions) {
			if c.server.phase == deleting || w == toDelete && random.IntN(3) > 0 {
				continue // the stub accepts a second delete, which has no effect
			}
			user := somebody
			if w == toDelete {
				user = theCloud
			}
			_, accepted := c.perform(w, user)
			if err := actions[w](id, "somebody"); (err == nil) != accepted {
				t.Errorf("%s: got %v from the stub, and accepted %t from the model", words[w], err, accepted)
			}
		} else {
			time.Sleep(tick)
			c.pass()
			for i := range changes {
				if c.can(&changes[i], set) && happens(i, outcome, auto > 0) {
					changes[i].do(&c, set)
					break
				}
			}
		}
		compare(t, &c, api, id, stopped, hosts)
	}
}

// happens tells whether the stub is configured to make a change.
func happens(change int, outcome stub.Outcome, auto bool) bool {
	switch changes[change].name {
	case moved:
		return outcome == stub.OutcomeMoves
	case "no host takes the server: only the log says so":
		return outcome == stub.OutcomeNoValidHost
	case "the copy fails":
		return outcome == stub.OutcomeFails
	case "the move fails on its new host":
		return false
	case "the cloud confirms by itself":
		return auto
	}
	return true
}

// compare checks that the model and the stub show the same server and the same log.
func compare(t *testing.T, c *cloud, api *stub.Stub, id string, stopped bool, hosts map[string]int8) {
	t.Helper()
	server, ok := api.Server(id)
	if want := c.server.phase != gone; ok != want {
		t.Errorf("got a server %t, want %t", ok, want)
	}
	if ok {
		r := reader{stopped: stopped, servers: map[picture]*cloudservers.Server{}}
		want := r.server(c.server, 0)
		task := strings.Replace(server.TaskState, "resize_prep", want.TaskState, 1) // the model has no resize_prep
		if server.Status != want.Status || task != want.TaskState {
			t.Errorf("got %s %s, want %s %s", server.Status, server.TaskState, want.Status, want.TaskState)
		}
		if host, known := hosts[server.HostID]; known && host != c.server.host {
			t.Errorf("got host %d, want %d", host, c.server.host)
		}
		hosts[server.HostID] = c.server.host
		if got := int8(strings.Count(server.FlavorID, "-larger")); got != c.server.flavor {
			t.Errorf("got flavor %d, want %d", got, c.server.flavor)
		}
	}
	log := api.ActionLog(id)
	if len(log) != int(c.log.length) {
		t.Fatalf("got %d entries of the log, want %d", len(log), c.log.length)
	}
	for i, got := range log {
		at := c.log.length - 1 - int8(i)
		want := c.entries[at]
		failed := c.log.failed>>at&1 == 1
		if got.Action != words[want.word] || (got.Message != "") != failed || (got.UserID == "") != (want.user == theCloud) {
			t.Errorf("got entry %+v, want %+v", got, want)
		}
	}
}
