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

// crashCloud is a cloud that also keeps the state, as Terraform's http backend. So every
// step of an apply is a request to it, at which the test can kill a process.
type crashCloud struct {
	*cloudTest
	logs string // the log level of the provider; empty: no logs

	mu     sync.Mutex
	server string // the server whose migration the killed process works on
	point  crashPoint
	seen   int    // how many requests have matched the crash point
	kill   func() // nil after the kill
	state  []byte
}

// crashPoint is a request at which a process is killed.
type crashPoint struct {
	name  string
	is    func(c *crashCloud, r *http.Request, body []byte) bool
	nth   int  // which of these requests, counted from 1
	after bool // the request takes effect before the kill, and its answer is not sent
	late  bool // the provider's process has ended before this request
}

func isAction(action string) func(*crashCloud, *http.Request, []byte) bool {
	return func(c *crashCloud, r *http.Request, body []byte) bool {
		return strings.HasSuffix(r.URL.Path, "/servers/"+c.server+"/action") && bytes.Contains(body, []byte(action))
	}
}

// isPollAfterMigrate tells whether a request is a poll after the migrate request.
func isPollAfterMigrate(c *crashCloud, r *http.Request, _ []byte) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/servers/"+c.server) && c.Migrations(c.server) > 0
}

func isStateWrite(c *crashCloud, r *http.Request, body []byte) bool {
	return r.Method == http.MethodPost && r.URL.Path == "/state" && bytes.Contains(body, []byte(c.server))
}

var crashPoints = []crashPoint{
	{"before the POST", isAction(`"migrate"`), 1, false, false},
	{"between the POST and its answer", isAction(`"migrate"`), 1, true, false},
	{"while it polls", isPollAfterMigrate, 2, true, false},
	{"before the confirm", isAction(`"confirmResize"`), 1, false, false},
	{"between the confirm and its answer", isAction(`"confirmResize"`), 1, true, false},
	{"before the state is written", isStateWrite, 1, false, true},
	{"after the state was written", isStateWrite, 1, true, true},
}

func (c *crashCloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	kill := c.killAt(r, body)
	if kill == nil || c.point.after {
		answer := httptest.NewRecorder()
		if r.URL.Path == "/state" {
			c.keepState(answer, r, body)
		} else {
			c.Stub.ServeHTTP(answer, r)
		}
		if kill == nil {
			for name, values := range answer.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
			return
		}
	}
	kill()
	panic(http.ErrAbortHandler)
}

// killAt returns how to kill the process, if this is the request at which to do that.
func (c *crashCloud) killAt(r *http.Request, body []byte) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kill == nil || !c.point.is(c, r, body) {
		return nil
	}
	if c.seen++; c.seen < c.point.nth {
		return nil
	}
	defer func() { c.kill = nil }()
	return c.kill
}

