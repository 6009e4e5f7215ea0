package migration_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// result is how a migration of a fleet ended.
type result struct {
	migration.Migration
	err error
}

// migrateAll migrates servers at once, in the order of their ids.
func (c *cloud) migrateAll(ctx context.Context, autoConfirm bool, timeout time.Duration, ids ...string) []result {
	results := make([]result, len(ids))
	var all sync.WaitGroup
	for i, id := range ids {
		all.Go(func() {
			m, err := c.engine.Migrate(ctx, migration.Request{ServerID: id, AutoConfirm: autoConfirm, Timeout: timeout})
			results[i] = result{m, err}
		})
		synctest.Wait() // each arrives before the next
	}
	all.Wait()
	return results
}

func (c *cloud) addServers(n int) []string {
	ids := []string{c.server}
	for range n - 1 {
		ids = append(ids, c.AddServer(stub.Server{}))
	}
	return ids
}

// underWay returns how many migrations were under way at the same time, at most, and
// the order of the migrate requests.
func (c *cloud) underWay(autoConfirm bool) (most int, order []string) {
	var begun []string
	now := 0
	for _, request := range c.Requests() {
		switch {
		case request.Call == stub.CallMigrate:
			begun, now = append(begun, request.ServerID), now+1
		case request.Call == stub.CallConfirm && autoConfirm:
			now--
		}
		most = max(most, now)
	}
	return most, begun
}

func TestFleet_keepsToItsLimitInOrderOfArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.engine = c.limitedEngine(t, migration.Limits{Concurrent: 3})
		ids := c.addServers(10)

		for _, got := range c.migrateAll(t.Context(), true, 0, ids...) {
			wantStatus(t, got.Migration, got.err, migration.StatusConfirmed)
		}

		most, order := c.underWay(true)
		if most != 3 {
			t.Errorf("got %d migrations under way at once, want 3", most)
		}
		for i := 0; i < len(ids); i += 3 { // those of one round may overtake one another
			want, got := ids[i:min(i+3, len(ids))], order[i:min(i+3, len(order))]
			for _, id := range want {
				if !slices.Contains(got, id) {
					t.Errorf("got %v migrated in round %d, want %v", got, i/3, want)
				}
			}
		}
	})
}

func TestFleet_handsATurnOnWhenAMigrationAwaitsConfirmation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.engine = c.limitedEngine(t, migration.Limits{Concurrent: 1})
		for _, got := range c.migrateAll(t.Context(), false, 0, c.addServers(3)...) {
			wantStatus(t, got.Migration, got.err, migration.StatusAwaiting)
		}
	})
}

func TestFleet_waitsForItsTurnWithoutTouchingTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timing := stub.ObservedTiming()
		timing.Migrate = 10 * time.Hour
		c := newCloud(t, stub.Config{Timing: timing}, stub.Server{})
		c.engine = c.limitedEngine(t, migration.Limits{Concurrent: 1})
		ids := c.addServers(2)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(61*time.Second, cancel)
		began := time.Now()

		results := c.migrateAll(ctx, true, 0, ids...)

		wantKind(t, results[0].err, migration.KindInterrupted)
		wantKind(t, results[1].err, migration.KindTurn)
		if took := time.Since(began); took > 62*time.Second {
			t.Errorf("took %s, want a second after the cancel at most", took)
		}
		for _, request := range c.Requests() {
			if request.ServerID == ids[1] {
				t.Errorf("got a request for the server that waits: %s %s", request.Method, request.Path)
			}
		}
	})
}

func TestFleet_beginsATimeoutWithItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.engine = c.limitedEngine(t, migration.Limits{Concurrent: 1})
		for _, got := range c.migrateAll(t.Context(), true, 31*time.Second, c.addServers(10)...) {
			wantStatus(t, got.Migration, got.err, migration.StatusConfirmed)
		}
	})
}

func TestFleet_startsNothingMoreAfterSoManyFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.engine = c.limitedEngine(t, migration.Limits{Concurrent: 1, Failures: 2})
		ids := c.addServers(2)
		ids = append(ids, c.AddServer(stub.Server{Name: "full-1", Outcome: stub.OutcomeNoValidHost}))
		ids = append(ids, c.AddServer(stub.Server{Name: "busy-1", Status: "REBUILD"})) // is refused, and does not count
		ids = append(ids, c.AddServer(stub.Server{Name: "full-2", Outcome: stub.OutcomeNoValidHost}))
		ids = append(ids, c.AddServer(stub.Server{}), c.AddServer(stub.Server{}))

		results := c.migrateAll(t.Context(), true, 0, ids...)

		wantStatus(t, results[0].Migration, results[0].err, migration.StatusConfirmed)
		wantStatus(t, results[1].Migration, results[1].err, migration.StatusConfirmed)
		wantKind(t, results[2].err, migration.KindFailed)
		wantKind(t, results[3].err, migration.KindStatus)
		wantKind(t, results[4].err, migration.KindFailed)
		for i := 5; i < len(ids); i++ {
			stopped := wantKind(t, results[i].err, migration.KindStopped)
			var names []string
			for _, failure := range stopped.Failures {
				names = append(names, failure.Migration.ServerName)
			}
			if diff := cmp.Diff([]string{"full-1", "full-2"}, names); diff != "" {
				t.Errorf("failures (-want +got):\n%s", diff)
			}
		}
		c.wantSent(t, stub.CallMigrate, 4)
	})
}

