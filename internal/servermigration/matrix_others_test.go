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

// deed is what another operator does at one point of a verification.
type deed struct {
	name string
	says []string // what a diagnostic can name as its cause
	do   func(*stub.Stub, string)
}

// inTurn does one thing after the other, with time for each to end. The cloud may
// refuse any of them, as it may to anybody.
func inTurn(deeds ...func(*stub.Stub, string) error) func(*stub.Stub, string) {
	return func(cloud *stub.Stub, id string) {
		_ = deeds[0](cloud, id)
		for i, next := range deeds[1:] {
			time.AfterFunc(time.Duration(i+1)*9*time.Second, func() { _ = next(cloud, id) })
		}
	}
}

func as(user string, act func(*stub.Stub, string, string) error) func(*stub.Stub, string) error {
	return func(cloud *stub.Stub, id string) error { return act(cloud, id, user) }
}

var (
	theyConfirm = as(somebody, (*stub.Stub).Confirm)
	theyRevert  = as(somebody, (*stub.Stub).Revert)
	theyMigrate = as(somebody, (*stub.Stub).Migrate)
	theyResize  = as(somebody, (*stub.Stub).Resize)
)

// settlers are what can happen to a migration while its server is tested.
var settlers = []deed{
	{"somebody confirms", []string{"confirmed"}, inTurn(theyConfirm)},
	{"the cloud confirms", []string{"confirmed"}, inTurn(as("", (*stub.Stub).Confirm))},
	{"somebody confirms and migrates", []string{"confirmed", "a migration of it is pending"}, inTurn(theyConfirm, theyMigrate)},
	{"somebody reverts", []string{"reverted"}, inTurn(theyRevert)},
	{"somebody reverts and resizes", []string{"reverted", "resize of it is pending"}, inTurn(theyRevert, theyResize)},
	{"somebody deletes", []string{"is gone", "There is no server", "could not be found"}, inTurn((*stub.Stub).Delete)},
	{"somebody migrates as soon as it is confirmed", []string{"a migration of it is pending"}, func(cloud *stub.Stub, id string) {
		time.AfterFunc(700*time.Millisecond, func() { _ = theyMigrate(cloud, id) })
	}},
}

const anotherRun = "another run of the same user migrates"

// movers are what can happen to a server during its preflight.
var movers = []deed{
	{"somebody migrates", []string{"a migration of it is pending"}, inTurn(theyMigrate)},
	{"somebody migrates and confirms", []string{"a migration of it is pending"}, inTurn(theyMigrate, theyConfirm)},
	{"somebody migrates and reverts", []string{"a migration of it is pending"}, inTurn(theyMigrate, theyRevert)},
	{anotherRun, nil, inTurn(as(stub.DefaultUser.ID, (*stub.Stub).Migrate))},
	{"somebody stops the server", []string{"shut off"}, func(cloud *stub.Stub, id string) {
		cloud.SetServer(id, func(s *stub.Server) { s.Status = "SHUTOFF" })
	}},
	{"somebody deletes", []string{"is gone", "There is no server", "its status is DELETED", "being deleted"}, inTurn((*stub.Stub).Delete)},
}

// point is when another operator acts. arm is called right after the first connection
// of the test; writes are the requests that can follow it.
type point struct {
	name       string
	needsWrite bool
	arm        func(cloud *stub.Stub, writes []stub.Call, lasts time.Duration, act func())
}

func after(part float64) func(*stub.Stub, []stub.Call, time.Duration, func()) {
	return func(_ *stub.Stub, _ []stub.Call, lasts time.Duration, act func()) {
		time.AfterFunc(time.Duration(part*float64(lasts)), act)
	}
}

func atRead(call stub.Call, effect bool) func(*stub.Stub, []stub.Call, time.Duration, func()) {
	return func(cloud *stub.Stub, _ []stub.Call, _ time.Duration, act func()) {
		cloud.Inject(stub.Fault{Call: call, Count: 1, Effect: effect, Do: act})
	}
}

func atWrite(effect bool) func(*stub.Stub, []stub.Call, time.Duration, func()) {
	return func(cloud *stub.Stub, writes []stub.Call, _ time.Duration, act func()) {
		for _, call := range writes {
			cloud.Inject(stub.Fault{Call: call, Count: 1, Effect: effect, Do: act})
		}
	}
}

var points = []point{
	{"before the test", false, nil},
	{"in the first round", false, after(0)},
	{"in the middle", false, after(0.501)},
	{"before the last round", false, after(0.999)},
	{"before the log is read", false, atRead(stub.CallActionLog, false)},
	{"between the log and the server", false, atRead(stub.CallActionLog, true)},
	{"between the server and the request", false, atRead(stub.CallServer, true)},
	{"before the request takes effect", true, atWrite(false)},
	{"after the request took effect", true, atWrite(true)},
}

