package cloudservers_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// fleet is a cloud whose servers are watched.
type fleet struct {
	*stub.Stub
	region *cloudservers.Region
	ids    []string
}

func newFleet(t *testing.T, config stub.Config, servers int, change func(*cloudservers.Config)) *fleet {
	t.Helper()
	f := &fleet{Stub: stub.New(config)}
	for range servers {
		f.ids = append(f.ids, f.AddServer(stub.Server{}))
	}
	f.region = region(t, newClient(t, f.Stub, func(c *cloudservers.Config) {
		c.Rates = cloudservers.Rates{Read: 1_000_000, Write: 1_000_000}
		if change != nil {
			change(c)
		}
	}))
	return f
}

// moves migrates all servers, and watches each until it awaits confirmation. It
// returns how late each was seen to, in the order of the servers.
func (f *fleet) moves(t *testing.T) []time.Duration {
	t.Helper()
	lags := make([]time.Duration, len(f.ids))
	var all sync.WaitGroup
	for i, id := range f.ids {
		if _, err := f.region.SharedServer(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if _, err := migrate(t.Context(), f.region, id); err != nil {
			t.Fatal(err)
		}
		due := time.Now().Add(7200 * time.Millisecond) // as observed
		all.Go(func() {
			if err := f.region.Watch(t.Context(), id, func(s *cloudservers.Server) (bool, error) {
				return s.Status == cloudservers.StatusVerifyResize, nil
			}); err != nil {
				t.Errorf("%s: %v", id, err)
			}
			lags[i] = time.Since(due)
		})
	}
	all.Wait()
	return lags
}

func (f *fleet) wantSent(t *testing.T, call stub.Call, want int) {
	t.Helper()
	if got := f.Count(call); got != want {
		t.Errorf("got %d %s requests, want %d", got, call, want)
	}
}

func TestWatch_costsOneRequestAPollHoweverManyWait(t *testing.T) {
	tests := []struct{ servers, reads, lists int }{
		{1, 1 + 4, 0},     // one to begin with, and one at each of 2, 4, 6 and 8 s
		{2, 1 + 2, 1 + 3}, // a read and a list to begin with, and at 2 s two reads
		{1000, 1, 1 + 4},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(t, stub.Config{}, test.servers, nil)
			for _, lag := range f.moves(t) {
				if lag < 0 || lag > 2*time.Second {
					t.Errorf("%d servers: got one seen %s after it had moved, want an interval at most", test.servers, lag)
				}
			}
			f.wantSent(t, stub.CallServer, test.reads)
			f.wantSent(t, stub.CallList, test.lists)
		})
	}
}

func TestWatch_followsThePagesOfItsLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{PageSize: 100}, 250, nil)
		f.moves(t)
		f.wantSent(t, stub.CallList, 3+4*3)
	})
}

func TestWatch_listsOnlyWhatHasChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timing := stub.ObservedTiming()
		timing.Migrate = 10 * time.Minute
		f := newFleet(t, stub.Config{Timing: timing, PageSize: 100}, 300, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute+time.Second)
		defer cancel()
		var all sync.WaitGroup
		for _, id := range f.ids {
			if _, err := f.region.SharedServer(ctx, id); err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				polls := 0
				_ = f.region.Watch(ctx, id, func(s *cloudservers.Server) (bool, error) {
					if polls++; time.Since(s.SeenAt) > time.Second {
						t.Errorf("got a server seen %s ago, want it to be of this poll", time.Since(s.SeenAt))
					}
					return false, nil
				})
				if polls != 150 {
					t.Errorf("got %d polls, want one every 2 s", polls)
				}
			})
		}
		all.Wait()
		// Three pages to begin with and for every list of all servers, which is every thirtieth.
		f.wantSent(t, stub.CallList, 3+150+5*2)
	})
}

func TestWatch_isCalledAtEveryPollThatSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timing := stub.ObservedTiming()
		timing.Migrate = time.Hour
		f := newFleet(t, stub.Config{Timing: timing}, 10, func(c *cloudservers.Config) { c.MaxRetries = 0 })
		for _, id := range f.ids {
			if _, err := f.region.SharedServer(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			if _, err := migrate(t.Context(), f.region, id); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		f.Inject(stub.Fault{Call: stub.CallList, Skip: 16, Status: http.StatusServiceUnavailable, Count: 1}) // at 34 s
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Second)
		defer cancel()
		var want []time.Duration
		for at := 2 * time.Second; at <= time.Minute; at += 2 * time.Second {
			if at != 34*time.Second {
				want = append(want, at)
			}
		}
		var all sync.WaitGroup
		for _, id := range f.ids {
			all.Go(func() {
				var got []time.Duration
				err := f.region.Watch(ctx, id, func(s *cloudservers.Server) (bool, error) {
					if got = append(got, time.Since(began)); time.Since(s.AskedAt) != 0 {
						t.Errorf("got a server that was asked for %s ago, want it to be of this poll", time.Since(s.AskedAt))
					}
					return false, nil
				})
				if !slices.Equal(got, want) {
					t.Errorf("got called at %v, want at %v", got, want)
				}
				if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "503") {
					t.Errorf("got %v, want the end of the time alone: the last poll did not fail", err)
				}
			})
		}
		all.Wait()
	})
}

func TestWatch_callsEveryWaiterAtEveryPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 10, nil)
		f.moves(t)
		time.Sleep(time.Minute) // so that no list of changes has it any more
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Second)
		defer cancel()
		var all sync.WaitGroup
		for _, id := range f.ids {
			all.Go(func() {
				polls := 0
				_ = f.region.Watch(ctx, id, func(*cloudservers.Server) (bool, error) { polls++; return false, nil })
				if polls != 30 {
					t.Errorf("got %d polls of a server in VERIFY_RESIZE, want one every 2 s", polls)
				}
			})
		}
		all.Wait()
	})
}

func TestWatch_handsTheNewestPollToALookThatTookLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 2, func(c *cloudservers.Config) { c.MaxRetries = 0 })
		busy, other := f.ids[0], f.ids[1]
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() {
			_ = f.region.Watch(ctx, other, func(*cloudservers.Server) (bool, error) { return false, nil })
		})
		all.Go(func() {
			polls := 0
			if err := f.region.Watch(ctx, busy, func(s *cloudservers.Server) (bool, error) {
				switch polls++; polls {
				case 1:
					if _, err := migrate(ctx, f.region, busy); err != nil {
						t.Error(err)
					}
					time.Sleep(time.Minute - time.Second) // and sees nothing meanwhile
				case 2:
					if s.Status != cloudservers.StatusVerifyResize || time.Since(s.AskedAt) > 2*time.Second {
						t.Errorf("got it in %s, asked for %s ago, want the newest poll", s.Status, time.Since(s.AskedAt))
					}
				}
				return polls == 2, nil
			}); err != nil {
				t.Error(err)
			}
			cancel()
		})
		time.Sleep(30 * time.Second) // in the middle of it
		f.Inject(stub.Fault{Call: stub.CallList, Status: http.StatusServiceUnavailable, Count: 3})
		all.Wait()
	})
}

func TestWatch_thatBeginsWhereAnotherEndsIsNotEndedWithIt(t *testing.T) {
	for range 500 { // which goroutine comes first is chance
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(t, stub.Config{}, 2, nil)
			const poll = 4 * time.Second // the time of one
			first, cancel := context.WithTimeout(t.Context(), poll)
			defer cancel()
			var all sync.WaitGroup
			all.Go(func() {
				_ = f.region.Watch(first, f.ids[0], func(*cloudservers.Server) (bool, error) { return false, nil })
			})
			all.Go(func() {
				time.Sleep(poll)
				if err := f.region.Watch(t.Context(), f.ids[1], func(*cloudservers.Server) (bool, error) { return true, nil }); err != nil {
					t.Errorf("got %v, want a poll of its own", err)
				}
			})
			all.Wait()
		})
	}
}

func TestWatch_missesNoChangeAtTheBoundariesOfSeconds(t *testing.T) {
	for _, offset := range []time.Duration{0, time.Millisecond, 499 * time.Millisecond, 999 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(t, stub.Config{}, 5, nil)
			time.Sleep(offset)
			for _, id := range f.ids {
				if _, err := f.region.SharedServer(t.Context(), id); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			var all sync.WaitGroup
			last := make([]string, len(f.ids))
			for i, id := range f.ids {
				all.Go(func() {
					_ = f.region.Watch(ctx, id, func(s *cloudservers.Server) (bool, error) {
						last[i] = s.Name
						return false, nil
					})
				})
			}
			for n := range 40 {
				for i, id := range f.ids {
					f.SetServer(id, func(s *stub.Server) { s.Name = strings.Repeat("x", n*5+i) })
					time.Sleep(137 * time.Millisecond)
				}
			}
			time.Sleep(2 * time.Second)
			cancel()
			all.Wait()
			for i := range f.ids {
				if want := strings.Repeat("x", 39*5+i); last[i] != want {
					t.Errorf("server %d: got %d changes, want %d", i, len(last[i]), len(want))
				}
			}
		})
	}
}

