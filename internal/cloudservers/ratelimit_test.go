package cloudservers_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-log/tflogtest"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// limited is a cloud that holds its clients to the limits that Rackspace
// documents.
func limited() stub.Config {
	return stub.Config{ReadsPerMinute: cloudservers.DefaultRates.Read, WritesPerMinute: cloudservers.DefaultRates.Write}
}

// window is a minute and what requests may differ in the time to arrive.
const window = time.Minute + 50*time.Millisecond

func TestRateLimit_keepsBelowTheLimitsOfTheAccount(t *testing.T) {
	tests := []struct {
		name  string
		call  func(context.Context, *cloudservers.Region, string) error
		kind  stub.Call
		limit int
	}{
		{"reads", func(ctx context.Context, r *cloudservers.Region, id string) error {
			_, err := r.Server(ctx, id)
			return err
		}, stub.CallServer, 1000 - 30}, // one read every 2 s is kept for polls
		{"writes", func(ctx context.Context, r *cloudservers.Region, id string) error {
			_, err := migrate(ctx, r, id)
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

func TestRateLimit_delaysNothingBelowTheLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(limited())
		r := region(t, newClient(t, cloud, nil))
		began := time.Now()
		for range 100 {
			if _, err := migrate(t.Context(), r, cloud.AddServer(stub.Server{})); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("took %s, want no time at all", took)
		}
	})
}

func TestRateLimit_letsConfirmsGoBeforeNewMigrates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{AutoConfirmAfter: -1})
		r := region(t, newClient(t, cloud, func(c *cloudservers.Config) { c.Rates.Write = 10 }))
		moved := cloud.AddServer(stub.Server{Status: cloudservers.StatusVerifyResize})
		var all sync.WaitGroup
		for range 30 {
			id := cloud.AddServer(stub.Server{})
			all.Go(func() { _, _ = migrate(t.Context(), r, id) })
		}
		synctest.Wait() // ten are sent, and twenty wait
		all.Go(func() {
			if err := confirm(t.Context(), r, moved); err != nil {
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

// awaiting is a server that awaits confirmation, and is watched until the context
// ends.
func awaiting(ctx context.Context, cloud *stub.Stub, r *cloudservers.Region) (id string) {
	id = cloud.AddServer(stub.Server{Status: cloudservers.StatusVerifyResize})
	go func() { _ = r.Watch(ctx, id, func(*cloudservers.Server) (bool, error) { return false, nil }) }()
	return id
}

func TestReservation_keepsAWriteFreeForAConfirmThatIsDueSoon(t *testing.T) {
	tests := []struct {
		name   string
		settle func(ctx context.Context, r *cloudservers.Region, id string) error
		want   []int // migrates that were sent after 10, 50, 61, 65 and 80 s
	}{
		{"a confirm", func(ctx context.Context, r *cloudservers.Region, id string) error {
			err := confirm(ctx, r, id)
			return err
		}, []int{2, 2, 4, 4, 5}},
		{"a revert", func(ctx context.Context, r *cloudservers.Region, id string) error {
			turn, err := r.SettleTurn(ctx, id)
			if err == nil {
				_, err = r.Revert(ctx, id, turn)
			}
			return err
		}, []int{2, 2, 4, 4, 5}},
		{"a turn that is given back", func(ctx context.Context, r *cloudservers.Region, id string) error {
			turn, err := r.SettleTurn(ctx, id)
			turn.Release()
			return err
		}, []int{2, 3, 5, 5, 6}},
		{"nothing", func(context.Context, *cloudservers.Region, string) error { return nil }, []int{2, 2, 4, 5, 5}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := stub.New(stub.Config{AutoConfirmAfter: -1})
				r := region(t, newClient(t, cloud, func(c *cloudservers.Config) { c.Rates.Write = 3 }))
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
				defer cancel()
				for range 2 {
					if _, err := migrate(ctx, r, cloud.AddServer(stub.Server{})); err != nil {
						t.Fatal(err)
					}
				}
				moved := awaiting(ctx, cloud, r)
				time.Sleep(5 * time.Second) // it was polled after 2 s
				var all sync.WaitGroup
				for range 8 {
					id := cloud.AddServer(stub.Server{})
					all.Go(func() { _, _ = migrate(ctx, r, id) })
				}
				all.Go(func() {
					time.Sleep(time.Until(began.Add(20 * time.Second)))
					if err := test.settle(ctx, r, moved); err != nil || time.Since(began) != 20*time.Second {
						t.Errorf("got %v after %s, want it at once, after 20s", err, time.Since(began))
					}
				})
				for i, after := range []time.Duration{10, 50, 61, 65, 81} {
					time.Sleep(time.Until(began.Add(after * time.Second)))
					if got := cloud.Count(stub.CallMigrate); got != test.want[i] {
						t.Errorf("got %d migrates after %d s, want %d", got, after, test.want[i])
					}
				}
				all.Wait()
			})
		})
	}
}

