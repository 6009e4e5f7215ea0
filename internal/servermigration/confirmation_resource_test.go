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

// configWithTest is a configuration in which a command runs between the migration and its
// confirmation, as a test of the server would.
func (s *cloudTest) configWithTest(command, arguments string) string {
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

func TestAccServerMigrationConfirmation_confirmsAfterItsDependenciesHaveSucceeded(t *testing.T) {
	s := newCloudTest(t, stub.Config{}, stub.Server{})
	s.run(resource.TestStep{
		Config:      s.configWithTest("echo the server does not work; exit 1", ""),
		ExpectError: says("local-exec provisioner error", "the server does not work"),
	}, resource.TestStep{
		PreConfig: func() {
			if got := s.Count(stub.CallConfirm); got != 0 {
				t.Errorf("got %d confirm requests before the test passed, want none", got)
			}
		},
		Config: s.configWithTest("true", ""),
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
		// The confirmation is destroyed. That sends no request.
		Config:            s.config(""),
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed")},
		Check:             resource.ComposeTestCheckFunc(s.sent(stub.CallConfirm, 1), s.sent(stub.CallRevert, 0)),
	})
}

// sameValue checks that two attributes have the same value.
type sameValue struct{}

func (sameValue) CompareValues(values ...any) error {
	if len(values) != 2 || values[0] != values[1] {
		return fmt.Errorf("got %v, want the same", values)
	}
	return nil
}

func TestAccServerMigrationConfirmation_confirmsInTheApplyThatMigrates(t *testing.T) {
	s := newCloudTest(t, stub.Config{}, stub.Server{})
	s.run(resource.TestStep{
		Config:            s.configWithTest("true", "triggers = { n = 1 }"),
		ConfigStateChecks: []statecheck.StateCheck{isConfirmed},
		Check:             s.sent(stub.CallConfirm, 1),
	}, resource.TestStep{
		Config: s.configWithTest("true", "triggers = { n = 1 }\ntimeouts {\n  create = \"1h\"\n}"),
		ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			plancheck.ExpectResourceAction(confirmation, plancheck.ResourceActionUpdate),
		}},
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed")},
	}, resource.TestStep{
		Config: s.configWithTest("true", "triggers = { n = 2 }"),
		ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			plancheck.ExpectResourceAction(confirmation, plancheck.ResourceActionDestroyBeforeCreate),
		}},
		ConfigStateChecks: []statecheck.StateCheck{isConfirmed},
		Check:             s.sent(stub.CallConfirm, 1),
	})
}

func TestServerMigrationConfirmation_refusesWhatWasReverted(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.mustApply(migrationOf(nil))
		s.mustFinish(s.Revert(server, "user-7"))
		s.confirmation().wantRefused(object{"migration_id": s.state.Get("id")},
			"The migration of server web-1", "was reverted", "user user-7")
		s.wantSent(sent{migrates: 1})
	})
}

// withUnseenConfirm applies a confirmation with a timeout of a minute. The cloud shows the
// confirmed migration after an hour, so the apply ends with a warning.
func withUnseenConfirm(t *testing.T, run func(s, confirmation *protocolTest, config object)) {
	t.Helper()
	timing := stub.ObservedTiming()
	timing.ConfirmStale = time.Hour
	inVirtualTime(t, stub.Config{Timing: timing}, stub.Server{}, func(s *protocolTest) {
		s.mustApply(migrationOf(nil))
		confirmation := s.confirmation()
		config := object{"migration_id": s.state.Get("id"), "timeouts": object{"create": "1m"}}
		confirmation.mustApply(config) // ends with a warning
		confirmation.want(map[string]string{"status": awaiting})
		run(s, confirmation, config)
	})
}

func TestServerMigrationConfirmation_becomesConfirmedInARefreshAfterATimeout(t *testing.T) {
	withUnseenConfirm(t, func(s, confirmation *protocolTest, config object) {
		time.Sleep(2 * time.Hour)
		s.wantPlan(migrationOf(nil), acctest.NoOp)
		confirmation.wantPlan(config, acctest.NoOp)
		s.want(map[string]string{"status": "confirmed"})
		confirmation.want(map[string]string{"status": "confirmed"})
		s.wantSent(sent{migrates: 1, confirms: 1})
	})
}

func TestServerMigrationConfirmation_isRemovedWithItsServer(t *testing.T) {
	withUnseenConfirm(t, func(s, confirmation *protocolTest, _ object) {
		s.mustFinish(s.Delete(server))
		wantWarned(t, confirmation.wantPlan(nil, acctest.NoOp),
			"The server of a confirmation is gone: server ", "removed from the state", "Remove it from the configuration too")
		if confirmation.state.Exists() {
			t.Error("got a confirmation in the state, want none")
		}
	})
}

func TestServerMigrationConfirmation_isNotRemovedAfterOneAnswerThatItsServerIsGone(t *testing.T) {
	withUnseenConfirm(t, func(s, confirmation *protocolTest, config object) {
		time.Sleep(2 * time.Hour)
		s.Inject(stub.Fault{Call: stub.CallServer, Status: http.StatusNotFound, Count: 1})
		confirmation.wantPlan(config, acctest.NoOp)
		confirmation.want(map[string]string{"status": "confirmed"})
	})
}

func TestServerMigrationConfirmation_explainsWhatItCannotConfirm(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		confirmation := s.confirmation()
		refuses := func(id string, texts ...string) {
			t.Helper()
			confirmation.wantRefused(object{"migration_id": id}, texts...)
			s.wantSent(sent{})
		}
		refuses(server, "migration_id", "must be the id of a rackspace_server_migration")
		refuses("ORD/"+strings.ToUpper(server)+"/req-1", "migration_id", "must be the id of a rackspace_server_migration")
		// The id of a migration without a request id.
		refuses("ORD/"+server+"/", "The migration to confirm has no request id", "Nothing was sent to the server")
		refuses("ORD/"+server+"/req-unknown", "There is no migration to confirm: server web-1", "has none of request req-unknown")
		s.mustFinish(s.Migrate(server, ourUser))
		refuses("ORD/"+server+"/req-unknown", "There is no migration to confirm: server web-1", "has none of request req-unknown")

		s.Inject(stub.Fault{Call: stub.CallConfirm, Status: http.StatusForbidden, Count: 1})
		s.importID(server)
		confirmation.wantRefused(object{"migration_id": s.state.Get("id")}, "Cannot confirm the migration of server web-1", "403 forbidden")
		s.wantSent(sent{confirms: 1})
	})
}
