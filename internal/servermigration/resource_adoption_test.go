package servermigration_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// ourUser is the user that the provider acts for.
var ourUser = stub.DefaultUser.ID

// configurations are those with which an apply takes over a migration that an interrupted
// create has started. No configuration may start a second migration.
var configurations = []struct {
	name      string
	arguments object
	status    string
	sent      sent
}{
	{"no arguments", nil, awaiting, sent{migrates: 1}},
	{"auto_confirm", object{"auto_confirm": true}, "confirmed", sent{migrates: 1, confirms: 1}},
	{"on_destroy confirm", object{"on_destroy": "confirm"}, awaiting, sent{migrates: 1}},
	{"on_destroy revert", object{"on_destroy": "revert"}, awaiting, sent{migrates: 1}},
}

func TestServerMigration_goesOnAfterAnApplyThatTimedOut(t *testing.T) {
	for _, test := range configurations {
		t.Run(test.name, func(t *testing.T) {
			timing := stub.ObservedTiming()
			timing.Migrate = time.Hour
			inVirtualTime(t, stub.Config{Timing: timing}, stub.Server{}, func(s *protocolTest) {
				config := migrationOf(test.arguments)
				config["timeouts"] = object{"create": "2m"}
				s.wantRefused(config, "did not end within its timeout", "Apply again")
				time.Sleep(2 * time.Hour)
				s.wantPlan(config, acctest.Create)
				s.mustApply(config)
				s.want(map[string]string{"status": test.status, "source_host_id": "", "request_id": newestMigrate(s.Stub)})
				s.wantSent(test.sent)
			})
		})
	}
}

func TestServerMigration_recordsAMigrationThatWasConfirmedBeforeACrash(t *testing.T) {
	for _, test := range configurations {
		t.Run(test.name, func(t *testing.T) {
			inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
				s.mustFinish(s.Migrate(server, ourUser))
				s.mustFinish(s.Confirm(server, ourUser))
				config := migrationOf(test.arguments)
				wantWarned(t, s.wantPlan(config, acctest.Create), "It is confirmed, so the apply only records it")
				if warnings := s.mustApply(config); warnings != "" { // the plan has warned of it
					t.Errorf("got %q, want no warning", warnings)
				}
				s.want(map[string]string{"status": "confirmed", "source_host_id": "", "request_id": newestMigrate(s.Stub)})
				s.wantEndTime()
				s.wantSent(sent{})
			})
		})
	}
}

func TestServerMigration_migratesAgainAfterOneThatWasRevertedOrFailed(t *testing.T) {
	config := migrationOf(object{"auto_confirm": true})
	t.Run("reverted", func(t *testing.T) {
		inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
			s.mustFinish(s.Migrate(server, ourUser))
			s.mustFinish(s.Revert(server, "user-7"))
			s.mustApply(config)
			s.want(map[string]string{"status": "confirmed"})
			s.wantSent(sent{migrates: 1, confirms: 1})
		})
	})
	t.Run("failed", func(t *testing.T) {
		inVirtualTime(t, stub.Config{}, stub.Server{Outcome: stub.OutcomeNoValidHost}, func(s *protocolTest) {
			s.wantRefused(config, "The migration of server web-1", "failed")
			s.SetServer(server, func(v *stub.Server) { v.Outcome = stub.OutcomeMoves })
			s.mustApply(config)
			s.want(map[string]string{"status": "confirmed"})
			s.wantSent(sent{migrates: 2, confirms: 1})
		})
	})
}

