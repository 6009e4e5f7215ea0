package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// soakSeeds and soakServers are how many fleets of how many servers TestSoak
// migrates; make soak has more.
var soakSeeds, soakServers = 3, 100

// troubled lets things go wrong at random, on the way to a cloud.
type troubled struct {
	cloud *stub.Stub

	mu   sync.Mutex
	dice *rand.Rand
}

// RoundTrip implements http.RoundTripper.
func (t *troubled) RoundTrip(r *http.Request) (*http.Response, error) {
	t.mu.Lock()
	if t.dice.IntN(100) < 5 {
		t.cloud.Inject(t.fault(r.Method))
	}
	if t.dice.IntN(500) == 0 {
		t.cloud.RevokeTokens()
	}
	t.mu.Unlock()
	return t.cloud.Transport().RoundTrip(r)
}

// fault is one of all kinds of faults, for the next request.
func (t *troubled) fault(method string) stub.Fault {
	effect := t.dice.IntN(2) == 0
	page := stub.HTML(http.StatusBadGateway)
	page.Effect = effect
	faults := []stub.Fault{
		{Reset: true, Effect: effect}, {Hang: true, Effect: effect}, {Truncate: true}, page,
		{Status: 500, Effect: effect}, {Status: 503, Effect: effect}, {Status: 504, Effect: effect}, {Status: 401}, {Status: 409},
		{Status: 413, RetryAfter: 7 * time.Second}, {Status: 429, RetryAfter: 3 * time.Second}, {Status: 403}, {Status: 404},
		{Delay: time.Duration(t.dice.IntN(50_000)) * time.Millisecond},
	}
	if method == http.MethodGet { // a confirm that only seems to be accepted is waited for until the timeout
		faults = append(faults, stub.Fault{Status: http.StatusOK, Body: "[]"})
	}
	fault := faults[t.dice.IntN(len(faults))]
	fault.Count = 1
	return fault
}

// TestSoak migrates fleets while requests fail at random in every way and waits
// are cancelled at random; what failed is applied again without trouble. No
// server is migrated twice, every migration comes to its end, and no goroutine
// is left: synctest.Test fails if one is.
func TestSoak(t *testing.T) {
	failed := 0
	for seed := range soakSeeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { failed += soak(t, uint64(seed)) })
		})
	}
	if failed == 0 {
		t.Error("nothing failed: it proves nothing")
	}
	t.Logf("%d of %d migrations failed at first, and came to their end when they were applied again", failed, soakSeeds*soakServers)
}

// soak returns how many migrations failed at first.
func soak(t *testing.T, seed uint64) int {
	cloud := stub.New(stub.Config{AutoConfirmAfter: -1})
	dice := rand.New(rand.NewPCG(seed, 1))
	var ids []string
	for range soakServers {
		ids = append(ids, cloud.AddServer(stub.Server{}))
	}
	trouble := &troubled{cloud: cloud, dice: rand.New(rand.NewPCG(seed, 2))}
	first := engineThrough(t, trouble)
	errs := make([]error, len(ids))
	done := make([]migration.Migration, len(ids))
	began := time.Now()
	var all sync.WaitGroup
	for i, id := range ids {
		ctx, cancel := context.WithCancel(t.Context())
		if dice.IntN(5) == 0 {
			time.AfterFunc(time.Duration(dice.IntN(60_000))*time.Millisecond, cancel)
		}
		all.Go(func() {
			defer cancel()
			done[i], errs[i] = first.Migrate(ctx, migration.Request{ServerID: id, AutoConfirm: true, Timeout: 2*time.Hour + 1300*time.Millisecond})
		})
	}
	all.Wait()
	// What the write limit makes of two requests for each, and some time for the faults.
	if took, most := time.Since(began), time.Duration(soakServers/50+5)*time.Minute; took > most {
		t.Errorf("it took %s, want all to end within %s: a wait was lost", took, most)
	}

	cloud.ClearFaults()
	again, failed := engineThrough(t, cloud.Transport()), 0
	for i, id := range ids {
		var failure *migration.Error
		switch {
		case errs[i] == nil:
		case errors.As(errs[i], &failure) && failure.Kind == migration.KindSettling: // it is in the state
			failed++
			time.Sleep(time.Minute)
			done[i], errs[i] = again.Confirm(t.Context(), done[i], nil)
		default:
			failed++
			done[i], errs[i] = again.Migrate(t.Context(), migration.Request{ServerID: id, AutoConfirm: true})
		}
		if errs[i] != nil || done[i].Status != migration.StatusConfirmed {
			t.Errorf("%s: got %q (%v), want it confirmed", id, done[i].Status, errs[i])
		}
		if server, _ := cloud.Server(id); server.Status != "ACTIVE" {
			t.Errorf("%s: got the server in %s, want it ACTIVE", id, server.Status)
		}
		if migrations := cloud.Migrations(id); migrations != 1 {
			t.Errorf("%s: got %d migrations, want 1", id, migrations)
		}
	}
	return failed
}
