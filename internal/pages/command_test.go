package pages

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
)

// checks has the commands that are not run as a page shows them, and what is checked of
// each instead. The reason says why. All other commands are run.
var checks = []struct {
	command *regexp.Regexp
	check   func(t *testing.T, match []string)
	reason  string
}{
	{
		regexp.MustCompile(`^(?:[A-Z_]+=\S+ |[A-Z_]+=\$\([^)]*\) )*make (?:-C \S+ )?([a-z-]+)`), wantTarget,
		"CI runs make test, make demo and most other targets itself; they take minutes",
	},
	{
		regexp.MustCompile(`^(tools/[a-z]+)(?:.* -run (\w+))?`), wantTool,
		"the tools run the tests that CI runs",
	},
	{
		regexp.MustCompile(`^(?:go run \./internal/stub/cmd/)?rackspace-stub(?: (.*))?$`), wantFlags,
		"the stub's own tests run it; a command after -- would run Terraform once more",
	},
	{
		regexp.MustCompile(`^go (?:run|install) (\S+?)(?:@\S+)?(?: .*)?$`), wantPackage,
		"it needs the network, or installs something",
	},
	{
		regexp.MustCompile(`^\./([a-z-]+\.sh)$`), wantScript,
		"tests of internal/servermigration or of the stub run the scripts of the examples",
	},
	{
		regexp.MustCompile(`^(?:git clone|cd|curl .*\$TF_VAR_stub_url/|jq .* requests\.jsonl)(?: .*|.*)$`), nil,
		"it needs the network, or a stub that runs; the stub's own tests ask it the same",
	},
}

func (b block) isCommands() bool {
	return !b.isScript() && slices.Contains([]string{"console", "shell", "sh", "bash"}, b.language)
}

// isScript tells whether the block is a file with a script. It has to be one of examples/.
func (b block) isScript() bool { return strings.HasPrefix(b.text, "#!") }

// commands are the lines of the block that a reader types, each as Bash takes it.
func (b block) commands() []string {
	text := strings.ReplaceAll(b.text, "\\\n", " ")
	prompted := regexp.MustCompile(`(?m)^\$ `).MatchString(text) // then what has no prompt is output
	var found []string
	for line := range strings.Lines(text) {
		command, typed := strings.CutPrefix(strings.TrimSpace(line), "$ ")
		if command != "" && command[0] != '#' && (typed || !prompted) {
			found = append(found, command)
		}
	}
	return found
}

// The notes that a comment before commands can have.
var (
	noteNotRun = regexp.MustCompile(`^not run because .+`)
	noteFails  = regexp.MustCompile(`^fails because .+`) // the last command fails
)

// toRun checks the commands of a block that are not run, and returns the others.
func (b block) toRun(t *testing.T) (run []string) {
	t.Helper()
	for _, command := range b.commands() {
		checked := false
		for _, c := range checks {
			match := c.command.FindStringSubmatch(command)
			if checked || match == nil {
				continue
			}
			checked = true
			if c.check != nil {
				c.check(t, match)
			}
		}
		if !checked && !noteNotRun.MatchString(b.note) {
			run = append(run, command)
		}
	}
	if b.note != "" && !noteNotRun.MatchString(b.note) && !noteFails.MatchString(b.note) {
		t.Errorf("the comment says %q, want \"not run because REASON\" or \"fails because REASON\"", b.note)
	}
	return run
}

// wantTarget checks that GNUmakefile has a target.
func wantTarget(t *testing.T, match []string) {
	t.Helper()
	if !regexp.MustCompile(`(?m)^` + match[1] + `:`).MatchString(read(t, "GNUmakefile")) {
		t.Errorf("GNUmakefile has no target %s", match[1])
	}
}

// wantTool checks that a tool can be run, and that the test that it is to run exists.
func wantTool(t *testing.T, match []string) {
	t.Helper()
	if info, err := os.Stat(filepath.Join(top, match[1])); err != nil || info.Mode()&0o100 == 0 {
		t.Errorf("%s cannot be run (%v)", match[1], err)
	}
	if match[2] != "" {
		wantTest(t, match[2])
	}
}

// wantFlags checks that the stub takes the flags. It ends at -h, or at the first flag that
// it cannot use.
func wantFlags(t *testing.T, match []string) {
	t.Helper()
	flags, _, _ := strings.Cut(" "+match[1]+" ", " -- ")
	help := exec.CommandContext(t.Context(), "bash", "-c", "go run ./internal/stub/cmd/rackspace-stub "+flags+" -h")
	help.Dir = top
	if output, err := help.CombinedOutput(); err != nil {
		t.Errorf("rackspace-stub%s: %v\n%s", flags, err, output)
	}
}

