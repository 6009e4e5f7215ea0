package servermigration_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
)

const moduleGuide = "../../templates/guides/test-your-module.md.tmpl"

// guideBlock returns the code block of the guide "Test your module without a cloud" that
// contains a text.
func guideBlock(t *testing.T, language, text string) string {
	t.Helper()
	var found []string
	for _, block := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(readFile(t, moduleGuide), -1) {
		if strings.Contains(block[1], text) {
			found = append(found, block[1])
		}
	}
	if len(found) != 1 {
		t.Fatalf("got %d blocks of the guide with %q, want 1", len(found), text)
	}
	return found[0]
}

// guideModule is a copy of the guide's module, and the commands that the guide needs.
type guideModule struct {
	t         *testing.T
	directory string
	env       []string
}

func newGuideModule(t *testing.T) *guideModule {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("acceptance tests run with TF_ACC set")
	}
	directory, commands := t.TempDir(), t.TempDir()
	if err := os.CopyFS(directory, os.DirFS(examples+"/guides/test-your-module")); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(commands, "rackspace-stub"), "../stub/cmd/rackspace-stub")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build the stub: %v\n%s", err, output)
	}
	if err := os.Symlink(os.Getenv("TF_ACC_TERRAFORM_PATH"), filepath.Join(commands, "terraform")); err != nil {
		t.Fatal(err)
	}
	return &guideModule{t, directory, []string{
		"PATH=" + commands + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir(),
		"TF_CLI_CONFIG_FILE=" + acctest.Mirror(t), "TF_CLI_ARGS=-no-color", "CHECKPOINT_DISABLE=1",
	}}
}

// run runs commands as a reader of the guide would, and returns their output.
func (m *guideModule) run(script string) string {
	m.t.Helper()
	shell := exec.CommandContext(m.t.Context(), "sh", "-euc", script)
	shell.Dir, shell.Env = m.directory, m.env
	output, err := shell.CombinedOutput()
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", script, err, output)
	}
	return string(output)
}

// loggedRequest has the parts of a logged request that these tests read.
type loggedRequest struct {
	Call   string `json:"call"`
	Server string `json:"server_id"`
	Status int    `json:"status"`
	Fault  string `json:"fault"`
}

// migrates returns the migrate requests in the log.
func (m *guideModule) migrates() []loggedRequest {
	m.t.Helper()
	var found []loggedRequest
	for line := range strings.Lines(readFile(m.t, filepath.Join(m.directory, "requests.jsonl"))) {
		var request loggedRequest
		if err := json.Unmarshal([]byte(line), &request); err != nil {
			m.t.Fatalf("%s: %v", line, err)
		}
		if request.Call == "migrate" {
			found = append(found, request)
		}
	}
	return found
}

// Servers of the guide.
const (
	guideWeb1 = "0d5f7a1e-3c2b-4f60-8a94-1b7e5c9d2a01"
	guideWeb2 = "0d5f7a1e-3c2b-4f60-8a94-1b7e5c9d2a02"
)

func TestAccGuides_testYourModule(t *testing.T) {
	t.Parallel()
	m := newGuideModule(t)
	commands := strings.Split(strings.TrimSpace(guideBlock(t, "console", "terraform test")), "\n")
	if len(commands) != 3 || !strings.HasSuffix(commands[1], "terraform test") {
		t.Fatalf("got the commands %q in the guide, want init, test and the script", commands)
	}
	m.run(commands[0])
	if said := m.run(commands[1]); !strings.Contains(said, "Success! 5 passed, 0 failed.") {
		t.Errorf("got %s, want that all tests passed", said)
	}
	moved := m.migrates()
	for i := range moved {
		if moved[i].Server != guideWeb1 && moved[i].Server != guideWeb2 {
			moved[i].Server = "fragile-1" // its id is random
		}
	}
	want := []loggedRequest{
		{"migrate", guideWeb2, 503, "maintenance"}, {"migrate", guideWeb2, 202, ""}, {"migrate", guideWeb1, 202, ""},
		{"migrate", "fragile-1", 202, ""},
	}
	if !slices.Equal(moved, want) {
		t.Errorf("got the migrate requests %+v, want %+v", moved, want)
	}
	if said := m.run(commands[2]); !strings.Contains(said, "was not migrated") || len(m.migrates()) != 0 {
		t.Errorf("got %s and the migrate requests %+v, want that the server is not moved", said, m.migrates())
	}
}

func TestAccGuides_testYourModuleWithAFault(t *testing.T) {
	t.Parallel()
	m := newGuideModule(t)
	m.run("terraform init")
	said := m.run(guideBlock(t, "shell", "-fault"))
	want := []loggedRequest{{"migrate", guideWeb2, 503, "status 503"}, {"migrate", guideWeb2, 202, ""}}
	if moved := m.migrates(); !slices.Equal(moved, want) || !strings.Contains(said, `status = "confirmed"`) {
		t.Errorf("got the migrate requests %+v, want %+v, and a confirmed migration:\n%s", moved, want, said)
	}
}

// This shows that the tests of the module can fail.
func TestAccGuides_testYourModuleFailsWhenAServerBehavesOtherwise(t *testing.T) {
	t.Parallel()
	m := newGuideModule(t)
	servers := filepath.Join(m.directory, "servers.json")
	text := strings.Replace(readFile(t, servers), "only_on_original_host", "always", 1)
	if err := os.WriteFile(servers, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m.run("terraform init")
	said := m.run("! rackspace-stub -speed 20 -servers servers.json -log requests.jsonl -- terraform test -filter=tests/refuses.tftest.hcl")
	if !strings.Contains(said, "1 passed, 1 failed") {
		t.Errorf("got %s, want that one test fails", said)
	}
}
