package servermigration_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// importBlock imports the migration of the server under an id.
func (s *story) importBlock(id, arguments string) string {
	return s.config(arguments) + fmt.Sprintf("import {\n  to = %s\n  id = %q\n}\n", address, id)
}

func TestAccServerMigration_takesOverAMigrationThatSomebodyStarted(t *testing.T) {
	for _, id := range []string{server, "ORD/" + server, "ord/" + server} {
		t.Run(id, func(t *testing.T) {
			s := tell(t, stub.Config{}, stub.Server{})
			if err := s.Migrate(server, "user-7"); err != nil {
				t.Fatal(err)
			}
			s.Advance(time.Minute)
			s.run(resource.TestStep{
				// Planned without a change: what is imported is what is configured.
				Config:           s.importBlock(id, ""),
				ConfigPlanChecks: unchanged,
				ConfigStateChecks: []statecheck.StateCheck{
					is("status", awaiting), is("server_status", "VERIFY_RESIZE"), is("region", "ORD"), is("server_name", "web-1"),
					is("request_id", s.ActionLog(server)[0].RequestID), is("id", "ORD/"+server+"/"+s.ActionLog(server)[0].RequestID),
					isNull("source_host_id"), isTime("requested_at"), isTime("confirm_by"), isNull("settled_at"),
				},
			}, resource.TestStep{
				Config:            s.config(auto),
				ConfigPlanChecks:  planned(plancheck.ResourceActionUpdate),
				ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed")},
				Check:             resource.ComposeTestCheckFunc(s.sent(stub.CallMigrate, 0), s.sent(stub.CallConfirm, 1)),
			})
		})
	}
}

func TestAccServerMigration_importsWhatItCreated(t *testing.T) {
	for name, arguments := range map[string]string{"awaiting": left, "confirmed": auto} {
		t.Run(name, func(t *testing.T) {
			s := tell(t, stub.Config{}, stub.Server{})
			s.run(resource.TestStep{
				Config: s.config(arguments),
			}, resource.TestStep{
				ResourceName:      address,
				ImportState:       true,
				ImportStateId:     server,
				ImportStateVerify: true,
				// The log knows no hosts, and to confirm is not a thing of the past.
				ImportStateVerifyIgnore: []string{"source_host_id", "destination_host_id", "auto_confirm", "settled_at"},
			})
		})
	}
}

func TestAccServerMigration_revertsWhatItImported(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	home, _ := s.Server(server)
	s.run(resource.TestStep{
		PreConfig: s.do(func() error { return s.Migrate(server, "user-7") }),
		// It is still under way, and first waited for.
		Config:           s.importBlock(server, revert),
		ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
	}, resource.TestStep{
		Config: s.Provider("", ""),
		Check:  resource.ComposeTestCheckFunc(s.sent(stub.CallRevert, 1), s.sent(stub.CallMigrate, 0)),
	})
	if now, _ := s.Server(server); now.HostID != home.HostID || now.Status != "ACTIVE" {
		t.Errorf("got the server %s on %s, want it ACTIVE on %s", now.Status, now.HostID, home.HostID)
	}
}

func TestAccServerMigration_confirmsWhatIsUnderWayWhenImported(t *testing.T) {
	timing := stub.ObservedTiming()
	timing.Migrate = 8 * time.Second // longer than the plan takes
	s := tell(t, stub.Config{Timing: timing}, stub.Server{})
	s.run(resource.TestStep{
		PreConfig:         s.do(func() error { return s.Migrate(server, "user-7") }),
		Config:            s.importBlock(server, auto),
		ConfigPlanChecks:  planned(plancheck.ResourceActionUpdate),
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed"), isTime("settled_at")},
		Check:             resource.ComposeTestCheckFunc(s.sent(stub.CallConfirm, 1), s.sent(stub.CallMigrate, 0)),
	})
}