// After a change of triggers, the earlier migration is in the state. With -replace, the same
// run destroys it. After a destroy in another run, the provider cannot distinguish the
// destroy from a crash.
func TestAccServerMigration_distinguishesADestroyFromACrash(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string // of the server and its migration
		migrates int
		warns    bool // the plan warns that the migration is taken over
	}{
		{"has-new-triggers", 2, false},
		{"is-replaced", 2, false},
		{"was-destroyed", 1, true},
		{"state-was-lost", 1, true},
	}
	s := newCloudTest(t, stub.Config{}, stub.Server{})
	config := requiredProviders + "variable \"n\" {\n  default = 1\n}\n" + s.Provider("", "")
	servers := map[string]string{}
	for _, test := range tests {
		servers[test.name] = s.AddServer(stub.Server{Name: test.name})
		arguments := autoConfirm
		if test.name == "has-new-triggers" {
			arguments += "\ntriggers = { n = var.n }"
		}
		block := strings.ReplaceAll(migrationBlock(arguments), server, servers[test.name])
		config += strings.Replace(block, `"web"`, `"`+test.name+`"`, 1)
	}
	tf := s.UnattachedTerraform(t, map[string]string{"main.tf": config})
	if first := warnings(t, tf); len(first) > 0 {
		t.Errorf("got warnings %q, want none in the first apply", first)
	}
	addressOf := func(name string) string { return servermigration.ResourceType + "." + name }
	if err := tf.Destroy(t.Context(), tfexec.Target(addressOf("was-destroyed"))); err != nil {
		t.Fatal(err)
	}
	if err := tf.StateRm(t.Context(), addressOf("state-was-lost")); err != nil {
		t.Fatal(err)
	}
	again := warnings(t, tf, tfexec.Var("n=2"), tfexec.Replace(addressOf("is-replaced")))
	for _, test := range tests {
		warned := slices.ContainsFunc(again, func(text string) bool { // the plan and the apply both warn
			return strings.Contains(text, test.name) && strings.Contains(text, "is going to be taken over")
		})
		if warned != test.warns {
			t.Errorf("got warnings %q, want one that %s is taken over: %t", again, test.name, test.warns)
		}
		if got := sentTo(s.Stub, servers[test.name]).migrates; got != test.migrates {
			t.Errorf("got %d migrate requests for %s, want %d", got, test.name, test.migrates)
		}
	}
}

// warnings applies, and returns the summaries of the warnings.
func warnings(t *testing.T, tf *tfexec.Terraform, options ...tfexec.ApplyOption) []string {
	t.Helper()
	var output bytes.Buffer
	err := tf.ApplyJSON(t.Context(), &output, options...)
	if err != nil {
		t.Fatalf("%v\n%s", err, output.String())
	}
	return summaries(output.Bytes())
}

func TestServerMigration_warnsAtPlanTimeOfWhatItWillTakeOver(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.mustFinish(s.Migrate(server, ourUser))
		wantWarned(t, s.wantPlan(migrationOf(nil), acctest.Create), "is going to be taken over")
		wantWarned(t, s.mustApply(migrationOf(nil)), "awaits confirmation") // not that it was taken over: the plan of the same run has warned of that
	})
}

func TestServerMigration_migratesNoChangedServerWithoutAnActionLog(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		config := migrationOf(object{"auto_confirm": true})
		s.SetServer(server, func(v *stub.Server) { v.Name = "web-1" }) // this sets the time of the last change to now
		s.Inject(stub.Fault{Call: stub.CallActionLog, Status: 403})
		s.wantRefused(config, "It is not known whether server web-1", "was migrated already", "cannot be read", "403 forbidden", "Nothing was sent to the server", "terraform import ADDRESS ORD/"+server)
		s.wantSent(sent{})
		s.Advance(25 * time.Hour)
		s.mustApply(config)
		s.want(map[string]string{"status": "confirmed"})
		s.wantSent(sent{migrates: 1, confirms: 1})
	})
}

func TestServerMigration_migratesAServerOnceThoughTwoResourcesAskForIt(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		session := s.open()
		errors := make([]string, 2)
		each(2, func(session *acctest.Session, i int) {
			change, planned := session.Plan(s.state, migrationOf(object{"auto_confirm": true}))
			if planned.HasError() {
				t.Error(planned)
			}
			_, applied := session.Apply(change)
			errors[i] = applied.Errors()
		}, session)
		if got := strings.Join(errors, ""); !says("Another resource or action migrates server", "already", "Remove one of the two").MatchString(got) || errors[0] != "" && errors[1] != "" {
			t.Errorf("got the errors %q, want the error of one of the two resources", errors)
		}
		s.wantSent(sent{migrates: 1, confirms: 1})
	})
}
