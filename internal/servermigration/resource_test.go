package servermigration_test

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

const address = servermigration.ResourceType + ".web"

// server is the server that the stories are about.
const server = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"

// story is an acceptance test on a cloud of its own, with one server.
type story struct {
	*acctest.Cloud
	t *testing.T
}

func tell(t *testing.T, config stub.Config, seed stub.Server) *story {
	t.Helper()
	s := &story{acctest.NewCloud(t, config), t}
	seed.ID, seed.Name = server, "web-1"
	s.AddServer(seed)
	return s
}

// run plays the steps; at the end Terraform destroys what is left.
func (s *story) run(steps ...resource.TestStep) {
	s.t.Helper()
	resource.ParallelTest(s.t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Providers,
		Steps:                    steps,
	})
}

// config is a configuration with one migration of the server.
func (s *story) config(arguments string) string {
	return s.Provider("", migrationBlock(arguments))
}

func migrationBlock(arguments string) string {
	return fmt.Sprintf("resource %q \"web\" {\n  server_id = %q\n%s\n}\n", servermigration.ResourceType, server, arguments)
}

// sent checks what the stub saw of a call since the story began.
func (s *story) sent(call stub.Call, want int) resource.TestCheckFunc {
	return func(*terraform.State) error {
		if got := s.Count(call); got != want {
			return fmt.Errorf("got %d %s requests, want %d", got, call, want)
		}
		return nil
	}
}

// do runs something outside of Terraform before a step.
func (s *story) do(event func() error) func() {
	return func() {
		if err := event(); err != nil {
			s.t.Fatal(err)
		}
	}
}

func is(attribute, value string) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, tfjsonpath.New(attribute), knownvalue.StringExact(value))
}

func isNull(attribute string) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, tfjsonpath.New(attribute), knownvalue.Null())
}

func isTime(attribute string) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, tfjsonpath.New(attribute),
		knownvalue.StringRegexp(regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)))
}

func planned(action plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, action)}}
}

var unchanged = planned(plancheck.ResourceActionNoop)

func TestAccServerMigration_migratesAndLeavesTheMigrationAwaiting(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	source, _ := s.Server(server)
	s.run(resource.TestStep{
		Config:           s.config(""),
		ConfigPlanChecks: planned(plancheck.ResourceActionCreate),
		ConfigStateChecks: []statecheck.StateCheck{
			is("status", "awaiting_confirmation"),
			is("server_status", "VERIFY_RESIZE"),
			is("server_name", "web-1"),
			is("region", "ORD"),
			is("source_host_id", source.HostID),
			isTime("requested_at"),
			isTime("confirm_by"),
			isNull("settled_at"),
			statecheck.ExpectKnownValue(address, tfjsonpath.New("auto_confirm"), knownvalue.Bool(false)),
		},
		Check: func(state *terraform.State) error {
			now, _ := s.Server(server)
			attributes := state.RootModule().Resources[address].Primary.Attributes
			want := map[string]string{
				"destination_host_id": now.HostID,
				"request_id":          s.ActionLog(server)[0].RequestID,
				"id":                  "ORD/" + server + "/" + s.ActionLog(server)[0].RequestID,
			}
			for name, value := range want {
				if attributes[name] != value {
					return fmt.Errorf("got %s %q, want %q", name, attributes[name], value)
				}
			}
			return s.sent(stub.CallConfirm, 0)(state)
		},
	}, resource.TestStep{
		Config:           s.config(""),
		ConfigPlanChecks: unchanged,
		Check:            s.sent(stub.CallMigrate, 1),
	})
}

func TestAccServerMigration_sendsNothingButWhatIsNeeded(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	s.run(resource.TestStep{
		Config: s.config("auto_confirm = true"),
		ConfigStateChecks: []statecheck.StateCheck{
			is("status", "confirmed"), is("server_status", "ACTIVE"), isNull("confirm_by"), isTime("settled_at"),
		},
		// Reading a settled migration sends nothing, so this is plan and apply alone.
		Check: func(*terraform.State) error { return oneMigration(s.Requests()) },
	}, resource.TestStep{
		Config:           s.config("auto_confirm = true"),
		ConfigPlanChecks: unchanged,
		Check:            func(*terraform.State) error { return oneMigration(s.Requests()) },
	})
}

// planCalls is what the plan of a new migration sends, in a process of its own.
var planCalls = []stub.Call{stub.CallToken, stub.CallServer}

// oneMigration checks a whole record. The plan sends one token request and one
// read; the apply one token request, one read, one migrate, polls, one confirm,
// polls; each with the headers and the body that it should have.
func oneMigration(record []stub.Request) error {
	var calls []stub.Call
	for i, request := range record[:min(len(planCalls), len(record))] {
		if request.Call != planCalls[i] {
			return fmt.Errorf("got %s as request %d of the plan, want %s", request.Call, i+1, planCalls[i])
		}
	}
	for _, request := range record[len(planCalls):] {
		// Their interval is asserted in virtual time, with the engine.
		poll := request.Call == stub.CallServer && len(calls) > 2 && calls[len(calls)-1] == stub.CallServer
		if !poll {
			calls = append(calls, request.Call)
		}
		if err := wellFormed(request); err != nil {
			return fmt.Errorf("%s %s: %w", request.Method, request.Path, err)
		}
	}
	want := []stub.Call{stub.CallToken, stub.CallServer, stub.CallMigrate, stub.CallServer, stub.CallConfirm, stub.CallServer}
	if diff := cmp.Diff(want, calls); diff != "" {
		return fmt.Errorf("requests, polls folded (-want +got):\n%s", diff)
	}
	return nil
}