func TestAccServerMigration_explainsWhatItCannotImport(t *testing.T) {
	tests := []struct {
		name, id string
		want     *regexp.Regexp
	}{
		{"never migrated", server, says("There is no migration to import", "web-1", "was never migrated")},
		{"no server", "DFW/" + server, says("There is no server "+server, "in region DFW")},
		{"no region", "XYZ/" + server, says(`There is no region "XYZ"`, "DFW, LON, ORD")},
		{"a name", "web-1", says("Invalid import id", "SERVER_ID or REGION/SERVER_ID")},
		{"an empty region", "/" + server, says("Invalid import id")},
		{"the id of a resource", "ORD/" + server + "/req-1", says("Invalid import id")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := tell(t, stub.Config{}, stub.Server{})
			s.run(resource.TestStep{Config: s.importBlock(test.id, ""), ExpectError: test.want})
		})
	}
}

func TestAccServerMigration_isImportedByIdentity(t *testing.T) {
	acctest.RequireTerraform(t, "1.12.0", "resource identity")
	for name, identity := range map[string]string{
		"with its region":          fmt.Sprintf("{ region = \"ORD\", server_id = %q }", server),
		"in the provider's region": fmt.Sprintf("{ server_id = %q }", server),
	} {
		t.Run(name, func(t *testing.T) {
			s := tell(t, stub.Config{}, stub.Server{})
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

// terraform runs the CLI itself, with the provider as it is in this tree, for
// what the test framework does not do: write configuration.
func (s *story) terraform(files map[string]string) *tfexec.Terraform {
	s.t.Helper()
	dir := s.t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	tf, err := tfexec.NewTerraform(dir, os.Getenv("TF_ACC_TERRAFORM_PATH"))
	if err != nil {
		s.t.Fatal(err)
	}
	if err := tf.SetEnv(s.environment(dir)); err != nil {
		s.t.Fatal(err)
	}
	if err := tf.Init(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	return tf
}

// environment is what a Terraform needs that runs the provider of this tree.
func (s *story) environment(home string) map[string]string {
	return map[string]string{
		"TF_CLI_CONFIG_FILE": acctest.Mirror(s.t), "CHECKPOINT_DISABLE": "1", "HOME": home,
		"RACKSPACE_USERNAME": stub.DefaultUser.Name, "RACKSPACE_API_KEY": stub.DefaultUser.APIKey,
		"RACKSPACE_IDENTITY_ENDPOINT": s.URL + "/v2.0/", "RACKSPACE_POLL_INTERVAL": acctest.PollInterval.String(),
	}
}

const requiredProviders = `
terraform {
  required_providers {
    rackspace = { source = "terraform-provider-rackspace/rackspace" }
  }
}
`

// wantEmptyPlanAfterImport plans and applies what was generated: an import
// without any change, and nothing that touches a server.
func (s *story) wantEmptyPlanAfterImport(ctx context.Context, tf *tfexec.Terraform) {
	s.t.Helper()
	if err := tf.Apply(ctx); err != nil {
		s.t.Fatal(err)
	}
	state, err := tf.Show(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	if state.Values == nil || len(state.Values.RootModule.Resources) == 0 || state.Values.RootModule.Resources[0].AttributeValues["status"] != awaiting {
		s.t.Errorf("got state %+v, want the imported migration", state.Values)
	}
	changes, err := tf.Plan(ctx)
	if err != nil || changes {
		s.t.Errorf("got changes %t (%v) after the import, want none", changes, err)
	}
	if got := s.Count(stub.CallMigrate) + s.Count(stub.CallConfirm) + s.Count(stub.CallRevert); got != 0 {
		s.t.Errorf("got %d requests that act, want none", got)
	}
}

func TestAccServerMigration_isImportedWithGeneratedConfiguration(t *testing.T) {
	if os.Getenv("TF_ACC") == "" {
		t.Skip("acceptance tests run with TF_ACC set")
	}
	t.Parallel()
	s := tell(t, stub.Config{}, stub.Server{})
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
