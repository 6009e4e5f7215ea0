package servermigration_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestAccServerMigration_takesOverAMigrationThatSomebodyStarted(t *testing.T) {
	s := newCloudTest(t, stub.Config{}, stub.Server{})
	servers := map[string]string{"alone": server}
	for _, name := range []string{"in_upper_case", "in_lower_case"} {
		servers[name] = s.AddServer(stub.Server{Name: "web-1"})
	}
	ids := map[string]string{"alone": server, "in_upper_case": "ORD/" + servers["in_upper_case"], "in_lower_case": "ord/" + servers["in_lower_case"]}
	planned, imported := s.Provider("", ""), resource.TestStep{}
	later := resource.TestStep{Config: s.Provider("", "")}
	for name, id := range ids {
		s.mustDo(func() error { return s.Migrate(servers[name], "user-7") })()
		request := s.ActionLog(servers[name])[0].RequestID
		at := servermigration.ResourceType + "." + name
		is := func(attribute string, value knownvalue.Check) statecheck.StateCheck {
			return statecheck.ExpectKnownValue(at, tfjsonpath.New(attribute), value)
		}
		text := knownvalue.StringExact
		block := "resource %q %q {\n  server_id = %q\n  %s\n}\n"
		planned += fmt.Sprintf(block, servermigration.ResourceType, name, servers[name], "") + fmt.Sprintf("import {\n  to = %s\n  id = %q\n}\n", at, id)
		later.Config += fmt.Sprintf(block, servermigration.ResourceType, name, servers[name], autoConfirm)
		// The plan has no change: the imported migration agrees with the configuration.
		imported.ConfigPlanChecks.PreApply = append(imported.ConfigPlanChecks.PreApply, plancheck.ExpectResourceAction(at, noChange))
		imported.ConfigStateChecks = append(imported.ConfigStateChecks,
			is("status", text(awaiting)), is("server_status", text("VERIFY_RESIZE")), is("region", text("ORD")), is("server_name", text("web-1")),
			is("request_id", text(request)), is("id", text("ORD/"+servers[name]+"/"+request)),
			is("source_host_id", knownvalue.Null()), is("settled_at", knownvalue.Null()),
			is("requested_at", knownvalue.StringRegexp(isRFC3339)), is("confirm_by", knownvalue.StringRegexp(isRFC3339)))
		later.ConfigPlanChecks.PreApply = append(later.ConfigPlanChecks.PreApply, plancheck.ExpectResourceAction(at, update))
		later.ConfigStateChecks = append(later.ConfigStateChecks, is("status", text("confirmed")))
	}
	imported.Config = planned
	s.Advance(time.Minute)
	s.run(imported, later)
	for name, id := range servers {
		if got := sentTo(s.Stub, id); got != (sent{confirms: 1}) {
			t.Errorf("%s: got %+v requests, want one confirm", name, got)
		}
	}
}

func TestAccServerMigration_importsWhatItCreated(t *testing.T) {
	s := newCloudTest(t, stub.Config{}, stub.Server{})
	other := s.AddServer(stub.Server{Name: "web-2"})
	confirmed := servermigration.ResourceType + ".confirmed"
	verify := func(address, id string) resource.TestStep {
		return resource.TestStep{
			ResourceName: address, ImportState: true, ImportStateId: id, ImportStateVerify: true,
			// The action log has no hosts, and an import does not set auto_confirm.
			ImportStateVerifyIgnore: []string{"source_host_id", "destination_host_id", "auto_confirm", "settled_at"},
		}
	}
	s.run(resource.TestStep{
		Config: s.config(noArguments) + fmt.Sprintf("resource %q \"confirmed\" {\n  server_id = %q\n  %s\n}\n", servermigration.ResourceType, other, autoConfirm),
	}, verify(address, server), verify(confirmed, other), resource.TestStep{
		// A step without an id imports the id of the resource.
		ResourceName: address, ImportState: true, ImportStateVerify: true,
		ImportStateVerifyIgnore: []string{"source_host_id", "destination_host_id"},
	})
}

func TestServerMigration_revertsWhatItImported(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		original, _ := s.Server(server)
		if err := s.Migrate(server, "user-7"); err != nil {
			t.Fatal(err)
		}
		s.importID(server)
		config := migrationOf(object{"on_destroy": "revert"})
		s.wantPlan(config, acctest.Update)
		s.mustApply(config)
		s.mustApply(nil) // the server is still migrating, so the destroy waits first
		s.wantSent(sent{reverts: 1})
		if now, _ := s.Server(server); now.HostID != original.HostID || now.Status != "ACTIVE" {
			t.Errorf("got the server %s on %s, want it ACTIVE on %s", now.Status, now.HostID, original.HostID)
		}
	})
}

func TestServerMigration_confirmsWhatIsUnderWayWhenImported(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		if err := s.Migrate(server, "user-7"); err != nil {
			t.Fatal(err)
		}
		s.importID(server)
		config := migrationOf(object{"auto_confirm": true})
		s.wantPlan(config, acctest.Update)
		s.mustApply(config)
		s.want(map[string]string{"status": "confirmed"})
		s.wantEndTime()
		s.wantSent(sent{confirms: 1})
	})
}