// wantPackage checks that a package of this project exists. It takes packages of others as
// they are.
func wantPackage(t *testing.T, match []string) {
	t.Helper()
	dir, own := strings.CutPrefix(match[1], "github.com/terraform-provider-rackspace/terraform-provider-rackspace")
	if !own && !strings.HasPrefix(match[1], ".") {
		return
	}
	if files, err := filepath.Glob(filepath.Join(top, dir, "*.go")); err != nil || len(files) == 0 {
		t.Errorf("there is no package %s (%v)", match[1], err)
	}
}

// wantScript checks that an example has a script.
func wantScript(t *testing.T, match []string) {
	t.Helper()
	if files, err := filepath.Glob(filepath.Join(top, "examples", "*", "*", match[1])); err != nil || len(files) == 0 {
		t.Errorf("no example has the script %s (%v)", match[1], err)
	}
}

func TestCommands_areKnown(t *testing.T) {
	for _, p := range pages(t) {
		for _, b := range p.blocks() {
			if !b.isCommands() {
				continue
			}
			t.Run(fmt.Sprintf("%s:%d", b.page, b.line), func(t *testing.T) {
				if output, err := exec.CommandContext(t.Context(), "bash", "-n", "-c", strings.Join(b.commands(), "\n")).CombinedOutput(); err != nil {
					t.Errorf("Bash cannot read the commands: %v\n%s", err, output)
				}
				if len(b.commands()) == 0 {
					t.Error("the block has no command")
				}
				b.toRun(t)
			})
		}
	}
}

// TestAccCommands_work runs the commands of each page one after another, as a reader does:
// in a directory with the newest configuration that the page has shown before.
func TestAccCommands_work(t *testing.T) {
	for _, p := range pages(t) {
		if !slices.ContainsFunc(p.blocks(), block.isCommands) {
			continue
		}
		t.Run(p.path, func(t *testing.T) {
			t.Parallel()
			var s *shell
			var shown []block
			for _, b := range p.blocks() {
				if b.isConfiguration() && (b.note == "" || noteLess.MatchString(b.note)) {
					shown, s = append(shown, b), nil // the reader has another directory from now on
				}
				if !b.isCommands() {
					continue
				}
				run := b.toRun(t)
				if len(run) == 0 {
					continue
				}
				requireTerraformFor(t, run)
				if s == nil {
					s = shellWith(t, shown, run)
				}
				failed := false
				for _, command := range run {
					failed = !s.runCommand(command, b.note != "") || failed
				}
				if b.note != "" && !failed {
					t.Errorf("line %d: no command fails, but the comment says %q", b.line, b.note)
				}
			}
		})
	}
}

// shellWith is a shell in a directory with the last configuration that has everything the
// commands import.
func shellWith(t *testing.T, shown []block, commands []string) *shell {
	t.Helper()
	files := map[string]string{}
	var imported []string
	for _, earlier := range shown {
		if earlier.hasImportsOf(commands) {
			c := earlier.configuration(t)
			c.requireTerraform(t)
			files, imported = c.files, c.imports()
		}
	}
	s := newShell(t, files)
	s.migrate(imported...)
	s.init()
	return s
}

func requireTerraformFor(t *testing.T, commands []string) {
	t.Helper()
	for _, command := range commands {
		if strings.HasPrefix(command, "terraform query") || strings.Contains(command, " -invoke=") {
			acctest.RequireTerraform(t, "1.14", "actions and queries")
		}
	}
}

// hasImportsOf tells whether a configuration has what the commands import.
func (b block) hasImportsOf(commands []string) bool {
	for _, command := range commands {
		if match := importing.FindStringSubmatch(command); match != nil && !strings.Contains(b.text, fmt.Sprintf("resource %q %q", match[1], match[2])) {
			return false
		}
	}
	return true
}

// runCommand runs one command as a reader would, and tells whether it succeeded. Before an
// import it makes sure that the server has a migration, and that there is no state.
func (s *shell) runCommand(command string, mayFail bool) bool {
	s.t.Helper()
	if match := importing.FindStringSubmatch(command); match != nil {
		id := serverID.FindString(match[3])
		if s.requestOf(id) == "" {
			s.migrate(id)
		}
		if match[1] == "rackspace_server_migration_confirmation" {
			if err := s.cloud.Confirm(id, "user-7"); err != nil {
				s.t.Fatal(err)
			}
			s.cloud.Advance(time.Minute)
		}
		command = requestID.ReplaceAllString(command, s.requestOf(id))
		if err := os.RemoveAll(filepath.Join(s.dir, "terraform.tfstate")); err != nil {
			s.t.Fatal(err)
		}
	}
	output, err := s.script(command)
	if err != nil && !mayFail {
		s.t.Fatalf("%s: %v\n%s", command, err, output)
	}
	return err == nil
}

var importing = regexp.MustCompile(`^terraform import (\w+)\.(\w+) (\S+)$`)

// requestOf is the id of the request that migrated a server last, or empty.
func (s *shell) requestOf(id string) string {
	for _, action := range s.cloud.ActionLog(id) {
		if action.Action == "migrate" {
			return action.RequestID
		}
	}
	return ""
}
