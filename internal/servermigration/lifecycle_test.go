package servermigration_test

import (
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// Arguments of the migration in the lifecycle table.
const (
	left     = ""                       // awaits confirmation
	auto     = "auto_confirm = true"    // confirmed at once
	confirm  = `on_destroy = "confirm"` // awaits, and a destroy confirms it
	revert   = `on_destroy = "revert"`  // awaits, and a destroy reverts it
	again    = "triggers = { n = 2 }"   // with any of them: migrate again
	gone     = "-"                      // the resource is removed from the configuration
	nothing  = plancheck.ResourceActionNoop
	create   = plancheck.ResourceActionCreate
	update   = plancheck.ResourceActionUpdate
	replace  = plancheck.ResourceActionDestroyBeforeCreate
	destroy  = plancheck.ResourceActionDestroy
	untouch  = plancheck.ResourceActionType("") // it is not in the plan
	awaiting = "awaiting_confirmation"
	absent   = "" // the resource is not in the state
)

// What happens to the server while nobody runs Terraform.
var (
	none      = func(*story) error { return nil }
	day       = func(s *story) error { s.Advance(25 * time.Hour); return nil }
	confirmed = func(s *story) error { defer s.Advance(time.Minute); return s.Confirm(server, "user-7") }
	reverted  = func(s *story) error { defer s.Advance(time.Minute); return s.Revert(server, "user-7") }
	deleted   = func(s *story) error { defer s.Advance(time.Minute); return s.Delete(server) }
	migrated  = func(s *story) error { // somebody confirms ours, and migrates it again
		if err := confirmed(s); err != nil {
			return err
		}
		defer s.Advance(time.Minute)
		return s.Migrate(server, "user-7")
	}
	broken = func(s *story) error { // somebody confirms ours, and a rebuild fails
		if err := confirmed(s); err != nil {
			return err
		}
		s.SetServer(server, func(v *stub.Server) { v.Status = "ERROR" })
		return nil
	}
)

// TestAccServerMigration_livesAsTheTableSays is the life of a migration: how it
// was configured, what happened, how it is configured now, and what then is
// planned, in the state and sent. Requests are those since the event, over all
// that Terraform does to plan, apply and refresh.
func TestAccServerMigration_livesAsTheTableSays(t *testing.T) {
	type sent struct{ migrates, confirms, reverts int }
	tests := []struct {
		name   string
		before string
		event  func(*story) error
		after  string
		plan   plancheck.ResourceActionType
		status string // in the state
		server string // its status in the cloud, at the end
		sent   sent
	}{
		{"awaiting stays awaiting", left, none, left, nothing, awaiting, "VERIFY_RESIZE", sent{}},
		{"awaiting is confirmed by auto_confirm", left, none, auto, update, "confirmed", "ACTIVE", sent{confirms: 1}},
		{"awaiting is given another on_destroy", left, none, revert, update, awaiting, "VERIFY_RESIZE", sent{}},
		{"awaiting is confirmed by Rackspace", left, day, left, nothing, "confirmed", "ACTIVE", sent{}},
		{"awaiting is confirmed by a person", left, confirmed, left, nothing, "confirmed", "ACTIVE", sent{}},
		{"awaiting is confirmed by a person, then by auto_confirm", left, confirmed, auto, update, "confirmed", "ACTIVE", sent{}},
		{"awaiting is reverted by a person", left, reverted, left, nothing, "reverted", "ACTIVE", sent{}},
		{"awaiting is reverted by a person, auto_confirm comes too late", left, reverted, auto, update, "reverted", "ACTIVE", sent{}},
		{"awaiting is confirmed, and migrated again by a person", left, migrated, left, nothing, "confirmed", "VERIFY_RESIZE", sent{}},
		{"awaiting is confirmed, and the server is in ERROR", left, broken, left, nothing, "confirmed", "ERROR", sent{}},
		{"awaiting is forgotten when its server is deleted", left, deleted, gone, untouch, absent, "", sent{}},
		{"awaiting is destroyed: forgotten", left, none, gone, destroy, absent, "VERIFY_RESIZE", sent{}},
		{"awaiting is destroyed: confirmed", confirm, none, gone, destroy, absent, "ACTIVE", sent{confirms: 1}},
		{"awaiting is destroyed: reverted", revert, none, gone, destroy, absent, "ACTIVE", sent{reverts: 1}},
		{"awaiting is to be reverted, Rackspace was quicker", revert, day, gone, destroy, absent, "ACTIVE", sent{}},
		{"awaiting is to be confirmed, a person has reverted it", confirm, reverted, gone, destroy, absent, "ACTIVE", sent{}},
		{"awaiting is replaced after a confirm", confirm, none, confirm + "\n" + again, replace, awaiting, "VERIFY_RESIZE", sent{migrates: 1, confirms: 1}},
		{"awaiting is replaced after a revert", revert, none, revert + "\n" + again, replace, awaiting, "VERIFY_RESIZE", sent{migrates: 1, reverts: 1}},
		{"reverted by a person is replaced", left, reverted, again, replace, awaiting, "VERIFY_RESIZE", sent{migrates: 1}},
		{"settled stays settled", auto, none, auto, nothing, "confirmed", "ACTIVE", sent{}},
		{"settled does not care for its server's end", auto, deleted, auto, nothing, "confirmed", "", sent{}},
		{"settled is given a new on_destroy", auto, none, auto + "\n" + revert, update, "confirmed", "ACTIVE", sent{}},
		{"settled is destroyed: forgotten", auto + "\n" + revert, none, gone, destroy, absent, "ACTIVE", sent{}},
		{"settled is replaced", auto, none, auto + "\n" + again, replace, "confirmed", "ACTIVE", sent{migrates: 1, confirms: 1}},
	}
	for _, stopped := range []bool{false, true} {
		for _, test := range tests {
			name, seed := test.name, stub.Server{}
			if stopped {
				if test.server != "ACTIVE" {
					continue // a stopped server only ends in another state
				}
				name, seed.Status, test.server = name+", of a stopped server", "SHUTOFF", "SHUTOFF"
			}
			t.Run(name, func(t *testing.T) {
				s := tell(t, stub.Config{}, seed)
				var since sent
				count := func() sent {
					return sent{s.Count(stub.CallMigrate), s.Count(stub.CallConfirm), s.Count(stub.CallRevert)}
				}
				step := resource.TestStep{
					PreConfig: s.do(func() error {
						since = count()
						return test.event(s)
					}),
					Config:           s.config(test.after),
					ConfigPlanChecks: planned(test.plan),
				}
				if test.after == gone {
					step.Config = s.Provider("", "")
				}
				if test.plan == untouch {
					step.ConfigPlanChecks = resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}
				}
				if test.status != absent {
					step.ConfigStateChecks = []statecheck.StateCheck{is("status", test.status)}
				}
				s.run(resource.TestStep{Config: s.config(test.before)}, step, resource.TestStep{
					// What the last step left is looked at before Terraform destroys the rest.
					PreConfig: func() {
						now := count()
						got := sent{now.migrates - since.migrates, now.confirms - since.confirms, now.reverts - since.reverts}
						if got != test.sent {
							t.Errorf("got %+v requests, want %+v", got, test.sent)
						}
						if v, _ := s.Server(server); v.Status != test.server {
							t.Errorf("got the server in %q, want %q", v.Status, test.server)
						}
					},
					Config: step.Config, PlanOnly: true,
				})
			})
		}
	}
}

