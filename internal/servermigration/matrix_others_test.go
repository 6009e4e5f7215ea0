package servermigration

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// operatorAction is what another operator does at one point of a verification.
type operatorAction struct {
	name   string
	causes []string // what a diagnostic can name as the cause
	do     func(*stub.Stub, string)
}

// inSequence starts the actions nine seconds apart, so that each has ended before the next
// one. The cloud may refuse any of them.
func inSequence(actions ...func(*stub.Stub, string) error) func(*stub.Stub, string) {
	return func(cloud *stub.Stub, id string) {
		_ = actions[0](cloud, id)
		for i, next := range actions[1:] {
			time.AfterFunc(time.Duration(i+1)*9*time.Second, func() { _ = next(cloud, id) })
		}
	}
}

// actAs returns an action of one user.
func actAs(user string, act func(*stub.Stub, string, string) error) func(*stub.Stub, string) error {
	return func(cloud *stub.Stub, id string) error { return act(cloud, id, user) }
}

var (
	somebodyConfirms = actAs(somebody, (*stub.Stub).Confirm)
	somebodyReverts  = actAs(somebody, (*stub.Stub).Revert)
	somebodyMigrates = actAs(somebody, (*stub.Stub).Migrate)
	somebodyResizes  = actAs(somebody, (*stub.Stub).Resize)
)

// actionsAfterMove can happen to a migration while its moved server is tested.
var actionsAfterMove = []operatorAction{
	{"somebody confirms", []string{"confirmed"}, inSequence(somebodyConfirms)},
	{"the cloud confirms", []string{"confirmed"}, inSequence(actAs("", (*stub.Stub).Confirm))},
	{"somebody confirms and migrates", []string{"confirmed", "a migration of it is pending"}, inSequence(somebodyConfirms, somebodyMigrates)},
	{"somebody reverts", []string{"reverted"}, inSequence(somebodyReverts)},
	{"somebody reverts and resizes", []string{"reverted", "resize of it is pending"}, inSequence(somebodyReverts, somebodyResizes)},
	{"somebody deletes", []string{"is gone", "There is no server", "could not be found"}, inSequence((*stub.Stub).Delete)},
	{"somebody migrates as soon as it is confirmed", []string{"a migration of it is pending"}, func(cloud *stub.Stub, id string) {
		time.AfterFunc(700*time.Millisecond, func() { _ = somebodyMigrates(cloud, id) })
	}},
}

const anotherRun = "another run of the same user migrates"

// actionsBeforeMove can happen to a server during its preflight.
var actionsBeforeMove = []operatorAction{
	{"somebody migrates", []string{"a migration of it is pending"}, inSequence(somebodyMigrates)},
	{"somebody migrates and confirms", []string{"a migration of it is pending"}, inSequence(somebodyMigrates, somebodyConfirms)},
	{"somebody migrates and reverts", []string{"a migration of it is pending"}, inSequence(somebodyMigrates, somebodyReverts)},
	{anotherRun, nil, inSequence(actAs(stub.DefaultUser.ID, (*stub.Stub).Migrate))},
	{"somebody stops the server", []string{"shut off"}, func(cloud *stub.Stub, id string) {
		cloud.SetServer(id, func(s *stub.Server) { s.Status = "SHUTOFF" })
	}},
	{"somebody deletes", []string{"is gone", "There is no server", "its status is DELETED", "being deleted"}, inSequence((*stub.Stub).Delete)},
}

// point is when another operator acts. schedule is called right after the first connection
// of the verification. It gets the writes that can follow the verification, and how long
// the verification takes.
type point struct {
	name       string
	needsWrite bool
	schedule   func(cloud *stub.Stub, writes []stub.Call, testTime time.Duration, act func())
}

// afterPart acts after a part of the verification's time, from 0 to 1.
func afterPart(part float64) func(*stub.Stub, []stub.Call, time.Duration, func()) {
	return func(_ *stub.Stub, _ []stub.Call, testTime time.Duration, act func()) {
		time.AfterFunc(time.Duration(part*float64(testTime)), act)
	}
}

