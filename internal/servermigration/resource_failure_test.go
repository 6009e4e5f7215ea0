package servermigration_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// says matches a diagnostic that has these texts in this order, however
// Terraform wraps its lines.
func says(texts ...string) *regexp.Regexp {
	for i, text := range texts {
		words := strings.Fields(text)
		for j, word := range words {
			words[j] = regexp.QuoteMeta(word)
		}
		texts[i] = strings.Join(words, `[\s│|]+`)
	}
	return regexp.MustCompile(`(?s)` + strings.Join(texts, `.*`))
}

// leavesNothing is a step that fails to create the migration, and leaves
// nothing tainted in the state: the next plan creates it, and replaces nothing.
func (s *story) leavesNothing(arguments string, want *regexp.Regexp) []resource.TestStep {
	return []resource.TestStep{
		{Config: s.config(arguments), ExpectError: want},
		{
			Config: s.config(arguments), PlanOnly: true, ExpectNonEmptyPlan: true,
			ConfigPlanChecks: resource.ConfigPlanChecks{PostApplyPreRefresh: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(address, plancheck.ResourceActionCreate),
			}},
		},
	}
}

func TestAccServerMigration_refusesWhatCannotBeMigrated(t *testing.T) {
	tests := []struct {
		name   string
		seed   stub.Server
		before func(*story) error
		atPlan bool
		want   *regexp.Regexp
	}{
		{
			"an unknown server", stub.Server{Region: "DFW"}, nil, true,
			says("There is no server "+server, "in region ORD", "404 itemNotFound", "Check server_id"),
		},
		{
			"an OnMetal server", stub.Server{FlavorID: "onmetal-compute1"}, nil, true,
			says("Cannot migrate server web-1", "OnMetal", "physical machine"),
		},
		{
			"a server in ERROR", stub.Server{Status: "ERROR"}, nil, false,
			says("Cannot migrate server web-1", "its status is ERROR", "starts from ACTIVE or SHUTOFF only"),
		},
		{
			"a server that somebody migrates", stub.Server{},
			func(s *story) error { return s.Migrate(server, "user-7") }, false,
			says("Cannot migrate server web-1", "it is being migrated already", "User user-7 asked for it", "request req-"),
		},
		{
			"a resize that awaits confirmation", stub.Server{},
			func(s *story) error {
				defer s.Advance(time.Minute)
				return s.Resize(server, "user-7")
			}, false,
			says("Cannot migrate server web-1", "a resize of it is pending", "User user-7 asked for it", "VERIFY_RESIZE"),
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := tell(t, stub.Config{}, test.seed)
			if test.before != nil {
				if err := test.before(s); err != nil {
					t.Fatal(err)
				}
			}
			steps := s.leavesNothing("auto_confirm = true", test.want)
			if test.atPlan {
				steps = []resource.TestStep{{Config: s.config("auto_confirm = true"), PlanOnly: true, ExpectError: test.want}}
			}
			s.run(steps...)
			if got := s.Count(stub.CallMigrate) + s.Count(stub.CallConfirm); got != 0 {
				t.Errorf("got %d requests that act, want none", got)
			}
		})
	}
}

func TestAccServerMigration_explainsEachResponseCode(t *testing.T) {
	tests := []struct {
		status int
		want   *regexp.Regexp
	}{
		{http.StatusBadRequest, says("Cannot migrate server web-1", "400 badRequest", "Request id: req-", "No migration was started", "Rackspace support")},
		{http.StatusUnauthorized, says("Cannot migrate server web-1", "401 unauthorized", "username from the provider block and api_key from the provider block")},
		{http.StatusForbidden, says("Cannot migrate server web-1", "403 forbidden", "The user lacks the right")},
		{http.StatusNotFound, says("Cannot migrate server web-1", "404 itemNotFound", "region ORD")},
		{http.StatusMethodNotAllowed, says("Cannot migrate server web-1", "405 badMethod", "compute_endpoint")},
		{http.StatusConflict, says("Cannot migrate server web-1", "409 conflictingRequest", "locked", "status is ACTIVE")},
		{http.StatusRequestEntityTooLarge, says("Cannot migrate server web-1", "413 overLimit", "rate limit", "raise the timeout")},
		{http.StatusInternalServerError, says("Cannot migrate server web-1", "500 computeFault", "No migration was started", "The API is in trouble")},
		{http.StatusServiceUnavailable, says("Cannot migrate server web-1", "503 serviceUnavailable", "No migration was started")},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.status), func(t *testing.T) {
			s := tell(t, stub.Config{}, stub.Server{})
			s.Inject(stub.Fault{Call: stub.CallMigrate, Status: test.status, RetryAfter: time.Second})
			timeout := "5m"
			if test.status == http.StatusRequestEntityTooLarge {
				timeout = "5s" // only this one waits for it
			}
			config := s.Provider("max_retries = 1", migrationBlock(fmt.Sprintf("timeouts {\n  create = %q\n}", timeout)))
			s.run(resource.TestStep{Config: config, ExpectError: test.want})
			if got := s.Migrations(server); got != 0 {
				t.Errorf("got %d migrations, want none", got)
			}
		})
	}
}

func TestAccServerMigration_explainsAServerThatMayNotBeMoved(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{ResizeNotAllowed: true})
	s.run(s.leavesNothing("", says("403 resizeNotAllowed", "Rackspace does not allow this server to be migrated"))...)
}

