package pages

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
)

// appliedElsewhere are the examples that tests of internal/servermigration apply as they
// are. A block that shows one of these files is not applied here once more.
var appliedElsewhere = map[string]string{
	"examples/guides/ci-pipelines/main.tf":                                   "TestAccGuides_ciPipelines",
	"examples/guides/dated-notices/main.tf":                                  "TestAccGuides_datedNotices",
	"examples/guides/from-scripts/by-hand/main.tf":                           "TestAccGuides_fromScriptsActsByHand",
	"examples/guides/from-scripts/main.tf":                                   "TestAccGuides_fromScripts",
	"examples/guides/from-scripts/pending/main.tf":                           "TestAccGuides_fromScriptsImportsWhatIsPending",
	"examples/guides/evacuate-a-host/main.tf":                                "TestAccGuides_evacuateAHost",
	"examples/guides/migrate-test-confirm/main.tf":                           "TestAccGuides_migrateTestConfirm",
	"examples/guides/other-providers/main.tf":                                "TestAccGuides_otherProviders",
	"examples/guides/roll-back/main.tf":                                      "TestAccGuides_rollBack",
	"examples/guides/rolling-migration/main.tf":                              "TestAccGuides_rollingMigration",
	"examples/guides/take-over/main.tf":                                      "TestAccGuides_takeOver",
	"examples/guides/verify/main.tf":                                         "TestAccGuides_verify",
	"examples/resources/rackspace_server_migration/resource.tf":              "TestAccExamples_apply",
	"examples/resources/rackspace_server_migration/triggers.tf":              "TestAccExamples_apply",
	"examples/resources/rackspace_server_migration_confirmation/resource.tf": "TestAccExamples_apply",
}

func TestConfigurations_areAppliedWhereTheTableSays(t *testing.T) {
	shown := map[string]bool{}
	for _, p := range pages(t) {
		for _, b := range p.blocks() {
			shown[b.shown(t)] = true
		}
	}
	for example, name := range appliedElsewhere {
		wantTest(t, name)
		if !shown[example] {
			t.Errorf("no page shows %s, which is in the table", example)
		}
	}
}

// wantTest checks that internal/servermigration has a test.
func wantTest(t *testing.T, name string) {
	t.Helper()
	files, err := filepath.Glob(top + "/internal/servermigration/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(source), "\nfunc "+name+"(") {
			return
		}
	}
	t.Errorf("internal/servermigration has no test %s", name)
}

// treatment is how a configuration of a page is tested.
type treatment int

const (
	apply    treatment = iota // init and apply, or init and query
	validate                  // init and validate
	parse                     // the syntax, and the arguments of what is the provider's
	fail                      // init, and an apply that has to fail
)

// The notes that a comment before a configuration can have.
var (
	noteWith  = regexp.MustCompile(`^with (\S+(?: \S+)*)$`)
	noteLess  = regexp.MustCompile(`^(validate|parse|fails) because .+`)
	noteTest  = regexp.MustCompile(`^TestAcc\w+$`)
	cliConfig = regexp.MustCompile(`(?m)^provider_installation \{`)
)

// configuration is a configuration of a page, with what it needs to be tested.
type configuration struct {
	block
	body      *hclsyntax.Body
	treatment treatment
	files     map[string]string
}

// isConfiguration tells whether the block is a configuration of Terraform, and not one of
// its CLI.
func (b block) isConfiguration() bool {
	return (b.language == "terraform" || b.language == "hcl") && !cliConfig.MatchString(b.text)
}

// configuration finds out how a block is tested. The default is to apply it by itself.
func (b block) configuration(t *testing.T) configuration {
	t.Helper()
	file, diagnostics := hclparse.NewParser().ParseHCL([]byte(b.text), "block.tf")
	if diagnostics.HasErrors() {
		t.Fatal(diagnostics)
	}
	c := configuration{block: b, body: file.Body.(*hclsyntax.Body), files: map[string]string{}}
	c.addModules(t)
	name := "main.tf"
	if c.has("list") {
		name = "main.tfquery.hcl"
	} else if c.has("run") {
		name, c.treatment = "tests/page.tftest.hcl", validate
	}
	with, less := noteWith.FindStringSubmatch(b.note), noteLess.FindStringSubmatch(b.note)
	switch {
	case with != nil:
		for _, other := range strings.Fields(with[1]) {
			c.files[fmt.Sprintf("with-%d.tf", len(c.files))] = read(t, other)
		}
	case less != nil:
		c.treatment = map[string]treatment{"validate": validate, "parse": parse, "fails": fail}[less[1]]
	case noteTest.MatchString(b.note):
		wantTest(t, b.note)
		c.treatment = parse
	case b.note != "":
		t.Fatalf("the comment says %q, want \"with FILE\", \"validate because REASON\", \"parse because REASON\", \"fails because REASON\" or the name of a test", b.note)
	case name != "main.tf":
		c.addSurroundings(t, b.shown(t))
	}
	if c.treatment == apply && c.hasVariableWithoutDefault() {
		c.treatment = validate
	}
	c.files[name] = b.text
	return c
}