// atRead acts at the next read of this kind: before the stub reads its state or, with
// effect, after it.
func atRead(call stub.Call, effect bool) func(*stub.Stub, []stub.Call, time.Duration, func()) {
	return func(cloud *stub.Stub, _ []stub.Call, _ time.Duration, act func()) {
		cloud.Inject(stub.Fault{Call: call, Count: 1, Effect: effect, Do: act})
	}
}

// atWrite acts at the next write: before it takes effect or, with effect, after it.
func atWrite(effect bool) func(*stub.Stub, []stub.Call, time.Duration, func()) {
	return func(cloud *stub.Stub, writes []stub.Call, _ time.Duration, act func()) {
		for _, call := range writes {
			cloud.Inject(stub.Fault{Call: call, Count: 1, Effect: effect, Do: act})
		}
	}
}

var points = []point{
	{"before the test", false, nil},
	{"in the first round", false, afterPart(0)},
	{"in the middle", false, afterPart(0.501)},
	{"before the last round", false, afterPart(0.999)},
	{"before the log is read", false, atRead(stub.CallActionLog, false)},
	{"between the reads of the log and of the server", false, atRead(stub.CallActionLog, true)},
	{"between the read of the server and the request", false, atRead(stub.CallServer, true)},
	{"before the request takes effect", true, atWrite(false)},
	{"after the request took effect", true, atWrite(true)},
}

// extraFault is a fault beside the other operator. It is injected right after the first
// connection of the verification.
type extraFault struct {
	name       string
	needsWrite bool
	cause      string // what a diagnostic can name as the cause
	inject     func(cloud *stub.Stub, writes []stub.Call)
}

// loseAnswer closes the connection of the next write, before or after its effect.
func loseAnswer(effect bool) func(*stub.Stub, []stub.Call) {
	return func(cloud *stub.Stub, writes []stub.Call) {
		for _, call := range writes {
			cloud.Inject(stub.Fault{Call: call, Count: 1, Reset: true, Effect: effect})
		}
	}
}

var extraFaults = []extraFault{
	{"nothing fails", false, "nothing fails", func(*stub.Stub, []stub.Call) {}},
	{"the answer to the request is lost", true, "connection was closed", loseAnswer(true)},
	{"the request is lost", true, "connection was closed", loseAnswer(false)},
	{"the log is refused", false, "403", func(cloud *stub.Stub, _ []stub.Call) {
		cloud.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden})
	}},
	{"no read of the server is answered", false, "no answer came in time", func(cloud *stub.Stub, _ []stub.Call) {
		cloud.Inject(stub.Fault{Call: stub.CallServer, Hang: true})
	}},
}

// testedScenario is a scenario with a verification. It is not one of the matrix.
type testedScenario struct {
	scenario
	writes []stub.Call // the requests that can follow the verification
}

