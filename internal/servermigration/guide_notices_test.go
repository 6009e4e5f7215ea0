package servermigration_test

import (
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestAccGuides_datedNotices(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	files := moduleFiles(t, "rolling-migration")
	files["main.tf"] = readExamples(t, "guides/dated-notices/main.tf")
	tf := s.UnattachedTerraform(t, files)
	_, outputs := applyAndPlan(t, tf, stubPort)
	s.wantMigrated(t, stub.SampleWeb1, stub.SampleWeb2, stub.SampleDB1, stub.SampleBatch1)
	s.wantOrder(t, stub.SampleWeb1, stub.SampleWeb2, stub.SampleDB1)
	migrations, _ := outputs["migrations"].(map[string]any)
	actionLog, _ := outputs["action_log"].(map[string]any)
	for _, name := range []string{"web-1", "web-2", "db-1", "batch-1"} {
		migration, _ := migrations[name].(map[string]any)
		for _, attribute := range []string{"request_id", "requested_at", "settled_at", "source_host", "destination_host"} {
			if text, _ := migration[attribute].(string); text == "" {
				t.Errorf("got %s %v of %s, want a value", attribute, migration[attribute], name)
			}
		}
		result, _ := migration["verification_result"].(map[string]any)
		if tested := name != "batch-1"; migration["status"] != "confirmed" || tested && result["passed"] != true || !tested && result != nil {
			t.Errorf("got the migration %v of %s, want it confirmed, and its verification passed if it has one", migration, name)
		}
		log, _ := actionLog[name].([]any)
		last, _ := log[len(log)-1].(map[string]any)
		if len(log) != 2 || last["request_id"] != migration["request_id"] || last["outcome"] != "confirmed" {
			t.Errorf("got the action log %v of %s, want its migration and its confirmation", log, name)
		}
	}
}

func TestAccGuides_datedNoticesWarns(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	if err := s.Delete(stub.SampleWeb2); err != nil {
		t.Fatal(err)
	}
	s.Advance(time.Minute)
	files := moduleFiles(t, "rolling-migration")
	files["main.tf"] = readExamples(t, "guides/dated-notices/main.tf")
	tf := s.UnattachedTerraform(t, files)
	tomorrow := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	if _, err := tf.Plan(t.Context(), stubPort, tfexec.Var("deadline="+tomorrow), tfexec.Out("plan")); err != nil {
		t.Fatal(err)
	}
	if got, want := failedChecks(t, tf), []string{
		"Less than 48 hours are left until " + tomorrow + ".",
		"The region has no such servers: " + stub.SampleWeb2 + ".",
	}; !slices.Equal(got, want) {
		t.Errorf("got the failed checks %q, want %q", got, want)
	}
	if err := tf.Apply(t.Context(), tfexec.DirOrPlan("plan")); err != nil {
		t.Error(err)
	}
	s.wantMigrated(t, stub.SampleWeb1, stub.SampleDB1, stub.SampleBatch1)
}