func TestRateLimit_holdsEverybodyBackWhenTheAPISaysSo(t *testing.T) {
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
			if _, err := migrate(t.Context(), r, id); err != nil || time.Since(began) != 0 {
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

func TestRateLimit_countsFromWhenARequestIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		r := region(t, newClient(t, cloud, func(c *cloudservers.Config) { c.Rates.Write = 1 }))
		began := time.Now()
		for range 2 {
			id := cloud.AddServer(stub.Server{})
			turn, err := r.MigrateTurn(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(7 * time.Second) // in which the server is read
			if _, err := r.Migrate(t.Context(), id, turn); err != nil {
				t.Fatal(err)
			}
		}
		// The first is sent after 7 s, and the second reads its server once its turn has come.
		if got, want := time.Since(began), 7*time.Second+window+7*time.Second; got != want {
			t.Errorf("got the second after %s, want %s", got, want)
		}
	})
}

func TestRateLimit_endsAWaitAtOnceThatIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		r := region(t, newClient(t, cloud, func(c *cloudservers.Config) { c.Rates.Write = 1 }))
		ids := []string{cloud.AddServer(stub.Server{}), cloud.AddServer(stub.Server{}), cloud.AddServer(stub.Server{})}
		if _, err := migrate(t.Context(), r, ids[0]); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if turn, err := r.MigrateTurn(ctx, ids[1]); turn != nil || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 10*time.Second {
			t.Errorf("got %v after %s, want the end of the context after 10s, and no turn", err, time.Since(began))
		}
		if _, err := migrate(t.Context(), r, ids[2]); err != nil || time.Since(began) != window {
			t.Errorf("got %v after %s, want the next turn not to be lost", err, time.Since(began))
		}
	})
}

// slow makes each request take a time, before it takes effect and after.
type slow struct {
	http.RoundTripper
	way func() time.Duration
}

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(s.way())
	resp, err := s.RoundTripper.RoundTrip(r)
	time.Sleep(s.way())
	return resp, err
}

func TestRateLimit_keepsBelowTheLimitsHoweverLongRequestsTake(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	requests := 0
	ways := map[string]func() time.Duration{
		"up to a second": func() time.Duration { return time.Duration(random.Int64N(int64(time.Second))) },
		"the first ones longer than the others": func() time.Duration {
			if requests++; requests <= 2*100 {
				return 20 * time.Second
			}
			return 10 * time.Millisecond
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := stub.New(limited())
				var mu sync.Mutex
				client := newClient(t, cloud, func(c *cloudservers.Config) {
					c.Transport = slow{c.Transport, func() time.Duration {
						mu.Lock()
						defer mu.Unlock()
						return way()
					}}
				})
				r := region(t, client)
				requests = 0
				var all sync.WaitGroup
				for i := range 500 {
					id := cloud.AddServer(stub.Server{})
					all.Go(func() {
						turn, err := r.MigrateTurn(t.Context(), id)
						if err != nil {
							t.Error(err)
						}
						if i < 50 {
							time.Sleep(61 * time.Second) // before it is sent
						}
						if _, err := r.Migrate(t.Context(), id, turn); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
				if got := client.Tally().OverLimit; got != 0 {
					t.Errorf("got %d answers that the limit was reached, want none", got)
				}
			})
		})
	}
}

func TestTurn_countsOnlyIfItsRequestWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		client := newClient(t, cloud, func(c *cloudservers.Config) { c.Rates.Write, c.MaxRetries = 1, 0 })
		r := region(t, client)
		id, began := cloud.AddServer(stub.Server{}), time.Now()
		turn := func(ctx context.Context) *cloudservers.Turn {
			t.Helper()
			turn, err := r.MigrateTurn(ctx, id)
			if err != nil || time.Since(began) != 0 {
				t.Fatalf("got %v after %s, want a turn at once", err, time.Since(began))
			}
			return turn
		}
		returned := turn(t.Context())
		returned.Release()
		returned.Release()
		if _, err := r.Migrate(t.Context(), id, returned); wantError(t, err).MaybeAccepted() {
			t.Errorf("got %v, want nothing sent with a turn that was given back", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		late := turn(ctx)
		cancel()
		if _, err := r.Migrate(ctx, id, late); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want it cancelled", err)
		}
		used := turn(t.Context())
		if _, err := r.Migrate(t.Context(), id, used); err != nil {
			t.Fatal(err)
		}
		used.Release() // which does nothing: the request was sent
		if _, err := r.Migrate(t.Context(), id, used); wantError(t, err).MaybeAccepted() {
			t.Errorf("got %v, want a turn to be for one request", err)
		}
		if _, err := r.Migrate(t.Context(), id, nil); wantError(t, err).MaybeAccepted() {
			t.Errorf("got %v, want nothing sent without a turn", err)
		}
		if got := cloud.Count(stub.CallMigrate); got != 1 {
			t.Errorf("got %d migrate requests, want 1", got)
		}
		if _, err := r.MigrateTurn(t.Context(), id); err != nil || time.Since(began) != window {
			t.Errorf("got %v after %s, want the next turn a minute later", err, time.Since(began))
		}
	})
}