func TestFleet_doesNotCountWhatWasCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.engine = c.limitedEngine(t, migration.Limits{Failures: 1})
		ids := c.addServers(2)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		wantKind(t, c.migrateAll(ctx, true, 0, ids[0])[0].err, migration.KindInterrupted)
		got := c.migrateAll(t.Context(), true, 0, ids[1])[0]
		wantStatus(t, got.Migration, got.err, migration.StatusConfirmed)
	})
}

func TestFleet_stopsWhatWaitsForTheRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{Outcome: stub.OutcomeNoValidHost})
		c.engine = c.pacedEngine(t, 1, migration.Limits{Failures: 1})
		ids := c.addServers(3)
		results := c.migrateAll(t.Context(), true, 0, ids...)
		wantKind(t, results[0].err, migration.KindFailed)
		for _, got := range results[1:] {
			wantKind(t, got.err, migration.KindStopped)
		}
		c.wantSent(t, stub.CallMigrate, 1)
	})
}

func TestFleet_countsNothingThatWasCancelledBeforeItWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.engine = c.pacedEngine(t, 1, migration.Limits{Failures: 1})
		ids := c.addServers(4)
		c.Inject(stub.Fault{Call: stub.CallMigrate, Skip: 1, Status: 413, RetryAfter: time.Minute, Count: 1})
		wait := func(id string, cancelled time.Duration) error {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(cancelled, cancel)
			_, err := c.engine.Migrate(ctx, migration.Request{ServerID: id, Timeout: time.Hour})
			return err
		}
		if err := wait(ids[0], time.Hour); err != nil {
			t.Fatal(err)
		}
		wantKind(t, wait(ids[1], 10*time.Second), migration.KindTurn)  // before its turn
		wantKind(t, wait(ids[2], 100*time.Second), migration.KindTurn) // after the limit's answer
		if err := wait(ids[3], time.Hour); err != nil {
			t.Errorf("got %v, want the cancelled ones not to stop it", err)
		}
	})
}

func TestMigrate_hasItsWholeTimeWhenItsTurnInTheRateLimitComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.engine = c.pacedEngine(t, 1, migration.Limits{})
		for _, got := range c.migrateAll(t.Context(), false, 9*time.Second, c.addServers(5)...) {
			wantStatus(t, got.Migration, got.err, migration.StatusAwaiting)
		}
	})
}

func TestStart_looksAgainAfterItsTurnWhateverWasReadBefore(t *testing.T) {
	tests := []struct {
		name     string
		status   int // of lists
		interval time.Duration
	}{
		{"lists are refused", http.StatusForbidden, 2 * time.Second},
		{"it may be old", http.StatusOK, 2 * time.Minute},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{})
				c.engine = c.configuredEngine(t, stub.DefaultUser, cloudservers.Config{Rates: cloudservers.Rates{Write: 5}, PollInterval: test.interval}, migration.Limits{})
				if test.status != http.StatusOK {
					c.Inject(stub.Fault{Call: stub.CallList, Status: test.status})
				}
				ids := c.addServers(10)
				var all sync.WaitGroup
				for _, id := range ids {
					all.Go(func() { _, _ = c.engine.Migrate(t.Context(), migration.Request{ServerID: id}) })
				}
				time.Sleep(10 * time.Second)
				var others []string // which another run migrates, while ours waits for its turn
				for _, id := range ids {
					if c.Migrations(id) == 0 && c.Migrate(id, stub.DefaultUser.ID) == nil {
						others = append(others, id)
					}
				}
				if len(others) == 0 {
					t.Fatal("no server waited for its turn: it proves nothing")
				}
				time.Sleep(9 * time.Second)
				for _, id := range others {
					if err := c.Confirm(id, stub.DefaultUser.ID); err != nil {
						t.Error(err)
					}
				}
				all.Wait()
				for _, id := range others {
					if got := c.Migrations(id); got != 0 {
						t.Errorf("%s: got it migrated a second time", id)
					}
				}
			})
		})
	}
}

func TestMigrate_reservesAWriteForTheConfirmThatComesSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.engine = c.pacedEngine(t, 2, migration.Limits{})
		second := c.AddServer(stub.Server{})
		began := time.Now()
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := c.migrate(t.Context(), true); err != nil {
				t.Error(err)
			}
			// The server moves from 3.9 s on, and awaits confirmation from 7.2 s on.
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("it took %s, want it to wait for no other server", took)
			}
		})
		all.Go(func() {
			time.Sleep(5 * time.Second)
			if _, err := c.engine.Migrate(t.Context(), migration.Request{ServerID: second}); err != nil {
				t.Error(err)
			}
			if waited := time.Since(began); waited < time.Minute {
				t.Errorf("another server's migrate came after %s, want it to wait for the confirm", waited)
			}
		})
		all.Wait()
	})
}
