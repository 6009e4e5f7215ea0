package servermigration_test

import (
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

const (
	deadlineIsNear    = "The cloud is about to confirm the migration of server web-1"
	importedIsPending = "The imported migration of server web-1"
)

func TestServerMigration_remindsOfTheDeadlineOnceInAPlan(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
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
		// A plan with -refresh=false warns too.
		change, diagnostics := s.open().Plan(s.state, migrationOf(object{"on_destroy": "revert"}))
		if change.Action != acctest.Update {
			t.Errorf("got the plan %q, want an update", change.Action)
		}
		wantWarned(t, diagnostics.Warnings(), deadlineIsNear)
		// A plan that confirms the migration does not warn.
		_, diagnostics = s.open().Plan(s.state, migrationOf(object{"auto_confirm": true}))
		if strings.Contains(diagnostics.Warnings(), deadlineIsNear) {
			t.Errorf("got the warnings %q, want none about the deadline", diagnostics.Warnings())
		}
		time.Sleep(6 * time.Hour)
		if got := s.wantPlan(migrationOf(nil), acctest.NoOp); strings.Contains(got, deadlineIsNear) {
			t.Errorf("got the warnings %q after the deadline, want none about the deadline", got)
		}
	})
}

func TestServerMigration_remindsOfTheDeadlineByTheAPIsClock(t *testing.T) {
	s := newCloudTest(t, stub.Config{}, stub.Server{})
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

func TestServerMigration_warnsOfTheDeadlineAtAnImport(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.mustFinish(s.Migrate(server, "user-7"))
		time.Sleep(20 * time.Hour)
		session := s.open()
		imported, diagnostics := session.Import(s.state.Type, server)
		wantWarned(t, diagnostics.Warnings(), importedIsPending, "awaits confirmation", "in 3 hours and 59 minutes", "auto_confirm = true")
		if _, diagnostics = session.Read(imported); len(diagnostics) > 0 {
			t.Errorf("got %q from the refresh after the import, want no diagnostics", diagnostics)
		}
		if _, diagnostics = session.Plan(imported, migrationOf(nil)); len(diagnostics) > 0 {
			t.Errorf("got %q from the plan after the import, want no diagnostics", diagnostics)
		}
		s.mustFinish(s.Confirm(server, "user-7"))
		if _, diagnostics = s.open().Import(s.state.Type, server); len(diagnostics) > 0 {
			t.Errorf("got %q from the import of a confirmed migration, want no diagnostics", diagnostics)
		}
	})
}

// openWith sets further arguments of the provider block for new processes.
func (s *protocolTest) openWith(cloud *cloudTest, arguments object) {
	s.open = func() *acctest.Session {
		session, diagnostics := acctest.NewSession(s.t, cloud.Arguments(arguments))
		if diagnostics.HasError() {
			s.t.Fatal(diagnostics)
		}
		return session
	}
}

func TestServerMigration_namesNoDeadlineWithoutAConfirmWindow(t *testing.T) {
	t.Parallel()
	cloud := newCloudTest(t, stub.Config{}, stub.Server{})
	s := cloud.overHTTP()
	s.openWith(cloud, object{"confirm_window": "0"})
	warnings := s.mustApply(migrationOf(nil))
	wantWarned(t, warnings, "awaits confirmation", "A confirmation deletes the original copy")
	cloud.Advance(23 * time.Hour)
	warnings += s.wantPlan(migrationOf(nil), acctest.NoOp)
	s.want(map[string]string{"status": awaiting, "confirm_by": ""})
	_, diagnostics := s.plan(nil)
	warnings += diagnostics.Warnings()
	imported, diagnostics := s.open().Import(s.state.Type, server)
	warnings += diagnostics.Warnings()
	wantWarned(t, warnings, "leaves it pending", "Confirm or revert the migration in the cloud's control panel or with the API.", importedIsPending)
	if strings.Contains(warnings, "automatically") || imported.Get("confirm_by") != "" {
		t.Errorf("got confirm_by %q and the warnings %q, want no time at which the cloud confirms", imported.Get("confirm_by"), warnings)
	}
	found, diagnostics := s.open().List(s.state.Type, object{}, 10)
	if len(found) != 1 || found[0].Name != "web-1: awaits confirmation" || len(diagnostics) > 0 {
		t.Errorf("got %+v (%s), want one migration without a deadline", found, diagnostics)
	}
	_, diagnostics = s.open().List(s.state.Type, object{"confirm_within": "2h"}, 10)
	if got := diagnostics.Errors(); !says("It is not known when the cloud confirms", "confirm_window").MatchString(got) {
		t.Errorf("got the error %q, want an error that names confirm_window", got)
	}
	// A refresh finds that the cloud has confirmed the migration.
	cloud.Advance(2 * time.Hour)
	wantWarned(t, s.wantPlan(migrationOf(nil), acctest.NoOp), "was confirmed by the cloud")
	s.want(map[string]string{"status": "confirmed"})
}

func TestServerMigration_countsEachConfirmWindowFromTheSameTime(t *testing.T) {
	t.Parallel()
	cloud := newCloudTest(t, stub.Config{}, stub.Server{})
	s := cloud.overHTTP()
	s.openWith(cloud, object{"confirm_window": "72h"})
	s.mustApply(migrationOf(nil))
	by := func() time.Time {
		t.Helper()
		got, err := time.Parse(time.RFC3339, s.state.Get("confirm_by"))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	awaitedSince := by().Add(-72 * time.Hour)
	for _, window := range []string{"24h", "0", "48h"} {
		s.openWith(cloud, object{"confirm_window": window})
		// A plan without a refresh keeps the time in the state.
		change, diagnostics := s.open().Plan(s.state, migrationOf(object{"on_destroy": "revert", "timeouts": object{"read": window + "5m"}}))
		if diagnostics.HasError() {
			t.Fatal(diagnostics)
		}
		if applied, diagnostics := s.open().Apply(change); diagnostics.HasError() || applied.Get("confirm_by") != change.Planned.Get("confirm_by") {
			t.Errorf("got confirm_by %q (%s), want %q as planned", applied.Get("confirm_by"), diagnostics, change.Planned.Get("confirm_by"))
		}
		s.wantPlan(migrationOf(nil), acctest.NoOp)
		if window == "0" {
			s.want(map[string]string{"confirm_by": ""})
			continue
		}
		wait, err := time.ParseDuration(window)
		if want := awaitedSince.Add(wait); err != nil || !by().Equal(want) {
			t.Errorf("got confirm_by %s with a window of %s, want %s", by(), window, want)
		}
	}
}
