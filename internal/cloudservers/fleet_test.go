package cloudservers_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// moveAndConfirm migrates a server and confirms the migration as soon as it
// awaits confirmation: it takes its turn, reads what there is to know, and sends.
func moveAndConfirm(ctx context.Context, r *cloudservers.Region, id string) error {
	look := func() error {
		if _, err := r.Server(ctx, id); err != nil {
			return err
		}
		_, err := r.ActionLog(ctx, id)
		return err
	}
	watch := func(status string) error {
		return r.Watch(ctx, id, func(s *cloudservers.Server) (bool, error) { return s.Status == status, nil })
	}
	turn, err := r.MigrateTurn(ctx, id)
	if err != nil {
		return err
	}
	if err := look(); err != nil {
		return err
	}
	if _, err := r.Migrate(ctx, id, turn); err != nil {
		return err
	}
	if err := watch(cloudservers.StatusVerifyResize); err != nil {
		return err
	}
	if turn, err = r.SettleTurn(ctx, id); err != nil {
		return err
	}
	if err := look(); err != nil {
		return err
	}
	if _, err := r.Confirm(ctx, id, turn); err != nil {
		return err
	}
	return watch(cloudservers.StatusActive)
}

func TestFleet_isConfirmedOnTimeWithinTheLimitsOfTheAccount(t *testing.T) {
	const way = 25 * time.Millisecond // what a request takes to the cloud, and its answer back
	tests := []struct {
		servers int
		takes   time.Duration
		total   time.Duration // at most
	}{
		// The confirms of the first ones take the writes that the last ones wait for.
		{300, 2*time.Minute + 137*time.Millisecond, 6*time.Minute + 10*time.Second},
		{300, 2*time.Minute + 937*time.Millisecond, 6*time.Minute + 10*time.Second},
		// No client can be faster than 2000 writes.
		{1000, 10*time.Minute + 137*time.Millisecond, 19*time.Minute + 10*time.Second},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%d servers in %s", test.servers, test.takes), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				config := limited()
				config.Timing = stub.ObservedTiming()
				config.Timing.Migrate = test.takes - config.Timing.Prepare - config.Timing.Migrated - config.Timing.Finish
				cloud := stub.New(config)
				transport := cloud.Transport()
				client := newClient(t, cloud, func(c *cloudservers.Config) {
					c.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
						time.Sleep(way)
						defer time.Sleep(way)
						return transport.RoundTrip(r)
					})
				})
				r := region(t, client)
				began := time.Now()
				var all sync.WaitGroup
				for range test.servers {
					id := cloud.AddServer(stub.Server{})
					all.Go(func() {
						if err := moveAndConfirm(t.Context(), r, id); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
				took := time.Since(began)

				due := map[string]time.Time{}
				var lags []time.Duration
				for _, request := range cloud.Requests() {
					switch request.Call {
					case stub.CallMigrate:
						due[request.ServerID] = request.Time.Add(test.takes)
					case stub.CallConfirm:
						lags = append(lags, request.Time.Sub(due[request.ServerID]))
					}
				}
				slices.Sort(lags)
				if got := lags[len(lags)*95/100]; got > 2200*time.Millisecond {
					t.Errorf("got a confirm %s after its server awaited it (p95), want 2.2s at most", got)
				}
				if got := client.Tally().OverLimit; got != 0 {
					t.Errorf("got %d answers that the limit was reached, want none", got)
				}
				if took > test.total {
					t.Errorf("took %s, want at most %s", took, test.total)
				}
			})
		})
	}
}
