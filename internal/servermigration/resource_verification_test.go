package servermigration_test

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// newCloudTestWithPorts is a test with a server whose ports are open on the loopback network.
func newCloudTestWithPorts(t *testing.T, health func(stub.Visit) stub.Health) (*cloudTest, *stub.Ports) {
	t.Helper()
	s := newCloudTest(t, stub.Config{}, stub.Server{AccessIPv4: "127.0.0.1", Health: health})
	ports, err := s.Listen(true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ports.Close)
	return s, ports
}

// failsAfter is the timeout of a verification that is expected to fail. passesWithin is the
// timeout of one that is expected to pass. It is long, and only ends a test that hangs.
const (
	failsAfter   = "2s"
	passesWithin = "5m"
)

// verificationOf is a verification of the server's open ports, with further arguments.
func verificationOf(ports *stub.Ports, timeout string, arguments object) object {
	config := object{
		"tcp":        []any{object{"port": ports.Number(server, stub.PortHTTP)}},
		"http":       []any{object{"url": healthz(ports), "status_codes": []any{200}, "body_contains": "ok"}},
		"ssh_banner": []any{object{"host": "127.0.0.1", "port": ports.Number(server, stub.PortSSH)}},
		"interval":   "50ms",
		"timeout":    timeout,
	}
	maps.Copy(config, arguments)
	return config
}

func healthz(ports *stub.Ports) string {
	return fmt.Sprintf("http://:%d/healthz?key=secret", ports.Number(server, stub.PortHTTP))
}

// verificationBlock is the same verification as text of a configuration.
func verificationBlock(ports *stub.Ports) string {
	return fmt.Sprintf(`
  verification = {
    tcp        = [{ port = %[1]d }]
    http       = [{ url = %[3]q, status_codes = [200], body_contains = "ok" }]
    ssh_banner = [{ host = "127.0.0.1", port = %[2]d }]
    interval   = "50ms"
    timeout    = %[4]q
  }`, ports.Number(server, stub.PortHTTP), ports.Number(server, stub.PortSSH), healthz(ports), passesWithin)
}

func repair(cloud *stub.Stub) { cloud.SetServer(server, func(v *stub.Server) { v.Health = nil }) }

func result(path string, value knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, tfjsonpath.New("verification_result").AtMapKey(path), value)
}

func TestAccServerMigration_confirmsAServerThatPassesItsVerification(t *testing.T) {
	s, ports := newCloudTestWithPorts(t, nil)
	config := s.config(autoConfirm + verificationBlock(ports))
	s.run(resource.TestStep{
		Config: config,
		ConfigStateChecks: []statecheck.StateCheck{
			is("status", "confirmed"),
			result("passed", knownvalue.Bool(true)),
			result("checked_at", knownvalue.NotNull()),
			result("checks", knownvalue.ListExact([]knownvalue.Check{
				check("tcp[0]", ports, stub.PortHTTP, "127.0.0.1:%d"),
				check("http[0]", ports, stub.PortHTTP, "http://127.0.0.1:%d/healthz"),
				check("ssh_banner[0]", ports, stub.PortSSH, "127.0.0.1:%d"),
			})),
		},
		Check: resource.ComposeTestCheckFunc(s.sent(stub.CallMigrate, 1), s.sent(stub.CallConfirm, 1)),
	}, resource.TestStep{
		Config:           config,
		ConfigPlanChecks: unchanged,
	})
}

// check is the result of a check that passed three times in a row. An attempt can fail first
// if the port is not open on the new host yet.
func check(name string, ports *stub.Ports, port int, target string) knownvalue.Check {
	return knownvalue.ObjectPartial(map[string]knownvalue.Check{
		"name": knownvalue.StringExact(name), "target": knownvalue.StringExact(fmt.Sprintf(target, ports.Number(server, port))),
		"passed": knownvalue.Bool(true), "attempts": knownvalue.Int64Func(func(attempts int64) error {
			if attempts < 3 {
				return fmt.Errorf("got %d attempts, want at least 3", attempts)
			}
			return nil
		}),
	})
}

