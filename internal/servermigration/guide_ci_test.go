package servermigration_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"
	"go.yaml.in/yaml/v3"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// pipeline is an example of a CI pipeline: the shell scripts of its jobs.
type pipeline struct {
	shell       []string // the command that runs a script; the name of the script is appended
	plan, apply []string // scripts, in their order
	after       []string // scripts that run after those of apply, even if one failed
	interruptAt string   // the process is interrupted when its output has this text; empty: never
}

// githubWorkflow has the parts of the GitHub Actions example that the tests read.
type githubWorkflow struct {
	Permissions map[string]string
	Jobs        map[string]struct {
		TimeoutMinutes int `yaml:"timeout-minutes"`
		Steps          []struct{ If, Uses, Run string }
	}
}

func readGitHub(t *testing.T) githubWorkflow {
	t.Helper()
	var workflow githubWorkflow
	if err := yaml.Unmarshal([]byte(readFile(t, examples+"/guides/ci-pipelines/github.yml")), &workflow); err != nil {
		t.Fatal(err)
	}
	return workflow
}

func githubPipeline(t *testing.T) pipeline {
	t.Helper()
	p := pipeline{shell: []string{"bash", "--noprofile", "--norc", "-eo", "pipefail"}}
	for name, job := range readGitHub(t).Jobs {
		for _, step := range job.Steps {
			switch {
			case step.Run == "":
			case name == "plan":
				p.plan = append(p.plan, step.Run)
			case step.If == "":
				p.apply = append(p.apply, step.Run)
			default:
				p.after = append(p.after, step.Run)
			}
		}
	}
	return p
}

// gitlabJob is a job of the GitLab CI example, with every key that the example uses.
type gitlabJob struct {
	Stage, Timeout string
	ResourceGroup  string `yaml:"resource_group"`
	Rules          []gitlabRule
	Script         []string
	AfterScript    []string `yaml:"after_script"`
	Artifacts      struct {
		Access, When string
		Paths        []string
		ExpireIn     string `yaml:"expire_in"`
	}
}

type gitlabRule struct {
	If, When     string
	Variables    map[string]string
	AllowFailure bool `yaml:"allow_failure"`
}

// gitlabFile is the GitLab CI example.
type gitlabFile struct {
	Workflow  struct{ Rules []gitlabRule }
	Stages    []string
	Variables map[string]string
	Default   struct {
		Image struct {
			Name       string
			Entrypoint []string
		}
		Interruptible bool
		BeforeScript  []string `yaml:"before_script"`
	}
	Plan, Apply gitlabJob
}

func readGitLab(t *testing.T) gitlabFile {
	t.Helper()
	var file gitlabFile
	decoder := yaml.NewDecoder(strings.NewReader(readFile(t, examples+"/guides/ci-pipelines/gitlab.yml")))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	return file
}

func gitlabPipeline(t *testing.T) pipeline {
	t.Helper()
	file := readGitLab(t)
	script := func(job gitlabJob) []string {
		return []string{strings.Join(slices.Concat(file.Default.BeforeScript, job.Script), "\n")}
	}
	return pipeline{
		shell: []string{"sh", "-e"},
		plan:  script(file.Plan), apply: script(file.Apply),
		after: []string{strings.Join(file.Apply.AfterScript, "\n")},
	}
}

// run runs a pipeline in the directory of a configuration. It returns the output of all
// scripts, and the exit code of the first script that failed.
func (p pipeline) run(t *testing.T, s *cloudTest, tf *tfexec.Terraform, variables ...string) (code int, output string) {
	t.Helper()
	bin, results := t.TempDir(), filepath.Join(t.TempDir(), "results")
	if err := os.Symlink(os.Getenv("TF_ACC_TERRAFORM_PATH"), filepath.Join(bin, "terraform")); err != nil {
		t.Fatal(err)
	}
	environment := append([]string{"PATH=" + bin + ":" + os.Getenv("PATH"), "GITHUB_OUTPUT=" + results, "TF_IN_AUTOMATION=true", "TF_INPUT=false", "TF_CLI_ARGS=-no-color"}, variables...)
	for name, value := range s.Environment(t, tf.WorkingDir()) {
		environment = append(environment, name+"="+value)
	}
	runAll := func(scripts []string) {
		for _, script := range scripts {
			path := filepath.Join(bin, "script.sh")
			if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
				t.Fatal(err)
			}
			command := exec.CommandContext(t.Context(), p.shell[0], append(slices.Clone(p.shell[1:]), path)...)
			command.Dir, command.Env = tf.WorkingDir(), environment
			text, err := p.wait(command)
			output += text
			var failed *exec.ExitError
			switch {
			case errors.As(err, &failed):
				code = failed.ExitCode()
				return
			case err != nil:
				t.Fatal(err)
			}
		}
	}
	runAll(p.plan)
	if written, err := os.ReadFile(results); code != 0 || err == nil && !strings.Contains(string(written), "exitcode=2") {
		return code, output // there is nothing to apply
	}
	runAll(p.apply)
	failed := code
	runAll(p.after)
	return max(failed, code), output
}