func TestWatch_letsOneGoWithoutDisturbingTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 10, nil)
		f.Inject(stub.Fault{Call: stub.CallList, Delay: time.Second})
		for i, id := range f.ids {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Duration(i)*700*time.Millisecond+10*time.Second, cancel)
			go func() {
				defer cancel()
				polls, began := 0, time.Now()
				err := f.region.Watch(ctx, id, func(*cloudservers.Server) (bool, error) { polls++; return false, nil })
				if !errors.Is(err, context.Canceled) || polls < 3 {
					t.Errorf("got %v after %d polls and %s, want a cancellation", err, polls, time.Since(began))
				}
			}()
		}
		time.Sleep(time.Minute)
		before := len(f.Requests())
		time.Sleep(time.Hour)
		if got := len(f.Requests()) - before; got != 0 {
			t.Errorf("got %d requests while nobody waited, want none", got)
		}
	})
}

func TestWatch_reportsAFailureToEveryWaiterOnce(t *testing.T) {
	tests := []struct {
		name  string
		fault stub.Fault
		ends  bool
	}{
		{"one that passes", stub.Fault{Call: stub.CallList, Status: http.StatusServiceUnavailable, Count: 20}, false},
		{"a page that is none", stub.Fault{Call: stub.CallList, Status: http.StatusOK, Body: "<html>", Count: 20}, false},
		{"credentials that are refused", stub.Fault{Status: http.StatusUnauthorized}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, stub.Config{}, 10, func(c *cloudservers.Config) { c.MaxRetries = 0 })
				for _, id := range f.ids {
					if _, err := f.region.SharedServer(t.Context(), id); err != nil {
						t.Fatal(err)
					}
				}
				f.Inject(test.fault)
				var all sync.WaitGroup
				for _, id := range f.ids {
					all.Go(func() {
						err := f.region.Watch(t.Context(), id, func(*cloudservers.Server) (bool, error) { return true, nil })
						if (err != nil) != test.ends {
							t.Errorf("got %v, want it to end the wait: %t", err, test.ends)
						}
					})
				}
				all.Wait()
				f.wantSent(t, stub.CallServer, 1) // that of the first shared read
			})
		})
	}
}

func TestWatch_readsServersOneByOneWhereListsAreRefused(t *testing.T) {
	for _, status := range []int{400, 403, 404, 405, 501} {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(t, stub.Config{}, 5, nil)
			f.Inject(stub.Fault{Call: stub.CallList, Status: status})
			f.moves(t)
			f.wantSent(t, stub.CallList, 3) // by the shared reads
			f.wantSent(t, stub.CallServer, 5+4*5)

			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			var all sync.WaitGroup
			for _, id := range f.ids {
				all.Go(func() { _ = f.region.Watch(ctx, id, func(*cloudservers.Server) (bool, error) { return false, nil }) })
			}
			all.Wait()
			f.wantSent(t, stub.CallList, 3+3) // one a minute
		})
	}
}

func TestWatch_takesOneRefusalOfAListForAPassingOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 100, nil)
		f.Inject(stub.Fault{Call: stub.CallList, Skip: 1, Status: http.StatusNotFound, Count: 2})
		f.moves(t)
		f.wantSent(t, stub.CallServer, 1) // the first shared read
		f.wantSent(t, stub.CallList, 1+4)
	})
}

func TestWatch_seesWhatChangesWhileAListIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 5, nil)
		for _, id := range f.ids {
			if _, err := f.region.Server(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		// What the list shows is of its beginning, and its time that of its end.
		f.Inject(stub.Fault{Call: stub.CallList, Delay: 14 * time.Second, Effect: true, Count: 1})
		began := time.Now()
		time.AfterFunc(2500*time.Millisecond, func() { f.SetServer(f.ids[0], func(s *stub.Server) { s.Name = "changed" }) })
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for _, id := range f.ids[1:] {
			go func() { _ = f.region.Watch(ctx, id, func(*cloudservers.Server) (bool, error) { return false, nil }) }()
		}
		if err := f.region.Watch(ctx, f.ids[0], func(s *cloudservers.Server) (bool, error) { return s.Name == "changed", nil }); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 18*time.Second {
			t.Errorf("got the change after %s, want it in the list after the slow one", took)
		}
	})
}

