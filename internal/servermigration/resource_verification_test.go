package servermigration_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// tellOf is a story about a server whose ports are really open, on loopback.
func tellOf(t *testing.T, health func(stub.Visit) stub.Health) (*story, *stub.Ports) {
	t.Helper()
	s := tell(t, stub.Config{}, stub.Server{AccessIPv4: "127.0.0.1", Health: health})
	ports, err := s.Listen(true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ports.Close)
	return s, ports
}

// tested is a verification of a server's own ports, with further arguments.
func tested(ports *stub.Ports, arguments string) string {
	return fmt.Sprintf(`
  verification = {
    tcp        = [{ port = %[1]d }]
    http       = [{ url = "http://:%[1]d/healthz?key=secret", status_codes = [200], body_contains = "ok" }]
    ssh_banner = [{ host = "127.0.0.1", port = %[2]d }]
    interval   = "50ms"
    timeout    = "1s"
    %[3]s
  }`, ports.Number(server, stub.PortHTTP), ports.Number(server, stub.PortSSH), arguments)
}

func (s *story) heal() { s.SetServer(server, func(v *stub.Server) { v.Health = nil }) }

func result(path string, value knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, tfjsonpath.New("verification_result").AtMapKey(path), value)
}

func TestAccServerMigration_confirmsAServerThatPassesItsVerification(t *testing.T) {
	s, ports := tellOf(t, nil)
	config := s.config(auto + tested(ports, `timeout = "1m"`))
	config = strings.Replace(config, "timeout    = \"1s\"\n", "", 1)
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

// check is a check that passed three times, at the first try.
func check(name string, ports *stub.Ports, port int, target string) knownvalue.Check {
	return knownvalue.ObjectExact(map[string]knownvalue.Check{
		"name": knownvalue.StringExact(name), "target": knownvalue.StringExact(fmt.Sprintf(target, ports.Number(server, port))),
		"passed": knownvalue.Bool(true), "attempts": knownvalue.Int64Exact(3), "last_error": knownvalue.Null(),
	})
}

func TestAccServerMigration_keepsAMigrationWhoseServerIsSick(t *testing.T) {
	s, ports := tellOf(t, stub.Homesick(stub.Wrong))
	config := s.config(auto + tested(ports, ""))
	s.run(resource.TestStep{
		Config: config,
		ExpectError: says("The migration of server web-1", "was not confirmed: the server did not pass its verification",
			"http[0], http://127.0.0.1:", "/healthz: tried", "it answered with status 503", "ssh_banner[0]", "it does not answer with an SSH banner",
			"awaits confirmation", "apply again", "in 23h"),
	}, resource.TestStep{
		PreConfig: func() {
			if v, _ := s.Server(server); v.Status != "VERIFY_RESIZE" || s.Count(stub.CallConfirm) > 0 {
				t.Errorf("got the server in %s after %d confirms, want it awaiting", v.Status, s.Count(stub.CallConfirm))
			}
			s.heal()
		},
		Config:            config,
		ConfigPlanChecks:  planned(plancheck.ResourceActionCreate),
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed"), result("passed", knownvalue.Bool(true))},
		Check:             resource.ComposeTestCheckFunc(s.tracks(), s.sent(stub.CallMigrate, 1), s.sent(stub.CallConfirm, 1), s.sent(stub.CallRevert, 0)),
	})
}

func TestAccServerMigration_rollsBackAServerThatIsSick(t *testing.T) {
	s, ports := tellOf(t, stub.Homesick(stub.Closed))
	home, _ := s.Server(server)
	s.run(s.leavesNothing(auto+tested(ports, `on_failure = "revert"`),
		says("The migration of server web-1", "was rolled back", "tcp[0], 127.0.0.1:", "the connection was refused",
			"back on its original host", "what was written since the migration is lost"))...)
	if v, _ := s.Server(server); v.Status != "ACTIVE" || v.HostID != home.HostID {
		t.Errorf("got the server %s on %s, want it ACTIVE on %s", v.Status, v.HostID, home.HostID)
	}
	if confirms, reverts := s.Count(stub.CallConfirm), s.Count(stub.CallRevert); confirms != 0 || reverts != 1 {
		t.Errorf("got %d confirms and %d reverts, want one revert", confirms, reverts)
	}
}

func TestAccServerMigration_testsTheServerBeforeALaterConfirm(t *testing.T) {
	s, ports := tellOf(t, stub.Homesick(stub.Dropped))
	later := s.config(auto + tested(ports, ""))
	s.run(resource.TestStep{
		Config:            s.config(tested(ports, "")),
		ConfigStateChecks: []statecheck.StateCheck{is("status", awaiting), isNull("verification_result")},
	}, resource.TestStep{
		Config:      later,
		ExpectError: says("was not confirmed", "the connection was closed before the answer was complete"),
	}, resource.TestStep{
		RefreshState:       true,
		ExpectNonEmptyPlan: true,
		Check: resource.ComposeTestCheckFunc(
			resource.TestCheckResourceAttr(address, "status", awaiting),
			resource.TestCheckResourceAttr(address, "verification_result.passed", "false"),
			resource.TestCheckResourceAttr(address, "verification_result.checks.1.last_error", "the connection was closed before the answer was complete"),
		),
	}, resource.TestStep{
		PreConfig:         s.heal,
		Config:            later,
		ConfigPlanChecks:  planned(plancheck.ResourceActionUpdate),
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed"), result("passed", knownvalue.Bool(true))},
		Check:             resource.ComposeTestCheckFunc(s.sent(stub.CallMigrate, 1), s.sent(stub.CallConfirm, 1)),
	})
}

func TestAccServerMigration_rollsBackAtALaterConfirm(t *testing.T) {
	s, ports := tellOf(t, stub.Homesick(stub.Wrong))
	later := s.config(auto + tested(ports, `on_failure = "revert"`))
	s.run(resource.TestStep{
		Config: s.config(""),
	}, resource.TestStep{
		Config:      later,
		ExpectError: says("was rolled back", "change triggers"),
	}, resource.TestStep{
		// It is not migrated again by itself.
		Config:            later,
		ConfigStateChecks: []statecheck.StateCheck{is("status", "reverted")},
		Check:             resource.ComposeTestCheckFunc(s.sent(stub.CallMigrate, 1), s.sent(stub.CallConfirm, 0)),
	})
}

func TestAccServerMigration_testsTheServerBeforeADestroyConfirms(t *testing.T) {
	s, ports := tellOf(t, stub.Homesick(stub.Wrong))
	config := s.config(confirm + tested(ports, ""))
	s.run(resource.TestStep{
		Config: config,
	}, resource.TestStep{
		Config: config, Destroy: true,
		ExpectError: says("was not confirmed: the server did not pass its verification"),
	}, resource.TestStep{
		PreConfig: s.heal,
		Config:    config, Destroy: true,
	})
	if got := s.Count(stub.CallConfirm); got != 1 {
		t.Errorf("got %d confirm requests, want 1", got)
	}
}

func TestAccServerMigration_waitsForAServerThatIsSlowToBoot(t *testing.T) {
	s, ports := tellOf(t, func(v stub.Visit) stub.Health {
		if !v.Home && v.Since < time.Second {
			return stub.Closed
		}
		return stub.Healthy
	})
	config := strings.Replace(s.config(auto+tested(ports, "")), `"1s"`, `"1m"`, 1)
	s.run(resource.TestStep{
		Config:            config,
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed"), result("passed", knownvalue.Bool(true))},
	})
}

func TestAccServerMigration_refusesAVerificationThatCannotBe(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	port := strconv.Itoa(stub.PortHTTP)
	var steps []resource.TestStep
	for verification, want := range map[string][]string{
		`{}`:                               {"verification", "has no check"},
		`{ tcp = [] }`:                     {"verification.tcp", "at least 1"},
		`{ tcp = [{ port = 0 }] }`:         {"verification.tcp[0].port", "from 1 to 65535"},
		`{ http = [{ url = "healthz" }] }`: {"verification.http[0].url", "http or https URL"},
		`{ tcp = [{ port = 22 }], timeout = "0s" }`:                                 {"verification.timeout", "greater than 0"},
		`{ tcp = [{ port = ` + port + ` }], interval = "-1s" }`:                     {"verification.interval", "at least 10ms"},
		`{ tcp = [{ port = 22 }], interval = "often" }`:                             {"verification.interval", "must be a duration", "often"},
		`{ tcp = [{ port = 22 }], successes = 0 }`:                                  {"verification.successes", "at least 1"},
		`{ tcp = [{ port = 22 }], timeout = "1s", interval = "1s", successes = 9 }`: {"verification.timeout", "too short for 9"},
		`{ tcp = [{ port = 22 }], on_failure = "panic" }`:                           {"on_failure", "keep"},
	} {
		steps = append(steps, resource.TestStep{
			Config: s.config("verification = " + verification), PlanOnly: true, ExpectError: says(want...),
		})
	}
	s.run(steps...)
	if got := len(s.Requests()); got != 0 {
		t.Errorf("got %d requests, want none", got)
	}
}

func TestAccServerMigration_needsSuccessesInARow(t *testing.T) {
	s, ports := tellOf(t, func(v stub.Visit) stub.Health {
		if !v.Home && v.Attempt <= 9 && v.Attempt%3 == 0 {
			return stub.Dropped
		}
		return stub.Healthy
	})
	s.run(resource.TestStep{
		Config: s.config(auto + fmt.Sprintf(`
  verification = {
    ssh_banner = [{ port = %d }]
    interval   = "50ms"
    timeout    = "1m"
  }`, ports.Number(server, stub.PortSSH))),
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed"), result("checks", knownvalue.ListPartial(map[int]knownvalue.Check{
			0: knownvalue.ObjectPartial(map[string]knownvalue.Check{"attempts": knownvalue.Int64Exact(12), "last_error": knownvalue.NotNull()}),
		}))},
	})
}

