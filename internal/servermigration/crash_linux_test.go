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
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// crash is a cloud that also keeps the state (Terraform's http backend), so
// that every phase of an apply is a request on which a process can be killed.
type crash struct {
	*scenario
	phase phase
	logs  string // the level of the provider's, if they are read

	mu    sync.Mutex
	seen  int
	kill  func() // nil once it was done
	state []byte
}

// phase is a request on which a process dies.
type phase struct {
	name  string
	is    func(*stub.Stub, *http.Request, []byte) bool
	nth   int  // of these requests, from 1
	after bool // the request takes effect, but its answer is not sent
	late  bool // the provider has ended by then
}

func acts(action string) func(*stub.Stub, *http.Request, []byte) bool {
	return func(_ *stub.Stub, r *http.Request, body []byte) bool {
		return strings.HasSuffix(r.URL.Path, "/action") && bytes.Contains(body, []byte(action))
	}
}

// waits is a look at a server whose migration was asked for.
func waits(cloud *stub.Stub, r *http.Request, _ []byte) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/servers/"+server) && cloud.Migrations(server) > 0
}

func writesState(_ *stub.Stub, r *http.Request, body []byte) bool {
	return r.Method == http.MethodPost && r.URL.Path == "/state" && bytes.Contains(body, []byte(server))
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
	if c.kill == nil || !c.phase.is(c.Stub, r, body) {
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

func TestAccServerMigration_survivesACrash(t *testing.T) {
	t.Parallel()
	for _, phase := range phases {
		for _, victim := range victims {
			if phase.late && victim.name == "the provider" {
				continue
			}
			t.Run(victim.name+" dies "+phase.name, func(t *testing.T) {
				t.Parallel()
				c, tf := awaitCrash(t, phase, autoConfirm)

				c.crash(t, tf, victim.kill)
				if err := tf.Apply(t.Context()); err != nil {
					t.Fatal(err)
				}

				if got := c.Migrations(server); got != 1 {
					t.Errorf("got %d migrations of the server, want 1", got)
				}
				c.wantTruth(t, tf, "confirmed", "ACTIVE")
			})
		}
	}
}

func TestAccServerMigration_survivesACrashWhenItMigratesAgain(t *testing.T) {
	t.Parallel()
	for _, phase := range []phase{
		{"before the revert", acts(`"revertResize"`), 1, false, false},
		{"between the revert and its answer", acts(`"revertResize"`), 1, true, false},
		phases[0],
		phases[1],
	} {
		for _, victim := range victims {
			t.Run(victim.name+" dies "+phase.name, func(t *testing.T) {
				t.Parallel()
				c, tf := awaitCrash(t, phase, revertOnDestroy)
				if err := tf.Apply(t.Context()); err != nil {
					t.Fatal(err)
				}
				c.configure(t, tf, c.config(revertOnDestroy+"\ntriggers = { again = 1 }"))

				c.crash(t, tf, victim.kill)
				if err := tf.Apply(t.Context()); err != nil {
					t.Fatal(err)
				}

				if got := c.Migrations(server); got != 2 {
					t.Errorf("got %d migrations of the server, want the old one and the new one", got)
				}
				c.wantTruth(t, tf, awaiting, "VERIFY_RESIZE")
			})
		}
	}
}

func TestAccServerMigration_survivesACrashOfADestroy(t *testing.T) {
	t.Parallel()
	for _, phase := range phases[3:5] {
		for _, victim := range victims {
			t.Run(victim.name+" dies "+phase.name, func(t *testing.T) {
				t.Parallel()
				c, tf := awaitCrash(t, phase, confirmOnDestroy)
				if err := tf.Apply(t.Context()); err != nil {
					t.Fatal(err)
				}
				c.configure(t, tf, c.Provider("", ""))

				c.crash(t, tf, victim.kill)
				if err := tf.Apply(t.Context()); err != nil {
					t.Fatal(err)
				}

				state, err := tf.Show(t.Context())
				if err != nil || state.Values != nil {
					t.Errorf("got state %+v (%v), want an empty one", state, err)
				}
				if is, _ := c.Server(server); is.Status != "ACTIVE" || c.Migrations(server) != 1 {
					t.Errorf("got server %+v after %d migrations, want one, confirmed", is, c.Migrations(server))
				}
			})
		}
	}
}

// awaitCrash sets up a migration on which a process is going to die.
func awaitCrash(t *testing.T, phase phase, arguments string) (*crash, *tfexec.Terraform) {
	c := &crash{scenario: newScenario(t, stub.Config{}, stub.Server{}), phase: phase}
	c.URL = c.serve(t)
	tf := c.terraform(map[string]string{
		"backend.tf": requiredProviders + fmt.Sprintf("terraform {\n  backend \"http\" {\n    address = \"%s/state\"\n  }\n}\n", c.URL),
	})
	c.configure(t, tf, c.config(arguments))
	return c, tf
}

func (c *crash) configure(t *testing.T, tf *tfexec.Terraform, config string) {
	if err := os.WriteFile(filepath.Join(tf.WorkingDir(), "main.tf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wantTruth compares the state with the cloud, and wants nothing left to do.
func (c *crash) wantTruth(t *testing.T, tf *tfexec.Terraform, status, serverStatus string) {
	t.Helper()
	state, err := tf.Show(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if state.Values == nil || len(state.Values.RootModule.Resources) != 1 {
		t.Fatalf("got state %+v, want the migration in it", state.Values)
	}
	got := state.Values.RootModule.Resources[0].AttributeValues
	is, _ := c.Server(server)
	if got["status"] != status || got["server_status"] != is.Status || is.Status != serverStatus || got["destination_host_id"] != is.HostID {
		t.Errorf("got state %v, want the truth: %+v", got, is)
	}
	if changes, err := tf.Plan(t.Context()); err != nil || changes {
		t.Errorf("got changes %t (%v) after it, want none", changes, err)
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
func (c *crash) crash(t *testing.T, tf *tfexec.Terraform, victim func(*testing.T, int)) string {
	t.Helper()
	apply, output := c.apply(t, tf, victim)
	err := apply.Wait()
	// Whatever outlived its Terraform ends here, as it would with the machine.
	_ = syscall.Kill(-apply.Process.Pid, syscall.SIGKILL)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kill != nil {
		t.Fatalf("nothing died %s (%v):\n%s", c.phase.name, err, output.String())
	}
	return output.String()
}

// apply starts Terraform in a process group of its own, with further environment
// variables, and lets the victim die in the phase of the crash.
func (c *crash) apply(t *testing.T, tf *tfexec.Terraform, victim func(*testing.T, int), environment ...string) (*exec.Cmd, *bytes.Buffer) {
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
	c.kill = func() { victim(t, apply.Process.Pid) }
	if err := apply.Start(); err != nil {
		t.Fatal(err)
	}
	return apply, &output
}

func TestAccServerMigration_stopsWaitingWhenItIsInterrupted(t *testing.T) {
	t.Parallel()
	timing := stub.ObservedTiming()
	timing.Migrate = time.Hour
	c := &crash{scenario: newScenario(t, stub.Config{Timing: timing}, stub.Server{}), phase: phases[2], logs: "INFO"}
	c.URL = c.serve(t)
	tf := c.terraform(map[string]string{"main.tf": requiredProviders + c.config(autoConfirm)})

	output := c.crash(t, tf, func(t *testing.T, terraform int) {
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
