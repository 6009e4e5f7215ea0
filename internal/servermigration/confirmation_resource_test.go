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

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

const confirmation = "rackspace_server_migration_confirmation.web"

// gated is a configuration in which a command stands between the migration and
// its confirm.
func (s *story) gated(command, arguments string) string {
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
	s := tell(t, stub.Config{}, stub.Server{})
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
	s := tell(t, stub.Config{}, stub.Server{})
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

func TestAccServerMigrationConfirmation_refusesWhatWasReverted(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	s.run(resource.TestStep{
		Config: s.config(""),
	}, resource.TestStep{
		PreConfig:   s.do(func() error { return reverted(s) }),
		Config:      s.gated("true", ""),
		ExpectError: says("The migration of server web-1", "cannot be confirmed: it is reverted", "user user-7"),
	})
	if got := s.Count(stub.CallConfirm); got != 0 {
		t.Errorf("got %d confirm requests, want none", got)
	}
}

func TestAccServerMigrationConfirmation_seesTheEndThatItsApplyDidNotSee(t *testing.T) {
	timing := stub.ObservedTiming().Scaled(15)
	timing.ConfirmStale = time.Hour
	s := tell(t, stub.Config{Timing: timing}, stub.Server{})
	config := s.gated("true", "timeouts {\n  create = \"2s\"\n}")
	s.run(resource.TestStep{
		Config: s.config(""),
	}, resource.TestStep{
		Config: config, // ends with a warning
	}, resource.TestStep{
		PreConfig:         func() { s.Advance(2 * time.Hour) },
		Config:            config,
		ConfigStateChecks: []statecheck.StateCheck{isConfirmed, is("status", "confirmed")},
		Check:             s.sent(stub.CallConfirm, 1),
	})
}

func TestAccServerMigrationConfirmation_explainsWhatItCannotConfirm(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	confirm := func(id string) string {
		return s.Provider("", fmt.Sprintf("resource \"rackspace_server_migration_confirmation\" \"web\" {\n  migration_id = %q\n}\n", id))
	}
	s.run(resource.TestStep{
		Config: confirm(server), PlanOnly: true,
		ExpectError: says("migration_id", "must be the id of a rackspace_server_migration"),
	}, resource.TestStep{
		Config: confirm("ORD/" + strings.ToUpper(server) + "/req-1"), PlanOnly: true,
		ExpectError: says("migration_id", "must be the id of a rackspace_server_migration"),
	}, resource.TestStep{
		Config:      confirm("ORD/" + server + "/"), // as a migration has it whose request nobody named
		ExpectError: says("The migration to confirm has no request id", "Nothing was sent to the server"),
	}, resource.TestStep{
		Config:      confirm("ORD/" + server + "/req-unknown"),
		ExpectError: says("There is no migration to confirm: server web-1", "has none of request req-unknown"),
	}, resource.TestStep{
		PreConfig: s.do(func() error {
			defer s.Advance(time.Minute)
			return s.Migrate(server, ourUser)
		}),
		Config:      confirm("ORD/" + server + "/req-unknown"),
		ExpectError: says("There is no migration to confirm: server web-1", "has none of request req-unknown"),
	}, resource.TestStep{
		PreConfig: func() { s.Inject(stub.Fault{Call: stub.CallConfirm, Status: http.StatusForbidden, Count: 1}) },
		Config: s.Provider("", fmt.Sprintf(`
import {
  to = rackspace_server_migration.web
  id = %q
}
%s
resource "rackspace_server_migration_confirmation" "web" {
  migration_id = rackspace_server_migration.web.id
}`, server, migrationBlock(""))),
		ExpectError: says("Cannot confirm the migration of server web-1", "403 forbidden"),
	})
	if got := s.Migrations(server); got != 0 {
		t.Errorf("got %d migrations asked for, want none", got)
	}
}
