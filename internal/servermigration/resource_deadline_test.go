package servermigration_test

import (
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

const (
	deadlineIsNear    = "Rackspace is about to confirm the migration of server web-1"
	importedIsPending = "The imported migration of server web-1"
)

func TestServerMigration_remindsOfTheDeadlineOnceInAPlan(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolScenario) {
		s.mustApply(migrationOf(nil))
		time.Sleep(17 * time.Hour)
		if got := s.wantPlan(migrationOf(nil), acctest.NoOp); got != "" {
			t.Errorf("got the warnings %q with 7 hours left, want none", got)
		}
		time.Sleep(2 * time.Hour)
		got := s.wantPlan(migrationOf(nil), acctest.NoOp) // refreshes and plans
		wantWarned(t, got, deadlineIsNear, "in 4 hours and 59 minutes", "auto_confirm = true", `on_destroy = "revert"`, "warn_before")
		if times := strings.Count(got, deadlineIsNear); times != 1 {
			t.Errorf("got the warning %d times, want once:\n%s", times, got)
		}
		// With -refresh=false.
		change, diagnostics := s.open().Plan(s.state, migrationOf(object{"on_destroy": "revert"}))
		if change.Action != acctest.Update {
			t.Errorf("got the plan %q, want an update", change.Action)
		}
		wantWarned(t, diagnostics.Warnings(), deadlineIsNear)
		// What confirms it anyway needs no reminder.
		_, diagnostics = s.open().Plan(s.state, migrationOf(object{"auto_confirm": true}))
		if strings.Contains(diagnostics.Warnings(), deadlineIsNear) {
			t.Errorf("got the warnings %q, want none of the deadline", diagnostics.Warnings())
		}
		time.Sleep(6 * time.Hour)
		if got := s.wantPlan(migrationOf(nil), acctest.NoOp); strings.Contains(got, deadlineIsNear) {
			t.Errorf("got the warnings %q after the deadline, want none of it", got)
		}
	})
}

func TestServerMigration_remindsOfTheDeadlineByTheAPIsClock(t *testing.T) {
	s := newScenario(t, stub.Config{}, stub.Server{})
	p := s.overHTTP()
	p.mustApply(migrationOf(nil))
	s.Advance(19 * time.Hour)
	for warnBefore, want := range map[string]bool{"": true, "5h30m": true, "4h": false, "0s": false} {
		arguments := object{}
		if warnBefore != "" {
			arguments["warn_before"] = warnBefore
		}
		session, diagnostics := acctest.NewSession(t, s.Arguments(arguments))
		if diagnostics.HasError() {
			t.Fatal(diagnostics)
		}
		_, diagnostics = session.Read(p.state)
		if got := strings.Contains(diagnostics.Warnings(), deadlineIsNear); got != want || diagnostics.HasError() {
			t.Errorf("warn_before %q: got the diagnostics %q, want a warning: %t", warnBefore, diagnostics, want)
		}
	}
}

func TestServerMigration_saysTheDeadlineOfWhatItImports(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolScenario) {
		s.must(s.Migrate(server, "user-7"))
		time.Sleep(20 * time.Hour)
		session := s.open()
		imported, diagnostics := session.Import(s.state.Type, server)
		wantWarned(t, diagnostics.Warnings(), importedIsPending, "awaits confirmation", "in 3 hours and 59 minutes", "auto_confirm = true")
		if _, diagnostics = session.Read(imported); len(diagnostics) > 0 {
			t.Errorf("got %q of the refresh after the import, want nothing", diagnostics)
		}
		if _, diagnostics = session.Plan(imported, migrationOf(nil)); len(diagnostics) > 0 {
			t.Errorf("got %q of the plan after the import, want nothing", diagnostics)
		}
		s.must(s.Confirm(server, "user-7"))
		if _, diagnostics = s.open().Import(s.state.Type, server); len(diagnostics) > 0 {
			t.Errorf("got %q of a confirmed migration, want nothing", diagnostics)
		}
	})
}
