package pages

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/yuin/goldmark/ast"
)

// repository matches the address of a file of the project on the web. A page of the
// registry can link to a file only by such an address.
var repository = regexp.MustCompile(`^https://github\.com/terraform-provider-rackspace/terraform-provider-rackspace/(?:tree|blob)/main/(.+)$`)

var anchorOfHTML = regexp.MustCompile(`\b(?:id|name)="([^"]+)"`)

func TestLinks_leadSomewhere(t *testing.T) {
	anchors := map[string]map[string]bool{}
	all := pages(t)
	for _, p := range all {
		anchors[p.path] = p.anchors()
	}
	links := 0
	for _, p := range all {
		for _, link := range p.links() {
			links++
			if problem := problemOf(p.path, link, anchors); problem != "" {
				t.Errorf("%s: the link %s %s", p.path, link, problem)
			}
		}
	}
	if links == 0 {
		t.Error("no page has a link")
	}
}

// problemOf says what is wrong with a link of a page, or nothing.
func problemOf(from, link string, anchors map[string]map[string]bool) string {
	address, err := url.Parse(link)
	if err != nil {
		return "cannot be parsed: " + err.Error()
	}
	if file := repository.FindStringSubmatch(link); file != nil {
		return missing(strings.TrimSuffix(file[1], "#"+address.Fragment))
	}
	switch {
	case address.Scheme == "mailto" && address.Opaque != "":
		return ""
	case address.Scheme != "" && (address.Scheme != "https" || address.Host == ""):
		return "is not an https URL"
	case address.Scheme != "":
		return ""
	}
	target := from
	if address.Path != "" {
		target = path.Join(path.Dir(from), address.Path)
		if problem := missing(target); problem != "" {
			return problem
		}
	}
	if address.Fragment != "" && anchors[target] != nil && !anchors[target][address.Fragment] {
		return "names a heading that " + target + " does not have"
	}
	return ""
}

// missing says that a file of the project does not exist, or nothing.
func missing(file string) string {
	if _, err := os.Stat(filepath.Join(top, filepath.FromSlash(file))); err != nil {
		return "leads to " + file + ", which does not exist"
	}
	return ""
}

// anchors are the names of the places of the page that a link can end with.
func (p page) anchors() map[string]bool {
	found := map[string]bool{}
	for _, match := range anchorOfHTML.FindAllSubmatch(p.source, -1) {
		found[string(match[1])] = true
	}
	p.each(func(node ast.Node) {
		if heading, ok := node.(*ast.Heading); ok {
			if id, ok := heading.AttributeString("id"); ok {
				found[string(id.([]byte))] = true
			}
		}
	})
	return found
}

// links are the destinations of the page's links and images.
func (p page) links() []string {
	var found []string
	p.each(func(node ast.Node) {
		switch node := node.(type) {
		case *ast.Link:
			found = append(found, string(node.Destination))
		case *ast.Image:
			found = append(found, string(node.Destination))
		case *ast.AutoLink:
			found = append(found, string(node.URL(p.source)))
		}
	})
	return found
}

func TestLinks_findsLinksThatAreWrong(t *testing.T) {
	anchors := map[string]map[string]bool{"README.md": {"contents": true}, "docs/index.md": {}}
	tests := []struct {
		name, from, link string
		wrong            bool
	}{
		{"a file", "docs/index.md", "../README.md", false},
		{"a heading of a file", "docs/index.md", "../README.md#contents", false},
		{"a heading of the page", "README.md", "#contents", false},
		{"a file of the repository", "docs/index.md", "https://github.com/terraform-provider-rackspace/terraform-provider-rackspace/tree/main/examples", false},
		{"a website", "README.md", "https://www.rackspace.com/", false},
		{"no file", "docs/index.md", "README.md", true},
		{"no heading of a file", "docs/index.md", "../README.md#nothing", true},
		{"no heading of the page", "README.md", "#nothing", true},
		{"no file of the repository", "docs/index.md", "https://github.com/terraform-provider-rackspace/terraform-provider-rackspace/blob/main/nothing", true},
		{"a website without TLS", "README.md", "http://www.rackspace.com/", true},
		{"no host", "README.md", "https://", true},
		{"no URL", "README.md", "https://[", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if problem := problemOf(test.from, test.link, anchors); (problem != "") != test.wrong {
				t.Errorf("got the problem %q, want one: %t", problem, test.wrong)
			}
		})
	}
}
