package servermigration_test

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

const actions = `
variable "secret" {
  default   = "hunter2"
  sensitive = true
}
resource "terraform_data" "maintenance" {
  lifecycle {
    action_trigger {
      events  = [after_create]
      actions = [action.rackspace_server_migrate.web]
    }
  }
}

action "rackspace_server_migrate" "web" {
  config {
    server_id = "` + server + `"
  }
}

action "rackspace_server_migration_confirm" "tested" {
  config {
    server_id = "` + server + `"
    verification = {
      http = [{ url = "http://:8080/", headers = { Authorization = var.secret } }]
    }
  }
}

action "rackspace_server_migration_confirm" "web" {
  config {
    server_id = "` + server + `"
  }
}
`

func TestAccActions_runByATriggerAndByHand(t *testing.T) {
	t.Parallel()
	acctest.RequireTerraform(t, "1.14.0", "actions")
	s := newCloudTest(t, stub.Config{}, stub.Server{})
	tf := s.terraform(map[string]string{"main.tf": requiredProviders + s.Provider("", actions)})
	run := func(texts []string, arguments ...string) {
		t.Helper()
		if arguments[0] == "apply" {
			arguments = append(arguments, "-auto-approve")
		}
		command := exec.CommandContext(t.Context(), os.Getenv("TF_ACC_TERRAFORM_PATH"), append(arguments, "-no-color")...)
		command.Dir, command.Env = tf.WorkingDir(), []string{"PATH=" + os.Getenv("PATH")}
		for name, value := range s.AttachedEnvironment(t, tf.WorkingDir()) {
			command.Env = append(command.Env, name+"="+value)
		}
		output, err := command.CombinedOutput()
		if err != nil || !says(texts...).Match(output) || strings.Contains(string(output), "hunter2") {
			t.Errorf("got %s (%v), want %q in it and no secret", output, err, texts)
		}
	}
	run([]string{"web-1: migration accepted", "web-1: on its new host", "web-1: awaits confirmation until"}, "apply")
	if got := sentTo(s.Stub, server); got != (sent{migrates: 1}) {
		t.Errorf("got %+v requests after the trigger, want one migrate", got)
	}
	run([]string{"web-1: confirmation accepted", "web-1: confirmed after"}, "apply", "-invoke=action.rackspace_server_migration_confirm.web")
	run([]string{"web-1: confirmed already, at"}, "apply", "-invoke=action.rackspace_server_migration_confirm.web")
	run([]string{"will be invoked", "sensitive value"}, "plan", "-invoke=action.rackspace_server_migration_confirm.tested")
	if got := sentTo(s.Stub, server); got != (sent{migrates: 1, confirms: 1}) {
		t.Errorf("got %+v requests, want one migrate and one confirm", got)
	}
}

func TestAccActions_failWhenTheyAreCancelled(t *testing.T) {
	t.Parallel()
	acctest.RequireTerraform(t, "1.14.0", "actions")
	timing := stub.ObservedTiming()
	timing.Migrate = time.Hour
	s := newCloudTest(t, stub.Config{Timing: timing}, stub.Server{})
	tf := s.terraform(map[string]string{"main.tf": requiredProviders + s.Provider("", actions)})
	command := exec.CommandContext(t.Context(), os.Getenv("TF_ACC_TERRAFORM_PATH"), "apply", "-auto-approve", "-no-color", "-invoke=action.rackspace_server_migrate.web")
	command.Dir, command.Env = tf.WorkingDir(), []string{"PATH=" + os.Getenv("PATH")}
	for name, value := range s.Environment(t, tf.WorkingDir()) {
		command.Env = append(command.Env, name+"="+value)
	}
	pipe, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = command.Stdout
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var output strings.Builder
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		output.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "migration accepted") {
			if err := command.Process.Signal(os.Interrupt); err != nil {
				t.Error(err)
			}
		}
	}
	if err := command.Wait(); err == nil || !says("was cancelled", "continues without Terraform", "Invoke the action again").MatchString(output.String()) {
		t.Errorf("got %s (%v), want an error that says that the migration continues", output.String(), err)
	}
}
