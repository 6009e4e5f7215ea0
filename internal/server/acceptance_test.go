package server_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestMain(m *testing.M) {
	status := m.Run()
	acctest.RemoveMirror()
	os.Exit(status)
}

const examples = "../../examples"

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// workspace is a directory in which Terraform runs, with a configuration and a cloud of
// its own.
type workspace struct {
	*acctest.Cloud
	*tfexec.Terraform
	t *testing.T
}

func newWorkspace(t *testing.T, cloud *acctest.Cloud, config string) *workspace {
	t.Helper()
	return &workspace{cloud, cloud.Terraform(t, map[string]string{"main.tf": config}), t}
}

// wantMigrations checks how often the servers of each name were migrated since the cloud
// began.
func (w *workspace) wantMigrations(ids, want map[string]int) {
	w.t.Helper()
	if diff := cmp.Diff(want, ids); diff != "" {
		w.t.Errorf("got other migrations than wanted (-want +got):\n%s", diff)
	}
}

// plan plans, and checks the changes of migrations. want has the actions of each by the
// key of for_each.
func (w *workspace) plan(want map[string]string) {
	w.t.Helper()
	if _, err := w.Plan(w.t.Context(), tfexec.Out("plan")); err != nil {
		w.t.Fatal(err)
	}
	plan, err := w.ShowPlanFile(w.t.Context(), "plan")
	if err != nil {
		w.t.Fatal(err)
	}
	got := map[string]string{}
	for _, change := range plan.ResourceChanges {
		if change.Mode == "managed" && !change.Change.Actions.NoOp() {
			got[fmt.Sprint(change.Index)] = fmt.Sprint(change.Change.Actions)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("got another plan than wanted (-want +got):\n%s", diff)
	}
}

func (w *workspace) applyPlan() error {
	return w.Apply(w.t.Context(), tfexec.DirOrPlan("plan"))
}

func TestAccServers_chooseWhatIsMigratedAlsoWhenServersComeAndGo(t *testing.T) {
	t.Parallel()
	cloud := acctest.NewCloud(t, stub.Config{PageSize: 2})
	ids := map[string]string{}
	add := func(name string) {
		ids[name] = cloud.AddServer(stub.Server{Name: name, Metadata: map[string]string{"role": strings.TrimRight(name, "-1234")}})
	}
	for _, name := range []string{"web-1", "web-2", "web-3", "db-1"} {
		add(name)
	}
	w := newWorkspace(t, cloud, readFile(t, examples+"/data-sources/rackspace_servers/data-source.tf"))
	migrated := func() map[string]int {
		counts := map[string]int{}
		for name, id := range ids {
			counts[name] = cloud.Migrations(id)
		}
		return counts
	}
	create, remove := "[create]", "[delete]"

	w.plan(map[string]string{"web-1": create, "web-2": create, "web-3": create})
	add("web-4")
	if err := cloud.Delete(ids["web-3"]); err != nil {
		t.Fatal(err)
	}
	cloud.Advance(time.Minute) // until it is gone
	// The saved plan does what it showed, and nothing to the server that came later.
	if err := w.applyPlan(); err == nil || !says("There is no server "+ids["web-3"], "Nothing was sent to the server").MatchString(err.Error()) {
		t.Errorf("got %v, want that the server is gone", err)
	}
	w.wantMigrations(migrated(), map[string]int{"web-1": 1, "web-2": 1, "web-3": 0, "web-4": 0, "db-1": 0})

	w.plan(map[string]string{"web-4": create})
	if err := w.applyPlan(); err != nil {
		t.Fatal(err)
	}
	w.plan(map[string]string{})
	if err := cloud.Delete(ids["web-2"]); err != nil {
		t.Fatal(err)
	}
	cloud.Advance(time.Minute)
	w.plan(map[string]string{"web-2": remove})
	if err := w.applyPlan(); err != nil {
		t.Fatal(err)
	}
	w.plan(map[string]string{})
	w.wantMigrations(migrated(), map[string]int{"web-1": 1, "web-2": 1, "web-3": 0, "web-4": 1, "db-1": 0})
}

func TestAccServers_migrateNothingByANameThatTwoServersHave(t *testing.T) {
	t.Parallel()
	cloud := acctest.NewCloud(t, stub.Config{})
	first := cloud.AddServer(stub.Server{Name: "web-1", Metadata: map[string]string{"role": "web"}})
	config := readFile(t, examples+"/data-sources/rackspace_servers/data-source.tf")
	w := newWorkspace(t, cloud, config)
	if err := w.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	twin := cloud.AddServer(stub.Server{Name: "web-1", Metadata: map[string]string{"role": "web"}})
	err := w.Apply(t.Context())
	if err == nil || !says("Missing Configuration for Required Attribute", "server_id").MatchString(err.Error()) {
		t.Errorf("got %v, want an error", err)
	}
	if got := cloud.Count(stub.CallMigrate); got != 1 {
		t.Errorf("got %d migrate requests, want the first alone", got)
	}

	byID := strings.NewReplacer("servers.web.by_name", "servers.web.by_id", "each.value", "each.key").Replace(config)
	other := newWorkspace(t, cloud, byID)
	other.plan(map[string]string{first: "[create]", twin: "[create]"})
}

// A host id that the cloud does not tell must not match all servers.
func TestAccServers_areNotAllServersWhereTheHostIsNotKnown(t *testing.T) {
	t.Parallel()
	cloud := acctest.NewCloud(t, stub.Config{})
	cloud.AddServer(stub.Server{Name: "web-1", NoHostID: true})
	w := newWorkspace(t, cloud, readFile(t, examples+"/data-sources/rackspace_server/data-source.tf"))
	if err := w.Apply(t.Context()); err == nil || !says("host_id", "at least 1").MatchString(strings.Join(strings.Fields(err.Error()), " ")) {
		t.Errorf("got %v, want an error", err)
	}
}

func TestAccDataSources_examplesApply(t *testing.T) {
	found, err := filepath.Glob(examples + "/[df]*/*/*.tf")
	migrations := map[string]int{ // what each example is to do
		"data-sources/rackspace_server/data-source.tf": 0, "data-sources/rackspace_servers/data-source.tf": 2,
		"data-sources/rackspace_server_actions/data-source.tf": 0, "functions/parse_migration_id/function.tf": 1,
	}
	if err != nil || len(found) != len(migrations) {
		t.Fatalf("got the examples %q, want them all in the table (%v)", found, err)
	}
	for name, want := range migrations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud := acctest.NewCloud(t, stub.Config{})
			for _, server := range stub.Samples() {
				cloud.AddServer(server)
			}
			w := newWorkspace(t, cloud, readFile(t, filepath.Join(examples, name)))
			if err := w.Apply(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.plan(map[string]string{})
			if got := cloud.Count(stub.CallMigrate); got != want {
				t.Errorf("got %d migrate requests, want %d", got, want)
			}
			outputs, err := w.Output(t.Context())
			if err != nil || len(outputs) == 0 {
				t.Errorf("got the outputs %v (%v), want some", outputs, err)
			}
		})
	}
}
