package servermigration_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
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

// server is the id of the server in the tests.
const server = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"

// cloudTest is a test on a cloud of its own, with one server.
type cloudTest struct {
	*acctest.Cloud
	t *testing.T
}

func newCloudTest(t *testing.T, config stub.Config, seed stub.Server) *cloudTest {
	t.Helper()
	s := &cloudTest{acctest.NewCloud(t, config), t}
	seed.ID, seed.Name = server, "web-1"
	s.AddServer(seed)
	return s
}

// run runs the steps with Terraform, which destroys the resources at the end.
func (s *cloudTest) run(steps ...resource.TestStep) {
	s.t.Helper()
	resource.ParallelTest(s.t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Providers,
		Steps:                    steps,
	})
}

// config is a configuration with one migration of the server.
func (s *cloudTest) config(arguments string) string {
	return s.Provider("", migrationBlock(arguments))
}

func migrationBlock(arguments string) string {
	return fmt.Sprintf("resource %q \"web\" {\n  server_id = %q\n%s\n}\n", servermigration.ResourceType, server, arguments)
}

// sent checks how many requests of a kind the cloud received since the test began.
func (s *cloudTest) sent(call stub.Call, want int) resource.TestCheckFunc {
	return func(*terraform.State) error {
		if got := s.Count(call); got != want {
			return fmt.Errorf("got %d %s requests, want %d", got, call, want)
		}
		return nil
	}
}

// mustDo returns a function that fails the test if an event is refused.
func (s *cloudTest) mustDo(event func() error) func() {
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
	s := newCloudTest(t, stub.Config{}, stub.Server{})
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
	s := newCloudTest(t, stub.Config{}, stub.Server{})
	s.run(resource.TestStep{
		Config: s.config("auto_confirm = true"),
		ConfigStateChecks: []statecheck.StateCheck{
			is("status", "confirmed"), is("server_status", "ACTIVE"), isNull("confirm_by"), isTime("settled_at"),
		},
		// A refresh of a confirmed migration sends no request. So these are the requests
		// of the plan and the apply.
		Check: func(*terraform.State) error { return oneMigration(s.Requests()) },
	}, resource.TestStep{
		Config:           s.config("auto_confirm = true"),
		ConfigPlanChecks: unchanged,
		Check:            func(*terraform.State) error { return oneMigration(s.Requests()) },
	})
}

// oneMigration checks all requests of one migration. The plan sends a token request and a
// read of the server, in a process of its own. The apply sends one token request, one migrate
// and one confirm.
//
// The apply first reads the server. Before each of its two writes it reads the server and the
// action log. All other reads are polls.
func oneMigration(record []stub.Request) error {
	var changes []stub.Call
	reads := map[stub.Call]int{} // before the migrate
	logs := 0
	for _, request := range record {
		if err := wellFormed(request); err != nil {
			return fmt.Errorf("%s %s: %w", request.Method, request.Path, err)
		}
		switch request.Call {
		case stub.CallServer, stub.CallActionLog:
			if request.Call == stub.CallActionLog {
				logs++
			}
			if !slices.Contains(changes, stub.CallMigrate) {
				reads[request.Call]++
			}
		default:
			changes = append(changes, request.Call)
		}
	}
	if diff := cmp.Diff([]stub.Call{stub.CallToken, stub.CallToken, stub.CallMigrate, stub.CallConfirm}, changes); diff != "" {
		return fmt.Errorf("requests other than reads (-want +got):\n%s", diff)
	}
	// The tests of the engine check the intervals of the polls, in virtual time.
	if reads[stub.CallServer] > 1+2 || reads[stub.CallActionLog] > 1 || logs > 2 {
		return fmt.Errorf("got the reads %v before the migrate, and %d of the action log in all, want at most 3 of the server, 1 of the log, and 2 in all", reads, logs)
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
	if agent := request.Header.Get("User-Agent"); !regexp.MustCompile(`^terraform-provider-rackspace/test \(c0ffee0\) Terraform/\d`).MatchString(agent) {
		return fmt.Errorf("got User-Agent %q", agent)
	}
	return nil
}

func TestServerMigration_confirmsLaterByAutoConfirm(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.mustApply(migrationOf(nil))
		s.want(map[string]string{"status": awaiting})

		later := migrationOf(object{"auto_confirm": true})
		change, planned := s.plan(later)
		if planned.HasError() || change.Action != acctest.Update || change.Planned.IsKnown("status") || !change.Planned.IsKnown("server_id") {
			t.Errorf("got the plan %+v, want an update with an unknown status:\n%s", change, planned)
		}
		s.mustApply(later)
		s.want(map[string]string{"status": "confirmed", "confirm_by": ""})
		s.wantEndTime()
		s.wantSent(sent{migrates: 1, confirms: 1})

		// A change back to false has no effect, because the migration is confirmed.
		s.wantPlan(migrationOf(nil), acctest.Update)
		s.mustApply(migrationOf(nil))
		s.want(map[string]string{"status": "confirmed"})
		s.wantSent(sent{migrates: 1, confirms: 1})
	})
}

func TestAccServerMigration_confirmsByAValueThatOnlyTheApplyKnows(t *testing.T) {
	s := newCloudTest(t, stub.Config{}, stub.Server{})
	s.run(resource.TestStep{
		Config: s.config(""),
	}, resource.TestStep{
		Config:            s.config("auto_confirm = terraform_data.tested.output") + "resource \"terraform_data\" \"tested\" {\n  input = true\n}\n",
		ConfigPlanChecks:  planned(plancheck.ResourceActionUpdate),
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed")},
		Check:             s.sent(stub.CallConfirm, 1),
	})
}