func testedScenarios() []testedScenario {
	address := stub.Server{AccessIPv4: "192.0.2.11"}
	unhealthy := stub.Server{AccessIPv4: "192.0.2.11", Health: stub.HealthyOnOriginalHost(stub.Wrong)}
	crashed := func(cloud *stub.Stub, id string) error { return cloud.Migrate(id, stub.DefaultUser.ID) }
	confirms := func(revert bool) func(context.Context, *migration.Engine, string) (migration.Migration, error) {
		return func(ctx context.Context, e *migration.Engine, _ string) (migration.Migration, error) {
			return e.Confirm(ctx, ctx.Value(stateKey{}).(migration.Migration), verificationIn(ctx, revert))
		}
	}
	confirm, revert := []stub.Call{stub.CallConfirm}, []stub.Call{stub.CallRevert}
	return []testedScenario{
		{scenario{name: "migrate, test and confirm", seed: address, migrates: 1, act: migrateAndTest(true, false, 0), claims: claimsPass}, confirm},
		{scenario{name: "migrate, fail the test, and keep the migration", seed: unhealthy, migrates: 1, act: migrateAndTest(true, false, 0), claims: claimsPass}, nil},
		{scenario{name: "migrate, fail the test, and roll back", seed: unhealthy, migrates: 1, act: migrateAndTest(true, true, 0), claims: claimsPass, mayRevert: true}, revert},
		{scenario{name: "migrate and pass the test, without auto_confirm", seed: address, migrates: 1, act: migrateAndTest(false, true, 0), claims: claimsResult}, nil},
		{scenario{name: "migrate and fail the test, without auto_confirm", seed: unhealthy, migrates: 1, act: migrateAndTest(false, false, 0), claims: claimsResult}, nil},
		{scenario{name: "migrate, fail the test, and roll back without auto_confirm", seed: unhealthy, migrates: 1, act: migrateAndTest(false, true, 0), claims: claimsResult, mayRevert: true}, revert},
		{scenario{name: "take over, test and confirm", seed: address, before: crashed, act: migrateAndTest(true, false, preflightTime), claims: claimsPass}, confirm},
		{scenario{name: "confirm after a test", seed: address, inState: true, migrates: 1, act: confirms(false), op: recorded, claims: claimsPass}, confirm},
		{scenario{name: "confirm after a failed test, and roll back", seed: unhealthy, inState: true, migrates: 1, act: confirms(true), op: recorded, claims: claimsPass, mayRevert: true}, revert},
		{scenario{name: "test a server that awaits confirmation", seed: address, inState: true, migrates: 1, act: testInState(true), op: recorded, claims: claimsResult}, nil},
		{scenario{name: "test a server that awaits confirmation, and roll back", seed: unhealthy, inState: true, migrates: 1, act: testInState(true), op: recorded, claims: claimsResult, mayRevert: true}, revert},
		{scenario{name: "destroy after a test", seed: address, inState: true, migrates: 1, act: destroyInState, op: destroying, claims: claimsPassIfConfirmed}, confirm},
		{scenario{name: "destroy after a test that fails", seed: unhealthy, inState: true, migrates: 1, act: destroyInState, op: destroying, claims: claimsPassIfConfirmed}, nil},
	}
}

// testTime is how long a verification of the server takes.
func (sc testedScenario) testTime() time.Duration {
	if sc.seed.Health != nil {
		return time.Minute
	}
	return 10 * time.Second
}

// TestMatrix_anotherOperatorActsDuringAVerification has another operator confirm, revert or
// delete at each point of the verification of a moved server, while requests fail. No
// success is reported without a passed test. No migration is reverted unless a plan has
// warned of it.
func TestMatrix_anotherOperatorActsDuringAVerification(t *testing.T) {
	t.Parallel()
	cases := 0
	defer func() { t.Logf("others act in %d cases", cases) }()
	for _, sc := range testedScenarios() {
		sc.within = 10 * time.Minute
		cases += eachCase(t, sc, actionsAfterMove, func(t *testing.T, at point, action operatorAction, fault extraFault) {
			cloud, id := sc.begin(t)
			act := func() { action.do(cloud, id) }
			ctx, cancel := sc.prepare(t, cloud, id)
			defer cancel()
			onFirstConnection(cloud, id, false, func() {
				if at.schedule != nil {
					at.schedule(cloud, sc.writes, sc.testTime(), act)
				}
				fault.inject(cloud, sc.writes)
			})
			switch {
			case at.schedule != nil:
			case sc.inState:
				act()
			default: // between two polls: the server awaits confirmation 7.2 s after the migrate request
				time.AfterFunc(7300*time.Millisecond, act)
			}
			got, err := sc.run(t, ctx, cloud, id)
			sc.wantTrueReport(t, cloud, id, got, err, action, fault)
			time.Sleep(time.Minute) // until all actions have ended
		})
	}
}

