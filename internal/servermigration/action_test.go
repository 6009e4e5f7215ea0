package servermigration_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// invocation has the progress messages and the diagnostics of one call of an action.
type invocation struct {
	lines []string
	acctest.Diagnostics
}

// invoke invokes an action in a process of its own.
func (s *protocolTest) invoke(ctx context.Context, typeName string, config object) invocation {
	s.t.Helper()
	var got invocation
	got.Diagnostics = s.open().Invoke(ctx, typeName, config, func(line string) {
		for _, entry := range s.ActionLog(server) {
			line = strings.ReplaceAll(line, entry.RequestID, "REQUEST")
		}
		got.lines = append(got.lines, line)
	})
	return got
}

func (got invocation) want(t *testing.T, lines ...string) {
	t.Helper()
	if diff := cmp.Diff(lines, got.lines); diff != "" || got.HasError() {
		t.Errorf("progress (-want +got):\n%s%s", diff, got.Diagnostics)
	}
}

func TestMigrateAction_showsItsProgress(t *testing.T) {
	inVirtualTime(t, stub.Config{ReportsProgress: true}, stub.Server{}, func(s *protocolTest) {
		s.invoke(s.t.Context(), servermigration.MigrateActionType, migrationOf(object{"auto_confirm": true})).want(t,
			server+": reading the server and its action log, 0s",
			"web-1: migration accepted, request REQUEST, 0s",
			"web-1: RESIZE (resize_migrating), 20 %, 2s",
			"web-1: RESIZE (resize_migrated), 60 %, 4s",
			"web-1: RESIZE (resize_finish), 80 %, 6s",
			"web-1: on its new host, 8s",
			"web-1: confirmation accepted, 8s",
			"web-1: confirmed after 10s",
		)
		s.wantSent(sent{migrates: 1, confirms: 1})
	})
}

func TestMigrateAction_repeatsItsLastMessageEvery15Seconds(t *testing.T) {
	timing := stub.ObservedTiming()
	timing.Migrate = 10 * time.Minute
	inVirtualTime(t, stub.Config{Timing: timing}, stub.Server{}, func(s *protocolTest) {
		got := s.invoke(s.t.Context(), servermigration.MigrateActionType, migrationOf(nil))
		if got.HasError() {
			t.Fatal(got.Diagnostics)
		}
		said := got.lines[2] // RESIZE …, 2s
		at := strings.TrimSuffix(said, "2s")
		if !slices.Contains(got.lines, at+"17s") || !slices.Contains(got.lines, at+"32s") {
			t.Errorf("got %q, want %q again every 15 seconds", got.lines, said)
		}
		if len(got.lines) > 50 {
			t.Errorf("got %d lines in 10 minutes, want one on each change and every 15 seconds", len(got.lines))
		}
	})
}

func TestConfirmAction_reportsTheConfirmationOnce(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.mustFinish(s.Migrate(server, ourUser))
		s.Inject(stub.Fault{Call: stub.CallActionLog, Skip: 2, Delay: 20 * time.Second}) // which hits the read of the log after the confirmation
		s.invoke(s.t.Context(), servermigration.ConfirmActionType, migrationOf(nil)).want(t,
			"web-1: reading the server and its action log, 0s",
			"web-1: confirmation accepted, 0s",
			"web-1: confirmed after 2s",
		)
	})
}

func TestMigrateAction_takesOverOnlyAPendingMigration(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.mustFinish(s.Migrate(server, ourUser))
		s.invoke(s.t.Context(), servermigration.MigrateActionType, migrationOf(object{"auto_confirm": true})).want(t,
			server+": reading the server and its action log, 0s",
			"web-1: going on with request REQUEST, 0s",
			"web-1: confirmation accepted, 0s",
			"web-1: confirmed after 2s",
		)
		s.wantSent(sent{confirms: 1})
		if got := s.invoke(s.t.Context(), servermigration.MigrateActionType, migrationOf(nil)); got.HasError() {
			t.Error(got.Diagnostics)
		}
		s.wantSent(sent{migrates: 1, confirms: 1})
	})
}

