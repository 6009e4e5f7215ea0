package servermigration_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// crash is a cloud that also keeps the state (Terraform's http backend), so
// that every phase of an apply is a request on which a process can be killed.
type crash struct {
	*scenario
	logs string // the level of the provider's, if they are read

	mu     sync.Mutex
	server string // the server whose migration the killed process works on
	phase  phase
	seen   int
	kill   func() // nil once it was done
	state  []byte
}

// phase is a request on which a process dies.
type phase struct {
	name  string
	is    func(c *crash, r *http.Request, body []byte) bool
	nth   int  // of these requests, from 1
	after bool // the request takes effect, but its answer is not sent
	late  bool // the provider has ended by then
}

func acts(action string) func(*crash, *http.Request, []byte) bool {
	return func(c *crash, r *http.Request, body []byte) bool {
		return strings.HasSuffix(r.URL.Path, "/servers/"+c.server+"/action") && bytes.Contains(body, []byte(action))
	}
}

// waits is a look at a server whose migration was asked for.
func waits(c *crash, r *http.Request, _ []byte) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/servers/"+c.server) && c.Migrations(c.server) > 0
}

func writesState(c *crash, r *http.Request, body []byte) bool {
	return r.Method == http.MethodPost && r.URL.Path == "/state" && bytes.Contains(body, []byte(c.server))
}

var phases = []phase{
	{"before the POST", acts(`"migrate"`), 1, false, false},
	{"between the POST and its answer", acts(`"migrate"`), 1, true, false},
	{"while it waits", waits, 2, true, false},
	{"before the confirm", acts(`"confirmResize"`), 1, false, false},
	{"between the confirm and its answer", acts(`"confirmResize"`), 1, true, false},
	{"before the state is written", writesState, 1, false, true},
	{"after the state was written", writesState, 1, true, true},
}

func (c *crash) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	dies := c.due(r, body)
	if dies == nil || c.phase.after {
		answer := httptest.NewRecorder()
		if r.URL.Path == "/state" {
			c.keepState(answer, r, body)
		} else {
			c.Stub.ServeHTTP(answer, r)
		}
		if dies == nil {
			for name, values := range answer.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
			return
		}
	}
	dies()
	panic(http.ErrAbortHandler)
}

// due returns what to do if this is the request on which a process dies.
func (c *crash) due(r *http.Request, body []byte) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kill == nil || !c.phase.is(c, r, body) {
		return nil
	}
	if c.seen++; c.seen < c.phase.nth {
		return nil
	}
	defer func() { c.kill = nil }()
	return c.kill
}

func (c *crash) keepState(w http.ResponseWriter, r *http.Request, body []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case r.Method == http.MethodPost:
		c.state = body
	case c.state == nil:
		w.WriteHeader(http.StatusNotFound)
	default:
		_, _ = w.Write(c.state)
	}
}

// victims are the processes that die, given Terraform's process id, which is
// also that of the process group.
var victims = []struct {
	name string
	kill func(t *testing.T, terraform int)
}{
	{"the provider", func(t *testing.T, terraform int) { kill(t, providerOf(t, terraform)) }},
	{"Terraform", kill},
	{"the machine", func(t *testing.T, terraform int) { kill(t, -terraform) }},
}

func kill(t *testing.T, pid int) {
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("cannot kill process %d: %v", pid, err)
	}
}

// providerOf is the provider's process of a Terraform.
func providerOf(t *testing.T, terraform int) int {
	found := acctest.ProviderProcesses(terraform)
	if len(found) != 1 {
		t.Errorf("found the provider processes %v of Terraform %d, want one", found, terraform)
		return terraform
	}
	return found[0]
}

// The servers of one victim are in one configuration. One after the other is added to it,
// and its migration meets the crash.
func TestAccServerMigration_survivesACrash(t *testing.T) {
	t.Parallel()
	for _, victim := range victims {
		t.Run(victim.name, func(t *testing.T) {
			t.Parallel()
			c, tf := newCrash(t)
			var blocks []string
			for i, phase := range phases {
				if phase.late && victim.name == "the provider" {
					continue
				}
				t.Run("dies "+phase.name, func(t *testing.T) {
					blocks = append(blocks, c.addServer(i).block(autoConfirm))
					c.configure(t, tf, blocks)
					c.crashAndApply(t, tf, phase, victim.kill)
					c.wantMigrations(t, 1)
					c.wantTruth(t, "confirmed", "ACTIVE")
				})
			}
			wantNoChanges(t, tf)
		})
	}
}