func TestAccServerMigration_showsNoProxyPages(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	fault := stub.HTML(http.StatusBadGateway)
	fault.Call = stub.CallServer
	s.Inject(fault)
	s.run(resource.TestStep{
		Config:      s.Provider("max_retries = 0", migrationBlock("")),
		ExpectError: says("Cannot read server "+server, "The API says: 502 Bad Gateway, without a fault in the answer", "Nothing was changed"),
	})
}

func TestAccServerMigration_callsASilentFailureAFailure(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{Outcome: stub.OutcomeNoValidHost})
	s.run(s.leavesNothing("auto_confirm = true",
		says("The migration of server web-1", "failed", "status ACTIVE, on its original host", "Migrate request: req-", "not harmed"))...)
}

func TestAccServerMigration_showsTheFaultOfAServerInError(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{Outcome: stub.OutcomeFails})
	s.run(s.leavesNothing("auto_confirm = true",
		says("The migration of server web-1", "failed", "status ERROR", "500 RuntimeError", "Rackspace support"))...)
}

func TestAccServerMigration_leavesNothingInTheStateWhenItTimesOut(t *testing.T) {
	timing := stub.ObservedTiming()
	timing.Migrate = time.Hour
	s := tell(t, stub.Config{Timing: timing}, stub.Server{})
	s.run(s.leavesNothing("timeouts {\n  create = \"2s\"\n}",
		says("did not end within its timeout", "goes on in the cloud", "status is RESIZE", "Migrate request: req-"))...)
	if got := s.Count(stub.CallMigrate); got != 1 {
		t.Errorf("got %d migrate requests, want 1", got)
	}
}

func TestAccServerMigration_savesTheStateWhenItTimesOutAfterTheConfirm(t *testing.T) {
	timing := stub.ObservedTiming().Scaled(15)
	timing.ConfirmStale = time.Hour
	s := tell(t, stub.Config{Timing: timing}, stub.Server{})
	config := s.config("auto_confirm = true\ntimeouts {\n  create = \"6s\"\n}")
	s.run(resource.TestStep{
		// Not an error: the next refresh sees the end. Until then a confirm is planned.
		Config:             config,
		ExpectNonEmptyPlan: true,
		ConfigStateChecks:  []statecheck.StateCheck{is("status", "awaiting_confirmation")},
	}, resource.TestStep{
		PreConfig:         func() { s.Advance(2 * time.Hour) },
		Config:            config,
		ConfigPlanChecks:  unchanged,
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed")},
		Check:             s.sent(stub.CallConfirm, 1),
	})
}

func TestAccServerMigration_namesTheRequestOnceTheLogTells(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	s.Inject(stub.Fault{Call: stub.CallMigrate, Effect: true, Header: http.Header{"X-Compute-Request-Id": nil, "X-Openstack-Request-Id": nil}, Count: 1})
	s.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden})
	s.run(resource.TestStep{
		Config:            s.config(""),
		ConfigStateChecks: []statecheck.StateCheck{isNull("request_id")},
	}, resource.TestStep{
		PreConfig:         s.ClearFaults,
		Config:            s.config("auto_confirm = true"),
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed")},
		Check:             s.tracks(),
	})
}

func TestAccServerMigration_keepsAMigrationWhoseConfirmIsRefused(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	s.run(resource.TestStep{
		Config: s.config(""),
	}, resource.TestStep{
		PreConfig:   func() { s.Inject(stub.Fault{Call: stub.CallConfirm, Status: http.StatusForbidden, Count: 1}) },
		Config:      s.config("auto_confirm = true"),
		ExpectError: says("Cannot confirm the migration of server web-1", "403 forbidden", "still awaits confirmation", "by 20"),
	}, resource.TestStep{
		Config:            s.config("auto_confirm = true"),
		ConfigPlanChecks:  planned(plancheck.ResourceActionUpdate),
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed")},
		Check:             s.sent(stub.CallMigrate, 1),
	})
}

func TestAccServerMigration_refusesAServerIDThatIsNone(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	var steps []resource.TestStep
	for _, id := range []string{"", "web-1", strings.ToUpper(server), server + "/action", "../" + server} {
		steps = append(steps, resource.TestStep{
			Config:      s.Provider("", strings.Replace(migrationBlock(""), server, id, 1)),
			PlanOnly:    true,
			ExpectError: says("server_id", "must be the UUID of a server in lower case"),
		})
	}
	s.run(steps...)
	if got := len(s.Requests()); got != 0 {
		t.Errorf("got %d requests, want none", got)
	}
}

func TestAccServerMigration_startsNothingMoreAfterAFailure(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{Outcome: stub.OutcomeNoValidHost})
	ids := []string{server}
	for _, name := range []string{"web-2", "web-3"} {
		ids = append(ids, s.AddServer(stub.Server{Name: name, Outcome: stub.OutcomeNoValidHost}))
	}
	s.run(resource.TestStep{
		Config: s.Provider("max_concurrent_migrations = 1\nstop_after_failures = 1", fmt.Sprintf(`
resource "rackspace_server_migration" "fleet" {
  count        = 3
  server_id    = [%q, %q, %q][count.index]
  auto_confirm = true
}`, ids[0], ids[1], ids[2])),
		ExpectError: says("The migration of server", "was not started", "stop_after_failures", "The migration of server web-", "failed", "No migration of this server was asked for"),
	})
	if got := s.Count(stub.CallMigrate); got != 1 {
		t.Errorf("got %d migrate requests, want 1", got)
	}
}