func TestMigrateAction_endsWithTheSameErrorsAsTheResource(t *testing.T) {
	for _, test := range []struct {
		name   string
		server stub.Server
		fault  stub.Fault
		says   []string
		sent   sent
	}{
		{"no host takes the server", stub.Server{Outcome: stub.OutcomeNoValidHost}, stub.Fault{}, []string{"The migration of server web-1", "failed", "invoke rackspace_server_migrate."}, sent{migrates: 1}},
		{"refused", stub.Server{}, stub.Fault{Call: stub.CallMigrate, Status: 403}, []string{"Cannot migrate server web-1", "403 forbidden", "No migration was started"}, sent{migrates: 1}},
		{"the server is in ERROR", stub.Server{Status: "ERROR"}, stub.Fault{}, []string{"its status is ERROR", "Then invoke the action again"}, sent{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inVirtualTime(t, stub.Config{}, test.server, func(s *protocolTest) {
				if test.fault.Call != "" {
					s.Inject(test.fault)
				}
				got := s.invoke(s.t.Context(), servermigration.MigrateActionType, migrationOf(object{"auto_confirm": true}))
				if !says(test.says...).MatchString(got.Errors()) || strings.Contains(got.Errors(), "pply again") {
					t.Errorf("got %q, want %q in it and no mention of an apply", got.Errors(), test.says)
				}
				s.wantSent(test.sent)
			})
		})
	}
}

func TestMigrateAction_migratesOnceWhenTheAnswerIsLost(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.Inject(stub.Fault{Call: stub.CallMigrate, Reset: true, Effect: true, Count: 1})
		got := s.invoke(s.t.Context(), servermigration.MigrateActionType, migrationOf(object{"auto_confirm": true}))
		if got.HasError() || got.lines[len(got.lines)-1] != "web-1: confirmed after 10s" {
			t.Errorf("got %q, want it confirmed\n%s", got.lines, got.Diagnostics)
		}
		s.wantSent(sent{migrates: 1, confirms: 1})
	})
}

func TestMigrateAction_stopsWithinASecondOfItsCancellation(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		ctx, cancel := context.WithCancel(s.t.Context())
		time.AfterFunc(3*time.Second, cancel)
		began := time.Now()
		got := s.invoke(ctx, servermigration.MigrateActionType, migrationOf(object{"auto_confirm": true}))
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("took %s, want at most 4 s: the cancellation is after 3 s", took)
		}
		if !says("The wait for the migration of server web-1", "was cancelled", "continues without Terraform", "Invoke the action again").MatchString(got.Errors()) {
			t.Errorf("got %q, want that the migration continues", got.Errors())
		}
		s.wantSent(sent{migrates: 1})
	})
}

func TestMigrateAction_testsTheServer(t *testing.T) {
	t.Parallel()
	cloud, ports := newCloudTestWithPorts(t, stub.HealthyOnOriginalHost(stub.Wrong))
	s := cloud.overHTTP()
	got := s.invoke(s.t.Context(), servermigration.MigrateActionType, migrationOf(object{"auto_confirm": true, "verification": verificationOf(ports, failsAfter, nil)}))
	if !says("was not confirmed: the server did not pass its verification", "invoke rackspace_server_migration_revert").MatchString(got.Errors()) {
		t.Errorf("got %q, want that the server did not pass its verification", got.Errors())
	}
	if lines := strings.Join(got.lines, "\n"); !says("web-1: before the move, testing 127.0.0.1:", "and 2 more (3 of 3)", "web-1: passed its tests before the move", "web-1: on its new host, testing 127.0.0.1:", "(1 of 3)").MatchString(lines) {
		t.Errorf("got the progress\n%s\nwant the rounds of the preflight and of the test after the move", lines)
	}
	s.wantSent(sent{migrates: 1})
	if got := s.invoke(s.t.Context(), servermigration.RevertActionType, migrationOf(nil)); got.HasError() {
		t.Error(got.Diagnostics)
	}
	s.wantSent(sent{migrates: 1, reverts: 1})
}