// trouble is what goes wrong besides, from the first connection of the test on.
type trouble struct {
	name       string
	needsWrite bool
	says       string
	arm        func(cloud *stub.Stub, writes []stub.Call)
}

func lost(effect bool) func(*stub.Stub, []stub.Call) {
	return func(cloud *stub.Stub, writes []stub.Call) {
		for _, call := range writes {
			cloud.Inject(stub.Fault{Call: call, Count: 1, Reset: true, Effect: effect})
		}
	}
}

var troubles = []trouble{
	{"nothing fails", false, "nothing fails", func(*stub.Stub, []stub.Call) {}},
	{"the answer to the request is lost", true, "connection was closed", lost(true)},
	{"the request is lost", true, "connection was closed", lost(false)},
	{"the log is refused", false, "403", func(cloud *stub.Stub, _ []stub.Call) {
		cloud.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden})
	}},
	{"no answer comes any more", false, "no answer came in time", func(cloud *stub.Stub, _ []stub.Call) {
		cloud.Inject(stub.Fault{Call: stub.CallServer, Hang: true})
	}},
}

// testedScenario is a scenario with a test, beside those of the matrix.
type testedScenario struct {
	scenario
	writes []stub.Call // the requests that can follow its test
}

func testedScenarios() []testedScenario {
	address := stub.Server{AccessIPv4: "192.0.2.11"}
	unhealthy := stub.Server{AccessIPv4: "192.0.2.11", Health: stub.HealthyOnOriginalHost(stub.Wrong)}
	crashed := func(cloud *stub.Stub, id string) error { return cloud.Migrate(id, stub.DefaultUser.ID) }
	confirms := func(revert bool) func(context.Context, *migration.Engine, string) (migration.Migration, error) {
		return func(ctx context.Context, e *migration.Engine, _ string) (migration.Migration, error) {
			return e.Confirm(ctx, ctx.Value(givenKey{}).(migration.Migration), verificationIn(ctx, revert))
		}
	}
	confirm, revert := []stub.Call{stub.CallConfirm}, []stub.Call{stub.CallRevert}
	return []testedScenario{
		{scenario{name: "migrate, test and confirm", seed: address, migrates: 1, act: tested(true, false, 0), tests: testsOrFails}, confirm},
		{scenario{name: "migrate, test, and keep", seed: unhealthy, migrates: 1, act: tested(true, false, 0), tests: testsOrFails}, nil},
		{scenario{name: "migrate, test, and roll back", seed: unhealthy, migrates: 1, act: tested(true, true, 0), tests: testsOrFails, reverts: true}, revert},
		{scenario{name: "migrate, and tell that it passes", seed: address, migrates: 1, act: tested(false, true, 0), tests: testsAndTells}, nil},
		{scenario{name: "migrate, and tell that it fails", seed: unhealthy, migrates: 1, act: tested(false, false, 0), tests: testsAndTells}, nil},
		{scenario{name: "migrate, and roll back without auto_confirm", seed: unhealthy, migrates: 1, act: tested(false, true, 0), tests: testsAndTells, reverts: true}, revert},
		{scenario{name: "take over, test and confirm", seed: address, before: crashed, act: tested(true, false, preflightTime), tests: testsOrFails}, confirm},
		{scenario{name: "confirm after a test", seed: address, given: true, migrates: 1, act: confirms(false), op: recorded, tests: testsOrFails}, confirm},
		{scenario{name: "confirm after a test, and roll back", seed: unhealthy, given: true, migrates: 1, act: confirms(true), op: recorded, tests: testsOrFails, reverts: true}, revert},
		{scenario{name: "test what awaits confirmation", seed: address, given: true, migrates: 1, act: testsGiven(true), op: recorded, tests: testsAndTells}, nil},
		{scenario{name: "test what awaits confirmation, and roll back", seed: unhealthy, given: true, migrates: 1, act: testsGiven(true), op: recorded, tests: testsAndTells, reverts: true}, revert},
		{scenario{name: "destroy after a test", seed: address, given: true, migrates: 1, act: destroysGiven, op: destroying, tests: testsFirst}, confirm},
		{scenario{name: "destroy after a test that fails", seed: unhealthy, given: true, migrates: 1, act: destroysGiven, op: destroying, tests: testsFirst}, nil},
	}
}

// lasts is how long a test of the server takes.
func (sc testedScenario) lasts() time.Duration {
	if sc.seed.Health != nil {
		return time.Minute
	}
	return 10 * time.Second
}