// TestMatrix_anotherOperatorActsDuringAPreflight does the same before the move.
func TestMatrix_anotherOperatorActsDuringAPreflight(t *testing.T) {
	t.Parallel()
	cases := 0
	defer func() { t.Logf("others act in %d cases", cases) }()
	unhealthy := stub.Server{AccessIPv4: "192.0.2.11", Health: stub.HealthyOnOriginalHost(stub.Wrong)}
	for _, sc := range []testedScenario{
		{scenario{name: "a server that passes", seed: stub.Server{AccessIPv4: "192.0.2.11"}, migrates: 1, act: migrateAndTest(true, false, preflightTime), claims: claimsPass}, []stub.Call{stub.CallMigrate}},
		{scenario{name: "a server that fails after the move", seed: unhealthy, migrates: 1, act: migrateAndTest(false, true, preflightTime), claims: claimsResult, mayRevert: true}, []stub.Call{stub.CallMigrate}},
	} {
		sc.within = 10 * time.Minute
		cases += eachCase(t, sc, actionsBeforeMove, func(t *testing.T, at point, action operatorAction, fault extraFault) {
			cloud, id := sc.begin(t)
			act := func() { action.do(cloud, id) }
			ctx, cancel := sc.prepare(t, cloud, id)
			defer cancel()
			onFirstConnection(cloud, id, true, func() {
				if at.schedule == nil {
					act()
				} else {
					at.schedule(cloud, sc.writes, 10*time.Second, act)
				}
				fault.inject(cloud, sc.writes)
			})
			sc.mayAdopt = action.name == anotherRun // its migration is taken over
			got, err := sc.run(t, ctx, cloud, id)
			sc.wantTrueReport(t, cloud, id, got, err, action, fault)
			time.Sleep(time.Minute)
		})
	}
}

// eachCase runs a scenario with each action at each point, and with each extra fault. It
// returns how many cases these are.
func eachCase(t *testing.T, sc testedScenario, actions []operatorAction, run func(*testing.T, point, operatorAction, extraFault)) (cases int) {
	t.Helper()
	t.Run(sc.name, func(t *testing.T) {
		for _, at := range points {
			for _, action := range actions {
				for _, fault := range extraFaults {
					if len(sc.writes) == 0 && (fault.needsWrite || at.needsWrite) {
						continue // there is no such request
					}
					cases++
					t.Run(fmt.Sprintf("%s, %s, %s", at.name, action.name, fault.name), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { run(t, at, action, fault) })
					})
				}
			}
		}
	})
	return cases
}

// onFirstConnection calls do right after the first connection of a verification to the
// server, on its original host or on its new host.
func onFirstConnection(cloud *stub.Stub, id string, onOriginalHost bool, do func()) {
	var once sync.Once
	cloud.SetServer(id, func(s *stub.Server) {
		health := s.Health
		s.Health = func(v stub.Visit) stub.Health {
			if v.Home == onOriginalHost {
				once.Do(func() { time.AfterFunc(time.Millisecond, do) })
			}
			if health == nil {
				return stub.Healthy
			}
			return health(v)
		}
	})
}

// wantTrueReport checks that the action log agrees with what the run reports at its end.
func (sc testedScenario) wantTrueReport(t *testing.T, cloud *stub.Stub, id string, got migration.Migration, err error, action operatorAction, fault extraFault) {
	t.Helper()
	log := cloud.ActionLog(id)
	// Somebody else acted so late that the last read of the run may not show it. The log
	// has times in whole seconds.
	isLater := len(log) > 0 && log[0].UserID != stub.DefaultUser.ID && cloud.Now().Sub(log[0].Start) <= time.Second
	switch {
	case err == nil && got.Status == migration.StatusAwaiting && isLater:
	case err == nil:
		wantStatusOfLog(t, cloud, id, got)
		sc.wantOurMoveTested(t, log, got)
	default:
		wantCause(t, explain(err, sc.op), fault.cause, got, cloud.Migrations(id), action.causes...)
	}
}

// wantOurMoveTested checks that the server was tested where our migration had moved it:
// nobody began another migration before the test ended.
func (sc testedScenario) wantOurMoveTested(t *testing.T, log []stub.Action, got migration.Migration) {
	t.Helper()
	if sc.claims == claimsPassIfConfirmed {
		return
	}
	for _, entry := range log {
		if entry.RequestID == got.RequestID {
			return
		}
		if starts := entry.Action == cloudservers.ActionMigrate || entry.Action == cloudservers.ActionResize; starts && entry.Start.Before(got.VerificationResult.CheckedAt) {
			t.Errorf("got a success, though %s of %s began at %s and the test ended at %s", entry.Action, entry.UserID, entry.Start, got.VerificationResult.CheckedAt)
		}
	}
}