func TestConfirmAndRevertActions_confirmOrRevertTheNamedMigration(t *testing.T) {
	for _, test := range []struct {
		typeName, end string
		sent          sent
	}{
		{servermigration.ConfirmActionType, "confirmed", sent{migrates: 1, confirms: 1}},
		{servermigration.RevertActionType, "reverted", sent{migrates: 1, reverts: 1}},
	} {
		t.Run(test.end, func(t *testing.T) {
			inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
				s.mustApply(migrationOf(nil))
				byID := object{"migration_id": s.state.Get("id")}
				first := s.invoke(s.t.Context(), test.typeName, byID)
				if first.HasError() || !strings.Contains(strings.Join(first.lines, "\n"), "web-1: "+test.end+" after ") {
					t.Errorf("got %q, want it %s\n%s", first.lines, test.end, first.Diagnostics)
				}
				for _, config := range []object{byID, migrationOf(nil)} {
					again := s.invoke(s.t.Context(), test.typeName, config)
					if len(again.lines) != 1 || !strings.HasPrefix(again.lines[0], "web-1: "+test.end+" already, at ") || again.HasError() {
						t.Errorf("got %q, want one line that says that it is %s already\n%s", again.lines, test.end, again.Diagnostics)
					}
				}
				s.wantPlan(migrationOf(nil), acctest.NoOp)
				s.want(map[string]string{"status": test.end})
				s.wantSent(test.sent)
			})
		})
	}
}

func TestConfirmAndRevertActions_refuseAMigrationThatEndedTheOtherWay(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.mustFinish(s.Migrate(server, ourUser))
		s.mustFinish(s.Revert(server, "user-7"))
		got := s.invoke(s.t.Context(), servermigration.ConfirmActionType, migrationOf(nil))
		if !says("The migration of server web-1", "It was reverted (user user-7)", "invoke rackspace_server_migrate.").MatchString(got.Errors()) {
			t.Errorf("got %q, want that it was reverted", got.Errors())
		}
		s.mustFinish(s.Migrate(server, ourUser))
		s.mustFinish(s.Confirm(server, "user-7"))
		got = s.invoke(s.t.Context(), servermigration.RevertActionType, migrationOf(nil))
		if !says("The migration of server web-1", "was confirmed").MatchString(got.Errors()) {
			t.Errorf("got %q, want that it was confirmed", got.Errors())
		}
		s.wantSent(sent{})
	})
}

func TestActions_refuseInvalidArguments(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		tooShort := migrationOf(object{"verification": object{"tcp": []any{object{"port": 22}}, "timeout": "5s"}})
		for _, test := range []struct {
			typeName string
			config   object
			says     []string
		}{
			{servermigration.MigrateActionType, object{"server_id": "web-1"}, []string{"server_id", "must be the UUID of a server"}},
			{servermigration.MigrateActionType, migrationOf(object{"timeout": "10"}), []string{"timeout", `must be a duration such as "10s"`}},
			{servermigration.MigrateActionType, migrationOf(object{"verification": object{"tcp": []any{object{"port": 0}}}}), []string{"Invalid verification", "must be a port"}},
			{servermigration.MigrateActionType, tooShort, []string{"Invalid verification", "verification.timeout is too short for 3"}},
			{servermigration.ConfirmActionType, tooShort, []string{"Invalid verification", "verification.timeout is too short for 3"}},
			{servermigration.ConfirmActionType, object{}, []string{"server_id", "migration_id"}},
			{servermigration.RevertActionType, object{"server_id": server, "migration_id": "ORD/" + server + "/req-1"}, []string{"server_id", "migration_id"}},
			{servermigration.RevertActionType, object{"migration_id": "ORD/" + server + "/req-1", "region": "DFW"}, []string{"region", "migration_id"}},
			{servermigration.RevertActionType, object{"migration_id": "ORD/" + server + "/"}, []string{"migration_id", "must be the id of a rackspace_server_migration"}},
			{servermigration.ConfirmActionType, migrationOf(nil), []string{"Server web-1", "was never migrated", "Check server_id and region", "invoke rackspace_server_migrate."}},
			{servermigration.RevertActionType, object{"migration_id": "ORD/" + server + "/req-1"}, []string{"Server web-1", "has no migration of request req-1"}},
		} {
			if got := s.invoke(s.t.Context(), test.typeName, test.config); !says(test.says...).MatchString(got.Errors()) {
				t.Errorf("got %q for %v, want %q", got.Errors(), test.config, test.says)
			}
		}
		s.wantSent(sent{})
	})
}
