//go:build bench

package bench

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestMain(m *testing.M) {
	fleetCases = append(fleetCases, fleetCase{10000, tenMinutes})
	status := m.Run()
	acctest.RemoveMirror()
	os.Exit(status)
}

// usage is what one run of Terraform took.
type usage struct {
	wall   time.Duration // from its start to its end
	memory float64       // peak memory of the provider, in MiB
	cpu    float64       // processor time of the provider, in seconds
}

// workspace is a configuration of n migrations, and a cloud for them.
type workspace struct {
	*stub.Stub
	url, dir  string
	cliConfig string // configuration file of Terraform that says which provider runs
}

// idle lets Terraform use the idle provider in the workspace.
func (w *workspace) idle(t *testing.T) *workspace {
	t.Helper()
	build(t, w.dir, "./idle", "terraform-provider-rackspace")
	w.cliConfig = filepath.Join(w.dir, "idle.tfrc")
	text := fmt.Sprintf("provider_installation {\n  dev_overrides { \"terraform-provider-rackspace/rackspace\" = %q }\n  direct {}\n}\n", w.dir)
	if err := os.WriteFile(w.cliConfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

func newWorkspace(t *testing.T, n int, timing stub.Timing, pollInterval, arguments string) *workspace {
	t.Helper()
	w := &workspace{Stub: stub.New(stub.Config{Timing: timing}), dir: t.TempDir(), cliConfig: acctest.Mirror(t)}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	w.url = server.URL
	var ids []string
	for range n {
		ids = append(ids, strconv.Quote(w.AddServer(stub.Server{})))
	}
	// The limits of requests are so high that they slow down nothing.
	config := fmt.Sprintf(`
terraform {
  required_providers {
    rackspace = { source = "terraform-provider-rackspace/rackspace" }
  }
}
provider "rackspace" {
  poll_interval       = %q
  requests_per_minute = { read = 1000000, write = 1000000 }
}
locals {
  servers = [%s]
}
resource "rackspace_server_migration" "fleet" {
  count     = length(local.servers)
  server_id = local.servers[count.index]
  %s
}
`, pollInterval, strings.Join(ids, ", "), arguments)
	if err := os.WriteFile(filepath.Join(w.dir, "main.tf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	w.run(t, "init", "-input=false")
	return w
}

// run runs Terraform, and measures it and its provider.
func (w *workspace) run(t *testing.T, args ...string) usage {
	t.Helper()
	terraform := exec.CommandContext(t.Context(), os.Getenv("TF_ACC_TERRAFORM_PATH"), args...)
	terraform.Dir = w.dir
	terraform.Env = []string{
		"TF_CLI_CONFIG_FILE=" + w.cliConfig, "CHECKPOINT_DISABLE=1", "HOME=" + w.dir, "TF_IN_AUTOMATION=1", "PATH=" + os.Getenv("PATH"),
		"RACKSPACE_USERNAME=" + stub.DefaultUser.Name, "RACKSPACE_API_KEY=" + stub.DefaultUser.APIKey, "RACKSPACE_IDENTITY_ENDPOINT=" + w.url + "/v2.0/",
	}
	terraform.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var output bytes.Buffer
	terraform.Stdout, terraform.Stderr = &output, &output
	began := time.Now()
	if err := terraform.Start(); err != nil {
		t.Fatal(err)
	}
	var used usage
	done, ended := make(chan error, 1), false
	go func() { done <- terraform.Wait() }()
	for tick := time.NewTicker(50 * time.Millisecond); !ended; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("terraform %s: %v\n%s", args[0], err, output.String())
			}
			ended = true
		case <-tick.C:
			used.sample(terraform.Process.Pid)
		}
	}
	used.wall = time.Since(began)
	return used
}

// sample reads what the providers of a process group have taken so far. Terraform can start
// several; the one that takes the most counts, because it does the work.
func (u *usage) sample(group int) {
	for _, pid := range acctest.ProviderProcesses(group) {
		dir := fmt.Sprintf("/proc/%d", pid)
		stat, _ := os.ReadFile(filepath.Join(dir, "stat"))
		status, _ := os.ReadFile(filepath.Join(dir, "status"))
		_, rest, _ := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(rest); len(fields) > 12 { // else it has just ended
			user, _ := strconv.ParseFloat(fields[11], 64)
			system, _ := strconv.ParseFloat(fields[12], 64)
			u.cpu = max(u.cpu, (user+system)/100) // clock ticks
		}
		for line := range strings.Lines(string(status)) {
			if value, found := strings.CutPrefix(line, "VmHWM:"); found {
				kib, _ := strconv.ParseFloat(strings.Fields(value)[0], 64)
				u.memory = max(u.memory, kib/1024)
			}
		}
	}
}

// compareTime adds the processor time of our provider and of the idle provider, in seconds.
// most is the largest ratio that is allowed. A ratio depends less on the machine than seconds do.
func (r *Table) compareTime(of string, ours, idle, most float64) {
	r.t.Helper()
	r.Note(of, "provider's processor time", ours, "s")
	r.Note(of, "idle provider's processor time", idle, "s")
	r.Most(of, "provider's processor time, against the idle one", ours/idle, most, "")
}

// TestProcesses applies fleets with real processes.
func TestProcesses(t *testing.T) {
	table := NewTable(t, "Terraform applies N migrations of 2 s, polled every 200 ms")
	timing := stub.ObservedTiming().Scaled(3.6)
	for _, n := range []int{1, 10, 100, 1000} {
		for _, parallelism := range slices.Compact([]int{min(10, n), n}) {
			of := fmt.Sprintf("N = %d, -parallelism=%d", n, parallelism)
			w := newWorkspace(t, n, timing, "200ms", "auto_confirm = true")
			used := w.run(t, "apply", "-auto-approve", "-input=false", fmt.Sprintf("-parallelism=%d", parallelism))
			ideal := time.Duration((n+parallelism-1)/parallelism) * (2 * time.Second)
			table.Note(of, "wall time", used.wall.Seconds(), "s")
			table.Note(of, "wall time, against the migrations alone", used.wall.Seconds()/ideal.Seconds(), "")
			table.Note(of, "provider's peak memory", used.memory, "MiB")
			table.Note(of, "provider's processor time", used.cpu, "s")
			if n == 1000 && parallelism == n {
				before := len(w.Requests())
				refreshed := w.run(t, "plan", "-refresh-only", "-input=false")
				table.Note("refresh of 1000 that have ended", "wall time", refreshed.wall.Seconds(), "s")
				table.Most("refresh of 1000 that have ended", "requests", float64(len(w.Requests())-before), 0, "")
			}
		}
	}
	// One list serves all refreshes of a poll interval. 30 s is longer than they take together.
	w := newWorkspace(t, 1000, timing, "30s", "")
	w.run(t, "apply", "-auto-approve", "-input=false", "-parallelism=1000")
	before := len(w.Requests())
	refreshed := w.run(t, "plan", "-refresh-only", "-input=false")
	table.Note("refresh of 1000 that await confirmation, polled every 30 s", "wall time", refreshed.wall.Seconds(), "s")
	table.Most("refresh of 1000 that await confirmation, polled every 30 s", "requests, a token among them", float64(len(w.Requests())-before), 3, "") // the others are one read and one list
}

// TestWaiting applies a thousand migrations of ten minutes, all at the same time.
func TestWaiting(t *testing.T) {
	table := NewTable(t, "1000 migrations of 10 minutes in flight at once")
	timing := stub.ObservedTiming()
	timing.Migrate = 10 * time.Minute
	apply := []string{"apply", "-auto-approve", "-input=false", "-parallelism=1000"}
	idle := newWorkspace(t, 1000, timing, "2s", "auto_confirm = true").idle(t).run(t, apply...)
	used := newWorkspace(t, 1000, timing, "2s", "auto_confirm = true").run(t, apply...)
	table.Note("N = 1000", "wall time", used.wall.Seconds(), "s")
	table.Most("N = 1000", "provider's peak memory", used.memory, 256, "MiB")
	table.compareTime("N = 1000", used.cpu, idle.cpu, 2.5)
}