// wait runs a command until it ends, and returns its output.
func (p pipeline) wait(command *exec.Cmd) (output string, err error) {
	pipe, err := command.StdoutPipe()
	if err != nil {
		return "", err
	}
	command.Stderr = command.Stdout
	if err := command.Start(); err != nil {
		return "", err
	}
	interrupted := p.interruptAt == ""
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		output += lines.Text() + "\n"
		if !interrupted && strings.Contains(lines.Text(), p.interruptAt) {
			interrupted = true
			if err := command.Process.Signal(os.Interrupt); err != nil {
				return output, err
			}
		}
	}
	return output, command.Wait()
}

// pipelines are the examples of the guide "Run migrations in a CI pipeline".
var pipelines = map[string]func(*testing.T) pipeline{"GitHub": githubPipeline, "GitLab": gitlabPipeline}

// ciFiles are the files of the guide, with a verification that fails sooner.
func ciFiles(t *testing.T) map[string]string {
	t.Helper()
	text := readExamples(t, "guides/ci-pipelines/main.tf")
	quick := strings.Replace(text, `interval   = "1s"`, "interval   = \"100ms\"\n    timeout    = \""+failsAfter+"\"", 1)
	if quick == text {
		t.Fatal("the guide's verification has no interval to replace")
	}
	return map[string]string{"main.tf": quick}
}

func TestAccGuides_ciPipelines(t *testing.T) {
	t.Parallel()
	for name, of := range pipelines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSampleCloud(t)
			port := fmt.Sprintf("TF_VAR_ssh_port=%d", stub.PortSSH)
			tf := s.terraform(map[string]string{"main.tf": readExamples(t, "guides/ci-pipelines/main.tf")})
			runs := []struct {
				name, confirm, status string
				want                  sent
			}{
				{"a push migrates", "false", awaiting, sent{migrates: 1}},
				{"a push without a change does nothing", "false", awaiting, sent{migrates: 1}},
				{"the schedule confirms", "true", "confirmed", sent{migrates: 1, confirms: 1}},
				{"a later push sends nothing", "false", "confirmed", sent{migrates: 1, confirms: 1}},
			}
			for _, run := range runs {
				if code, output := of(t).run(t, s, tf, port, "TF_VAR_confirm="+run.confirm); code != 0 {
					t.Fatalf("%s: got exit code %d\n%s", run.name, code, output)
				}
				var outputs struct {
					Migrations struct {
						Value map[string]struct{ Status string }
					}
				}
				if err := json.Unmarshal([]byte(readFile(t, filepath.Join(tf.WorkingDir(), "migrations.json"))), &outputs); err != nil {
					t.Fatal(err)
				}
				for server, id := range map[string]string{"web-1": stub.SampleWeb1, "web-2": stub.SampleWeb2} {
					if got := outputs.Migrations.Value[server].Status; got != run.status {
						t.Errorf("%s: got the status %q of %s, want %s", run.name, got, server, run.status)
					}
					s.wantSent(t, id, run.want)
				}
			}
		})
	}
}

func TestAccGuides_ciPipelinesFailWhereTheServerDoesNotWork(t *testing.T) {
	t.Parallel()
	for name, of := range pipelines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSampleCloud(t)
			s.SetServer(stub.SampleWeb2, func(v *stub.Server) { v.Health = stub.HealthyOnOriginalHost(stub.Wrong) })
			port := fmt.Sprintf("TF_VAR_ssh_port=%d", stub.PortSSH)
			files := ciFiles(t)
			tf := s.terraform(files)

			code, output := of(t).run(t, s, tf, port)
			if code != 1 || !says("Resource postcondition failed", "web-2 has not passed its test on its new host").MatchString(output) {
				t.Errorf("got exit code %d, want 1 and the postcondition\n%s", code, output)
			}

			// The next run of the pipeline fails too. Nothing is migrated again.
			if code, output = of(t).run(t, s, tf, port); code != 1 || !says("web-2 has not passed").MatchString(output) {
				t.Errorf("got exit code %d of the second run, want 1 and the postcondition\n%s", code, output)
			}
			for _, id := range []string{stub.SampleWeb1, stub.SampleWeb2} {
				s.wantSent(t, id, sent{migrates: 1})
			}
			if name != "GitLab" {
				return // what follows is about the configuration, which both pipelines share
			}

			// Without the postconditions, the pipeline does not fail.
			files["main.tf"] = regexp.MustCompile(`(?s)\n  lifecycle \{.*?\n  \}\n`).ReplaceAllString(files["main.tf"], "\n")
			if err := os.WriteFile(filepath.Join(tf.WorkingDir(), "main.tf"), []byte(files["main.tf"]), 0o600); err != nil {
				t.Fatal(err)
			}
			if code, output = of(t).run(t, s, tf, port); code != 0 {
				t.Errorf("got exit code %d without the postconditions, want 0\n%s", code, output)
			}

			// The scheduled run tests the server again, and confirms when the server passes.
			if err := os.WriteFile(filepath.Join(tf.WorkingDir(), "main.tf"), []byte(ciFiles(t)["main.tf"]), 0o600); err != nil {
				t.Fatal(err)
			}
			s.SetServer(stub.SampleWeb2, func(v *stub.Server) { v.Health = nil })
			if code, output = of(t).run(t, s, tf, port, "TF_VAR_confirm=true"); code != 0 {
				t.Errorf("got exit code %d of the schedule, want 0\n%s", code, output)
			}
			s.wantSent(t, stub.SampleWeb2, sent{migrates: 1, confirms: 1})
		})
	}
}

