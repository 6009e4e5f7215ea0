package servermigration_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func always(health stub.Health) func(stub.Visit) stub.Health {
	return func(stub.Visit) stub.Health { return health }
}

func TestServerMigration_migratesNoServerThatFailsItsPreflight(t *testing.T) {
	t.Parallel()
	cloud, ports := newCloudTestWithPorts(t, always(stub.Wrong))
	s := cloud.overHTTP()
	test := verificationOf(ports, passesWithin, object{"preflight_timeout": failsAfter})
	s.wantNothingLeft(migrationOf(object{"verification": test}), "Server web-1", "was not migrated: it did not pass its verification before the move",
		"http[0], http://127.0.0.1:", "it answered with status 503", "The server was not touched", "If a check is wrong, correct it", "preflight = false")
	s.wantSent(sent{})

	test["preflight"], test["timeout"] = false, failsAfter
	wantWarned(t, s.mustApply(migrationOf(object{"verification": test})), "did not pass its verification on its new host")
	s.wantSent(sent{migrates: 1})
}

func TestServerMigration_warnsOfAServerThatIsShutOff(t *testing.T) {
	test := func(preflight bool) object {
		return object{"tcp": []any{object{"port": 22}}, "preflight": preflight}
	}
	inVirtualTime(t, stub.Config{}, stub.Server{Status: "SHUTOFF"}, func(s *protocolTest) {
		config := migrationOf(object{"verification": test(true)})
		wantWarned(t, s.wantPlan(config, acctest.Create), "Server web-1", "is shut off", "the apply fails, and the server is not moved")
		wantWarned(t, s.wantPlan(migrationOf(object{"verification": test(false)}), acctest.Create), "is shut off", "it is moved, but it cannot pass there")
		s.wantRefused(config, "Server web-1", "was not migrated: it is shut off", "Start the server")
		if warnings := s.wantPlan(migrationOf(nil), acctest.Create); warnings != "" {
			t.Errorf("got %q without a verification, want no warning", warnings)
		}
		s.wantSent(sent{})
	})
}

func TestServerMigration_warnsHowOftenAServerWasReverted(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		for _, user := range []string{ourUser, "user-7", ourUser} {
			s.mustFinish(s.Migrate(server, user))
			s.mustFinish(s.Revert(server, user))
		}
		wantWarned(t, s.wantPlan(migrationOf(nil), acctest.Create), "Server web-1", "was migrated and reverted 2 times in the last 24 hours", newestMigrate(s.Stub))
		s.Advance(25 * time.Hour)
		if warnings := s.wantPlan(migrationOf(nil), acctest.Create); warnings != "" {
			t.Errorf("got %q a day later, want no warning", warnings)
		}
	})
}

func TestServerMigration_failsToConfirmARevertedMigration(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.mustApply(migrationOf(nil))
		config := migrationOf(object{"auto_confirm": true})
		saved, planned := s.plan(config)
		if planned.HasError() {
			t.Fatal(planned)
		}
		s.mustFinish(s.Revert(server, "user-7"))
		var applied acctest.Diagnostics
		if s.state, applied = s.open().Apply(saved); !says("The migration of server web-1", "was reverted", "user user-7").MatchString(applied.Errors()) {
			t.Errorf("got the errors %q, want an error that it was reverted", applied.Errors())
		}
		s.want(map[string]string{"status": "reverted", "auto_confirm": "true"})
		wantWarned(t, s.wantPlan(config, acctest.NoOp), "The migration of server web-1", "is reverted, although auto_confirm is true", "change triggers")
		if warnings := s.wantPlan(migrationOf(nil), acctest.Update); warnings != "" {
			t.Errorf("got %q without auto_confirm, want no warning", warnings)
		}
		s.wantSent(sent{migrates: 1})
	})
}

func TestServerMigration_neverRevertsInADestroyThatConfirms(t *testing.T) {
	t.Parallel()
	cloud, ports := newCloudTestWithPorts(t, nil)
	s := cloud.overHTTP()
	config := migrationOf(object{"on_destroy": "confirm", "verification": verificationOf(ports, failsAfter, object{"on_failure": "revert"})})
	s.mustApply(config)
	s.SetServer(server, func(v *stub.Server) { v.Health = always(stub.Wrong) })
	wantWarned(t, s.wantPlan(nil, acctest.Delete), "is going to be confirmed", "the destroy fails, and the migration still awaits confirmation")
	s.wantRefused(nil, "was not confirmed: the server did not pass its verification", "destroy again")
	s.want(map[string]string{"status": awaiting})
	s.wantSent(sent{migrates: 1})
}