func TestAccServerMigration_survivesACrashWhenItMigratesAgain(t *testing.T) {
	t.Parallel()
	phases := []phase{
		{"before the revert", acts(`"revertResize"`), 1, false, false},
		{"between the revert and its answer", acts(`"revertResize"`), 1, true, false},
		phases[0],
		phases[1],
	}
	for _, victim := range victims {
		t.Run(victim.name, func(t *testing.T) {
			t.Parallel()
			c, tf, blocks := newCrashOfMigrations(t, len(phases), revertOnDestroy)
			for i, phase := range phases {
				t.Run("dies "+phase.name, func(t *testing.T) {
					blocks[i] = c.of(i).block(revertOnDestroy + "\ntriggers = { again = 1 }")
					c.configure(t, tf, blocks)
					c.crashAndApply(t, tf, phase, victim.kill)
					c.wantMigrations(t, 2) // the old one and the new one
					c.wantTruth(t, awaiting, "VERIFY_RESIZE")
				})
			}
			wantNoChanges(t, tf)
		})
	}
}

func TestAccServerMigration_survivesACrashOfADestroy(t *testing.T) {
	t.Parallel()
	phases := phases[3:5]
	for _, victim := range victims {
		t.Run(victim.name, func(t *testing.T) {
			t.Parallel()
			c, tf, blocks := newCrashOfMigrations(t, len(phases), confirmOnDestroy)
			for i, phase := range phases {
				t.Run("dies "+phase.name, func(t *testing.T) {
					blocks[i] = ""
					c.of(i).configure(t, tf, blocks)
					c.crashAndApply(t, tf, phase, victim.kill)
					c.wantMigrations(t, 1)
					if got := c.recorded(t); got != nil {
						t.Errorf("got state %v, want none", got)
					}
					if is, _ := c.Server(c.server); is.Status != "ACTIVE" {
						t.Errorf("got server %+v, want it confirmed", is)
					}
				})
			}
			wantNoChanges(t, tf)
		})
	}
}

// newCrash sets up a cloud without servers, and a Terraform that keeps its state there.
func newCrash(t *testing.T) (*crash, *tfexec.Terraform) {
	c := &crash{scenario: &scenario{acctest.NewCloud(t, stub.Config{}), t}}
	c.URL = c.serve(t)
	return c, c.terraform(map[string]string{
		"backend.tf": requiredProviders + fmt.Sprintf("terraform {\n  backend \"http\" {\n    address = \"%s/state\"\n  }\n}\n", c.URL),
	})
}

// newCrashOfMigrations is newCrash with migrations that an apply has created. blocks are
// those of the configuration.
func newCrashOfMigrations(t *testing.T, count int, arguments string) (c *crash, tf *tfexec.Terraform, blocks []string) {
	c, tf = newCrash(t)
	for i := range count {
		blocks = append(blocks, c.addServer(i).block(arguments))
	}
	c.configure(t, tf, blocks)
	if err := tf.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c, tf, blocks
}

// of makes a server the one whose migration meets the crash.
func (c *crash) of(i int) *crash {
	c.server = fmt.Sprintf("5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b%02d", i)
	return c
}

// addServer adds the server of that number to the cloud.
func (c *crash) addServer(i int) *crash {
	c.of(i).AddServer(stub.Server{ID: c.server, Name: fmt.Sprintf("web-%d", i)})
	return c
}

// block is the configuration of a migration of the server.
func (c *crash) block(arguments string) string {
	return fmt.Sprintf("resource %q \"server_%s\" {\n  server_id = %q\n%s\n}\n", servermigration.ResourceType, c.server, c.server, arguments)
}

