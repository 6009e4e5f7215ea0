package pages

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	pinned         = regexp.MustCompile(`rackspace\s*=\s*\{[^}]*\bversion\s*=\s*"[^"]*\d`)
	leastTerraform = regexp.MustCompile(`Terraform (?:or OpenTofu )?1\.\d+|required_version\s*=\s*"[^"]*\d`)
)

// TestVersions_areStated checks that a page with configurations says which Terraform they
// need, and that each configuration that names the provider names its version too.
func TestVersions_areStated(t *testing.T) {
	count := 0
	for _, p := range pages(t) {
		configurations := 0
		for _, b := range p.blocks() {
			if b.isConfiguration() {
				configurations++
			}
			if b.isConfiguration() && strings.Contains(b.text, "required_providers") && !pinned.MatchString(b.text) {
				t.Errorf("%s:%d: required_providers has no version of the provider", b.page, b.line)
			}
		}
		if configurations > 0 && !leastTerraform.Match(p.source) {
			t.Errorf("%s does not say which version of Terraform it needs", p.path)
		}
		count += configurations
	}
	if count == 0 {
		t.Error("no page has a configuration")
	}
}

// TestReference_hasASubcategory checks that the registry groups the pages of the reference.
func TestReference_hasASubcategory(t *testing.T) {
	count := 0
	for _, p := range pages(t) {
		parts := strings.Split(p.path, "/")
		if len(parts) != 3 || parts[0] != "docs" || parts[1] == "guides" {
			continue
		}
		count++
		source, err := os.ReadFile(filepath.Join(top, p.path))
		if err != nil {
			t.Fatal(err)
		}
		if matter := frontMatter.Find(source); !strings.Contains(string(matter), "\nsubcategory: \"Cloud Servers\"\n") {
			t.Errorf("%s has the front matter %q, want the subcategory Cloud Servers in it", p.path, matter)
		}
	}
	if count == 0 {
		t.Error("there is no page of the reference")
	}
}
