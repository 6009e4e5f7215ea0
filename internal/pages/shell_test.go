package pages

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// shell runs commands in a directory of its own, where terraform is the CLI under test.
// Its provider is the one of this tree, and its cloud is a stub.
type shell struct {
	t     *testing.T
	cloud *acctest.Cloud
	dir   string
	env   []string
}

func newShell(t *testing.T, files map[string]string) *shell {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("acceptance tests run with TF_ACC set")
	}
	s := &shell{t: t, cloud: acctest.NewSampleCloud(t, stub.Config{}), dir: filepath.Join(t.TempDir(), "work")}
	home := t.TempDir()
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		s.write(filepath.Join(s.dir, name), text)
	}
	cli := filepath.Join(home, "cli.tfrc")
	s.write(cli, installation(t))
	bin := filepath.Join(home, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	terraform, err := exec.LookPath(os.Getenv("TF_ACC_TERRAFORM_PATH"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(terraform, filepath.Join(bin, "terraform")); err != nil {
		t.Fatal(err)
	}
	variables := s.cloud.Environment(t, home)
	maps.Copy(variables, map[string]string{
		"TF_CLI_CONFIG_FILE": cli, "TF_IN_AUTOMATION": "1", "TF_CLI_ARGS": "-no-color",
		"TF_VAR_ssh_port": strconv.Itoa(stub.PortSSH), "PATH": bin + string(os.PathListSeparator) + os.Getenv("PATH"),
	})
	for name, value := range variables {
		s.env = append(s.env, name+"="+value)
	}
	return s
}

// installation is a CLI configuration that has the provider of this tree at its own
// address alone. A configuration without required_providers does not find it.
func installation(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(acctest.Mirror(t))
	if err != nil {
		t.Fatal(err)
	}
	const mirror = "filesystem_mirror {"
	if !strings.Contains(string(text), mirror) {
		t.Fatalf("got %s, want a mirror in it", text)
	}
	return strings.Replace(string(text), mirror, "filesystem_mirror {\n"+
		`exclude = ["registry.terraform.io/hashicorp/*", "registry.opentofu.org/hashicorp/*"]`+"\n", 1)
}

// init runs terraform init. Later commands use a provider that runs already.
func (s *shell) init() {
	s.t.Helper()
	s.terraform("init", "-input=false")
	s.env = append(s.env, "TF_REATTACH_PROVIDERS="+s.cloud.AttachedEnvironment(s.t, s.dir)["TF_REATTACH_PROVIDERS"])
}

func (s *shell) write(name, text string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// terraform runs the CLI, and fails the test if the CLI fails.
func (s *shell) terraform(arguments ...string) {
	s.t.Helper()
	if output, err := s.run("terraform", arguments...); err != nil {
		s.t.Fatalf("terraform %s: %v\n%s", strings.Join(arguments, " "), err, output)
	}
}

// script runs commands in Bash, which stops at the first one that fails. Every question is
// answered with yes.
func (s *shell) script(text string) (output string, err error) {
	s.t.Helper()
	return s.run("bash", "-euo", "pipefail", "-c", text)
}

func (s *shell) run(program string, arguments ...string) (output string, err error) {
	s.t.Helper()
	if program == "terraform" {
		program = os.Getenv("TF_ACC_TERRAFORM_PATH")
	}
	command := exec.CommandContext(s.t.Context(), program, arguments...)
	command.Dir, command.Env = s.dir, s.env
	command.Stdin = strings.NewReader(strings.Repeat("yes\n", 10))
	combined, err := command.CombinedOutput()
	return string(combined), err
}

// migrate lets another user migrate servers of the stub. Their migrations then await
// confirmation.
func (s *shell) migrate(servers ...string) {
	s.t.Helper()
	for _, id := range servers {
		if err := s.cloud.Migrate(id, "user-7"); err != nil {
			s.t.Fatal(err)
		}
	}
	s.cloud.Advance(time.Minute)
}
