package servermigration_test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// A provider that writes logs ends by itself on Unix, because the pipe for its logs is
// closed. A provider without logs must find out that Terraform has ended.
func TestAccServerMigration_endsWhenTerraformIsKilled(t *testing.T) {
	t.Parallel()
	for name, environment := range map[string][]string{
		"with logs":    nil,
		"without logs": {"TF_LOG_SDK=OFF", "TF_LOG_PROVIDER_RACKSPACE=OFF"},
	} {
		t.Run(name, func(t *testing.T) {
			timing := stub.ObservedTiming()
			timing.Migrate = time.Hour
			c := &crashCloud{cloudTest: newCloudTest(t, stub.Config{Timing: timing}, stub.Server{}), server: server}
			c.URL = c.serve(t)
			tf := c.UnattachedTerraform(t, map[string]string{"main.tf": requiredProviders + c.config(autoConfirm)})
			orphan, ended := make(chan int, 1), make(chan struct{})
			apply, _ := c.apply(t, tf, crashPoints[2], func(t *testing.T, terraform int) {
				provider := providerOf(t, terraform)
				kill(t, terraform)
				orphan <- provider
				<-ended // the provider waits for the answer to this poll
			}, environment...)
			defer func() { _ = syscall.Kill(-apply.Process.Pid, syscall.SIGKILL) }()
			defer close(ended)

			provider := <-orphan
			_ = apply.Wait()
			before := len(c.Requests())
			c.Advance(2 * time.Hour) // the next poll would see that the server has moved

			for deadline := time.Now().Add(10 * time.Second); runs(provider); time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("the provider still runs 10 s after Terraform was killed")
				}
			}
			if after := c.Requests()[before:]; len(after) > 0 {
				t.Errorf("got %d requests after the end of Terraform, the first one a %s, want none", len(after), after[0].Call)
			}
		})
	}
}

// runs tells whether a process still runs. A process that has ended is listed as a zombie
// until its parent has read its exit status.
func runs(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