func TestServerMigration_keepsAMigrationWhoseServerIsUnhealthy(t *testing.T) {
	t.Parallel()
	cloud, ports := newCloudTestWithPorts(t, stub.HealthyOnOriginalHost(stub.Wrong))
	s := cloud.overHTTP()
	config := func(timeout string) object {
		return migrationOf(object{"auto_confirm": true, "verification": verificationOf(ports, timeout, nil)})
	}
	s.wantRefused(config(failsAfter), "The migration of server web-1", "was not confirmed: the server did not pass its verification",
		"http[0], http://127.0.0.1:", "/healthz: ", "it answered with status 503", "ssh_banner[0]", "it does not answer with an SSH banner",
		"awaits confirmation", "apply again", "in 23h")
	if v, _ := s.Server(server); v.Status != "VERIFY_RESIZE" {
		t.Errorf("got the server in %s, want it awaiting confirmation", v.Status)
	}
	s.wantSent(sent{migrates: 1})

	repair(s.Stub)
	s.wantPlan(config(passesWithin), acctest.Create)
	s.mustApply(config(passesWithin))
	s.want(map[string]string{"status": "confirmed", "verification_result.passed": "true", "request_id": newestMigrate(s.Stub)})
	s.wantSent(sent{migrates: 1, confirms: 1})
}

func TestServerMigration_rollsBackAServerThatIsUnhealthy(t *testing.T) {
	t.Parallel()
	cloud, ports := newCloudTestWithPorts(t, stub.HealthyOnOriginalHost(stub.Closed))
	s := cloud.overHTTP()
	original, _ := s.Server(server)
	// The stub closes the ports a moment after the move. Three attempts in a row take longer
	// than that, so they cannot pass.
	test := verificationOf(ports, failsAfter, object{"on_failure": "revert", "interval": "500ms"})
	s.wantNothingLeft(migrationOf(object{"auto_confirm": true, "verification": test}),
		"The migration of server web-1", "was reverted: the server did not pass its verification", "tcp[0], 127.0.0.1:", "the connection was refused",
		"back on its original host", "What was written to its local disks since the migration is lost")
	if v, _ := s.Server(server); v.Status != "ACTIVE" || v.HostID != original.HostID {
		t.Errorf("got the server %s on %s, want it ACTIVE on %s", v.Status, v.HostID, original.HostID)
	}
	s.wantSent(sent{migrates: 1, reverts: 1})
}

func TestServerMigration_testsTheServerBeforeALaterConfirm(t *testing.T) {
	t.Parallel()
	cloud, ports := newCloudTestWithPorts(t, stub.HealthyOnOriginalHost(stub.Dropped))
	s := cloud.overHTTP()
	wantWarned(t, s.mustApply(migrationOf(object{"verification": verificationOf(ports, failsAfter, nil)})), "did not pass its verification on its new host")
	s.want(map[string]string{"status": awaiting, "verification_result.passed": "false"})

	s.wantRefused(migrationOf(object{"auto_confirm": true, "verification": verificationOf(ports, failsAfter, nil)}),
		"was not confirmed", "ssh_banner[0]", "it does not answer with an SSH banner")
	s.want(map[string]string{
		"status":                     awaiting,
		"verification_result.passed": "false",
		"verification_result.checks.2.last_error": "it does not answer with an SSH banner",
	})

	repair(s.Stub)
	config := migrationOf(object{"auto_confirm": true, "verification": verificationOf(ports, passesWithin, nil)})
	s.wantPlan(config, acctest.Update)
	s.mustApply(config)
	s.want(map[string]string{"status": "confirmed", "verification_result.passed": "true"})
	s.wantSent(sent{migrates: 1, confirms: 1})
}

func TestServerMigration_rollsBackAtALaterConfirm(t *testing.T) {
	t.Parallel()
	cloud, ports := newCloudTestWithPorts(t, stub.HealthyOnOriginalHost(stub.Wrong))
	s := cloud.overHTTP()
	s.mustApply(migrationOf(nil))
	later := migrationOf(object{"auto_confirm": true, "verification": verificationOf(ports, failsAfter, object{"on_failure": "revert"})})
	s.wantRefused(later, "was reverted: the server did not pass its verification", "change triggers")
	// The next apply does not migrate the server again.
	s.mustApply(later)
	s.want(map[string]string{"status": "reverted"})
	s.wantSent(sent{migrates: 1, reverts: 1})
}

func TestServerMigration_testsTheServerBeforeADestroyConfirms(t *testing.T) {
	t.Parallel()
	cloud, ports := newCloudTestWithPorts(t, stub.HealthyOnOriginalHost(stub.Wrong))
	s := cloud.overHTTP()
	config := func(timeout string) object {
		return migrationOf(object{"on_destroy": "confirm", "verification": verificationOf(ports, timeout, nil)})
	}
	s.mustApply(config(failsAfter))
	s.wantRefused(nil, "was not confirmed: the server did not pass its verification")
	s.wantSent(sent{migrates: 1})

	repair(s.Stub)
	s.mustApply(config(passesWithin))
	s.mustApply(nil)
	s.wantSent(sent{migrates: 1, confirms: 1})
}