func TestServerMigration_testsAgainWhenTheVerificationChanges(t *testing.T) {
	t.Parallel()
	cloud, ports := newCloudTestWithPorts(t, stub.HealthyOnOriginalHost(stub.Wrong))
	s := cloud.overHTTP()
	with := func(arguments object) object {
		return migrationOf(object{"verification": verificationOf(ports, failsAfter, arguments)})
	}
	s.mustApply(with(nil))
	s.want(map[string]string{"verification_result.passed": "false"})
	for _, arguments := range []object{{"preflight": false}, {"preflight": false, "on_failure": "revert"}} { // these arguments do not change what the server must pass
		if change, _ := s.plan(with(arguments)); !change.Planned.IsKnown("verification_result") {
			t.Errorf("got an unknown verification_result after a change to %v, want it known", arguments)
		}
	}
	s.mustApply(with(object{"preflight": false}))
	s.want(map[string]string{"verification_result.passed": "false"})

	repair(s.Stub)
	changed := with(object{"preflight": false, "successes": 2, "timeout": passesWithin})
	if change, _ := s.plan(changed); change.Planned.IsKnown("verification_result") || change.Planned.IsKnown("status") {
		t.Error("got a known verification_result or status, want both unknown")
	}
	s.mustApply(changed)
	s.want(map[string]string{"verification_result.passed": "true", "status": awaiting})

	s.SetServer(server, func(v *stub.Server) { v.Health = always(stub.Wrong) })
	reverts := with(object{"on_failure": "revert", "successes": 1})
	wantWarned(t, s.wantPlan(reverts, acctest.Update), "is going to be tested again, and may be reverted")
	s.wantRefused(reverts, "was reverted: the server did not pass its verification")
	s.want(map[string]string{"status": "reverted"})
	s.wantSent(sent{migrates: 1, reverts: 1})
}

func TestServerMigration_clearsTheResultOfARemovedVerification(t *testing.T) {
	t.Parallel()
	cloud, ports := newCloudTestWithPorts(t, stub.HealthyOnOriginalHost(stub.Wrong))
	s := cloud.overHTTP()
	s.mustApply(migrationOf(object{"verification": verificationOf(ports, failsAfter, nil)}))
	s.mustApply(migrationOf(nil))
	s.want(map[string]string{"verification_result": "", "status": awaiting})
	s.wantPlan(migrationOf(nil), acctest.NoOp)
	s.wantSent(sent{migrates: 1})
}

func TestServerMigration_isRevertedWithTerraformAfterAFailedCreate(t *testing.T) {
	t.Parallel()
	cloud, ports := newCloudTestWithPorts(t, stub.HealthyOnOriginalHost(stub.Wrong))
	s := cloud.overHTTP()
	failed := s.apply(migrationOf(object{"auto_confirm": true, "verification": verificationOf(ports, failsAfter, nil)})).Errors()
	_, command, _ := strings.Cut(failed, "terraform import ADDRESS ")
	id, _, _ := strings.Cut(command, ",")
	s.importID(id)
	reverts := migrationOf(object{"on_destroy": "revert"})
	s.mustApply(reverts)
	wantWarned(t, s.wantPlan(nil, acctest.Delete), "is going to be reverted, and data will be lost")
	s.mustApply(nil)
	s.wantSent(sent{migrates: 1, reverts: 1})
}

func TestServerMigrationConfirmation_refusesWhatDidNotPass(t *testing.T) {
	t.Parallel()
	cloud, ports := newCloudTestWithPorts(t, stub.HealthyOnOriginalHost(stub.Wrong))
	s := cloud.overHTTP()
	config := migrationOf(object{"verification": verificationOf(ports, failsAfter, nil)})
	// In one process, as in an apply that migrates and confirms.
	session := s.open()
	change, _ := session.Plan(s.state, config)
	s.state, _ = session.Apply(change)
	confirmed := object{"migration_id": s.state.Get("id")}
	refusal := says("cannot be confirmed: the server did not pass its verification", "No confirmation was sent", "in verification_result")
	absent := session.Absent(servermigration.ConfirmationType)
	if _, planned := s.open().Plan(absent, confirmed); planned.HasError() {
		t.Errorf("got %s in a plan without the migration, want no error", planned)
	}
	confirmation, _ := session.Plan(absent, confirmed)
	if _, applied := session.Apply(confirmation); !refusal.MatchString(applied.Errors()) {
		t.Errorf("got %q, want an error of the apply", applied.Errors())
	}
	// In another process, as in a later plan.
	later := s.open()
	s.state, _ = later.Read(s.state)
	if _, planned := later.Plan(s.state, config); planned.HasError() {
		t.Fatal(planned)
	}
	if _, planned := later.Plan(absent, confirmed); !refusal.MatchString(planned.Errors()) {
		t.Errorf("got %q, want an error of the plan", planned.Errors())
	}
	s.wantSent(sent{migrates: 1})
}

