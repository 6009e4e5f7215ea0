package acctest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// Terraform is the CLI itself in a directory with these files, with the provider as it
// is in this tree, for what the test framework does not do, such as to apply a saved
// plan. The provider block needs to say nothing.
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

// Environment is what a Terraform needs that runs the provider of this tree.
func (c *Cloud) Environment(t *testing.T, home string) map[string]string {
	t.Helper()
	return map[string]string{
		"TF_CLI_CONFIG_FILE": Mirror(t), "CHECKPOINT_DISABLE": "1", "HOME": home,
		"RACKSPACE_USERNAME": stub.DefaultUser.Name, "RACKSPACE_API_KEY": stub.DefaultUser.APIKey,
		"RACKSPACE_IDENTITY_ENDPOINT": c.URL + "/v2.0/", "RACKSPACE_POLL_INTERVAL": PollInterval.String(),
	}
}