func (c *crashCloud) keepState(w http.ResponseWriter, r *http.Request, body []byte) {
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

// killTargets are the processes to kill. terraform is the id of Terraform's process and of
// its process group.
var killTargets = []struct {
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

// providerOf returns the id of the provider's process that a Terraform has started.
func providerOf(t *testing.T, terraform int) int {
	found := acctest.ProviderProcesses(terraform)
	if len(found) != 1 {
		t.Errorf("found the provider processes %v of Terraform %d, want one", found, terraform)
		return terraform
	}
	return found[0]
}

// All servers of one subtest are in one configuration. The test adds them one by one, and
// kills the process while the migration of the new server runs.
func TestAccServerMigration_survivesACrash(t *testing.T) {
	t.Parallel()
	for _, target := range killTargets {
		t.Run(target.name, func(t *testing.T) {
			t.Parallel()
			c, tf := newCrashCloud(t)
			var blocks []string
			for i, point := range crashPoints {
				if point.late && target.name == "the provider" {
					continue
				}
				t.Run("killed "+point.name, func(t *testing.T) {
					blocks = append(blocks, c.addServer(i).block(autoConfirm))
					c.configure(t, tf, blocks)
					c.killAndApplyAgain(t, tf, point, target.kill)
					c.wantMigrations(t, 1)
					c.wantStateOfCloud(t, "confirmed", "ACTIVE")
				})
			}
			wantNoChanges(t, tf)
		})
	}
}

func TestAccServerMigration_survivesACrashWhenItMigratesAgain(t *testing.T) {
	t.Parallel()
	crashPoints := []crashPoint{
		{"before the revert", isAction(`"revertResize"`), 1, false, false},
		{"between the revert and its answer", isAction(`"revertResize"`), 1, true, false},
		crashPoints[0],
		crashPoints[1],
	}
	for _, target := range killTargets {
		t.Run(target.name, func(t *testing.T) {
			t.Parallel()
			c, tf, blocks := newCrashCloudWithMigrations(t, len(crashPoints), revertOnDestroy)
			for i, point := range crashPoints {
				t.Run("killed "+point.name, func(t *testing.T) {
					blocks[i] = c.selectServer(i).block(revertOnDestroy + "\ntriggers = { again = 1 }")
					c.configure(t, tf, blocks)
					c.killAndApplyAgain(t, tf, point, target.kill)
					c.wantMigrations(t, 2) // the old one and the new one
					c.wantStateOfCloud(t, awaiting, "VERIFY_RESIZE")
				})
			}
			wantNoChanges(t, tf)
		})
	}
}

func TestAccServerMigration_survivesACrashOfADestroy(t *testing.T) {
	t.Parallel()
	crashPoints := crashPoints[3:5]
	for _, target := range killTargets {
		t.Run(target.name, func(t *testing.T) {
			t.Parallel()
			c, tf, blocks := newCrashCloudWithMigrations(t, len(crashPoints), confirmOnDestroy)
			for i, point := range crashPoints {
				t.Run("killed "+point.name, func(t *testing.T) {
					blocks[i] = ""
					c.selectServer(i).configure(t, tf, blocks)
					c.killAndApplyAgain(t, tf, point, target.kill)
					c.wantMigrations(t, 1)
					if got := c.attributesInState(t); got != nil {
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

// newCrashCloud sets up a cloud without servers, and a Terraform that keeps its state there.
func newCrashCloud(t *testing.T) (*crashCloud, *tfexec.Terraform) {
	c := &crashCloud{cloudTest: &cloudTest{acctest.NewCloud(t, stub.Config{}), t}}
	c.URL = c.serve(t)
	return c, c.UnattachedTerraform(t, map[string]string{
		"backend.tf": requiredProviders + fmt.Sprintf("terraform {\n  backend \"http\" {\n    address = \"%s/state\"\n  }\n}\n", c.URL),
	})
}

// newCrashCloudWithMigrations is newCrashCloud after an apply that has created migrations.
// blocks are the resource blocks of the configuration.
func newCrashCloudWithMigrations(t *testing.T, count int, arguments string) (c *crashCloud, tf *tfexec.Terraform, blocks []string) {
	c, tf = newCrashCloud(t)
	for i := range count {
		blocks = append(blocks, c.addServer(i).block(arguments))
	}
	c.configure(t, tf, blocks)
	if err := tf.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c, tf, blocks
}

// selectServer selects the server whose migration is interrupted by the kill.
func (c *crashCloud) selectServer(i int) *crashCloud {
	c.server = fmt.Sprintf("5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b%02d", i)
	return c
}

// addServer adds a server to the cloud, and selects it.
func (c *crashCloud) addServer(i int) *crashCloud {
	c.selectServer(i).AddServer(stub.Server{ID: c.server, Name: fmt.Sprintf("web-%d", i)})
	return c
}

// block is the resource block of a migration of the server.
func (c *crashCloud) block(arguments string) string {
	return fmt.Sprintf("resource %q \"server_%s\" {\n  server_id = %q\n%s\n}\n", servermigration.ResourceType, c.server, c.server, arguments)
}

func (c *crashCloud) configure(t *testing.T, tf *tfexec.Terraform, blocks []string) {
	t.Helper()
	config := c.Provider("", strings.Join(blocks, ""))
	if err := os.WriteFile(filepath.Join(tf.WorkingDir(), "main.tf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
}

// killAndApplyAgain kills a process during an apply, and applies again.
func (c *crashCloud) killAndApplyAgain(t *testing.T, tf *tfexec.Terraform, point crashPoint, target func(*testing.T, int)) {
	t.Helper()
	c.killDuringApply(t, tf, point, target)
	if err := tf.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (c *crashCloud) wantMigrations(t *testing.T, want int) {
	t.Helper()
	if got := c.Migrations(c.server); got != want {
		t.Errorf("got %d migrations of the server, want %d", got, want)
	}
}

// attributesInState returns the attributes of the server's migration in the state, or nil
// if the state has no such migration.
func (c *crashCloud) attributesInState(t *testing.T) map[string]any {
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

// wantStateOfCloud checks that the state agrees with the cloud.
func (c *crashCloud) wantStateOfCloud(t *testing.T, status, serverStatus string) {
	t.Helper()
	got := c.attributesInState(t)
	is, _ := c.Server(c.server)
	if got["status"] != status || got["server_status"] != is.Status || is.Status != serverStatus || got["destination_host_id"] != is.HostID {
		t.Errorf("got state %v, want that of the cloud: %+v", got, is)
	}
}

func wantNoChanges(t *testing.T, tf *tfexec.Terraform) {
	t.Helper()
	if changes, err := tf.Plan(t.Context()); err != nil || changes {
		t.Errorf("got changes %t (%v), want none", changes, err)
	}
}

// serve serves the cloud over HTTP, and returns its URL.
func (c *crashCloud) serve(t *testing.T) string {
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	return server.URL
}

// killDuringApply runs an apply, kills the process at the crash point, and returns the
// output of Terraform.
func (c *crashCloud) killDuringApply(t *testing.T, tf *tfexec.Terraform, point crashPoint, target func(*testing.T, int)) string {
	t.Helper()
	apply, output := c.apply(t, tf, point, target)
	err := apply.Wait()
	// A provider that still runs without its Terraform is killed too.
	_ = syscall.Kill(-apply.Process.Pid, syscall.SIGKILL)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kill != nil {
		t.Fatalf("no process was killed %s (%v):\n%s", point.name, err, output.String())
	}
	return output.String()
}

// apply starts Terraform in a process group of its own, with further environment
// variables. The process is killed at the crash point.
func (c *crashCloud) apply(t *testing.T, tf *tfexec.Terraform, point crashPoint, target func(*testing.T, int), environment ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	apply := exec.CommandContext(t.Context(), os.Getenv("TF_ACC_TERRAFORM_PATH"), "apply", "-auto-approve", "-input=false", "-no-color")
	apply.Dir = tf.WorkingDir()
	for name, value := range c.Environment(t, tf.WorkingDir()) {
		apply.Env = append(apply.Env, name+"="+value)
	}
	apply.Env = append(append(apply.Env, "TF_LOG_PROVIDER="+c.logs), environment...)
	apply.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// A provider that still runs without its Terraform keeps the output open. It has this
	// time to finish its work, and is killed then.
	apply.WaitDelay = 3 * time.Second
	var output bytes.Buffer
	apply.Stdout, apply.Stderr = &output, &output
	c.mu.Lock()
	defer c.mu.Unlock()
	c.point, c.seen, c.kill = point, 0, func() { target(t, apply.Process.Pid) }
	if err := apply.Start(); err != nil {
		t.Fatal(err)
	}
	return apply, &output
}

func TestAccServerMigration_stopsWaitingWhenItIsInterrupted(t *testing.T) {
	t.Parallel()
	timing := stub.ObservedTiming()
	timing.Migrate = time.Hour
	c := &crashCloud{cloudTest: newCloudTest(t, stub.Config{Timing: timing}, stub.Server{}), server: server, logs: "INFO"}
	c.URL = c.serve(t)
	tf := c.UnattachedTerraform(t, map[string]string{"main.tf": requiredProviders + c.config(autoConfirm)})

	output := c.killDuringApply(t, tf, crashPoints[2], func(t *testing.T, terraform int) {
		if err := syscall.Kill(terraform, syscall.SIGINT); err != nil {
			t.Errorf("cannot interrupt Terraform: %v", err)
		}
	})

	if !says("The wait for the migration of server web-1", "was cancelled", "continues without Terraform").MatchString(output) {
		t.Errorf("got %s, want an error that the wait was cancelled", output)
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