func TestAccServerMigration_confirmsNothingWhenItsTestIsCancelled(t *testing.T) {
	if os.Getenv("TF_ACC") == "" {
		t.Skip("acceptance tests run with TF_ACC set")
	}
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var begun sync.Once
	s, ports := tellOf(t, func(v stub.Visit) stub.Health {
		if !v.Home && v.Attempt > 0 {
			begun.Do(cancel) // as Ctrl-C would, in the middle of the test
			return stub.Wrong
		}
		return stub.Healthy
	})
	tf := s.terraform(map[string]string{"main.tf": requiredProviders + s.config(auto+strings.Replace(tested(ports, ""), `"1s"`, `"5m"`, 1))})
	if err := tf.Apply(ctx); err == nil {
		t.Error("got no error of an apply that was cancelled")
	}
	if v, _ := s.Server(server); v.Status != "VERIFY_RESIZE" || s.Count(stub.CallConfirm)+s.Count(stub.CallRevert) > 0 {
		t.Errorf("got the server in %s after %d confirms and %d reverts, want it awaiting", v.Status, s.Count(stub.CallConfirm), s.Count(stub.CallRevert))
	}
	s.heal()
	if err := tf.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	if migrates, confirms := s.Count(stub.CallMigrate), s.Count(stub.CallConfirm); migrates != 1 || confirms != 1 {
		t.Errorf("got %d migrates and %d confirms, want one each", migrates, confirms)
	}
}
