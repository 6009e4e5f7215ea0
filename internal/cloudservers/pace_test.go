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
		}, stub.CallServer, 1000 - 30}, // there is room for a look every 2 s
		{"writes", func(ctx context.Context, r *cloudservers.Region, id string) error {
			_, err := r.Migrate(ctx, id, nil, nil)
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
			if _, err := r.Migrate(t.Context(), cloud.AddServer(stub.Server{}), nil, nil); err != nil {
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
			all.Go(func() { _, _ = r.Migrate(t.Context(), id, nil, nil) })
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

func TestPace_keepsRoomForConfirmsThatComeSoon(t *testing.T) {
	tests := []struct {
		name      string
		meanwhile func(client *cloudservers.Client, confirm func(), moved string)
		want      []int // migrates that were sent after 10 s, 50 s, 61 s and 80 s
		confirmed time.Duration
	}{
		{"one comes", func(_ *cloudservers.Client, confirm func(), _ string) {
			time.Sleep(15 * time.Second)
			confirm()
		}, []int{2, 2, 4, 4}, 20 * time.Second},
		{"none comes, as is known then", func(client *cloudservers.Client, _ func(), moved string) {
			time.Sleep(15 * time.Second)
			client.FreeRoom(moved)
		}, []int{2, 3, 5, 5}, 0},
		{"none comes, as is not known", func(client *cloudservers.Client, _ func(), moved string) {
			time.Sleep(15 * time.Second)
			client.KeepRoom(moved) // which begins no minute anew
		}, []int{2, 2, 4, 5}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := stub.New(stub.Config{AutoConfirmAfter: -1})
				client := newClient(t, cloud, func(c *cloudservers.Config) { c.Rates.Write = 3 })
				r := region(t, client)
				moved := cloud.AddServer(stub.Server{Status: cloudservers.StatusVerifyResize})
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
				defer cancel()
				var all sync.WaitGroup
				migrate := func() {
					id := cloud.AddServer(stub.Server{})
					all.Go(func() { _, _ = r.Migrate(ctx, id, nil, nil) })
				}
				migrate()
				migrate()
				time.Sleep(5 * time.Second)
				client.KeepRoom(moved)
				for range 8 {
					migrate()
				}
				all.Go(func() {
					test.meanwhile(client, func() {
						if _, err := r.Confirm(ctx, moved, nil); err != nil || time.Since(began) != test.confirmed {
							t.Errorf("got %v after %s, want it confirmed after %s", err, time.Since(began), test.confirmed)
						}
					}, moved)
				})
				for i, after := range []time.Duration{10, 50, 61, 80} {
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
			if _, err := r.Migrate(t.Context(), id, nil, nil); err != nil || time.Since(began) != 0 {
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
			if _, err := r.Migrate(t.Context(), cloud.AddServer(stub.Server{}), nil, func(context.Context) error {
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
		if _, err := r.Migrate(t.Context(), ids[0], nil, nil); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := r.Migrate(ctx, ids[1], nil, nil)
		if failure := wantError(t, err); failure.MaybeAccepted() || time.Since(began) != 10*time.Second {
			t.Errorf("got %v after %s (maybe accepted: %t), want nothing sent after 10s", err, time.Since(began), failure.MaybeAccepted())
		}
		if _, err := r.Migrate(t.Context(), ids[2], nil, nil); err != nil || time.Since(began) != window {
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

func TestPace_keepsBelowTheLimitsHoweverLongRequestsTake(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 1))
	requests := 0
	ways := map[string]func() time.Duration{
		"up to a second": func() time.Duration { return time.Duration(dice.Int64N(int64(time.Second))) },
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
						if _, err := r.Migrate(t.Context(), id, nil, func(context.Context) error {
							if i < 50 {
								time.Sleep(61 * time.Second) // before it is sent
							}
							return nil
						}); err != nil {
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

func TestPace_countsNothingThatWasNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		r := region(t, newClient(t, cloud, func(c *cloudservers.Config) { c.Rates.Write = 1 }))
		id, began, refusal := cloud.AddServer(stub.Server{}), time.Now(), errors.New("refused")
		if _, err := r.Migrate(t.Context(), id, nil, func(context.Context) error { return refusal }); !errors.Is(err, refusal) {
			t.Errorf("got %v, want the refusal", err)
		}
		turn, err := r.MigrateTurn(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Migrate(t.Context(), id, turn, func(context.Context) error { return refusal }); !errors.Is(err, refusal) {
			t.Errorf("got %v, want the refusal", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.Migrate(ctx, id, nil, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want it cancelled", err)
		}
		if _, err := r.Migrate(t.Context(), id, nil, nil); err != nil || time.Since(began) != 0 {
			t.Errorf("got %v after %s, want it sent at once", err, time.Since(began))
		}
	})
}

func TestPace_keepsNoRoomForMoreThanItsMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		client := newClient(t, cloud, func(c *cloudservers.Config) { c.Rates.Write = 10 })
		r := region(t, client)
		began := time.Now()
		for range 10 { // whose confirms do not come
			client.KeepRoom(cloud.AddServer(stub.Server{}))
			time.Sleep(time.Millisecond)
		}
		for range 10 {
			if _, err := r.Migrate(t.Context(), cloud.AddServer(stub.Server{}), nil, nil); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > window+10*time.Millisecond {
			t.Errorf("got ten migrates after %s, want each room to end after its minute", took)
		}
	})
}

func TestPace_learnsWhenConfirmsCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{AutoConfirmAfter: -1})
		client := newClient(t, cloud, func(c *cloudservers.Config) { c.Rates.Write = 2 })
		r := region(t, client)
		began := time.Now()
		migrated := func() string {
			id := cloud.AddServer(stub.Server{})
			if _, err := r.Migrate(t.Context(), id, nil, nil); err != nil {
				t.Fatal(err)
			}
			return time.Since(began).String()
		}
		arrives := func() (confirm func()) {
			id := cloud.AddServer(stub.Server{Status: cloudservers.StatusVerifyResize})
			client.KeepRoom(id)
			return func() {
				if _, err := r.Confirm(t.Context(), id, nil); err != nil {
					t.Error(err)
				}
			}
		}
		// The first confirm comes three minutes after its arrival: its room has ended by then.
		confirm := arrives()
		got := []string{migrated(), migrated(), migrated()}
		time.Sleep(time.Until(began.Add(3 * time.Minute)))
		confirm()
		// The next room is kept when such a time has passed again, and not before.
		confirm = arrives()
		got = append(got, migrated())
		time.Sleep(time.Until(began.Add(4*time.Minute + time.Second)))
		got = append(got, migrated(), migrated())
		time.Sleep(time.Until(began.Add(5*time.Minute + 55*time.Second)))
		got = append(got, migrated())
		time.AfterFunc(6*time.Second, confirm)
		got = append(got, migrated())
		want := []string{"0s", window.String(), window.String(), "3m0s", "4m1s", "4m1s", "5m55s", (5*time.Minute + 55*time.Second + window).String()}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("times of migrates (-want +got):\n%s", diff)
		}
	})
}

func TestPace_logsWhatHasToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		r := region(t, newClient(t, cloud, func(c *cloudservers.Config) { c.Rates.Write = 1 }))
		var log bytes.Buffer
		ctx := tflogtest.RootLogger(t.Context(), &log)
		first, second := cloud.AddServer(stub.Server{}), cloud.AddServer(stub.Server{})
		cloud.Inject(stub.Fault{Call: stub.CallMigrate, Skip: 1, Status: 413, RetryAfter: time.Second, Count: 1})
		for _, id := range []string{first, second} {
			if _, err := r.Migrate(ctx, id, nil, nil); err != nil {
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
