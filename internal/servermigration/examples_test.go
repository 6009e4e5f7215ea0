package servermigration_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

const examples = "../../examples"

func TestAccExamples_apply(t *testing.T) {
	migrations := map[string]int{ // what each example is to do
		"resources/rackspace_server_migration/resource.tf": 1,
		"resources/rackspace_server_migration/triggers.tf": 2,
		"demo/*.tf": 3,
	}
	found, err := filepath.Glob(examples + "/resources/*/*.tf")
	if err != nil || len(found)+1 != len(migrations) {
		t.Fatalf("got the examples %q and the demo, want them all in the table (%v)", found, err)
	}
	for pattern, want := range migrations {
		t.Run(pattern, func(t *testing.T) {
			cloud := acctest.NewCloud(t, stub.Config{})
			for _, server := range stub.Samples() {
				cloud.AddServer(server)
			}
			cloud.Setenv(t)
			config := read(t, pattern)
			if !strings.Contains(config, "required_providers") {
				config = read(t, "provider/provider.tf") + config
			}
			step := resource.TestStep{
				Config: config,
				ConfigStateChecks: []statecheck.StateCheck{acctest.Sees(func() error {
					return (&story{cloud, t}).sent(stub.CallMigrate, want)(nil)
				})},
			}
			if strings.HasPrefix(pattern, "demo") {
				step.ConfigStateChecks = append(step.ConfigStateChecks, statecheck.ExpectKnownOutputValue("report", knownvalue.StringRegexp(
					regexp.MustCompile(`(?s)^SERVER.*\ndb-1 .* confirmed .*\nweb-1 .* awaiting_confirmation .*\nweb-2 .* confirmed `))))
			}
			resource.Test(t, resource.TestCase{
				ProtoV6ProviderFactories: acctest.Providers,
				Steps:                    []resource.TestStep{step, {Config: config, Destroy: true}},
			})
		})
	}
}

// read returns the text of the examples that match a pattern.
func read(t *testing.T, pattern string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(examples, pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("no example is %s (%v)", pattern, err)
	}
	var text strings.Builder
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(content)
		text.WriteString("\n")
	}
	return text.String()
}