// TestMatrix_othersActAtEachPointOfATest lets another operator confirm, revert or delete
// at each point of the test of a moved server, while requests fail. No success is
// reported without a passed test, and nothing is reverted that no plan has announced.
func TestMatrix_othersActAtEachPointOfATest(t *testing.T) {
	t.Parallel()
	cases := 0
	defer func() { t.Logf("others act in %d cases", cases) }()
	for _, sc := range testedScenarios() {
		sc.within = 10 * time.Minute
		cases += eachCase(t, sc, settlers, func(t *testing.T, at point, deed deed, what trouble) {
			cloud, id := sc.begin(t)
			act := func() { deed.do(cloud, id) }
			ctx, cancel := sc.prepare(t, cloud, id)
			defer cancel()
			onFirstConnection(cloud, id, false, func() {
				if at.arm != nil {
					at.arm(cloud, sc.writes, sc.lasts(), act)
				}
				what.arm(cloud, sc.writes)
			})
			switch {
			case at.arm != nil:
			case sc.given:
				act()
			default: // between two polls: the server awaits confirmation 7.2 s after its request
				time.AfterFunc(7300*time.Millisecond, act)
			}
			got, err := sc.run(t, ctx, cloud, id)
			sc.wantTold(t, cloud, id, got, err, deed, what)
			time.Sleep(time.Minute) // until everybody has finished
		})
	}
}

// TestMatrix_othersActAtEachPointOfAPreflight does the same before the move.
func TestMatrix_othersActAtEachPointOfAPreflight(t *testing.T) {
	t.Parallel()
	cases := 0
	defer func() { t.Logf("others act in %d cases", cases) }()
	unhealthy := stub.Server{AccessIPv4: "192.0.2.11", Health: stub.HealthyOnOriginalHost(stub.Wrong)}
	for _, sc := range []testedScenario{
		{scenario{name: "a server that passes", seed: stub.Server{AccessIPv4: "192.0.2.11"}, migrates: 1, act: tested(true, false, preflightTime), tests: testsOrFails}, []stub.Call{stub.CallMigrate}},
		{scenario{name: "a server that fails after the move", seed: unhealthy, migrates: 1, act: tested(false, true, preflightTime), tests: testsAndTells, reverts: true}, []stub.Call{stub.CallMigrate}},
	} {
		sc.within = 10 * time.Minute
		cases += eachCase(t, sc, movers, func(t *testing.T, at point, deed deed, what trouble) {
			cloud, id := sc.begin(t)
			act := func() { deed.do(cloud, id) }
			ctx, cancel := sc.prepare(t, cloud, id)
			defer cancel()
			onFirstConnection(cloud, id, true, func() {
				if at.arm == nil {
					act()
				} else {
					at.arm(cloud, sc.writes, 10*time.Second, act)
				}
				what.arm(cloud, sc.writes)
			})
			sc.maybe = deed.name == anotherRun // which is taken over
			got, err := sc.run(t, ctx, cloud, id)
			sc.wantTold(t, cloud, id, got, err, deed, what)
			time.Sleep(time.Minute)
		})
	}
}

// eachCase runs a scenario with each deed at each point, and each trouble. It returns
// how many cases these are.
func eachCase(t *testing.T, sc testedScenario, deeds []deed, run func(*testing.T, point, deed, trouble)) (cases int) {
	t.Helper()
	t.Run(sc.name, func(t *testing.T) {
		for _, at := range points {
			for _, deed := range deeds {
				for _, what := range troubles {
					if len(sc.writes) == 0 && (what.needsWrite || at.needsWrite) {
						continue // there is no such request
					}
					cases++
					t.Run(fmt.Sprintf("%s, %s, %s", at.name, deed.name, what.name), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { run(t, at, deed, what) })
					})
				}
			}
		}
	})
	return cases
}

// onFirstConnection does something right after the first connection of a test to a
// server, which is at home or has moved.
func onFirstConnection(cloud *stub.Stub, id string, home bool, do func()) {
	var once sync.Once
	cloud.SetServer(id, func(s *stub.Server) {
		health := s.Health
		s.Health = func(v stub.Visit) stub.Health {
			if v.Home == home {
				once.Do(func() { time.AfterFunc(time.Millisecond, do) })
			}
			if health == nil {
				return stub.Healthy
			}
			return health(v)
		}
	})
}

// wantTold holds what is said at the end against the action log.
func (sc testedScenario) wantTold(t *testing.T, cloud *stub.Stub, id string, got migration.Migration, err error, deed deed, what trouble) {
	t.Helper()
	log := cloud.ActionLog(id)
	isLater := len(log) > 0 && log[0].UserID != stub.DefaultUser.ID && cloud.Now().Sub(log[0].Start) <= time.Second // than what the last look shows, as far as the log's times tell
	switch {
	case err == nil && got.Status == migration.StatusAwaiting && isLater:
	case err == nil:
		wantOutcome(t, cloud, id, got)
		sc.wantOurs(t, log, got)
	default:
		wantCause(t, explain(err, sc.op), what.says, got, cloud.Migrations(id), deed.says...)
	}
}

// wantOurs checks that the server that was tested is the one that our migration
// brought: nobody had begun another one before the test ended.
func (sc testedScenario) wantOurs(t *testing.T, log []stub.Action, got migration.Migration) {
	t.Helper()
	if sc.tests == testsFirst {
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