func wellFormed(request stub.Request) error {
	bodies := map[stub.Call]string{
		stub.CallToken: fmt.Sprintf(`{"auth":{"RAX-KSKEY:apiKeyCredentials":{"apiKey":%q,"username":%q}}}`,
			stub.DefaultUser.APIKey, stub.DefaultUser.Name),
		stub.CallMigrate: `{"migrate":{}}`,
		stub.CallConfirm: `{"confirmResize":null}`,
	}
	body, contentType := bodies[request.Call], ""
	if body != "" {
		contentType = "application/json"
	}
	if got := string(request.Body); got != body {
		return fmt.Errorf("got body %s, want %s", got, body)
	}
	for name, want := range map[string]string{"Accept": "application/json", "Content-Type": contentType} {
		if got := request.Header.Get(name); got != want {
			return fmt.Errorf("got header %s %q, want %q", name, got, want)
		}
	}
	if hasToken := request.Header.Get("X-Auth-Token") != ""; hasToken != (request.Call != stub.CallToken) {
		return fmt.Errorf("got a token: %t", hasToken)
	}
	if agent := request.Header.Get("User-Agent"); !regexp.MustCompile(`^terraform-provider-rackspace/test Terraform/\d`).MatchString(agent) {
		return fmt.Errorf("got User-Agent %q", agent)
	}
	return nil
}

func TestAccServerMigration_confirmsLaterByAutoConfirm(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	s.run(resource.TestStep{
		Config:            s.config(""),
		ConfigStateChecks: []statecheck.StateCheck{is("status", "awaiting_confirmation")},
	}, resource.TestStep{
		Config: s.config("auto_confirm = true"),
		ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
			plancheck.ExpectUnknownValue(address, tfjsonpath.New("status")),
			plancheck.ExpectKnownValue(address, tfjsonpath.New("server_id"), knownvalue.StringExact(server)),
		}},
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed"), isNull("confirm_by"), isTime("settled_at")},
		Check:             resource.ComposeTestCheckFunc(s.sent(stub.CallMigrate, 1), s.sent(stub.CallConfirm, 1)),
	}, resource.TestStep{
		// Back to false: there is nothing left to decide.
		Config:            s.config("auto_confirm = false"),
		ConfigPlanChecks:  planned(plancheck.ResourceActionUpdate),
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed")},
		Check:             s.sent(stub.CallConfirm, 1),
	})
}

func TestAccServerMigration_confirmsByAValueThatOnlyTheApplyKnows(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	s.run(resource.TestStep{
		Config: s.config(""),
	}, resource.TestStep{
		Config:            s.config("auto_confirm = terraform_data.tested.output") + "resource \"terraform_data\" \"tested\" {\n  input = true\n}\n",
		ConfigPlanChecks:  planned(plancheck.ResourceActionUpdate),
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed")},
		Check:             s.sent(stub.CallConfirm, 1),
	})
}

func TestAccServerMigration_migratesAgainWhenATriggerChanges(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	with := func(value string) string {
		return s.config(fmt.Sprintf("auto_confirm = true\ntriggers = { maintenance = %q }", value))
	}
	s.run(resource.TestStep{
		Config: with("2026-11"),
		Check:  s.sent(stub.CallMigrate, 1),
	}, resource.TestStep{
		Config:            with("2026-12"),
		ConfigPlanChecks:  planned(plancheck.ResourceActionReplace),
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed")},
		Check:             s.sent(stub.CallMigrate, 2),
	}, resource.TestStep{
		Config:           with("2026-12"),
		ConfigPlanChecks: unchanged,
	})
}

func TestAccServerMigration_refusesToReplaceAMigrationThatAwaits(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	s.run(resource.TestStep{
		Config: s.config(""),
	}, resource.TestStep{
		Config:      s.config(`triggers = { maintenance = "2026-12" }`),
		ExpectError: regexp.MustCompile(`(?s)Cannot migrate.*web-1.*again.*still awaits.*auto_confirm = true`),
	}, resource.TestStep{
		Config:           s.config(""),
		ConfigPlanChecks: unchanged,
		Check:            s.sent(stub.CallMigrate, 1),
	})
}

func TestAccServerMigration_bringsAStoppedServerBackToShutoff(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{Status: "SHUTOFF"})
	s.run(resource.TestStep{
		Config:            s.config("auto_confirm = true"),
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed"), is("server_status", "SHUTOFF")},
	})
}

