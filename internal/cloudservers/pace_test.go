package cloudservers_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// limited is a cloud that holds its clients to the limits that Rackspace
// documents.
func limited() stub.Config {
	return stub.Config{ReadsPerMinute: cloudservers.DefaultRates.Read, WritesPerMinute: cloudservers.DefaultRates.Write}
}

// window is a minute and what requests may differ in the time to arrive.
const window = time.Minute + 100*time.Millisecond

func TestPace_keepsBelowTheLimitsOfTheAccount(t *testing.T) {
	tests := []struct {
		name  string
		call  func(context.Context, *cloudservers.Region, string) error
		kind  stub.Call
		limit int
	}{
		{"reads", func(ctx context.Context, r *cloudservers.Region, id string) error {
			_, err := r.Server(ctx, id)
			return err
		}, stub.CallServer, 1000},
		{"writes", func(ctx context.Context, r *cloudservers.Region, id string) error {
			_, err := r.Migrate(ctx, id, nil)
			return err
		}, stub.CallMigrate, 100},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := stub.New(limited())
				r := region(t, newClient(t, cloud, nil))
				var all sync.WaitGroup
				began := time.Now()
				for range 3*test.limit + 1 {
					id := cloud.AddServer(stub.Server{})
					all.Go(func() {
						if err := test.call(t.Context(), r, id); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
				if got := cloud.Count(test.kind); got != 3*test.limit+1 {
					t.Errorf("got %d requests, want %d, none of them refused", got, 3*test.limit+1)
				}
				// As many at once as a minute allows, then the next.
				if took := time.Since(began); took != 3*window {
					t.Errorf("took %s, want %s", took, 3*window)
				}
			})
		})
	}
}

func TestPace_delaysNothingBelowTheLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(limited())
		r := region(t, newClient(t, cloud, nil))
		began := time.Now()
		for range 100 {
			if _, err := r.Migrate(t.Context(), cloud.AddServer(stub.Server{}), nil); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("took %s, want no time at all", took)
		}
	})
}

func TestPace_letsConfirmsGoBeforeNewMigrates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{AutoConfirmAfter: -1})
		r := region(t, newClient(t, cloud, func(c *cloudservers.Config) { c.Rates.Write = 10 }))
		moved := cloud.AddServer(stub.Server{Status: cloudservers.StatusVerifyResize})
		var all sync.WaitGroup
		for range 30 {
			id := cloud.AddServer(stub.Server{})
			all.Go(func() { _, _ = r.Migrate(t.Context(), id, nil) })
		}
		synctest.Wait() // ten are sent, and twenty wait
		all.Go(func() {
			if _, err := r.Confirm(t.Context(), moved, nil); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		time.Sleep(62 * time.Second)
		if got := cloud.Count(stub.CallConfirm); got != 1 {
			t.Errorf("got %d confirms after a minute, want it to go first", got)
		}
		all.Wait()
	})
}

func TestPace_holdsEverybodyBackWhenTheAPISaysSo(t *testing.T) {
	for _, status := range []int{http.StatusRequestEntityTooLarge, http.StatusTooManyRequests} {
		synctest.Test(t, func(t *testing.T) {
			cloud := stub.New(stub.Config{})
			r := region(t, newClient(t, cloud, nil))
			id := cloud.AddServer(stub.Server{})
			cloud.Inject(stub.Fault{Call: stub.CallServer, Status: status, RetryAfter: 30 * time.Second, Count: 1})
			began := time.Now()
			var all sync.WaitGroup
			all.Go(func() { _, _ = r.Server(t.Context(), id) })
			synctest.Wait()
			for range 10 {
				all.Go(func() { _, _ = r.Server(t.Context(), id) })
			}
			if _, err := r.Migrate(t.Context(), id, nil); err != nil || time.Since(began) != 0 {
				t.Errorf("got %v after %s, want a write not to wait for reads", err, time.Since(began))
			}
			time.Sleep(29 * time.Second)
			if got := cloud.Count(stub.CallServer); got != 1 {
				t.Errorf("got %d reads within 30 s, want only the refused one", got)
			}
			all.Wait()
			if took := time.Since(began); took != 30*time.Second {
				t.Errorf("took %s, want 30s", took)
			}
		})
	}
}

func TestPace_countsFromWhenARequestIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		r := region(t, newClient(t, cloud, func(c *cloudservers.Config) { c.Rates.Write = 1 }))
		began := time.Now()
		for range 2 {
			if _, err := r.Migrate(t.Context(), cloud.AddServer(stub.Server{}), func(context.Context) error {
				time.Sleep(7 * time.Second)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		// The first is sent after 7 s, and the second asks once its turn has come.
		if got, want := time.Since(began), 7*time.Second+window+7*time.Second; got != want {
			t.Errorf("got the second after %s, want %s", got, want)
		}
	})
}

func TestPace_isLeftAtOnceWhenAWaitIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		r := region(t, newClient(t, cloud, func(c *cloudservers.Config) { c.Rates.Write = 1 }))
		ids := []string{cloud.AddServer(stub.Server{}), cloud.AddServer(stub.Server{}), cloud.AddServer(stub.Server{})}
		if _, err := r.Migrate(t.Context(), ids[0], nil); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := r.Migrate(ctx, ids[1], nil)
		if failure := wantError(t, err); failure.MaybeAccepted() || time.Since(began) != 10*time.Second {
			t.Errorf("got %v after %s (maybe accepted: %t), want nothing sent after 10s", err, time.Since(began), failure.MaybeAccepted())
		}
		if _, err := r.Migrate(t.Context(), ids[2], nil); err != nil || time.Since(began) != window {
			t.Errorf("got %v after %s, want the next turn not to be lost", err, time.Since(began))
		}
	})
}

func TestTally_countsWhatWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		client := newClient(t, cloud, nil)
		r := region(t, client)
		id := cloud.AddServer(stub.Server{})
		cloud.Inject(stub.Fault{Call: stub.CallServer, Status: 413, RetryAfter: time.Second, Count: 1})
		cloud.RevokeTokens()
		if _, err := r.Server(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		got := client.Tally()
		if got.OverLimit != 1 || got.Calls["get a token"] != cloud.Count(stub.CallToken) || got.Calls["read the server"] != cloud.Count(stub.CallServer) {
			t.Errorf("got %+v, want what the stub saw: %d tokens and %d reads", got, cloud.Count(stub.CallToken), cloud.Count(stub.CallServer))
		}
	})
}
