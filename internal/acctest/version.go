package acctest

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/hashicorp/go-version"
)

// RequireTerraform skips a test that needs a feature of Terraform. least is the first
// version that has the feature. The test is always skipped on OpenTofu.
func RequireTerraform(t *testing.T, least, feature string) {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		return // the test is skipped anyway: it is an acceptance test
	}
	output, err := exec.CommandContext(t.Context(), os.Getenv("TF_ACC_TERRAFORM_PATH"), "version").Output()
	if err != nil {
		t.Fatalf("cannot run $TF_ACC_TERRAFORM_PATH version: %v", err)
	}
	line, _, _ := strings.Cut(string(output), "\n")
	product, number, _ := strings.Cut(line, " v")
	running, err := version.NewVersion(number)
	if err != nil {
		t.Fatalf("cannot read the version in %q: %v", line, err)
	}
	if product != "Terraform" || running.LessThan(version.Must(version.NewVersion(least))) {
		t.Skipf("%s has no %s, which Terraform has since %s", line, feature, least)
	}
}
