package servermigration_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// TestAccServerMigration_readsTheStatesOfEveryRelease plans with a state file of each version
// of the schema. A new version adds a file, and no file is ever changed.
func TestAccServerMigration_readsTheStatesOfEveryRelease(t *testing.T) {
	states, err := filepath.Glob("testdata/state_v*.json")
	if err != nil || len(states) == 0 {
		t.Fatalf("found no states in testdata (%v)", err)
	}
	for _, name := range states {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			s := newCloudTest(t, stub.Config{}, stub.Server{})
			// The state names the provider by the address of Terraform's registry, also for
			// OpenTofu.
			required := strings.Replace(requiredProviders, `"terraform-provider-rackspace/`, `"registry.terraform.io/terraform-provider-rackspace/`, 1)
			tf := s.UnattachedTerraform(t, map[string]string{
				"terraform.tfstate": string(state),
				"main.tf":           required + s.config("auto_confirm = true\ntriggers = { maintenance = \"2026-11\" }"),
			})
			changes, err := tf.Plan(t.Context())
			if err != nil || changes {
				t.Errorf("got changes %t (%v), want none", changes, err)
			}
			if got := len(s.Requests()); got != 0 {
				t.Errorf("got %d requests to read a confirmed migration, want none", got)
			}
		})
	}
}