// addSurroundings adds what a query or a test of a module needs beside it: the other files
// of the example that it is from, or a provider block.
func (c *configuration) addSurroundings(t *testing.T, example string) {
	t.Helper()
	if example != "" {
		dir := strings.TrimSuffix(path.Dir(example), "/tests")
		maps.Copy(c.files, directory(t, dir))
		delete(c.files, strings.TrimPrefix(example, dir+"/"))
	}
	if _, found := c.files["main.tf"]; !found {
		c.files["main.tf"] = read(t, "examples/provider/provider.tf")
	}
}

// shown is the example whose text the block is, or empty.
func (b block) shown(t *testing.T) string {
	t.Helper()
	found := ""
	err := filepath.WalkDir(filepath.Join(top, "examples"), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		relative, err := filepath.Rel(top, name)
		if err == nil && strings.TrimSpace(read(t, filepath.ToSlash(relative))) == strings.TrimSpace(b.text) {
			found = filepath.ToSlash(relative)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// addModules adds the modules of this project that the configuration calls by a local
// path: a page says to copy them.
func (c *configuration) addModules(t *testing.T) {
	t.Helper()
	for _, match := range regexp.MustCompile(`(?m)^\s+source\s+= "\./([a-z-]+)"$`).FindAllStringSubmatch(c.text, -1) {
		for name, text := range directory(t, "examples/modules/"+match[1]) {
			c.files[match[1]+"/"+name] = text
		}
	}
}

// directory reads all files of a directory of the project: their texts by name.
func directory(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(filepath.Join(top, filepath.FromSlash(dir))), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files[name] = read(t, dir+"/"+name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func (c configuration) has(blockType string) bool {
	return slices.ContainsFunc(c.body.Blocks, func(b *hclsyntax.Block) bool { return b.Type == blockType })
}

func (c configuration) hasVariableWithoutDefault() bool {
	return slices.ContainsFunc(c.body.Blocks, func(b *hclsyntax.Block) bool {
		return b.Type == "variable" && b.Body.Attributes["default"] == nil && b.Labels[0] != "ssh_port"
	})
}

// isAppliedElsewhere tells whether a test of another package applies the configuration as
// it is.
func (c configuration) isAppliedElsewhere(t *testing.T) bool {
	t.Helper()
	return c.note == "" && appliedElsewhere[c.shown(t)] != "" && strings.Contains(c.text, "required_providers")
}

// TestConfigurations_areWhatTheProviderHas checks the arguments of each configuration
// against the provider's schemas. It needs no Terraform.
func TestConfigurations_areWhatTheProviderHas(t *testing.T) {
	schemas := newSchemas(t)
	count := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks() {
			if !b.isConfiguration() {
				continue
			}
			count++
			t.Run(fmt.Sprintf("%s:%d", b.page, b.line), func(t *testing.T) {
				for _, problem := range schemas.problems(b.configuration(t).body) {
					t.Error(problem)
				}
			})
		}
	}
	if count == 0 {
		t.Error("no page has a configuration")
	}
}

// TestAccConfigurations_work applies each configuration of each page, as it is, in an
// empty directory, or does as much of that as its comment or its kind says.
func TestAccConfigurations_work(t *testing.T) {
	for _, p := range pages(t) {
		for _, b := range p.blocks() {
			if !b.isConfiguration() {
				continue
			}
			t.Run(fmt.Sprintf("%s:%d", b.page, b.line), func(t *testing.T) {
				t.Parallel()
				c := b.configuration(t)
				if c.treatment == parse || c.isAppliedElsewhere(t) {
					return // TestConfigurations_areWhatTheProviderHas, and the test of appliedElsewhere
				}
				c.requireTerraform(t)
				shell := newShell(t, c.files)
				shell.migrate(c.imports()...)
				shell.init()
				switch {
				case c.treatment == validate:
					shell.terraform("validate")
				case c.treatment == fail:
					if output, err := shell.run("terraform", "apply", "-input=false", "-auto-approve"); err == nil {
						t.Errorf("the apply succeeds, but the comment says %q\n%s", c.note, output)
					}
				case c.has("list"):
					shell.terraform("query")
				default:
					shell.terraform("apply", "-input=false", "-auto-approve")
				}
			})
		}
	}
}

// requireTerraform skips the test if the Terraform under test is too old for what the
// configuration has.
func (c configuration) requireTerraform(t *testing.T) {
	t.Helper()
	for kind, feature := range map[string]string{"action": "actions", "list": "queries"} {
		if c.has(kind) {
			acctest.RequireTerraform(t, "1.14", feature)
		}
	}
	for _, b := range c.body.Blocks {
		if b.Type == "import" && b.Body.Attributes["identity"] != nil {
			acctest.RequireTerraform(t, "1.12", "import by identity")
		}
	}
}

var (
	serverID  = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	requestID = regexp.MustCompile(`req-` + serverID.String())
)

// imports are the servers whose migrations the configuration imports.
func (c configuration) imports() []string {
	var found []string
	for _, b := range c.body.Blocks {
		if b.Type == "import" {
			found = append(found, serverID.FindString(string(b.Range().SliceBytes([]byte(c.text)))))
		}
	}
	return found
}