func TestServerMigrationConfirmation_hasTheSameEndTimeAsItsMigration(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.mustApply(migrationOf(nil))
		confirmation := s.confirmation()
		confirmation.mustApply(object{"migration_id": s.state.Get("id")})
		s.wantPlan(migrationOf(nil), acctest.NoOp)
		s.want(map[string]string{"status": "confirmed", "settled_at": confirmation.state.Get("settled_at")})
		s.wantEndTime()
	})
}

func TestServerMigration_refusesWriteOnlyHeadersWithADestroyThatConfirms(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		with := func(onDestroy string) object {
			return migrationOf(object{"on_destroy": onDestroy, "verification": object{"http": []any{
				object{"url": "http://:8080/"}, object{"url": "http://:8080/", "headers_wo": object{"Authorization": "secret"}},
			}}})
		}
		s.wantRefused(with("confirm"), "headers_wo cannot be used with on_destroy = \"confirm\"", "Use headers")
		if invalid := s.open().Validate(s.state.Type, with("revert")); invalid.HasError() {
			t.Errorf("got %s with another on_destroy, want no error", invalid)
		}
		s.wantSent(sent{})
	})
}

func TestServerMigration_warnsOfATakeoverOnceInARun(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.mustFinish(s.Migrate(server, ourUser))
		session := s.open()
		change, planned := session.Plan(s.state, migrationOf(object{"auto_confirm": true}))
		wantWarned(t, planned.Warnings(), "is going to be taken over", "The apply confirms it", "cannot be reverted any more")
		var applied acctest.Diagnostics
		s.state, applied = session.Apply(change)
		if got := applied.String(); got != "" {
			t.Errorf("got %q after a plan with that warning, want no diagnostics", got)
		}
		s.want(map[string]string{"status": "confirmed"})
	})
}

func TestServerMigration_knowsTheNameOfItsServerInThePlan(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		session := s.open()
		change, _ := session.Plan(s.state, migrationOf(nil))
		if got := change.Planned.Get("server_name"); got != "web-1" {
			t.Errorf("got server_name %q in the plan, want web-1", got)
		}
		s.SetServer(server, func(v *stub.Server) { v.Name = "web-2" })
		var applied acctest.Diagnostics
		if s.state, applied = session.Apply(change); applied.HasError() {
			t.Fatal(applied)
		}
		s.want(map[string]string{"server_name": "web-1"}) // Terraform requires the planned value
		s.wantPlan(migrationOf(nil), acctest.NoOp)
		s.want(map[string]string{"server_name": "web-2"})
	})
}

// After a failed apply, the state has the result of the new verification, but the arguments
// of the apply before, which had no verification.
func TestServerMigration_clearsTheResultOfAFailedApply(t *testing.T) {
	t.Parallel()
	cloud, ports := newCloudTestWithPorts(t, stub.HealthyOnOriginalHost(stub.Wrong))
	s := cloud.overHTTP()
	s.mustApply(migrationOf(nil))
	s.wantRefused(migrationOf(object{"auto_confirm": true, "verification": verificationOf(ports, failsAfter, nil)}), "was not confirmed", "remove verification, and apply again")
	s.want(map[string]string{"verification_result.passed": "false", "status": awaiting})

	confirmed := migrationOf(object{"auto_confirm": true})
	s.mustApply(confirmed)
	s.want(map[string]string{"verification_result": "", "status": "confirmed"})
	if warnings := s.wantPlan(confirmed, acctest.NoOp); warnings != "" {
		t.Errorf("got %q, want no warning about a verification that was removed", warnings)
	}
	s.wantSent(sent{migrates: 1, confirms: 1})
}

func TestServerMigrationConfirmation_saysInThePlanThatItConfirms(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.mustApply(migrationOf(nil))
		session := s.open()
		s.state, _ = session.Read(s.state)
		_, _ = session.Plan(s.state, migrationOf(nil))
		_, planned := session.Plan(session.Absent(servermigration.ConfirmationType), object{"migration_id": s.state.Get("id")})
		wantWarned(t, planned.Warnings(), "The migration of server web-1", "is going to be confirmed", "cannot be reverted any more")
	})
}

func TestServerMigration_refusesNullInAVerification(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		url := object{"url": "http://:8080/"}
		with := func(name string, value any) object {
			check := maps.Clone(url)
			check[name] = value
			return object{"http": []any{check}}
		}
		for _, verification := range []object{
			with("headers", object{"A": nil}), with("headers_wo", object{"A": nil}), with("status_codes", []any{nil}), {"tcp": []any{nil}},
		} {
			invalid := s.open().Validate(s.state.Type, migrationOf(object{"verification": verification}))
			if text := invalid.Errors(); !invalid.HasError() || strings.Contains(text, "Conversion") || len(invalid) != 1 {
				t.Errorf("got %q for %v, want one error about the null", text, verification)
			}
		}
	})
}