func TestServerMigration_waitsForAServerThatIsSlowToBoot(t *testing.T) {
	t.Parallel()
	cloud, ports := newCloudTestWithPorts(t, func(v stub.Visit) stub.Health {
		if !v.Home && v.Since < time.Second {
			return stub.Closed
		}
		return stub.Healthy
	})
	s := cloud.overHTTP()
	s.mustApply(migrationOf(object{"auto_confirm": true, "verification": verificationOf(ports, passesWithin, nil)}))
	s.want(map[string]string{"status": "confirmed", "verification_result.passed": "true"})
}

func TestServerMigration_needsSuccessesInARow(t *testing.T) {
	t.Parallel()
	var connections atomic.Int64 // on the new host
	cloud, ports := newCloudTestWithPorts(t, func(v stub.Visit) stub.Health {
		if v.Home {
			return stub.Healthy
		}
		connections.Store(int64(v.Attempt))
		if v.Attempt <= 9 && v.Attempt%3 == 0 {
			return stub.Dropped
		}
		return stub.Healthy
	})
	s := cloud.overHTTP()
	s.mustApply(migrationOf(object{"auto_confirm": true, "verification": object{
		"ssh_banner": []any{object{"port": ports.Number(server, stub.PortSSH)}}, "interval": "50ms", "timeout": passesWithin,
	}}))
	s.want(map[string]string{"status": "confirmed"})
	if got := connections.Load(); got != 12 {
		t.Errorf("got %d connections, want 12: only the last three pass in a row", got)
	}
	if s.state.Get("verification_result.checks.0.last_error") == "" {
		t.Error("got no last_error, want that of the last failed attempt")
	}
}

func TestServerMigration_refusesAnInvalidVerification(t *testing.T) {
	tcp := []any{object{"port": 22}}
	for _, test := range []struct {
		verification object
		want         []string
	}{
		{object{}, []string{"verification", "has no check"}},
		{object{"tcp": []any{}}, []string{"verification.tcp", "at least 1"}},
		{object{"tcp": []any{object{"port": 0}}}, []string{"verification.tcp[0].port", "from 1 to 65535"}},
		{object{"http": []any{object{"url": "healthz"}}}, []string{"verification.http[0].url", "http or https URL"}},
		{object{"tcp": tcp, "timeout": "0s"}, []string{"verification.timeout", "greater than 0"}},
		{object{"tcp": tcp, "interval": "-1s"}, []string{"verification.interval", "at least 10ms"}},
		{object{"tcp": tcp, "interval": "often"}, []string{"verification.interval", "must be a duration", "often"}},
		{object{"tcp": tcp, "successes": 0}, []string{"verification.successes", "at least 1"}},
		{object{"tcp": tcp, "timeout": "1s", "interval": "1s", "successes": 9}, []string{"verification.timeout", "too short for 9"}},
		{object{"tcp": tcp, "on_failure": "panic"}, []string{"on_failure", "keep"}},
	} {
		inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
			s.wantRefused(migrationOf(object{"verification": test.verification}), test.want...)
			if got := len(s.Requests()); got != 0 {
				t.Errorf("got %d requests, want none", got)
			}
		})
	}
}

func TestAccServerMigration_confirmsNothingWhenItsTestIsCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var begun sync.Once
	s, ports := newCloudTestWithPorts(t, func(v stub.Visit) stub.Health {
		if !v.Home && v.Attempt > 0 {
			begun.Do(cancel) // as Ctrl-C does, during the verification
			return stub.Wrong
		}
		return stub.Healthy
	})
	tf := s.UnattachedTerraform(t, map[string]string{"main.tf": requiredProviders + s.config(autoConfirm+verificationBlock(ports))})
	if err := tf.Apply(ctx); err == nil {
		t.Error("got no error from a cancelled apply, want one")
	}
	if v, _ := s.Server(server); v.Status != "VERIFY_RESIZE" || s.Count(stub.CallConfirm)+s.Count(stub.CallRevert) > 0 {
		t.Errorf("got the server in %s after %d confirms and %d reverts, want it in VERIFY_RESIZE after none", v.Status, s.Count(stub.CallConfirm), s.Count(stub.CallRevert))
	}
	repair(s.Stub)
	if err := tf.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	if migrates, confirms := s.Count(stub.CallMigrate), s.Count(stub.CallConfirm); migrates != 1 || confirms != 1 {
		t.Errorf("got %d migrates and %d confirms, want one each", migrates, confirms)
	}
}
