package acctest

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/terraform-exec/tfexec"
)

// Terraform returns a Terraform CLI, initialised in a directory with the given files and
// with the provider of this tree. It is for what the test framework cannot do, such as to
// apply a saved plan. The provider block needs no arguments.
func (c *Cloud) Terraform(t *testing.T, files map[string]string) *tfexec.Terraform {
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
	tf, err := tfexec.NewTerraform(dir, os.Getenv("TF_ACC_TERRAFORM_PATH"))
	if err != nil {
		t.Fatal(err)
	}
	if err := tf.SetEnv(c.Environment(t, dir)); err != nil {
		t.Fatal(err)
	}
	if err := tf.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	return tf
}

// Environment returns the environment variables with which a Terraform runs the provider of
// this tree on the cloud.
func (c *Cloud) Environment(t *testing.T, home string) map[string]string {
	t.Helper()
	variables := c.variables()
	maps.Copy(variables, map[string]string{"TF_CLI_CONFIG_FILE": Mirror(t), "CHECKPOINT_DISABLE": "1", "HOME": home, "GOGC": os.Getenv("GOGC")})
	return variables
}