func TestAccServerMigration_takesARegionInAnyLetterCase(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{Region: "DFW"})
	s.run(resource.TestStep{
		Config:            s.config("region = \"dfw\"\nauto_confirm = true"),
		ConfigStateChecks: []statecheck.StateCheck{is("region", "dfw"), is("status", "confirmed")},
	}, resource.TestStep{
		// Another spelling is the same region: the server is not migrated again.
		Config:            s.config("region = \"DFW\"\nauto_confirm = true"),
		ConfigPlanChecks:  planned(plancheck.ResourceActionUpdate),
		ConfigStateChecks: []statecheck.StateCheck{is("region", "DFW")},
		Check:             s.sent(stub.CallMigrate, 1),
	})
}

func TestAccServerMigration_seesAnAutomaticConfirmThatBeatsThePoll(t *testing.T) {
	s := tell(t, stub.Config{AutoConfirmAfter: time.Millisecond}, stub.Server{})
	s.run(resource.TestStep{
		Config:            s.config(""),
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed"), isNull("confirm_by")},
		Check:             s.sent(stub.CallConfirm, 0),
	})
}

func TestAccServerMigration_seesTheConfirmAfter24Hours(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	s.run(resource.TestStep{
		Config: s.config(""),
	}, resource.TestStep{
		PreConfig:         func() { s.Advance(25 * time.Hour) },
		Config:            s.config(""),
		ConfigPlanChecks:  unchanged,
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed"), isNull("confirm_by"), isTime("settled_at")},
		Check:             s.sent(stub.CallMigrate, 1),
	})
}

func TestAccServerMigration_seesARevertAndDoesNotMigrateAgain(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	s.run(resource.TestStep{
		Config: s.config(""),
	}, resource.TestStep{
		PreConfig: s.do(func() error {
			defer s.Advance(time.Minute)
			return s.Revert(server, "somebody")
		}),
		Config:            s.config(""),
		ConfigPlanChecks:  unchanged,
		ConfigStateChecks: []statecheck.StateCheck{is("status", "reverted"), is("server_status", "ACTIVE")},
		Check:             s.sent(stub.CallMigrate, 1),
	})
}

func TestAccServerMigration_forgetsAServerThatWasDeletedWhileItsMigrationWasPending(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	gone := s.do(func() error {
		defer s.Advance(time.Minute)
		return s.Delete(server)
	})
	s.run(resource.TestStep{
		Config: s.config(""),
	}, resource.TestStep{
		// With its block removed too, there is nothing left to destroy.
		PreConfig:        gone,
		Config:           s.Provider("", ""),
		ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
		Check: func(state *terraform.State) error {
			if _, kept := state.RootModule().Resources[address]; kept {
				return fmt.Errorf("the migration is still in the state")
			}
			return nil
		},
	})
}

func TestAccServerMigration_keepsASettledMigrationWhenItsServerIsDeleted(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	s.run(resource.TestStep{
		Config: s.config("auto_confirm = true"),
	}, resource.TestStep{
		PreConfig:         s.do(func() error { return s.Delete(server) }),
		Config:            s.config("auto_confirm = true"),
		ConfigPlanChecks:  unchanged,
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed")},
		Check:             s.sent(stub.CallToken, 2), // of the first plan and apply
	})
}

func TestAccServerMigration_goesOnWhenTheAnswerToTheMigrateIsLost(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	s.Inject(stub.Fault{Call: stub.CallMigrate, Reset: true, Effect: true, Count: 1})
	s.run(resource.TestStep{
		Config:            s.config("auto_confirm = true"),
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed")},
		Check: func(state *terraform.State) error {
			if got := s.Migrations(server); got != 1 {
				return fmt.Errorf("got %d migrations, want 1", got)
			}
			return s.sent(stub.CallMigrate, 1)(state)
		},
	})
}

func TestAccServerMigration_authenticatesAgainWhenItsTokenIsRevoked(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	s.Inject(stub.Fault{Call: stub.CallServer, Skip: 3, Count: 1, Status: http.StatusUnauthorized})
	s.run(resource.TestStep{
		Config:            s.config("auto_confirm = true"),
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed")},
		Check:             s.sent(stub.CallToken, 3), // of the plan, and two of the apply
	})
}

func TestAccServerMigration_sharesOneTokenAmongMany(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	other := s.AddServer(stub.Server{Name: "web-2"})
	config := s.Provider("", fmt.Sprintf(`
resource "rackspace_server_migration" "fleet" {
  for_each     = toset([%q, %q])
  server_id    = each.value
  auto_confirm = true
}
`, server, other))
	s.run(resource.TestStep{
		Config: config,
		ConfigStateChecks: []statecheck.StateCheck{acctest.Sees(func() error {
			return resource.ComposeTestCheckFunc(
				s.sent(stub.CallToken, 2), // of the plan and of the apply
				s.sent(stub.CallMigrate, 2), s.sent(stub.CallConfirm, 2),
			)(nil)
		})},
	}, resource.TestStep{
		Config: config, Destroy: true,
	})
}
