package servermigration_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

const confirmation = "rackspace_server_migration_confirmation.web"

// gated is a configuration in which a command stands between the migration and
// its confirm.
func (s *scenario) gated(command, arguments string) string {
	return s.config("") + fmt.Sprintf(`
resource "terraform_data" "test" {
  triggers_replace = rackspace_server_migration.web.id

  provisioner "local-exec" {
    command = %q
  }
}

resource "rackspace_server_migration_confirmation" "web" {
  migration_id = rackspace_server_migration.web.id
  depends_on   = [terraform_data.test]
  %s
}
`, command, arguments)
}

var isConfirmed = statecheck.ExpectKnownValue(confirmation, tfjsonpath.New("status"), knownvalue.StringExact("confirmed"))

func TestAccServerMigrationConfirmation_confirmsOnceWhatItDependsOnIsProven(t *testing.T) {
	s := newScenario(t, stub.Config{}, stub.Server{})
	s.run(resource.TestStep{
		Config:      s.gated("echo the server does not work; exit 1", ""),
		ExpectError: says("local-exec provisioner error", "the server does not work"),
	}, resource.TestStep{
		PreConfig: func() {
			if got := s.Count(stub.CallConfirm); got != 0 {
				t.Errorf("got %d confirm requests before the test passed, want none", got)
			}
		},
		Config: s.gated("true", ""),
		ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			plancheck.ExpectResourceAction(address, plancheck.ResourceActionNoop),
			plancheck.ExpectResourceAction(confirmation, plancheck.ResourceActionCreate),
		}},
		ConfigStateChecks: []statecheck.StateCheck{
			isConfirmed,
			statecheck.CompareValuePairs(confirmation, tfjsonpath.New("migration_id"), address, tfjsonpath.New("id"), sameValue{}),
		},
		Check: resource.ComposeTestCheckFunc(s.sent(stub.CallMigrate, 1), s.sent(stub.CallConfirm, 1)),
	}, resource.TestStep{
		// It is destroyed, which sends nothing.
		Config:            s.config(""),
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed")},
		Check:             resource.ComposeTestCheckFunc(s.sent(stub.CallConfirm, 1), s.sent(stub.CallRevert, 0)),
	})
}

// sameValue compares two attributes.
type sameValue struct{}

func (sameValue) CompareValues(values ...any) error {
	if len(values) != 2 || values[0] != values[1] {
		return fmt.Errorf("got %v, want the same", values)
	}
	return nil
}

func TestAccServerMigrationConfirmation_confirmsInTheApplyThatMigrates(t *testing.T) {
	s := newScenario(t, stub.Config{}, stub.Server{})
	s.run(resource.TestStep{
		Config:            s.gated("true", "triggers = { n = 1 }"),
		ConfigStateChecks: []statecheck.StateCheck{isConfirmed},
		Check:             s.sent(stub.CallConfirm, 1),
	}, resource.TestStep{
		Config: s.gated("true", "triggers = { n = 1 }\ntimeouts {\n  create = \"1h\"\n}"),
		ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			plancheck.ExpectResourceAction(confirmation, plancheck.ResourceActionUpdate),
		}},
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed")},
	}, resource.TestStep{
		Config: s.gated("true", "triggers = { n = 2 }"),
		ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			plancheck.ExpectResourceAction(confirmation, plancheck.ResourceActionDestroyBeforeCreate),
		}},
		ConfigStateChecks: []statecheck.StateCheck{isConfirmed},
		Check:             s.sent(stub.CallConfirm, 1),
	})
}

func TestServerMigrationConfirmation_refusesWhatWasReverted(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolScenario) {
		s.mustApply(migrationOf(nil))
		s.must(s.Revert(server, "user-7"))
		s.confirmation().wantRefused(object{"migration_id": s.state.Get("id")},
			"The migration of server web-1", "was reverted", "user user-7")
		s.wantSent(sent{migrates: 1})
	})
}

// confirmedUnseen plays a confirmation whose end its apply does not see, since the
// cloud shows it an hour later.
func confirmedUnseen(t *testing.T, run func(s, confirmation *protocolScenario, config object)) {
	t.Helper()
	timing := stub.ObservedTiming()
	timing.ConfirmStale = time.Hour
	inVirtualTime(t, stub.Config{Timing: timing}, stub.Server{}, func(s *protocolScenario) {
		s.mustApply(migrationOf(nil))
		confirmation := s.confirmation()
		config := object{"migration_id": s.state.Get("id"), "timeouts": object{"create": "1m"}}
		confirmation.mustApply(config) // ends with a warning
		confirmation.want(map[string]string{"status": awaiting})
		run(s, confirmation, config)
	})
}

func TestServerMigrationConfirmation_seesTheEndThatItsApplyDidNotSee(t *testing.T) {
	confirmedUnseen(t, func(s, confirmation *protocolScenario, config object) {
		time.Sleep(2 * time.Hour)
		s.wantPlan(migrationOf(nil), acctest.NoOp)
		confirmation.wantPlan(config, acctest.NoOp)
		s.want(map[string]string{"status": "confirmed"})
		confirmation.want(map[string]string{"status": "confirmed"})
		s.wantSent(sent{migrates: 1, confirms: 1})
	})
}

func TestServerMigrationConfirmation_isRemovedWithItsServer(t *testing.T) {
	confirmedUnseen(t, func(s, confirmation *protocolScenario, _ object) {
		s.must(s.Delete(server))
		wantWarned(t, confirmation.wantPlan(nil, acctest.NoOp),
			"The server of a confirmation is gone: server ", "removed from the state", "Remove it from the configuration too")
		if confirmation.state.Exists() {
			t.Error("got a confirmation, want that it is removed from the state")
		}
	})
}

func TestServerMigrationConfirmation_isNotRemovedAfterOneAnswerThatItsServerIsGone(t *testing.T) {
	confirmedUnseen(t, func(s, confirmation *protocolScenario, config object) {
		time.Sleep(2 * time.Hour)
		s.Inject(stub.Fault{Call: stub.CallServer, Status: http.StatusNotFound, Count: 1})
		confirmation.wantPlan(config, acctest.NoOp)
		confirmation.want(map[string]string{"status": "confirmed"})
	})
}

func TestServerMigrationConfirmation_explainsWhatItCannotConfirm(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolScenario) {
		confirmation := s.confirmation()
		refuses := func(id string, texts ...string) {
			t.Helper()
			confirmation.wantRefused(object{"migration_id": id}, texts...)
			s.wantSent(sent{})
		}
		refuses(server, "migration_id", "must be the id of a rackspace_server_migration")
		refuses("ORD/"+strings.ToUpper(server)+"/req-1", "migration_id", "must be the id of a rackspace_server_migration")
		// As a migration has it whose request nobody named.
		refuses("ORD/"+server+"/", "The migration to confirm has no request id", "Nothing was sent to the server")
		refuses("ORD/"+server+"/req-unknown", "There is no migration to confirm: server web-1", "has none of request req-unknown")
		s.must(s.Migrate(server, ourUser))
		refuses("ORD/"+server+"/req-unknown", "There is no migration to confirm: server web-1", "has none of request req-unknown")

		s.Inject(stub.Fault{Call: stub.CallConfirm, Status: http.StatusForbidden, Count: 1})
		s.importID(server)
		confirmation.wantRefused(object{"migration_id": s.state.Get("id")}, "Cannot confirm the migration of server web-1", "403 forbidden")
		s.wantSent(sent{confirms: 1})
	})
}