// ahead has the API's clock go ahead, so that lists of changes miss all of them.
type ahead struct{ http.RoundTripper }

func (a ahead) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := a.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Header.Set("Date", time.Now().Add(time.Minute).UTC().Format(http.TimeFormat))
	}
	return resp, err
}

func TestWatch_believesThatAServerIsGoneWhereListsMissIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 5, func(c *cloudservers.Config) { c.Transport = ahead{c.Transport} })
		time.AfterFunc(5*time.Second, func() { _ = f.Delete(f.ids[0]) })
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		for _, id := range f.ids[1:] {
			go func() { _ = f.region.Watch(ctx, id, func(*cloudservers.Server) (bool, error) { return false, nil }) }()
		}
		began := time.Now()
		err := f.region.Watch(ctx, f.ids[0], func(*cloudservers.Server) (bool, error) { return false, nil })
		if took := time.Since(began); !errors.Is(err, cloudservers.ErrNotFound) || took > 70*time.Second {
			t.Errorf("got %v after %s, want it gone after the next list of all servers", err, took)
		}
	})
}

func TestWatch_goesBeforeOtherReadsThatWaitForTheRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 5, func(c *cloudservers.Config) { c.Rates = cloudservers.Rates{Read: 60, Write: 100} })
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() { _, _ = f.region.ActionLog(ctx, f.ids[0]) })
		}
		synctest.Wait()
		for _, id := range f.ids {
			all.Go(func() {
				polls := 0
				_ = f.region.Watch(ctx, id, func(*cloudservers.Server) (bool, error) { polls++; return false, nil })
				if polls < 299 { // one every 2 s
					t.Errorf("got %d polls in 10 minutes, want no read of another kind to go before", polls)
				}
			})
		}
		all.Wait()
	})
}

func TestWatch_seesThatAServerWasDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 5, nil)
		time.AfterFunc(31*time.Second, func() { _ = f.Delete(f.ids[0]) })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for _, id := range f.ids[1:] {
			go func() { _ = f.region.Watch(ctx, id, func(*cloudservers.Server) (bool, error) { return false, nil }) }()
		}
		err := f.region.Watch(ctx, f.ids[0], func(s *cloudservers.Server) (bool, error) {
			return s.Status == cloudservers.StatusDeleted, nil
		})
		if err != nil {
			t.Errorf("got %v, want to see it deleted", err)
		}
		<-ctx.Done()
	})
}

func TestWatch_believesThatAServerIsGoneAtTheSecondPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 1, nil)
		f.Inject(stub.Fault{Call: stub.CallServer, Status: http.StatusNotFound, Count: 1})
		polls := 0
		if err := f.region.Watch(t.Context(), f.ids[0], func(*cloudservers.Server) (bool, error) { polls++; return true, nil }); err != nil || polls != 1 {
			t.Errorf("got %v after %d polls, want one 404 not to be believed", err, polls)
		}
		f.Inject(stub.Fault{Call: stub.CallServer, Status: http.StatusNotFound})
		if err := f.region.Watch(t.Context(), f.ids[0], func(*cloudservers.Server) (bool, error) { return true, nil }); !errors.Is(err, cloudservers.ErrNotFound) {
			t.Errorf("got %v, want two to be believed", err)
		}
	})
}

// A list that was asked for before an action does not show its effect. A wait that
// begins after the action must not get it.
func TestWatch_showsNothingOfBeforeAnAction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 5, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for _, id := range f.ids[1:] {
			go func() { _ = f.region.Watch(ctx, id, func(*cloudservers.Server) (bool, error) { return false, nil }) }()
		}
		if _, err := f.region.Server(ctx, f.ids[0]); err != nil {
			t.Fatal(err)
		}
		f.Inject(stub.Fault{Call: stub.CallList, Effect: true, Delay: 1900 * time.Millisecond}) // it is answered long after it was asked
		time.Sleep(2100 * time.Millisecond)                                                     // a list is under way
		if _, err := migrate(ctx, f.region, f.ids[0]); err != nil {
			t.Fatal(err)
		}
		_ = f.region.Watch(ctx, f.ids[0], func(s *cloudservers.Server) (bool, error) {
			if s.Status == cloudservers.StatusActive {
				t.Errorf("got %s, which was before the migration", s.Status)
			}
			return true, nil
		})
		<-ctx.Done()
	})
}

