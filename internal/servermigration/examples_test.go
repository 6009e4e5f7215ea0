package servermigration_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

const examples = "../../examples"

func TestAccExamples_apply(t *testing.T) {
	migrations := map[string]int{ // how many migrations each example starts
		"resources/rackspace_server_migration/resource.tf":              1,
		"resources/rackspace_server_migration/triggers.tf":              2,
		"resources/rackspace_server_migration_confirmation/resource.tf": 1,
		"guides/when-things-go-wrong/main.tf":                           1,
		"demo/[mo]*.tf":                                                 3, // the demo has other servers too: those are not migrated, or reverted
	}
	found, err := filepath.Glob(examples + "/resources/*/*.tf")
	if err != nil || len(found)+2 != len(migrations) {
		t.Fatalf("got the examples %q, want each in the table, and the demo and a guide (%v)", found, err)
	}
	for pattern, want := range migrations {
		t.Run(pattern, func(t *testing.T) {
			t.Parallel()
			s := newSampleCloud(t)
			tf := s.terraform(map[string]string{"main.tf": readExamples(t, pattern)})
			_, outputs := applyAndPlan(t, tf)
			if sent := s.Count(stub.CallMigrate); sent != want {
				t.Errorf("got %d migrate requests, want %d", sent, want)
			}
			report := regexp.MustCompile(`(?s)^SERVER.*\ndb-1 .* confirmed .*\nweb-1 .* awaiting_confirmation .*\nweb-2 .* confirmed `)
			if strings.HasPrefix(pattern, "demo") && !report.MatchString(fmt.Sprint(outputs["report"])) {
				t.Errorf("got the report %q, want %s in it", outputs["report"], report)
			}
			if err := tf.Destroy(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// newSampleCloud is a test on a cloud with the servers that the examples name. Their ports are
// open.
func newSampleCloud(t *testing.T) *cloudTest {
	t.Helper()
	return newSampleCloudWith(t, stub.Config{})
}

// newSampleCloudWith is newSampleCloud with a configuration of the cloud.
func newSampleCloudWith(t *testing.T, config stub.Config) *cloudTest {
	t.Helper()
	return &cloudTest{acctest.NewSampleCloud(t, config), t}
}

// applyAndPlan applies a configuration, with variables. It checks that a plan afterwards has
// no changes. It returns the outputs, and the attributes of the migration named web, if there
// is one.
func applyAndPlan(t *testing.T, tf *tfexec.Terraform, variables ...*tfexec.VarOption) (web, outputs map[string]any) {
	t.Helper()
	var apply []tfexec.ApplyOption
	var plan []tfexec.PlanOption
	for _, variable := range variables {
		apply, plan = append(apply, variable), append(plan, variable)
	}
	if err := tf.Apply(t.Context(), apply...); err != nil {
		t.Fatal(err)
	}
	if changes, err := tf.Plan(t.Context(), plan...); err != nil || changes {
		t.Errorf("got changes %t (%v) after the apply, want none", changes, err)
	}
	state := readState(t, tf)
	outputs = map[string]any{}
	for name, output := range state.Outputs {
		outputs[name] = output.Value
	}
	for _, found := range state.Resources {
		if found.Module == "" && found.Type+"."+found.Name == address {
			web = found.Instances[0].Attributes
		}
	}
	return web, outputs
}

// tfState has the parts of a state file that the tests read.
type tfState struct {
	Outputs   map[string]struct{ Value any }
	Resources []struct {
		Module, Type, Name string
		Instances          []struct{ Attributes map[string]any }
	}
}

// readState reads the state file in the directory of a Terraform.
func readState(t *testing.T, tf *tfexec.Terraform) tfState {
	t.Helper()
	return parseState(t, []byte(readFile(t, filepath.Join(tf.WorkingDir(), "terraform.tfstate"))))
}

func parseState(t *testing.T, text []byte) (state tfState) {
	t.Helper()
	if err := json.Unmarshal(text, &state); err != nil {
		t.Fatal(err)
	}
	return state
}

func TestAccGuides_migrateTestConfirm(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	tf := s.terraform(map[string]string{"main.tf": readExamples(t, "guides/migrate-test-confirm/*.tf")})
	web, outputs := applyAndPlan(t, tf)
	if web["status"] != awaiting || outputs["confirm_by"] == nil || s.Count(stub.CallConfirm) != 0 {
		t.Errorf("got the status %v and the outputs %v, want %s and a deadline", web["status"], outputs, awaiting)
	}
	if web, _ = applyAndPlan(t, tf, tfexec.Var("confirm=true")); web["status"] != "confirmed" {
		t.Errorf("got the status %v, want confirmed", web["status"])
	}
	s.wantSent(t, stub.SampleWeb1, sent{migrates: 1, confirms: 1})
}

func TestAccGuides_verify(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	tf := s.terraform(map[string]string{"main.tf": readExamples(t, "guides/verify/*.tf")})
	web, _ := applyAndPlan(t, tf, stubPort)
	result, _ := web["verification_result"].(map[string]any)
	if web["status"] != "confirmed" || result["passed"] != true {
		t.Errorf("got the status %v and the result %v, want confirmed and passed", web["status"], result)
	}
	s.wantSent(t, stub.SampleWeb1, sent{migrates: 1, confirms: 1})
}

func TestAccDemo_doesNotMoveTheServerThatIsUnhealthy(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	original, _ := s.Server(stub.SampleUnhealthy1)
	tf := s.terraform(map[string]string{"main.tf": readExamples(t, "provider/provider.tf") + readExamples(t, "demo/preflight.tf")})
	err := tf.Apply(t.Context())
	if err == nil || !says("unhealthy-1", "was not migrated: it did not pass its verification before the move", "it answered with status 503", "The server was not touched").MatchString(err.Error()) {
		t.Errorf("got %v, want an error that the server was not moved", err)
	}
	s.wantSent(t, original.ID, sent{})
	s.wantOnOriginalHost(t, original)
}

func TestAccDemo_rollsBackTheServerThatDoesNotWorkElsewhere(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	original, _ := s.Server(stub.SampleLicensed1)
	tf := s.terraform(map[string]string{"main.tf": readExamples(t, "provider/provider.tf") + readExamples(t, "demo/rollback.tf")})
	err := tf.Apply(t.Context())
	if err == nil || !says("The migration of server licensed-1", "was reverted: the server did not pass its verification", "it answered with status 503", "back on its original host").MatchString(err.Error()) {
		t.Errorf("got %v, want an error that the migration was reverted", err)
	}
	s.wantOnOriginalHost(t, original)
}

func TestAccGuides_rollBack(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	original, _ := s.Server(stub.SampleDB1)
	tf := s.terraform(map[string]string{"main.tf": readExamples(t, "guides/roll-back/*.tf")})
	applyAndPlan(t, tf)
	if err := tf.Destroy(t.Context()); err != nil {
		t.Error(err)
	}
	s.wantOnOriginalHost(t, original)
}

func TestAccGuides_takeOver(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	if err := s.Migrate(stub.SampleWeb2, "user-7"); err != nil {
		t.Fatal(err)
	}
	s.Advance(time.Minute)
	tf := s.terraform(map[string]string{"main.tf": readExamples(t, "guides/take-over/*.tf")})
	if _, err := tf.Plan(t.Context(), tfexec.Out("plan")); err != nil {
		t.Fatal(err)
	}
	plan, err := tf.ShowPlanFile(t.Context(), "plan")
	if err != nil || len(plan.ResourceChanges) != 1 || !plan.ResourceChanges[0].Change.Actions.NoOp() || plan.ResourceChanges[0].Change.Importing == nil {
		t.Errorf("got the plan %+v (%v), want an import and no change", plan, err)
	}
	if web, _ := applyAndPlan(t, tf); web["status"] != awaiting {
		t.Errorf("got the status %v, want %s", web["status"], awaiting)
	}
	s.wantSent(t, stub.SampleWeb2, sent{})
}

func TestAccGuides_rollingMigration(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	shown := regexp.MustCompile(`{{ tffile "examples/(.*?)" }}`).FindAllStringSubmatch(readFile(t, "../../templates/guides/rolling-migration.md.tmpl"), -1)
	if len(shown) != 1 {
		t.Fatalf("got the configurations %q in the guide, want 1", shown)
	}
	files := moduleFiles(t, "rolling-migration")
	files["main.tf"] = readExamples(t, shown[0][1])
	_, outputs := applyAndPlan(t, s.terraform(files), stubPort)
	migrations, _ := outputs["migrations"].(map[string]any)
	for name, id := range map[string]string{"web-1": stub.SampleWeb1, "web-2": stub.SampleWeb2, "db-1": stub.SampleDB1} {
		if migration, _ := migrations[name].(map[string]any); migration["status"] != "confirmed" {
			t.Errorf("got the migration %v of %s, want it confirmed", migration, name)
		}
		s.wantSent(t, id, sent{migrates: 1, confirms: 1})
	}
}

// evacuateHostExample is the example of the guide "Evacuate a host", ready to run. The sample
// servers web-1, web-2, db-1 and batch-1 are on one host, which it returns. The others are
// on other hosts.
func (s *cloudTest) evacuateHostExample() (tf *tfexec.Terraform, host string) {
	s.t.Helper()
	for _, id := range []string{stub.SampleWeb2, stub.SampleDB1} {
		s.SetServer(id, func(v *stub.Server) { v.Metadata = map[string]string{"group": "app"} })
	}
	first, _ := s.Server(stub.SampleWeb1)
	files := moduleFiles(s.t, "rolling-migration")
	files["main.tf"] = readExamples(s.t, "guides/evacuate-a-host/*.tf")
	return s.terraform(files), first.HostID
}

// wantOrder checks that these servers were migrated one after another: each migrate request
// was sent after the confirm request of the server before.
func (s *cloudTest) wantOrder(t *testing.T, ids ...string) {
	t.Helper()
	var order []string
	for _, request := range s.Requests() {
		if (request.Call == stub.CallMigrate || request.Call == stub.CallConfirm) && slices.Contains(ids, request.ServerID) {
			order = append(order, request.ServerID)
		}
	}
	var want []string
	for _, id := range ids {
		want = append(want, id, id) // its migrate and its confirm request
	}
	if !slices.Equal(order, want) {
		t.Errorf("got requests to the servers %v, want %v", order, want)
	}
}

func TestAccGuides_evacuateAHost(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	tf, host := s.evacuateHostExample()
	_, outputs := applyAndPlan(t, tf, stubPort)
	s.wantMigrated(t, stub.SampleWeb1, stub.SampleWeb2, stub.SampleDB1, stub.SampleBatch1)
	for _, id := range []string{stub.SampleWeb1, stub.SampleWeb2, stub.SampleDB1, stub.SampleBatch1} {
		if now, _ := s.Server(id); now.HostID == host {
			t.Errorf("server %s is still on the host", now.Name)
		}
		s.wantSent(t, id, sent{migrates: 1, confirms: 1})
	}
	s.wantOrder(t, stub.SampleWeb1, stub.SampleWeb2, stub.SampleDB1) // web-2 and db-1 are in one group
	if migrations, _ := outputs["migrations"].(map[string]any); len(migrations) != 4 {
		t.Errorf("got the migrations %v, want 4", migrations)
	}

	// A server that comes to the host afterwards is not migrated. A failed check names it.
	s.SetServer(stub.SampleLicensed1, func(v *stub.Server) { v.HostID = host })
	if changes, err := tf.Plan(t.Context(), stubPort, tfexec.Out("plan")); err != nil || changes {
		t.Errorf("got changes %t (%v), want none", changes, err)
	}
	failed := failedChecks(t, tf)
	if want := []string{"These servers are on the host: licensed-1."}; !slices.Equal(failed, want) {
		t.Errorf("got the failed checks %q, want %q", failed, want)
	}

	// A new list of the servers on the host has it. Nothing else is migrated.
	s.SetServer(stub.SampleLicensed1, func(v *stub.Server) { v.Health = nil })
	if err := tf.Apply(t.Context(), stubPort, tfexec.Replace("terraform_data.list")); err != nil {
		t.Fatal(err)
	}
	s.wantSent(t, stub.SampleLicensed1, sent{migrates: 1, confirms: 1})
	s.wantSent(t, stub.SampleWeb2, sent{migrates: 1, confirms: 1})
	if _, outputs = applyAndPlan(t, tf, stubPort); len(outputs["migrations"].(map[string]any)) != 1 {
		t.Errorf("got the migrations %v, want that of licensed-1", outputs["migrations"])
	}
	acted := s.Count(stub.CallMigrate) + s.Count(stub.CallConfirm) + s.Count(stub.CallRevert)
	if err := tf.Destroy(t.Context(), stubPort); err != nil {
		t.Error(err)
	}
	if got := s.Count(stub.CallMigrate) + s.Count(stub.CallConfirm) + s.Count(stub.CallRevert); got != acted {
		t.Errorf("got %d requests of the destroy that change servers, want none", got-acted)
	}
}

func TestAccGuides_evacuateAHostSkipsTheServersThatHaveLeft(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	tf, host := s.evacuateHostExample()
	s.SetServer(stub.SampleWeb1, func(v *stub.Server) { v.Outcome = stub.OutcomeNoValidHost })
	if err := tf.Apply(t.Context(), stubPort); err == nil || !says("web-1", "failed").MatchString(err.Error()) {
		t.Fatalf("got %v, want that the canary fails", err)
	}
	s.wantMigrated(t, stub.SampleWeb1)

	// Meanwhile somebody moves the canary without a migration in its action log, migrates a
	// second server, and deletes a third one.
	s.SetServer(stub.SampleWeb1, func(v *stub.Server) { v.HostID = "elsewhere" })
	if err := s.Migrate(stub.SampleWeb2, "user-7"); err != nil {
		t.Fatal(err)
	}
	s.Advance(25 * time.Hour)
	if err := s.Delete(stub.SampleBatch1); err != nil {
		t.Fatal(err)
	}
	s.Advance(time.Minute)
	if left, _ := s.Server(stub.SampleWeb2); left.HostID == host || left.Status != "ACTIVE" {
		t.Fatalf("got web-2 %s on %s, want it elsewhere", left.Status, left.HostID)
	}
	_, outputs := applyAndPlan(t, tf, stubPort)
	s.wantMigrated(t, stub.SampleWeb1, stub.SampleDB1)
	s.wantSent(t, stub.SampleWeb1, sent{migrates: 1}) // the failed one
	s.wantSent(t, stub.SampleDB1, sent{migrates: 1, confirms: 1})
	if got := fmt.Sprint(outputs["skipped"]); got != "[web-1 web-2 batch-1]" {
		t.Errorf("got %s skipped, want web-1, web-2 and batch-1", got)
	}
}

func TestAccGuides_otherProviders(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	before := map[string]stub.Server{}
	for _, id := range []string{stub.SampleWeb1, stub.SampleWeb2} {
		before[id], _ = s.Server(id)
	}
	tf := s.terraform(map[string]string{"main.tf": readExamples(t, "guides/other-providers/*.tf")})
	if _, err := tf.Plan(t.Context(), tfexec.Out("plan")); err != nil {
		t.Fatal(err)
	}
	plan, err := tf.ShowPlanFile(t.Context(), "plan")
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range plan.ResourceChanges {
		after, _ := change.Change.AfterUnknown.(map[string]any)
		if change.Type == servermigration.ResourceType && after["server_id"] != true {
			t.Errorf("got a known server_id of %s in the plan, want it unknown", change.Address)
		}
	}
	applyAndPlan(t, tf)
	for id, before := range before {
		s.wantSent(t, id, sent{migrates: 1, confirms: 1})
		after, _ := s.Server(id)
		if after.HostID == before.HostID {
			t.Errorf("server %s is still on its original host", id)
		}
		// Another provider sees no other change of the server.
		after.HostID, after.Health, before.Health = before.HostID, nil, nil
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("other changes of server %s (-before +after):\n%s", id, diff)
		}
	}
}

// stubPort sets the variable ssh_port, as rackspace-stub does with TF_VAR_ssh_port.
var stubPort = tfexec.Var(fmt.Sprintf("ssh_port=%d", stub.PortSSH))

// failedChecks returns the messages of the failed checks in the saved plan, sorted.
func failedChecks(t *testing.T, tf *tfexec.Terraform) (messages []string) {
	t.Helper()
	plan, err := tf.ShowPlanFile(t.Context(), "plan")
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range plan.Checks {
		for _, instance := range check.Instances {
			for _, problem := range instance.Problems {
				messages = append(messages, problem.Message)
			}
		}
	}
	slices.Sort(messages)
	return messages
}

// wantSent checks how many requests that change a server the cloud received.
func (s *cloudTest) wantSent(t *testing.T, id string, want sent) {
	t.Helper()
	if got := sentTo(s.Stub, id); got != want {
		t.Errorf("got %+v requests, want %+v", got, want)
	}
}

// wantOnOriginalHost checks that a server is on its original host, in ACTIVE.
func (s *cloudTest) wantOnOriginalHost(t *testing.T, original stub.Server) {
	t.Helper()
	if now, _ := s.Server(original.ID); now.HostID != original.HostID || now.Status != "ACTIVE" {
		t.Errorf("got the server %s on %s, want it back on %s", now.Status, now.HostID, original.HostID)
	}
}

// readExamples returns the text of all example files that match a pattern.
func readExamples(t *testing.T, pattern string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(examples, pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("found no example %s (%v)", pattern, err)
	}
	var text strings.Builder
	for _, name := range names {
		text.WriteString(readFile(t, name))
		text.WriteString("\n")
	}
	return text.String()
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
