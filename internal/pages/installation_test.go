package pages

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
)

// TestAccInstallations_leadToTheProvider runs Terraform with each CLI configuration of a
// page. It replaces the reader's directory by one that has the provider.
func TestAccInstallations_leadToTheProvider(t *testing.T) {
	directory := regexp.MustCompile(`"/home/you/[^"]*"`)
	for _, p := range pages(t) {
		for _, b := range p.blocks() {
			if !cliConfig.MatchString(b.text) {
				continue
			}
			t.Run(fmt.Sprintf("%s:%d", b.page, b.line), func(t *testing.T) {
				t.Parallel()
				if !directory.MatchString(b.text) {
					t.Fatalf("got %s, want a directory below /home/you in it", b.text)
				}
				s := newShell(t, map[string]string{"main.tf": read(t, "examples/resources/rackspace_server_migration/resource.tf")})
				built := fmt.Sprintf("%q", filepath.Dir(acctest.Mirror(t)))
				cli := filepath.Join(s.dir, "page.tfrc")
				s.write(cli, directory.ReplaceAllLiteralString(b.text, built))
				s.env = append(s.env, "TF_CLI_CONFIG_FILE="+cli)
				output, err := s.run("terraform", "validate")
				if err != nil || !strings.Contains(output, "development overrides") {
					t.Errorf("got %v, want that Terraform uses the provider of the directory\n%s", err, output)
				}
			})
		}
	}
}