func (c *crash) configure(t *testing.T, tf *tfexec.Terraform, blocks []string) {
	t.Helper()
	config := c.Provider("", strings.Join(blocks, ""))
	if err := os.WriteFile(filepath.Join(tf.WorkingDir(), "main.tf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
}

// crashAndApply lets a process die in an apply, and applies again.
func (c *crash) crashAndApply(t *testing.T, tf *tfexec.Terraform, phase phase, victim func(*testing.T, int)) {
	t.Helper()
	c.crash(t, tf, phase, victim)
	if err := tf.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (c *crash) wantMigrations(t *testing.T, want int) {
	t.Helper()
	if got := c.Migrations(c.server); got != want {
		t.Errorf("got %d migrations of the server, want %d", got, want)
	}
}

// recorded has the attributes of the server's migration in the state; nil if the state
// has none.
func (c *crash) recorded(t *testing.T) map[string]any {
	t.Helper()
	for _, resource := range parseState(t, c.state).Resources {
		for _, instance := range resource.Instances {
			if instance.Attributes["server_id"] == c.server {
				return instance.Attributes
			}
		}
	}
	return nil
}

// wantTruth compares the state with the cloud.
func (c *crash) wantTruth(t *testing.T, status, serverStatus string) {
	t.Helper()
	got := c.recorded(t)
	is, _ := c.Server(c.server)
	if got["status"] != status || got["server_status"] != is.Status || is.Status != serverStatus || got["destination_host_id"] != is.HostID {
		t.Errorf("got state %v, want the truth: %+v", got, is)
	}
}

func wantNoChanges(t *testing.T, tf *tfexec.Terraform) {
	t.Helper()
	if changes, err := tf.Plan(t.Context()); err != nil || changes {
		t.Errorf("got changes %t (%v), want none", changes, err)
	}
}

// serve puts the crash in front of the cloud.
func (c *crash) serve(t *testing.T) string {
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	return server.URL
}

// crash applies in a process group of its own, lets the victim die, and returns
// what Terraform said.
func (c *crash) crash(t *testing.T, tf *tfexec.Terraform, phase phase, victim func(*testing.T, int)) string {
	t.Helper()
	apply, output := c.apply(t, tf, phase, victim)
	err := apply.Wait()
	// Whatever outlived its Terraform ends here, as it would with the machine.
	_ = syscall.Kill(-apply.Process.Pid, syscall.SIGKILL)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kill != nil {
		t.Fatalf("nothing died %s (%v):\n%s", phase.name, err, output.String())
	}
	return output.String()
}

// apply starts Terraform in a process group of its own, with further environment
// variables, and lets the victim die in the phase.
func (c *crash) apply(t *testing.T, tf *tfexec.Terraform, phase phase, victim func(*testing.T, int), environment ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	apply := exec.CommandContext(t.Context(), tf.ExecPath(), "apply", "-auto-approve", "-input=false", "-no-color")
	apply.Dir = tf.WorkingDir()
	for name, value := range c.Environment(t, tf.WorkingDir()) {
		apply.Env = append(apply.Env, name+"="+value)
	}
	apply.Env = append(append(apply.Env, "TF_LOG_PROVIDER="+c.logs), environment...)
	apply.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// A provider that outlives its Terraform holds the output open. Until it is
	// ended by crash, it has time to finish what it does.
	apply.WaitDelay = 3 * time.Second
	var output bytes.Buffer
	apply.Stdout, apply.Stderr = &output, &output
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase, c.seen, c.kill = phase, 0, func() { victim(t, apply.Process.Pid) }
	if err := apply.Start(); err != nil {
		t.Fatal(err)
	}
	return apply, &output
}

func TestAccServerMigration_stopsWaitingWhenItIsInterrupted(t *testing.T) {
	t.Parallel()
	timing := stub.ObservedTiming()
	timing.Migrate = time.Hour
	c := &crash{scenario: newScenario(t, stub.Config{Timing: timing}, stub.Server{}), server: server, logs: "INFO"}
	c.URL = c.serve(t)
	tf := c.terraform(map[string]string{"main.tf": requiredProviders + c.config(autoConfirm)})

	output := c.crash(t, tf, phases[2], func(t *testing.T, terraform int) {
		if err := syscall.Kill(terraform, syscall.SIGINT); err != nil {
			t.Errorf("cannot interrupt Terraform: %v", err)
		}
	})

	if !says("The wait for the migration of server web-1", "was cancelled", "continues without Terraform").MatchString(output) {
		t.Errorf("got %s, want that the wait was cancelled", output)
	}
	for _, logged := range []string{"web-1: migration accepted, request req-", "Cloud Servers requests of this process"} {
		if !strings.Contains(output, logged) {
			t.Errorf("got %s, want %q in the log", output, logged)
		}
	}
	if got := c.Migrations(server); got != 1 {
		t.Errorf("got %d migrations of the server, want 1", got)
	}
}
