// The model check runs the real decide and work on a model of the cloud. It visits every
// state that can be reached. After each event it checks the invariants I1 to I6, which are
// listed below. On a violation it prints the shortest list of events that leads to it.
//
// Only the budget of a scenario limits how many events can happen. Time has no limit. Two
// states can differ only in the ages of what has happened. They are the same state if
// nothing depends on these ages any more.
//
// Time passes in ticks of ten seconds. The events of one tick can happen in any order. A
// move is a migrate or a resize. A look is a read of the action log, followed by a read of
// the server. The model assumes:
//
//   - A read lags by less than ten seconds. It shows the present, or an earlier picture of
//     this tick.
//   - A request takes effect in the tick in which it was sent, in the next tick, or never.
//   - A move takes at least two ticks. So no whole migration fits between a look and the
//     request that directly follows it. The loop sends no request after an older look.
//   - If the log cannot be read, a move of somebody else uses another host than ours. It
//     begins two ticks after ours ended or began to await confirmation, or later. A
//     confirm ends in the tick in which it was accepted. Only the log could show another
//     course.
//
// The invariants hold for everything that a run could know from its reads:
//
//   - I1: one request starts at most one move. No move is started beside an open or
//     recently confirmed migration of our user.
//   - I2: no migration is confirmed, reverted or taken over that is not ours.
//   - I3: before the moved server has passed its verification, nothing is confirmed and no
//     success is reported.
//   - I4: a returned status is true, and a success is true.
//   - I5: what an error says was not done was not done.
//   - I6: every run ends if no further fault happens.
//
// model_run_test.go drives a run as operation.runFrom does, without its waits and requests.
// model_cloud_test.go is the cloud, model_invariants_test.go has the checks, and
// model_explore_test.go the search. model_replay_test.go compares the cloud of the model
// with the stub.

package migration

import (
	"errors"
	"reflect"
	"testing"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// scenario is what the runs and other users do, and how much can go wrong.
type scenario struct {
	title    string
	setting  setting
	hidesLog bool   // the API refuses every read of the action log
	pending  phase  // of our migration at the beginning: atRest (none), moving, unconfirmed, confirming (confirmed)
	adopted  bool   // that migration was taken over, so its original host is not known
	plans    []plan // of the runs
	others   []word // the actions that another user can send
	quick    bool   // both reads of a look happen in one tick
	left     budget
}

var (
	anything  = []word{toMigrate, toResize, toConfirm, toRevert, toDelete}
	settlers  = []word{toConfirm, toRevert, toMigrate}
	create    = plan{name: "A", goal: goalConfirmed}
	tested    = plan{name: "A", goal: goalConfirmed, test: testDue}
	rollsBack = plan{name: "A", goal: goalConfirmed, test: testDue, rollback: true}
	moves     = plan{name: "A", goal: goalMoved}
	reports   = plan{name: "A", goal: goalMoved, test: testDue}
	takesBack = plan{name: "A", goal: goalMoved, test: testDue, rollback: true}
	retests   = plan{name: "A", goal: goalMoved, state: true, test: testDue}
	another   = plan{name: "B", goal: goalConfirmed}
	confirms  = plan{name: "A", goal: goalConfirmed, state: true}
	gated     = plan{name: "A", goal: goalConfirmed, state: true, test: testGate}
	reverts   = plan{name: "B", goal: goalReverted, state: true}
	refreshes = plan{name: "A", goal: goalObserved, state: true, refresh: true}
	imports   = plan{name: "A", goal: goalObserved, imports: true}
	replaces  = plan{name: "A", goal: goalConfirmed, gaveUp: true}
)

// again is a plan that migrates the server again. First it confirms or reverts the earlier
// migration, or does nothing if that has ended.
func again(settle OnDestroy) plan {
	return plan{name: "A", goal: goalConfirmed, previous: true, settle: settle}
}

var (
	twoHosts = setting{hosts: 2}     // a second migration moves the server back to its original host
	newHosts = setting{}             // each move uses a new host
	launched = setting{launch: true} // each move uses a new host
	oneHost  = setting{hosts: 1}     // a cluster with one host id
	coarse   = setting{hosts: 2, coarse: true}
	shutOff  = setting{hosts: 2, stopped: true}
)

// api returns an engine, and its error for a request whose answer was lost.
func api(t *testing.T) (*Engine, *cloudservers.Error) {
	t.Helper()
	cloud := stub.New(stub.Config{})
	id := cloud.AddServer(stub.Server{})
	client, err := cloudservers.New(cloudservers.Config{
		IdentityEndpoint: stub.URL + "/v2.0/", Transport: cloud.Transport(), Rates: cloudservers.DefaultRates, MaxRetries: 1,
		Credentials: cloudservers.Credentials{Username: stub.DefaultUser.Name, APIKey: stub.DefaultUser.APIKey},
	})
	if err != nil {
		t.Fatal(err)
	}
	region, err := client.Region(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	turn, err := region.MigrateTurn(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	cloud.Inject(stub.Fault{Call: stub.CallMigrate, Reset: true})
	_, err = region.Migrate(t.Context(), id, turn)
	var failure *cloudservers.Error
	if !errors.As(err, &failure) || !failure.MaybeAccepted() {
		t.Fatalf("got %v, want an error that leaves it open", err)
	}
	return New(client, Limits{}, ConfirmationWindow), failure
}

// TestModel_tellsRunsApart fails when work or operation has a new field. Add the field to
// runKey, unless no later event depends on it. Then change the number of fields here.
func TestModel_tellsRunsApart(t *testing.T) {
	const fields = 44
	if got := reflect.TypeFor[work]().NumField() + reflect.TypeFor[operation]().NumField(); got != fields {
		t.Errorf("got %d fields, want %d", got, fields)
	}
}
