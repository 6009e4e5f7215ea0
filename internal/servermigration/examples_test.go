package servermigration_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

const examples = "../../examples"

func TestAccExamples_apply(t *testing.T) {
	migrations := map[string]int{ // what each example is to do
		"resources/rackspace_server_migration/resource.tf":              1,
		"resources/rackspace_server_migration/triggers.tf":              2,
		"resources/rackspace_server_migration_confirmation/resource.tf": 1,
		"demo/[mo]*.tf": 3, // without the server that is rolled back
	}
	found, err := filepath.Glob(examples + "/resources/*/*.tf")
	if err != nil || len(found)+1 != len(migrations) {
		t.Fatalf("got the examples %q and the demo, want them all in the table (%v)", found, err)
	}
	for pattern, want := range migrations {
		t.Run(pattern, func(t *testing.T) {
			s := newSamples(t)
			text := read(t, pattern)
			if !strings.Contains(text, "required_providers") {
				text = read(t, "provider/provider.tf") + text
			}
			step := resource.TestStep{
				Config:            text,
				ConfigStateChecks: []statecheck.StateCheck{acctest.Sees(func() error { return s.sent(stub.CallMigrate, want)(nil) })},
			}
			if strings.HasPrefix(pattern, "demo") {
				step.ConfigStateChecks = append(step.ConfigStateChecks, statecheck.ExpectKnownOutputValue("report", knownvalue.StringRegexp(
					regexp.MustCompile(`(?s)^SERVER.*\ndb-1 .* confirmed .*\nweb-1 .* awaiting_confirmation .*\nweb-2 .* confirmed `))))
			}
			play(t, step, resource.TestStep{Config: text, Destroy: true})
		})
	}
}

// newSamples is a cloud with the servers that the examples name.
func newSamples(t *testing.T) *story {
	t.Helper()
	cloud := acctest.NewCloud(t, stub.Config{})
	for _, server := range stub.Samples() {
		// A stub that runs beside the tests has the samples' own addresses.
		server.AccessIPv4 = strings.Replace(server.AccessIPv4, "127.42.", "127.43.", 1)
		cloud.AddServer(server)
	}
	ports, err := cloud.Listen(false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ports.Close)
	cloud.Setenv(t)
	return &story{cloud, t}
}

// play runs steps with settings from the environment, which allows no other
// test beside it.
func play(t *testing.T, steps ...resource.TestStep) {
	t.Helper()
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: acctest.Providers, Steps: steps})
}

func TestAccGuides_migrateTestConfirm(t *testing.T) {
	s := newSamples(t)
	guide := read(t, "provider/provider.tf") + read(t, "guides/migrate-test-confirm/*.tf")
	play(t, resource.TestStep{
		Config:            guide,
		ConfigStateChecks: []statecheck.StateCheck{is("status", awaiting), statecheck.ExpectKnownOutputValue("confirm_by", knownvalue.NotNull())},
		Check:             s.sent(stub.CallConfirm, 0),
	}, resource.TestStep{
		Config:            guide,
		ConfigVariables:   config.Variables{"confirm": config.BoolVariable(true)},
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed")},
		Check:             resource.ComposeTestCheckFunc(s.sent(stub.CallMigrate, 1), s.sent(stub.CallConfirm, 1)),
	})
}

func TestAccGuides_verify(t *testing.T) {
	s := newSamples(t)
	play(t, resource.TestStep{
		Config:            read(t, "provider/provider.tf") + read(t, "guides/verify/*.tf"),
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed"), result("passed", knownvalue.Bool(true))},
		Check:             s.sent(stub.CallConfirm, 1),
	})
}

func TestAccDemo_rollsBackTheServerThatDoesNotWorkElsewhere(t *testing.T) {
	s := newSamples(t)
	home, _ := s.Server(stub.SampleSick1)
	play(t, resource.TestStep{
		Config:      read(t, "provider/provider.tf") + read(t, "demo/rollback.tf"),
		ExpectError: says("The migration of server homesick-1", "was rolled back", "it answered with status 503", "back on its original host"),
	})
	if now, _ := s.Server(stub.SampleSick1); now.HostID != home.HostID || now.Status != "ACTIVE" {
		t.Errorf("got the server %s on %s, want it back on %s", now.Status, now.HostID, home.HostID)
	}
}

func TestAccGuides_rollBack(t *testing.T) {
	s := newSamples(t)
	guide := read(t, "provider/provider.tf") + read(t, "guides/roll-back/*.tf")
	home, _ := s.Server(stub.SampleDB1)
	play(t, resource.TestStep{Config: guide}, resource.TestStep{Config: guide, Destroy: true})
	if now, _ := s.Server(stub.SampleDB1); now.HostID != home.HostID || now.Status != "ACTIVE" {
		t.Errorf("got the server %s on %s, want it back on %s", now.Status, now.HostID, home.HostID)
	}
}

func TestAccGuides_takeOver(t *testing.T) {
	s := newSamples(t)
	if err := s.Migrate(stub.SampleWeb2, "user-7"); err != nil {
		t.Fatal(err)
	}
	s.Advance(time.Minute)
	play(t, resource.TestStep{
		Config:            read(t, "provider/provider.tf") + read(t, "guides/take-over/*.tf"),
		ConfigPlanChecks:  unchanged,
		ConfigStateChecks: []statecheck.StateCheck{is("status", awaiting)},
		Check:             s.sent(stub.CallMigrate, 0),
	})
}

func TestAccREADME_configurationApplies(t *testing.T) {
	s := newSamples(t)
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```terraform\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) != 1 {
		t.Fatalf("got %d configurations in README.md, want 1", len(blocks))
	}
	play(t, resource.TestStep{
		Config:            blocks[0][1],
		ConfigStateChecks: []statecheck.StateCheck{is("status", awaiting)},
		Check:             s.sent(stub.CallMigrate, 1),
	})
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
