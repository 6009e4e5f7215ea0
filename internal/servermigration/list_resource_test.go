package servermigration_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/querycheck"
	"github.com/hashicorp/terraform-plugin-testing/querycheck/queryfilter"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

const found = servermigration.ResourceType + ".found"

func listBlock(config string) string {
	return "list \"rackspace_server_migration\" \"found\" {\n  provider = rackspace\n  include_resource = true\n  config {\n" + config + "\n  }\n}\n"
}

// addMigrations adds servers whose migrations and resizes began at different times: web-1
// two hours ago, web-moving just now. Each takes half an hour, which is longer than the test.
func addMigrations(t *testing.T, s *cloudTest) {
	t.Helper()
	others := map[string]string{}
	for _, name := range []string{"web-2", "db-1", "resized", "idle", "web-moving"} {
		others[name] = s.AddServer(stub.Server{Name: name})
	}
	for _, event := range []func() error{
		func() error { return s.Migrate(server, "user-7") },
		func() error { s.Advance(time.Hour); return s.Migrate(others["web-2"], "user-7") },
		func() error { return s.Migrate(others["db-1"], "user-7") },
		func() error { return s.Resize(others["resized"], "user-7") },
		func() error { s.Advance(time.Hour); return s.Migrate(others["web-moving"], "user-7") },
	} {
		if err := event(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAccServerMigrationList_findsWhatAwaitsConfirmation(t *testing.T) {
	acctest.RequireTerraform(t, "1.14.0", "terraform query")
	slow := stub.ObservedTiming()
	slow.Migrate = 30 * time.Minute
	s := newCloudTest(t, stub.Config{PageSize: 2, Timing: slow}, stub.Server{})
	addMigrations(t, s)
	length := func(want int) []querycheck.QueryResultCheck {
		return []querycheck.QueryResultCheck{querycheck.ExpectLength(found, want)}
	}
	query := func(config string, checks ...querycheck.QueryResultCheck) resource.TestStep {
		return resource.TestStep{Query: true, Config: listBlock(config), QueryResultChecks: checks}
	}
	web1 := queryfilter.ByDisplayName(knownvalue.StringRegexp(regexp.MustCompile(`^web-1: confirm or revert by \d{4}-\d\d-\d\dT\d\d:\d\dZ$`)))
	moving := queryfilter.ByDisplayName(knownvalue.StringRegexp(regexp.MustCompile(`^web-moving: migrating since `)))
	steps := []resource.TestStep{
		{Config: requiredProviders + s.Provider("", "")},
		query("", querycheck.ExpectLength(found, 3), querycheck.ExpectResourceKnownValues(found, web1, []querycheck.KnownValueCheck{
			{Path: tfjsonpath.New("status"), KnownValue: knownvalue.StringExact(awaiting)},
			{Path: tfjsonpath.New("server_id"), KnownValue: knownvalue.StringExact(server)},
			{Path: tfjsonpath.New("region"), KnownValue: knownvalue.StringExact("ORD")},
		})),
		query("region = \"ord\"\nserver_name = \"^web-\"", length(2)...),
		query(`confirm_within = "22h45m"`, length(1)...),
		query("include_migrating = true\nserver_name = \"web\"", append(length(3), querycheck.ExpectResourceDisplayName(found, moving, knownvalue.NotNull()))...),
		query(`region = "DFW"`, length(0)...),
	}
	steps = append(steps, resource.TestStep{
		// Only the migration of web-1 is urgent. That of web-2 began an hour later.
		PreConfig:         func() { s.Advance(21 * time.Hour) },
		Query:             true,
		Config:            readExamples(t, "list-resources/rackspace_server_migration/list-resource.tfquery.hcl"),
		QueryResultChecks: []querycheck.QueryResultCheck{querycheck.ExpectLength(servermigration.ResourceType+".urgent", 1)},
	})
	steps = append(steps,
		resource.TestStep{Query: true, Config: listBlock(`server_name = "("`), ExpectError: says("Invalid regular expression", "server_name")},
		resource.TestStep{Query: true, Config: listBlock(`confirm_within = "0s"`), ExpectError: says("Invalid duration", "confirm_within must be greater than 0")},
		resource.TestStep{Query: true, Config: listBlock(`region = "XYZ"`), ExpectError: says(`There is no region "XYZ"`)},
	)
	s.run(steps...)
}

func TestAccServerMigrationList_generatesConfigurationThatImports(t *testing.T) {
	acctest.RequireTerraform(t, "1.14.0", "terraform query")
	t.Parallel()
	s := newCloudTest(t, stub.Config{}, stub.Server{})
	if err := s.Migrate(server, "user-7"); err != nil {
		t.Fatal(err)
	}
	s.Advance(time.Minute)
	tf := s.terraform(map[string]string{
		"main.tf":          requiredProviders + s.Provider("", ""),
		"find.tfquery.hcl": listBlock(""),
	})
	messages, err := tf.QueryJSON(t.Context(), tfexec.GenerateConfigOut("generated.tf"))
	if err != nil {
		t.Fatal(err)
	}
	for message := range messages {
		if message.Err != nil {
			t.Fatal(message.Err)
		}
	}
	generated, err := os.ReadFile(filepath.Join(tf.WorkingDir(), "generated.tf"))
	if err != nil || !regexp.MustCompile(`(?s)resource "rackspace_server_migration".*import \{.*identity`).Match(generated) {
		t.Fatalf("got %s (%v), want a resource and its import", generated, err)
	}
	s.wantEmptyPlanAfterImport(t.Context(), tf)
}
