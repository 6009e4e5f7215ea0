package acctest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-exec/tfexec"
)

// Terraform returns a Terraform CLI in a directory with the given files, which is
// initialised with the provider of this tree. Its commands use a provider that runs already,
// see AttachedEnvironment. The provider block needs no arguments. It is for tests of what
// the test framework cannot do, such as to apply a saved plan.
func (c *Cloud) Terraform(t *testing.T, files map[string]string) *tfexec.Terraform {
	t.Helper()
	unattached := c.UnattachedTerraform(t, files)
	environment := c.AttachedEnvironment(t, unattached.WorkingDir())
	environment["ATTACHED_CLI"], environment["ATTACHED_PROVIDER"] = unattached.ExecPath(), environment[reattach]
	delete(environment, reattach)
	return newTerraform(t, unattached.WorkingDir(), inTree("tools/attached"), environment)
}

// UnattachedTerraform is like Cloud.Terraform, but each command starts the provider itself,
// as it does for users. It is for tests in which that matters: another run has another
// process, the log of the provider is in that of the command, and paths are relative to the
// directory.
func (c *Cloud) UnattachedTerraform(t *testing.T, files map[string]string) *tfexec.Terraform {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("acceptance tests run with TF_ACC set")
	}
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tf := newTerraform(t, dir, os.Getenv("TF_ACC_TERRAFORM_PATH"), c.Environment(t, dir))
	if err := tf.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	return tf
}

func newTerraform(t *testing.T, dir, cli string, environment map[string]string) *tfexec.Terraform {
	t.Helper()
	tf, err := tfexec.NewTerraform(dir, cli)
	if err != nil {
		t.Fatal(err)
	}
	if err := tf.SetEnv(environment); err != nil {
		t.Fatal(err)
	}
	return tf
}

// Environment returns the environment variables with which Terraform starts the provider of
// this tree for each command. Its cloud is c.
func (c *Cloud) Environment(t *testing.T, home string) map[string]string {
	t.Helper()
	variables := c.variables()
	maps.Copy(variables, map[string]string{"TF_CLI_CONFIG_FILE": Mirror(t), "CHECKPOINT_DISABLE": "1", "HOME": home, "GOGC": os.Getenv("GOGC")})
	return variables
}

// reattach is the variable that tells Terraform which provider runs already.
const reattach = "TF_REATTACH_PROVIDERS"

// AttachedEnvironment returns Environment and TF_REATTACH_PROVIDERS. Commands then use one
// provider, which runs until the test of the cloud ends. The directory has to be initialised
// with Environment. Commands must not run at the same time, because each configures the
// provider anew.
func (c *Cloud) AttachedEnvironment(t *testing.T, home string) map[string]string {
	t.Helper()
	variables := c.Environment(t, home)
	addresses, err := c.attach()
	if err != nil {
		t.Fatalf("cannot run the provider: %v", err)
	}
	variables[reattach] = addresses
	return variables
}

// runProvider starts the provider of this tree on the cloud, and ends it with the test. It
// returns the value of TF_REATTACH_PROVIDERS with which Terraform uses it.
func (c *Cloud) runProvider(t *testing.T) (string, error) {
	// The shell interrupts the provider when the standard input of the shell is closed. That
	// also happens when this process is killed.
	command := exec.Command("sh", "-c", `"$0" -debug & exec >&-; read -r _; kill -INT $!; wait $!`, binary(t))
	for name, value := range c.Environment(t, t.TempDir()) {
		command.Env = append(command.Env, name+"="+value)
	}
	command.Env = append(command.Env, "TF_LOG_SDK=ERROR", "TF_LOG_PROVIDER_RACKSPACE=ERROR") // nobody reads the rest
	var logged bytes.Buffer
	command.Stderr = &logged
	input, err := command.StdinPipe()
	if err != nil {
		return "", err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := command.Start(); err != nil {
		return "", err
	}
	end := sync.OnceFunc(func() {
		_ = input.Close()
		_ = command.Wait()
	})
	t.Cleanup(func() {
		if end(); t.Failed() {
			t.Logf("the provider logged:\n%s", &logged)
		}
	})
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if _, address, found := strings.Cut(lines.Text(), reattach+"='"); found {
			return atEachAddress(strings.TrimSuffix(address, "'"))
		}
	}
	end()
	return "", errors.New("the provider has ended without an address:\n" + logged.String())
}

// atEachAddress returns TF_REATTACH_PROVIDERS with the provider at each source address at
// which tools/mirror installs it.
func atEachAddress(attached string) (string, error) {
	var providers map[string]json.RawMessage
	if err := json.Unmarshal([]byte(attached), &providers); err != nil {
		return "", err
	}
	for _, provider := range providers {
		for _, host := range []string{"registry.terraform.io", "registry.opentofu.org"} {
			for _, namespace := range []string{"terraform-provider-rackspace", "hashicorp"} {
				providers[host+"/"+namespace+"/rackspace"] = provider
			}
		}
		break
	}
	text, err := json.Marshal(providers)
	return string(text), err
}