func TestAccServerMigration_refusesAReplacementThatOnlyTerraformKnowsOf(t *testing.T) {
	if os.Getenv("TF_ACC") == "" {
		t.Skip("acceptance tests run with TF_ACC set")
	}
	t.Parallel()
	for _, onDestroy := range []string{left, confirm} {
		s := tell(t, stub.Config{}, stub.Server{})
		tf := s.terraform(map[string]string{"main.tf": requiredProviders + s.config(onDestroy)})
		if err := tf.Apply(t.Context()); err != nil {
			t.Fatal(err)
		}
		err := tf.Apply(t.Context(), tfexec.Replace(address))
		if refused := err != nil && says("Cannot migrate server web-1", "again", "still awaits confirmation").MatchString(err.Error()); refused != (onDestroy == left) {
			t.Errorf("%q: got %v", onDestroy, err)
		}
		state, err := tf.Show(t.Context())
		if err != nil || state.Values == nil || len(state.Values.RootModule.Resources) != 1 {
			t.Errorf("%q: got state %+v (%v), want the migration in it", onDestroy, state, err)
		}
		if got, want := s.Count(stub.CallMigrate), 1+s.Count(stub.CallConfirm); got != want {
			t.Errorf("%q: got %d migrate requests, want %d", onDestroy, got, want)
		}
	}
}

