package servermigration_test

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// says matches a diagnostic that has these texts in this order, also when Terraform has
// wrapped its lines.
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

// wantNothingLeft applies, and checks that an error has these texts in this order. The state
// must have no migration afterwards: Terraform would mark it as tainted, and replace it. So
// the next plan creates a migration.
func (s *protocolTest) wantNothingLeft(config object, texts ...string) {
	s.t.Helper()
	s.wantRefused(config, texts...)
	if s.state.Exists() {
		s.t.Error("got a migration in the state, want none")
	}
	s.wantPlan(config, acctest.Create)
}

// With Terraform itself: the plan after a failed apply is a create.
func TestAccServerMigration_isCreatedAgainAfterAFailure(t *testing.T) {
	s := newCloudTest(t, stub.Config{}, stub.Server{Outcome: stub.OutcomeNoValidHost})
	s.run(resource.TestStep{
		Config: s.config(autoConfirm), ExpectError: says("The migration of server web-1", "failed"),
	}, resource.TestStep{
		Config: s.config(autoConfirm), PlanOnly: true, ExpectNonEmptyPlan: true,
		ConfigPlanChecks: resource.ConfigPlanChecks{PostApplyPreRefresh: []plancheck.PlanCheck{
			plancheck.ExpectResourceAction(address, plancheck.ResourceActionCreate),
		}},
	})
}

func TestServerMigration_refusesWhatCannotBeMigrated(t *testing.T) {
	tests := []struct {
		name   string
		seed   stub.Server
		before func(*stub.Stub) error
		atPlan bool
		want   []string
	}{
		{
			"an unknown server", stub.Server{Region: "DFW"}, nil, true,
			[]string{"There is no server " + server, "in region ORD", "404 itemNotFound", "Check server_id"},
		},
		{
			"an OnMetal server", stub.Server{FlavorID: "onmetal-compute1"}, nil, true,
			[]string{"Cannot migrate server web-1", "OnMetal", "physical machine"},
		},
		{
			"a server in ERROR", stub.Server{Status: "ERROR"}, nil, false,
			[]string{"Cannot migrate server web-1", "its status is ERROR", "starts from ACTIVE or SHUTOFF only"},
		},
		{
			"a server that somebody else migrates", stub.Server{},
			func(cloud *stub.Stub) error { return cloud.Migrate(server, "user-7") }, false,
			[]string{"Cannot migrate server web-1", "a migration of it is pending", "User user-7 requested it", "request req-"},
		},
		{
			"a resize that awaits confirmation", stub.Server{},
			func(cloud *stub.Stub) error {
				defer time.Sleep(time.Minute)
				return cloud.Resize(server, "user-7")
			}, false,
			[]string{"Cannot migrate server web-1", "a resize of it is pending", "User user-7 requested it", "VERIFY_RESIZE"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inVirtualTime(t, stub.Config{}, test.seed, func(s *protocolTest) {
				if test.before != nil {
					if err := test.before(s.Stub); err != nil {
						t.Fatal(err)
					}
				}
				config := migrationOf(object{"auto_confirm": true})
				if _, planned := s.plan(config); planned.HasError() != test.atPlan {
					t.Errorf("got an error in the plan: %t, want %t\n%s", !test.atPlan, test.atPlan, planned)
				}
				if test.atPlan {
					s.wantRefused(config, test.want...)
				} else {
					s.wantNothingLeft(config, test.want...)
				}
				s.wantSent(sent{})
			})
		})
	}
}