func TestAccGuides_ciPipelinesFailWhereAMigrationWasReverted(t *testing.T) {
	t.Parallel()
	s := newSampleCloud(t)
	port := fmt.Sprintf("TF_VAR_ssh_port=%d", stub.PortSSH)
	files := ciFiles(t)
	tf := s.terraform(files)
	if code, output := gitlabPipeline(t).run(t, s, tf, port); code != 0 {
		t.Fatalf("got exit code %d, want 0\n%s", code, output)
	}
	if err := s.Revert(stub.SampleWeb1, "user-7"); err != nil {
		t.Fatal(err)
	}
	s.Advance(time.Minute)
	code, output := gitlabPipeline(t).run(t, s, tf, port)
	if code != 1 || !says("The migration of web-1 is reverted", "Wanted: awaiting_confirmation or confirmed").MatchString(output) {
		t.Errorf("got exit code %d, want 1 and the postcondition\n%s", code, output)
	}

	// A change of triggers, here of this server alone, asks for another migration.
	again := strings.Replace(files["main.tf"], `triggers     = { run = "1" }`, `triggers     = { run = each.key == "web-1" ? "2" : "1" }`, 1)
	if err := os.WriteFile(filepath.Join(tf.WorkingDir(), "main.tf"), []byte(again), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, output = gitlabPipeline(t).run(t, s, tf, port); code != 0 {
		t.Errorf("got exit code %d after a change of triggers, want 0\n%s", code, output)
	}
	s.wantSent(t, stub.SampleWeb1, sent{migrates: 2})
	s.wantSent(t, stub.SampleWeb2, sent{migrates: 1})
}

func TestAccGuides_ciPipelinesContinueAfterACancelledJob(t *testing.T) {
	t.Parallel()
	timing := stub.ObservedTiming().Scaled(15)
	timing.Migrate = time.Hour
	s := newSampleCloudWith(t, stub.Config{Timing: timing})
	port := fmt.Sprintf("TF_VAR_ssh_port=%d", stub.PortSSH)
	one := regexp.MustCompile(`(?m)^ *web-2 = .*\n`).ReplaceAllString(ciFiles(t)["main.tf"], "")
	one = strings.Replace(one, `create = "30m"`, `create = "5m"`, 1) // so that the test ends even if the job is not interrupted
	tf := s.terraform(map[string]string{"main.tf": one})
	cancelled := githubPipeline(t)
	cancelled.interruptAt = "migration accepted" // a line of the provider's log
	code, output := cancelled.run(t, s, tf, port, "TF_LOG_PROVIDER=INFO")
	if code != 1 || !says("The wait for the migration of server web-1", "was cancelled", "continues without Terraform", "Apply again").MatchString(output) {
		t.Errorf("got exit code %d, want 1 and that the wait was cancelled\n%s", code, output)
	}

	s.Advance(time.Hour)
	code, output = githubPipeline(t).run(t, s, tf, port)
	if code != 0 || !says("The migration of server web-1", "is going to be taken over").MatchString(output) {
		t.Errorf("got exit code %d, want 0 and a migration that is taken over\n%s", code, output)
	}
	s.wantSent(t, stub.SampleWeb1, sent{migrates: 1})
}

func TestGuides_ciPipelinesArePinnedAndMayOnlyRead(t *testing.T) {
	workflow := readGitHub(t)
	if want := map[string]string{"contents": "read"}; !maps.Equal(workflow.Permissions, want) {
		t.Errorf("got the permissions %v, want %v", workflow.Permissions, want)
	}
	pinned := regexp.MustCompile(`^[\w-]+/[\w-]+@[0-9a-f]{40}$`)
	for name, job := range workflow.Jobs {
		if job.TimeoutMinutes == 0 {
			t.Errorf("job %s has no time limit", name)
		}
		for _, step := range job.Steps {
			if step.Uses != "" && !pinned.MatchString(step.Uses) {
				t.Errorf("job %s uses %s, want a full commit hash", name, step.Uses)
			}
		}
	}
	file := readGitLab(t)
	if file.Apply.ResourceGroup == "" || file.Apply.Timeout == "" || file.Plan.Timeout == "" {
		t.Errorf("got the jobs %+v and %+v, want time limits and a resource group", file.Plan, file.Apply)
	}
}
