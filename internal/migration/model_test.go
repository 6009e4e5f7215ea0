// The model check runs the real decide and work against a model of the cloud. It visits
// every state that the two can reach. After each step it checks the invariants I1 to
// I6, see below. On a violation it prints the shortest way to it.
//
// A scenario is bounded by its budget alone. Time has no bound: two states that differ
// only in how long ago something was count as one, once that makes no difference.
//
// Time passes in ticks of ten seconds. What happens at one instant happens in any
// order. The model takes for granted:
//
//   - A read lags by less than ten seconds: it shows the present, or what was replaced
//     at this very instant.
//   - A request takes effect within ten seconds or never: at the instant at which it
//     was sent, or one tick later.
//   - A move takes two ticks at least, so that no whole migration fits between a look
//     and the request that directly follows it. The loop sends nothing after an older
//     look.
//   - Where the log cannot be read: another move leads to another host than ours, and
//     begins two ticks after ours ended or came to await confirmation, at the
//     earliest; and a confirm is done at the instant at which it was accepted. Only the
//     log could tell otherwise.
//
// The invariants, each as far as what was seen could be known:
//
//   - I1: no move is started twice for one request, nor beside an open or lately
//     confirmed migration of our user.
//   - I2: nothing is confirmed, reverted or taken over that is not ours.
//   - I3: nothing is confirmed, and no success reported, before the moved server passed.
//   - I4: a status, and a success, is true.
//   - I5: what an error says was not done was not done.
//   - I6: every run ends, if nothing goes wrong from some moment on.
//
// A run is driven as operation.runFrom does it: model_run_test.go has the loop without
// its waits and requests, model_cloud_test.go the cloud, model_invariants_test.go what
// is checked, and model_explore_test.go the search. The cloud of the model is held
// against the stub in model_replay_test.go.

package migration

import (
	"errors"
	"reflect"
	"testing"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// scenario is who does what, and how much can go wrong.
type scenario struct {
	title    string
	setting  setting
	hidesLog bool   // the API never hands the log out
	pending  phase  // of our migration at the beginning: atRest (none), moving, unconfirmed, confirming (confirmed)
	adopted  bool   // that one was taken over, so that its source is not known
	plans    []plan // of the runs
	others   []word // what others do
	quick    bool   // a look takes no time
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

// again is a plan that migrates the server again, after something is done to the
// previous migration, or nothing if that has ended.
func again(settle OnDestroy) plan {
	return plan{name: "A", goal: goalConfirmed, previous: true, settle: settle}
}

var (
	twoHosts = setting{hosts: 2} // so that the next migration leads back
	newHosts = setting{}
	launched = setting{launch: true} // the same
	oneHost  = setting{hosts: 1}     // a cluster that calls itself one host
	coarse   = setting{hosts: 2, coarse: true}
	shutOff  = setting{hosts: 2, stopped: true}
)

// api is an engine of the API, and its error for a request whose answer was lost.
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

// TestModel_tellsRunsApart fails when work or operation has a new field: runKey
// has to have it, unless nothing depends on it.
func TestModel_tellsRunsApart(t *testing.T) {
	const fields = 43
	if got := reflect.TypeFor[work]().NumField() + reflect.TypeFor[operation]().NumField(); got != fields {
		t.Errorf("got %d fields, want %d", got, fields)
	}
}