func TestServerMigration_explainsWhatItCannotImport(t *testing.T) {
	tests := []struct {
		name, id string
		want     []string
	}{
		{"never migrated", server, []string{"There is no migration to import", "web-1", "was never migrated"}},
		{"an unknown server", "DFW/" + server, []string{"There is no server " + server, "in region DFW"}},
		{"an unknown region", "XYZ/" + server, []string{`There is no region "XYZ"`, "DFW, LON, ORD"}},
		{"a name", "web-1", []string{"Invalid import id", `"web-1" is not an import id`, "SERVER_ID, ", "REGION/SERVER_ID, ", "REGION/SERVER_ID/REQUEST_ID, "}},
		{"an empty id", "", []string{"Invalid import id", `"" is not an import id`}},
		{"an empty region", "/" + server, []string{"Invalid import id", `"/` + server + `" is not an import id`}},
		{"an empty region and a request", "/" + server + "/req-1", []string{"Invalid import id"}},
		{"a name in a region", "ORD/web-1", []string{"Invalid import id", `"ORD/web-1" is not an import id`}},
		{"a fourth part", "ORD/" + server + "/req-1/more", []string{"Invalid import id", `/req-1/more" is not an import id`}},
		{"an unknown request", "ORD/" + server + "/req-1", []string{"There is no migration to import: server web-1", "has none of request req-1", "imports the newest migration"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
				if _, got := s.open().Import(s.state.Type, test.id); !says(test.want...).MatchString(got.Errors()) {
					t.Errorf("got the error %q, want %q in it", got.Errors(), test.want)
				}
			})
		})
	}
}

func TestServerMigration_importsTheMigrationThatItsIDNames(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.mustFinish(s.Migrate(server, "user-7"))
		s.mustFinish(s.Confirm(server, "user-7"))
		s.mustFinish(s.Migrate(server, "user-7"))
		log := s.ActionLog(server) // newest first
		newest, older := log[0].RequestID, log[2].RequestID
		for id, want := range map[string]struct{ request, status string }{
			server:                         {newest, awaiting},
			"ORD/" + server:                {newest, awaiting},
			"ORD/" + server + "/":          {newest, awaiting}, // the id of a migration without a request id
			"ORD/" + server + "/" + newest: {newest, awaiting},
			"ord/" + server + "/" + older:  {older, "confirmed"},
			"ORD/" + server + "/" + older:  {older, "confirmed"},
		} {
			s.importID(id)
			s.want(map[string]string{"request_id": want.request, "status": want.status, "id": "ORD/" + server + "/" + want.request, "region": "ORD"})
			s.wantPlan(migrationOf(nil), acctest.NoOp)
		}
		s.wantSent(sent{})
	})
}

func TestAccServerMigration_isImportedByIdentity(t *testing.T) {
	acctest.RequireTerraform(t, "1.12.0", "resource identity")
	for name, identity := range map[string]string{
		"with its region":          fmt.Sprintf("{ region = \"ORD\", server_id = %q }", server),
		"in the provider's region": fmt.Sprintf("{ server_id = %q }", server),
	} {
		t.Run(name, func(t *testing.T) {
			s := newCloudTest(t, stub.Config{}, stub.Server{})
			if err := s.Migrate(server, "user-7"); err != nil {
				t.Fatal(err)
			}
			s.Advance(time.Minute)
			s.run(resource.TestStep{
				Config:           s.config("") + fmt.Sprintf("import {\n  to = %s\n  identity = %s\n}\n", address, identity),
				ConfigPlanChecks: unchanged,
				ConfigStateChecks: []statecheck.StateCheck{
					is("status", awaiting),
					statecheck.ExpectIdentity(address, map[string]knownvalue.Check{
						"region": knownvalue.StringExact("ORD"), "server_id": knownvalue.StringExact(server),
					}),
				},
			})
		})
	}
}

// terraform returns a Terraform CLI with these files, for what the test framework cannot
// do, such as to generate configuration.
func (s *cloudTest) terraform(files map[string]string) *tfexec.Terraform {
	s.t.Helper()
	return s.Terraform(s.t, files)
}

const requiredProviders = `
terraform {
  required_providers {
    rackspace = { source = "terraform-provider-rackspace/rackspace" }
  }
}
`

// wantEmptyPlanAfterImport applies an import. It checks that the next plan has no changes,
// and that no request has changed a server.
func (s *cloudTest) wantEmptyPlanAfterImport(ctx context.Context, tf *tfexec.Terraform) {
	s.t.Helper()
	if err := tf.Apply(ctx); err != nil {
		s.t.Fatal(err)
	}
	state, err := tf.Show(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	if state.Values == nil || len(state.Values.RootModule.Resources) == 0 || state.Values.RootModule.Resources[0].AttributeValues["status"] != awaiting {
		s.t.Errorf("got state %+v, want the imported migration in it", state.Values)
	}
	changes, err := tf.Plan(ctx)
	if err != nil || changes {
		s.t.Errorf("got changes %t (%v) after the import, want none", changes, err)
	}
	if got := s.Count(stub.CallMigrate) + s.Count(stub.CallConfirm) + s.Count(stub.CallRevert); got != 0 {
		s.t.Errorf("got %d requests that change a server, want none", got)
	}
}

func TestAccServerMigration_isImportedWithGeneratedConfiguration(t *testing.T) {
	t.Parallel()
	s := newCloudTest(t, stub.Config{}, stub.Server{})
	if err := s.Migrate(server, "user-7"); err != nil {
		t.Fatal(err)
	}
	s.Advance(time.Minute)
	tf := s.terraform(map[string]string{"main.tf": requiredProviders + s.Provider("", fmt.Sprintf("import {\n  to = %s\n  id = %q\n}\n", address, server))})
	if _, err := tf.Plan(t.Context(), tfexec.GenerateConfigOut("generated.tf")); err != nil {
		t.Fatal(err)
	}
	generated, err := os.ReadFile(filepath.Join(tf.WorkingDir(), "generated.tf"))
	if err != nil || !strings.Contains(string(generated), server) {
		t.Fatalf("got %s (%v), want the migration's configuration", generated, err)
	}
	s.wantEmptyPlanAfterImport(t.Context(), tf)
}
