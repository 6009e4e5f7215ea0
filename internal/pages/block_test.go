package pages

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark/ast"
	"go.yaml.in/yaml/v3"
)

// TestBlocks_areTested fails for a code block that no test of this package reads.
func TestBlocks_areTested(t *testing.T) {
	for _, p := range pages(t) {
		notes := p.notes()
		for _, b := range p.blocks() {
			known := b.isConfiguration() || b.isCommands() || b.isScript() || b.isData() || cliConfig.MatchString(b.text) ||
				b.language == "mermaid" || // the diagram has a test of its own
				b.language == "text" // what a program shows
			if !known {
				t.Errorf("%s:%d: a block in %q has no test; give it a language that has one, or write one", b.page, b.line, b.language)
			}
			if b.isScript() && b.shown(t) == "" {
				t.Errorf("%s:%d: the script is not a file of examples/, so no test runs it", b.page, b.line)
			}
			if b.note != "" {
				notes--
			}
			if b.note != "" && !b.isConfiguration() && !b.isCommands() {
				t.Errorf("%s:%d: the comment %q concerns neither a configuration nor commands", b.page, b.line, b.note)
			}
		}
		if notes != 0 {
			t.Errorf("%s: %d comments for tests are not right before a block", p.path, notes)
		}
		p.each(func(node ast.Node) {
			if node.Kind() == ast.KindCodeBlock {
				t.Errorf("%s:%d: an indented block has no language; put it between fences", p.path, p.line(node))
			}
		})
	}
}

// notes is the number of comments for tests, wherever they are.
func (p page) notes() int {
	count := 0
	p.each(func(node ast.Node) {
		var comment []byte
		switch node := node.(type) {
		case *ast.HTMLBlock:
			comment = node.Lines().Value(p.source)
		case *ast.RawHTML:
			comment = node.Segments.Value(p.source)
		}
		count += strings.Count(string(comment), "<!-- test:")
	})
	return count
}

func (b block) isData() bool {
	return slices.Contains([]string{"json", "jsonl", "yaml", "yml"}, b.language)
}

// TestData_isWellFormed parses each block in JSON or YAML. It runs actionlint on workflows
// of GitHub, if make lint has installed it.
func TestData_isWellFormed(t *testing.T) {
	for _, p := range pages(t) {
		for _, b := range p.blocks() {
			if !b.isData() {
				continue
			}
			t.Run(fmt.Sprintf("%s:%d", b.page, b.line), func(t *testing.T) {
				if strings.HasPrefix(b.language, "json") {
					wantJSON(t, b.text)
					return
				}
				var document map[string]any
				if err := yaml.Unmarshal([]byte(b.text), &document); err != nil {
					t.Error(err)
				}
				if document["on"] != nil && document["jobs"] != nil {
					wantWorkflow(t, b.text)
				}
			})
		}
	}
}

// wantJSON checks that a text is one JSON document, or several that follow each other.
func wantJSON(t *testing.T, text string) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	for count := 0; ; count++ {
		var document any
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) && count > 0 {
			return
		}
		if err != nil {
			t.Errorf("document %d: %v", count+1, err)
			return
		}
	}
}

// wantWorkflow checks a workflow of GitHub with actionlint.
func wantWorkflow(t *testing.T, text string) {
	t.Helper()
	cache := cmp.Or(os.Getenv("XDG_CACHE_HOME"), filepath.Join(os.Getenv("HOME"), ".cache")) // as in GNUmakefile
	actionlint := filepath.Join(cache, "terraform-provider-rackspace", "lint", "actionlint")
	if _, err := os.Stat(actionlint); err != nil {
		t.Logf("not linted: make lint has not installed actionlint: %v", err)
		return
	}
	lint := exec.CommandContext(t.Context(), actionlint, "-")
	lint.Stdin = strings.NewReader(text)
	if output, err := lint.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