func TestTurn_isNotCountedWhenNoTokenCanBeHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		client := newClient(t, cloud, func(c *cloudservers.Config) { c.Rates.Write, c.MaxRetries = 1, 0 })
		r, id := region(t, client), cloud.AddServer(stub.Server{})
		cloud.RevokeTokens()
		_, err := migrate(t.Context(), r, id) // which is refused, and counts
		if failure := wantError(t, err); failure.StatusCode != http.StatusUnauthorized || failure.MaybeAccepted() {
			t.Errorf("got %v, want a 401", err)
		}
		time.Sleep(window)
		began := time.Now()
		cloud.Inject(stub.Fault{Call: stub.CallToken, Status: http.StatusServiceUnavailable, Count: 1})
		if _, err := migrate(t.Context(), r, id); !wantError(t, err).Authentication() || wantError(t, err).MaybeAccepted() {
			t.Errorf("got %v, want the token request to fail", err)
		}
		if _, err := migrate(t.Context(), r, id); err != nil || time.Since(began) != 0 {
			t.Errorf("got %v after %s, want the turn to be free again", err, time.Since(began))
		}
	})
}

func TestReservation_endsAfterAMinuteAndIsNotMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{AutoConfirmAfter: -1})
		r := region(t, newClient(t, cloud, func(c *cloudservers.Config) { c.Rates.Write = 10 }))
		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		for range 10 { // whose confirms do not come
			awaiting(ctx, cloud, r)
		}
		time.Sleep(3 * time.Second) // they were polled after 2 s
		for range 20 {
			if _, err := migrate(t.Context(), r, cloud.AddServer(stub.Server{})); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := time.Since(began), 2*time.Second+time.Minute+window; got != want {
			t.Errorf("got twenty migrates after %s, want %s: ten when the reservations end, and ten a minute later", got, want)
		}
		cancel()
	})
}

func TestReservation_isMadeOnceForEachMigration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timing := stub.ObservedTiming()
		timing.ConfirmStale = time.Minute // it looks as if nothing had been asked
		cloud := stub.New(stub.Config{AutoConfirmAfter: -1, Timing: timing})
		r := region(t, newClient(t, cloud, func(c *cloudservers.Config) { c.Rates.Write = 4 }))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		id := awaiting(ctx, cloud, r)
		wantFree := func(want int) {
			t.Helper()
			free, done := 0, false
			for ; !done; free++ {
				short, stop := context.WithTimeout(ctx, time.Millisecond)
				turn, err := r.MigrateTurn(short, "another")
				stop()
				defer turn.Release()
				done = err != nil
			}
			if free--; free != want {
				t.Errorf("got %d migrates that can be sent at once, want %d", free, want)
			}
		}
		time.Sleep(3 * time.Second)
		wantFree(3)
		if err := confirm(ctx, r, id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		wantFree(3) // the confirm counts, and no reservation
		time.Sleep(2 * time.Minute)
		wantFree(4)
		if _, err := migrate(ctx, r, id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(8 * time.Second) // it moves, and awaits confirmation again
		wantFree(2)
	})
}

func TestRateLimit_logsWhatHasToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		r := region(t, newClient(t, cloud, func(c *cloudservers.Config) { c.Rates.Read, c.PollInterval = 1, time.Hour }))
		var log bytes.Buffer
		ctx := tflogtest.RootLogger(t.Context(), &log)
		first, second := cloud.AddServer(stub.Server{}), cloud.AddServer(stub.Server{})
		cloud.Inject(stub.Fault{Call: stub.CallServer, Skip: 1, Status: 413, RetryAfter: time.Second, Count: 1})
		for _, id := range []string{first, second} {
			if _, err := r.Server(ctx, id); err != nil {
				t.Fatal(err)
			}
		}
		entries, err := tflogtest.MultilineJSONDecode(&log)
		if err != nil {
			t.Fatal(err)
		}
		var got [][4]any
		for _, entry := range entries {
			got = append(got, [4]any{entry["@message"], strings.Contains(entry["path"].(string), second), entry["attempt"], entry["pace_wait"]})
		}
		want := [][4]any{
			{"Cloud Servers request", false, 1.0, "0s"},
			{"Waiting for the rate limit", true, nil, nil},
			{"Cloud Servers request", true, 1.0, window.String()},
			{"Waiting for the rate limit", true, nil, nil},
			{"Cloud Servers request", true, 2.0, window.String()},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
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