func TestWatch_findsAChangeThatTheListOfChangesMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 5, nil)
		for _, id := range f.ids {
			if _, err := f.region.SharedServer(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		f.SetServer(f.ids[0], func(s *stub.Server) { s.Name = "changed" })
		f.Inject(stub.Fault{Call: stub.CallList, Status: http.StatusOK, Body: `{"servers":[]}`, Count: 20})
		var all sync.WaitGroup
		for _, id := range f.ids {
			all.Go(func() {
				_ = f.region.Watch(t.Context(), id, func(s *cloudservers.Server) (bool, error) {
					return s.Name == "changed" || id != f.ids[0] && time.Since(s.SeenAt) >= 0 && f.Count(stub.CallList) > 31, nil
				})
			})
		}
		all.Wait()
		if got := f.Count(stub.CallList); got > 1+31 {
			t.Errorf("got the change after %d lists, want it at the next list of all servers", got)
		}
	})
}

func TestWatch_knowsWhenAnUnchangedServerWasAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 5, nil)
		f.Inject(stub.Fault{Call: stub.CallList, Delay: time.Second, Effect: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute+1500*time.Millisecond)
		defer cancel()
		began := time.Now()
		for _, id := range f.ids[1:] {
			go func() { _ = f.region.Watch(ctx, id, func(*cloudservers.Server) (bool, error) { return false, nil }) }()
		}
		poll := 0
		err := f.region.Watch(ctx, f.ids[0], func(s *cloudservers.Server) (bool, error) {
			poll++
			if got, want := s.AskedAt.Sub(began), time.Duration(poll)*2*time.Second; got != want {
				t.Errorf("poll %d: got it asked for after %s, want %s", poll, got, want)
			}
			return false, nil
		})
		if !errors.Is(err, context.DeadlineExceeded) || poll != 30 {
			t.Errorf("got %v after %d polls, want 30", err, poll)
		}
		<-ctx.Done()
	})
}

// listsAreFull returns for each list whether it was one of all servers.
func listsAreFull(cloud *stub.Stub) (full []bool) {
	for _, request := range cloud.Requests() {
		if request.Call == stub.CallList {
			full = append(full, !strings.Contains(request.RawQuery, "changes-since"))
		}
	}
	return full
}

func TestWatch_listsAllServersAfterALongOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 5, func(c *cloudservers.Config) { c.MaxRetries, c.PollInterval = 0, time.Minute })
		// A full list, one of changes, ten that fail, a full one again, and one of changes.
		f.Inject(stub.Fault{Call: stub.CallList, Skip: 2, Count: 10, Status: http.StatusServiceUnavailable})
		ctx, cancel := context.WithTimeout(t.Context(), 14*time.Minute+time.Second)
		defer cancel()
		var all sync.WaitGroup
		for _, id := range f.ids {
			all.Go(func() { _ = f.region.Watch(ctx, id, func(*cloudservers.Server) (bool, error) { return false, nil }) })
		}
		all.Wait()
		want := []bool{true, false, false, false, false, false, false, false, false, false, false, false, true, false}
		if got := listsAreFull(f.Stub); !slices.Equal(got, want) {
			t.Errorf("got lists of all servers: %v, want %v", got, want)
		}
	})
}

func TestWatch_listsAllServersWhereTheAPIHasNoDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 5, nil)
		f.Inject(stub.Fault{Call: stub.CallList, Header: http.Header{"Date": nil}})
		ctx, cancel := context.WithTimeout(t.Context(), 11*time.Second)
		defer cancel()
		var all sync.WaitGroup
		for _, id := range f.ids {
			all.Go(func() {
				polls := 0
				_ = f.region.Watch(ctx, id, func(s *cloudservers.Server) (bool, error) {
					if polls++; !s.Timeless || s.Idle() != 0 {
						t.Errorf("got it idle for %s (timeless: %t), want that not to be known", s.Idle(), s.Timeless)
					}
					return false, nil
				})
				if polls != 5 {
					t.Errorf("got %d polls, want 5", polls)
				}
			})
		}
		all.Wait()
		if got := listsAreFull(f.Stub); !slices.Equal(got, []bool{true, true, true, true, true}) {
			t.Errorf("got lists of all servers: %v, want five", got)
		}
	})
}
