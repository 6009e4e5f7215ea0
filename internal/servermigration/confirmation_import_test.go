package servermigration_test

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestServerMigrationConfirmation_importsWhatIsConfirmed(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.mustFinish(s.Migrate(server, "user-7"))
		id := "ORD/" + server + "/" + s.ActionLog(server)[0].RequestID
		s.mustFinish(s.Confirm(server, "user-7"))
		s.mustFinish(s.Migrate(server, "user-7")) // a later migration; the id names the first one
		config := object{"migration_id": id}
		var diagnostics acctest.Diagnostics
		if s.state, diagnostics = s.open().Import(servermigration.ConfirmationType, "ord"+id[len("ORD"):]); diagnostics.HasError() {
			t.Fatal(diagnostics)
		}
		s.want(map[string]string{"id": id, "migration_id": id, "status": "confirmed"})
		s.wantEndTime()
		s.wantPlan(config, acctest.NoOp)
		s.wantSent(sent{})
	})
}

func TestServerMigrationConfirmation_explainsWhatItCannotImport(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		refuses := func(id string, texts ...string) {
			t.Helper()
			if _, got := s.open().Import(servermigration.ConfirmationType, id); !says(texts...).MatchString(got.Errors()) {
				t.Errorf("%s: got the error %q, want %q in it", id, got.Errors(), texts)
			}
		}
		const none = "There is no confirmation to import: the migration of server web-1"
		id := func() string { return "ORD/" + server + "/" + s.ActionLog(server)[0].RequestID }
		refuses(server, "Invalid import id", `"`+server+`" is not an import id`, "REGION/SERVER_ID/REQUEST_ID")
		refuses("ORD/"+server+"/", "Invalid import id", `/" is not an import id`)
		refuses("ORD/"+server+"/req-1", "There is no migration to import: server web-1", "none of request req-1")
		if err := s.Migrate(server, ourUser); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		migrating := id()
		refuses(migrating, none, "The status of the migration is migrating", "waits for the migration and confirms it")
		time.Sleep(time.Minute)
		refuses(migrating, none, "The status of the migration is awaiting_confirmation", "which confirms the migration", "The cloud confirms it automatically")
		s.mustFinish(s.Revert(server, "user-7"))
		refuses(migrating, none, "The status of the migration is reverted", "cannot be confirmed any more")
		s.wantSent(sent{})
	})
}

func TestAccServerMigrationConfirmation_isImported(t *testing.T) {
	s := newCloudTest(t, stub.Config{}, stub.Server{})
	s.run(resource.TestStep{
		Config: s.configWithTest("true", ""),
	}, resource.TestStep{
		ResourceName: confirmation, ImportState: true, ImportStateVerify: true, // by the id that both resources have
	}, resource.TestStep{
		Config: s.configWithTest("true", ""),
		ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			plancheck.ExpectResourceAction(confirmation, plancheck.ResourceActionNoop),
		}},
	})
}