func TestAccServerMigration_keepsTheStateWhenADestroyIsRefused(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	s.run(resource.TestStep{
		Config: s.config(revert),
	}, resource.TestStep{
		PreConfig:   func() { s.Inject(stub.Fault{Call: stub.CallRevert, Status: 403, Count: 1}) },
		Config:      s.Provider("", ""),
		ExpectError: says("Cannot revert the migration of server web-1", "403 forbidden", "still awaits confirmation"),
	}, resource.TestStep{
		Config:            s.config(revert),
		ConfigPlanChecks:  unchanged,
		ConfigStateChecks: []statecheck.StateCheck{is("status", awaiting)},
	})
}

func TestAccServerMigration_keepsTheStateOfADestroyWhoseEndWasNotSeen(t *testing.T) {
	for _, test := range []struct {
		onDestroy string
		call      stub.Call
	}{{confirm, stub.CallConfirm}, {revert, stub.CallRevert}} {
		t.Run(test.onDestroy, func(t *testing.T) {
			timing := stub.ObservedTiming().Scaled(15)
			timing.ConfirmStale, timing.RevertOnNew = time.Hour, time.Hour
			s := tell(t, stub.Config{Timing: timing}, stub.Server{})
			s.run(resource.TestStep{
				Config: s.config(test.onDestroy + "\ntimeouts {\n  delete = \"6s\"\n}"),
			}, resource.TestStep{
				Config:      s.Provider("", ""),
				ExpectError: says("was not seen", "Rackspace has accepted the", "the migration is still in the state"),
			}, resource.TestStep{
				PreConfig: func() { s.Advance(2 * time.Hour) },
				Config:    s.Provider("", ""),
				Check:     s.sent(test.call, 1),
			})
		})
	}
}

func TestAccServerMigration_refusesAnOnDestroyThatIsNone(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	s.run(resource.TestStep{
		Config: s.config(`on_destroy = "undo"`), PlanOnly: true,
		ExpectError: regexp.MustCompile(`(?s)on_destroy.*one of:.*none.*confirm.*revert`),
	})
}

func TestAccServerMigration_plansManyUnchangedMigrationsCheaply(t *testing.T) {
	const servers = 200
	for _, test := range []struct {
		name      string
		arguments string
		most      int // requests of a refresh and plan
	}{
		{"settled", auto, 0},
		{"awaiting", left, 1 + 3 + 1}, // a token, single reads, the list
	} {
		t.Run(test.name, func(t *testing.T) {
			s := tell(t, stub.Config{}, stub.Server{})
			ids := fmt.Sprintf("%q", server)
			for range servers - 1 {
				ids += fmt.Sprintf(", %q", s.AddServer(stub.Server{}))
			}
			// Refreshes share what they read within a poll interval, which here is
			// longer than any of them takes: how long that is depends on the machine.
			config := func(pollInterval string) string {
				return fmt.Sprintf(`
provider "rackspace" {
  username          = %q
  api_key           = %q
  identity_endpoint = "%s/v2.0/"
  poll_interval     = %q

  requests_per_minute = { write = 100000 }
}
resource "rackspace_server_migration" "fleet" {
  count     = %d
  server_id = [%s][count.index]
  %s
}`, stub.DefaultUser.Name, stub.DefaultUser.APIKey, s.URL, pollInterval, servers, ids, test.arguments)
			}
			var requests, tokens int
			s.run(resource.TestStep{
				Config: config(acctest.PollInterval.String()),
			}, resource.TestStep{
				PreConfig:        func() { requests, tokens = len(s.Requests()), s.Count(stub.CallToken) },
				Config:           config("10m"),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
			}, resource.TestStep{
				PreConfig: func() {
					runs := max(1, s.Count(stub.CallToken)-tokens)
					if got := len(s.Requests()) - requests; got > runs*test.most {
						t.Errorf("got %d requests for %d refreshes, want at most %d each", got, runs, test.most)
					}
				},
				Config: config("10m"), PlanOnly: true,
			})
		})
	}
}