func TestServerMigration_keepsAStoppedServerStopped(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{Status: "SHUTOFF"}, func(s *protocolTest) {
		s.mustApply(migrationOf(object{"auto_confirm": true}))
		s.want(map[string]string{"status": "confirmed", "server_status": "SHUTOFF"})
	})
}

func TestServerMigration_takesARegionInAnyLetterCase(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{Region: "DFW"}, func(s *protocolTest) {
		s.mustApply(migrationOf(object{"region": "dfw", "auto_confirm": true}))
		s.want(map[string]string{"region": "dfw", "status": "confirmed"})
		// A change of the letter case does not migrate the server again.
		other := migrationOf(object{"region": "DFW", "auto_confirm": true})
		s.wantPlan(other, acctest.Update)
		s.mustApply(other)
		s.want(map[string]string{"region": "DFW"})
		s.wantSent(sent{migrates: 1, confirms: 1})
	})
}

func TestServerMigration_seesAnAutomaticConfirmBetweenTwoPolls(t *testing.T) {
	inVirtualTime(t, stub.Config{AutoConfirmAfter: time.Millisecond}, stub.Server{}, func(s *protocolTest) {
		s.mustApply(migrationOf(nil))
		s.want(map[string]string{"status": "confirmed", "confirm_by": ""})
		s.wantSent(sent{migrates: 1})
	})
}

func TestServerMigration_seesTheConfirmAfter24Hours(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.mustApply(migrationOf(nil))
		time.Sleep(25 * time.Hour)
		wantWarned(t, s.wantPlan(migrationOf(nil), acctest.NoOp), "The migration of server web-1", "was confirmed by the cloud")
		s.want(map[string]string{"status": "confirmed", "confirm_by": ""})
		s.wantEndTime()
		s.wantSent(sent{migrates: 1})
	})
}

func TestServerMigration_seesARevertAndDoesNotMigrateAgain(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.mustApply(migrationOf(nil))
		s.mustFinish(s.Revert(server, "somebody"))
		wantWarned(t, s.wantPlan(migrationOf(nil), acctest.NoOp), "The migration of server web-1", "was reverted")
		s.want(map[string]string{"status": "reverted", "server_status": "ACTIVE"})
		s.wantSent(sent{migrates: 1})
	})
}

func TestServerMigration_removesAPendingMigrationOfADeletedServer(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.mustApply(migrationOf(nil))
		s.mustFinish(s.Delete(server))
		// The configuration has no migration either, so nothing is destroyed.
		wantWarned(t, s.wantPlan(nil, acctest.NoOp), "The server of a pending migration is gone: server web-1")
		if s.state.Exists() {
			t.Error("got the migration in the state, want none")
		}
	})
}

func TestServerMigration_keepsAConfirmedMigrationOfADeletedServer(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		config := migrationOf(object{"auto_confirm": true})
		s.mustApply(config)
		s.mustFinish(s.Delete(server))
		before := len(s.Requests())
		s.wantPlan(config, acctest.NoOp)
		s.want(map[string]string{"status": "confirmed"})
		if got := len(s.Requests()) - before; got != 0 {
			t.Errorf("got %d requests to read a confirmed migration, want none", got)
		}
	})
}

func TestServerMigration_goesOnWhenTheAnswerToTheMigrateIsLost(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.Inject(stub.Fault{Call: stub.CallMigrate, Reset: true, Effect: true, Count: 1})
		s.mustApply(migrationOf(object{"auto_confirm": true}))
		s.want(map[string]string{"status": "confirmed"})
		if got := s.Migrations(server); got != 1 {
			t.Errorf("got %d migrations, want 1", got)
		}
		s.wantSent(sent{migrates: 1, confirms: 1})
	})
}

func TestServerMigration_authenticatesAgainWhenItsTokenIsRevoked(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		config := migrationOf(object{"auto_confirm": true})
		change, planned := s.plan(config)
		if planned.HasError() {
			t.Fatal(planned)
		}
		before := s.Count(stub.CallToken)
		s.Inject(stub.Fault{Call: stub.CallServer, Skip: 1, Count: 1, Status: http.StatusUnauthorized})
		state, applied := s.open().Apply(change)
		if applied.HasError() || state.Get("status") != "confirmed" {
			t.Errorf("got status %q, want it confirmed:\n%s", state.Get("status"), applied)
		}
		if got := s.Count(stub.CallToken) - before; got != 2 {
			t.Errorf("got %d token requests in the apply, want 2", got)
		}
	})
}

func TestServerMigration_sharesOneTokenAmongMany(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		servers := []string{server, s.AddServer(stub.Server{Name: "web-2"})}
		each(len(servers), func(session *acctest.Session, i int) {
			change, planned := session.Plan(s.state, object{"server_id": servers[i], "auto_confirm": true})
			if _, applied := session.Apply(change); planned.HasError() || applied.HasError() {
				t.Error(planned, applied)
			}
		}, s.open())
		if tokens := s.Count(stub.CallToken); tokens != 1 {
			t.Errorf("got %d token requests from one process, want 1", tokens)
		}
		for _, id := range servers {
			if got := sentTo(s.Stub, id); got != (sent{migrates: 1, confirms: 1}) {
				t.Errorf("got %+v requests for server %s, want one migrate and one confirm", got, id)
			}
		}
	})
}
