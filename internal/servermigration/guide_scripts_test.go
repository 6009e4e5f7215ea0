package servermigration_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestAccGuides_fromScripts(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	tf := s.terraform(map[string]string{"main.tf": readExamples(t, "guides/from-scripts/main.tf")})
	first := tfexec.Var(fmt.Sprintf(`servers={"web-1":%q}`, stub.SampleWeb1))
	if _, outputs := applyAndPlan(t, tf, stubPort, first); fmt.Sprint(outputs["migrations"]) != "map[web-1:confirmed]" {
		t.Errorf("got the migrations %v, want that of web-1 alone", outputs["migrations"])
	}
	s.wantMigrated(t, stub.SampleWeb1)
	if _, outputs := applyAndPlan(t, tf, stubPort); fmt.Sprint(outputs["migrations"]) != "map[web-1:confirmed web-2:confirmed]" {
		t.Errorf("got the migrations %v, want both confirmed", outputs["migrations"])
	}
	for _, id := range []string{stub.SampleWeb1, stub.SampleWeb2} {
		s.wantSent(t, id, sent{migrates: 1, confirms: 1})
	}
	if err := tf.Destroy(t.Context(), stubPort); err != nil {
		t.Error(err)
	}
	s.wantSent(t, stub.SampleWeb1, sent{migrates: 1, confirms: 1})
}

func TestAccGuides_fromScriptsImportsWhatIsPending(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	if err := s.Migrate(stub.SampleDB1, "user-7"); err != nil {
		t.Fatal(err)
	}
	s.Advance(time.Minute)
	tf := s.terraform(map[string]string{"main.tf": readExamples(t, "guides/from-scripts/pending/main.tf")})
	s.wantEmptyPlanAfterImport(t.Context(), tf)
}

// wantCommands runs commands of the CLI for which tfexec has no method. It checks the output
// of each against the texts in wants.
func (s *cloudTest) wantCommands(t *testing.T, tf *tfexec.Terraform, wants map[string][]string, commands ...string) {
	t.Helper()
	for _, line := range commands {
		command := exec.CommandContext(t.Context(), os.Getenv("TF_ACC_TERRAFORM_PATH"), append(strings.Fields(line), "-no-color")...)
		command.Dir, command.Env = tf.WorkingDir(), []string{"PATH=" + os.Getenv("PATH")}
		for name, value := range s.AttachedEnvironment(t, tf.WorkingDir()) {
			command.Env = append(command.Env, name+"="+value)
		}
		if output, err := command.CombinedOutput(); err != nil || !says(slices.Clone(wants[line])...).Match(output) {
			t.Errorf("%s: got %s (%v), want %q", line, output, err, wants[line])
		}
	}
}

func TestAccGuides_fromScriptsListsWhatIsPending(t *testing.T) {
	t.Parallel()
	acctest.RequireTerraform(t, "1.14.0", "terraform query")
	s := newSampleCloud(t)
	if err := s.Migrate(stub.SampleDB1, "user-7"); err != nil {
		t.Fatal(err)
	}
	s.Advance(time.Minute)
	tf := s.terraform(map[string]string{
		"main.tf":             readExamples(t, "guides/from-scripts/main.tf"),
		"pending.tfquery.hcl": readExamples(t, "guides/from-scripts/pending/pending.tfquery.hcl"),
	})
	s.wantCommands(t, tf, map[string][]string{"query": {"db-1: confirm or revert by"}}, "query")
}

func TestAccGuides_fromScriptsActsByHand(t *testing.T) {
	t.Parallel()
	acctest.RequireTerraform(t, "1.14.0", "actions")
	s := newSampleCloud(t)
	original, _ := s.Server(stub.SampleWeb1)
	tf := s.terraform(map[string]string{"main.tf": readExamples(t, "guides/from-scripts/by-hand/main.tf")})
	const migrate, revert, confirm = "apply -auto-approve -invoke=action.rackspace_server_migrate.server",
		"apply -auto-approve -invoke=action.rackspace_server_migration_revert.server",
		"apply -auto-approve -invoke=action.rackspace_server_migration_confirm.server"
	wants := map[string][]string{migrate: {"web-1: awaits confirmation until"}, revert: {"web-1: reverted after"}, confirm: {"web-1: confirmed after"}}
	s.wantCommands(t, tf, wants, migrate, revert)
	s.wantOnOriginalHost(t, original)
	s.wantCommands(t, tf, wants, migrate, confirm)
	s.wantSent(t, stub.SampleWeb1, sent{migrates: 2, confirms: 1, reverts: 1})
}