func TestServerMigration_explainsEachResponseCode(t *testing.T) {
	tests := []struct {
		status int
		want   []string
	}{
		{http.StatusBadRequest, []string{"Cannot migrate server web-1", "400 badRequest", "Request id: req-", "No migration was started", "the cloud's support"}},
		{http.StatusUnauthorized, []string{"Cannot migrate server web-1", "401 unauthorized", "username from the provider block and api_key from the provider block"}},
		{http.StatusForbidden, []string{"Cannot migrate server web-1", "403 forbidden", "The user may not do this"}},
		{http.StatusNotFound, []string{"Cannot migrate server web-1", "404 itemNotFound", "region ORD"}},
		{http.StatusMethodNotAllowed, []string{"Cannot migrate server web-1", "405 badMethod", "compute_endpoint"}},
		{http.StatusConflict, []string{"Cannot migrate server web-1", "409 conflictingRequest", "locked", "status is ACTIVE"}},
		{http.StatusRequestEntityTooLarge, []string{"Cannot migrate server web-1", "413 overLimit", "rate limit", "raise the timeout"}},
		{http.StatusInternalServerError, []string{"Cannot migrate server web-1", "500 computeFault", "No migration was started", "The API has a problem"}},
		{http.StatusServiceUnavailable, []string{"Cannot migrate server web-1", "503 serviceUnavailable", "No migration was started"}},
	}
	for _, test := range tests {
		// The timeout must not end during a request, because that request may have been
		// accepted. So the timeout is not a multiple of Retry-After.
		t.Run(strconv.Itoa(test.status), func(t *testing.T) {
			inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
				s.Inject(stub.Fault{Call: stub.CallMigrate, Status: test.status, RetryAfter: time.Second})
				s.wantRefused(migrationOf(object{"timeouts": object{"create": "5m0.5s"}}), test.want...)
				if got := s.Migrations(server); got != 0 {
					t.Errorf("got %d migrations, want none", got)
				}
			})
		})
	}
}

func TestServerMigration_explainsAServerThatMayNotBeMoved(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{ResizeNotAllowed: true}, func(s *protocolTest) {
		s.wantNothingLeft(migrationOf(nil), "403 resizeNotAllowed", "The cloud does not allow this server to be migrated")
	})
}

func TestServerMigration_showsNoProxyPages(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		fault := stub.HTML(http.StatusBadGateway)
		fault.Call = stub.CallServer
		s.Inject(fault)
		s.wantRefused(migrationOf(nil),
			"Cannot read server "+server, "The API says: 502 Bad Gateway (the answer has no message", "Nothing was changed")
	})
}

func TestServerMigration_reportsAFailureThatOnlyTheHostShows(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{Outcome: stub.OutcomeNoValidHost}, func(s *protocolTest) {
		s.wantNothingLeft(migrationOf(object{"auto_confirm": true}),
			"The migration of server web-1", "failed", "status is ACTIVE", "on its original host", "Migrate request: req-", "Nothing awaits confirmation")
	})
}

func TestServerMigration_showsTheFaultOfAServerInError(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{Outcome: stub.OutcomeFails}, func(s *protocolTest) {
		s.wantNothingLeft(migrationOf(object{"auto_confirm": true}),
			"The migration of server web-1", "failed", "status is ERROR", "500 RuntimeError", "the cloud's support")
	})
}

func TestServerMigration_leavesNothingInTheStateWhenItTimesOut(t *testing.T) {
	timing := stub.ObservedTiming()
	timing.Migrate = time.Hour
	inVirtualTime(t, stub.Config{Timing: timing}, stub.Server{}, func(s *protocolTest) {
		s.wantNothingLeft(migrationOf(object{"timeouts": object{"create": "2m"}}),
			"did not end within its timeout", "continues without Terraform", "status is RESIZE", "Migrate request: req-")
		s.wantSent(sent{migrates: 1})
	})
}

func TestServerMigration_savesTheStateWhenItTimesOutAfterTheConfirm(t *testing.T) {
	timing := stub.ObservedTiming()
	timing.ConfirmStale = time.Hour
	inVirtualTime(t, stub.Config{Timing: timing}, stub.Server{}, func(s *protocolTest) {
		config := migrationOf(object{"auto_confirm": true, "timeouts": object{"create": "5m"}})
		// This is a warning and not an error: the next refresh can find the migration
		// confirmed. Until then, a plan has a confirm.
		wantWarned(t, s.mustApply(config), "It is not known yet whether the migration of server web-1", "The cloud has accepted the confirm")
		s.want(map[string]string{"status": awaiting})
		s.wantPlan(config, acctest.Update)
		time.Sleep(2 * time.Hour)
		s.wantPlan(config, acctest.NoOp)
		s.want(map[string]string{"status": "confirmed"})
		s.wantSent(sent{migrates: 1, confirms: 1})
	})
}

