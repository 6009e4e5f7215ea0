package pages

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDiagram_showsTheStatusesOfAMigration checks that the diagram has each status, and
// that the pages show it as it is.
func TestDiagram_showsTheStatusesOfAMigration(t *testing.T) {
	diagram := read(t, "examples/migration.mmd")
	states := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^\s*(\S+) --> (\S+)`).FindAllStringSubmatch(diagram, -1) {
		states[match[1]], states[match[2]] = true, true
	}
	delete(states, "[*]") // where it begins and ends
	if diff := cmp.Diff(statuses(t), slices.Sorted(maps.Keys(states))); diff != "" {
		t.Errorf("the diagram has other states than the engine (-engine +diagram):\n%s", diff)
	}
	for line := range strings.Lines(diagram) {
		if len(line) > 70 {
			t.Errorf("got the line %q, want at most 70 characters: the registry shows the source", line)
		}
	}

	for _, path := range []string{"README.md", "docs/index.md"} {
		shown := slices.ContainsFunc(newPage(path, []byte(read(t, path))).blocks(), func(b block) bool {
			return b.language == "mermaid" && strings.TrimSpace(b.text) == strings.TrimSpace(diagram)
		})
		if !shown {
			t.Errorf("%s does not show examples/migration.mmd as it is", path)
		}
	}
}

// statuses are the values of the constants of type Status of the engine, sorted.
func statuses(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "migration.go", read(t, "internal/migration/migration.go"), 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	ast.Inspect(file, func(node ast.Node) bool {
		if constant, ok := node.(*ast.ValueSpec); ok && len(constant.Values) == 1 {
			if typ, ok := constant.Type.(*ast.Ident); ok && typ.Name == "Status" {
				value, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, value)
			}
		}
		return true
	})
	slices.Sort(found)
	return found
}