func TestServerMigration_recordsTheRequestIDOnceTheActionLogIsReadable(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.Inject(stub.Fault{Call: stub.CallMigrate, Effect: true, Header: http.Header{"X-Compute-Request-Id": nil, "X-Openstack-Request-Id": nil}, Count: 1})
		s.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden})
		s.mustApply(migrationOf(nil))
		s.want(map[string]string{"request_id": "", "status": awaiting})
		s.ClearFaults()
		s.mustApply(migrationOf(object{"auto_confirm": true}))
		s.want(map[string]string{"request_id": newestMigrate(s.Stub), "status": "confirmed"})
		s.wantSent(sent{migrates: 1, confirms: 1})
	})
}

// newestMigrate is the request id of the newest migration in the action log.
func newestMigrate(cloud *stub.Stub) string {
	for _, entry := range cloud.ActionLog(server) {
		if entry.Action == "migrate" {
			return entry.RequestID
		}
	}
	return "none"
}

func TestServerMigration_keepsAMigrationWhoseConfirmIsRefused(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.mustApply(migrationOf(nil))
		s.Inject(stub.Fault{Call: stub.CallConfirm, Status: http.StatusForbidden, Count: 1})
		later := migrationOf(object{"auto_confirm": true})
		s.wantRefused(later, "Cannot confirm the migration of server web-1", "403 forbidden", "still awaits confirmation", "by 20")
		s.want(map[string]string{"status": awaiting})
		s.wantPlan(later, acctest.Update)
		s.mustApply(later)
		s.want(map[string]string{"status": "confirmed"})
		s.wantSent(sent{migrates: 1, confirms: 2})
	})
}

func TestServerMigration_refusesAnInvalidServerID(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		for _, id := range []string{"", "web-1", strings.ToUpper(server), server + "/action", "../" + server} {
			s.wantRefused(object{"server_id": id}, "server_id", "must be the UUID of a server in lower case")
		}
		if got := len(s.Requests()); got != 0 {
			t.Errorf("got %d requests, want none", got)
		}
	})
}

func TestServerMigration_startsNothingMoreAfterAFailure(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{Outcome: stub.OutcomeNoValidHost}, func(s *protocolTest) {
		s.limits = migration.Limits{Concurrent: 1, Failures: 1}
		ids := []string{server}
		for _, name := range []string{"web-2", "web-3"} {
			ids = append(ids, s.AddServer(stub.Server{Name: name, Outcome: stub.OutcomeNoValidHost}))
		}
		session := s.open()
		results := make([]acctest.Diagnostics, len(ids))
		var all sync.WaitGroup
		for i, id := range ids {
			change, planned := session.Plan(s.state, object{"server_id": id, "auto_confirm": true})
			if planned.HasError() {
				t.Fatal(planned)
			}
			all.Go(func() { _, results[i] = session.Apply(change) })
		}
		all.Wait()
		failed, stopped := 0, 0
		for _, result := range results {
			switch text := result.Errors(); {
			case says("The migration of server web-", "failed").MatchString(text) && !strings.Contains(text, "was not started"):
				failed++
			case says("The migration of server", "was not started", "stop_after_failures", "The migration of server web-", "failed", "No migration of this server was requested").MatchString(text):
				stopped++
			}
		}
		if failed != 1 || stopped != 2 {
			t.Errorf("got %d failed and %d that were not started, want 1 and 2: %s", failed, stopped, results)
		}
		if got := s.Count(stub.CallMigrate); got != 1 {
			t.Errorf("got %d migrate requests, want 1", got)
		}
	})
}
