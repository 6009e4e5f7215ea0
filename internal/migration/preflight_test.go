package migration_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

const preflightTime = 30 * time.Second

// preflighted is a request whose server has to pass before it is moved, too.
func (c *cloud) preflighted(id string) migration.Request {
	test := c.test(false)
	test.Preflight = preflightTime
	return migration.Request{ServerID: id, AutoConfirm: true, Verification: test}
}

// failsBeforeMove is a server that fails its tests until it is moved.
func failsBeforeMove(health stub.Health) stub.Server {
	return stub.Server{AccessIPv4: "192.0.2.11", Health: func(v stub.Visit) stub.Health {
		if v.Home {
			return health
		}
		return stub.Healthy
	}}
}

func healthy() stub.Server { return stub.Server{AccessIPv4: "192.0.2.11"} }

func TestPreflight_movesNoServerThatDoesNotPassWhereItIs(t *testing.T) {
	for name, health := range map[string]stub.Health{"closed": stub.Closed, "silent": stub.Silent, "dropped": stub.Dropped, "wrong": stub.Wrong} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, failsBeforeMove(health))
				began := time.Now()
				got, err := c.engine.Migrate(t.Context(), c.preflighted(c.server))
				failure := wantKind(t, err, migration.KindPreflight)
				if result := failure.Migration.VerificationResult; result == nil || len(result.Failed()) != 2 {
					t.Errorf("got verification %+v, want two failed checks", result)
				}
				if failure.Err != nil || failure.Sent || failure.Unverified || got.Status != "" || got.RequestID != "" {
					t.Errorf("got %+v and migration %+v, want nothing begun", failure, got)
				}
				if took := time.Since(began); took > preflightTime+time.Second {
					t.Errorf("took %s, want the preflight's own timeout of %s", took, preflightTime)
				}
				c.wantSent(t, stub.CallMigrate, 0)
			})
		})
	}
}

func TestPreflight_movesAServerThatPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, healthy())
		home := 0
		c.SetServer(c.server, func(s *stub.Server) {
			s.Health = func(v stub.Visit) stub.Health {
				if v.Home {
					home++
				}
				return stub.Healthy
			}
		})
		got, err := c.engine.Migrate(t.Context(), c.preflighted(c.server))
		wantStatus(t, got, err, migration.StatusConfirmed)
		if want := 2 * c.test(false).Plan.Successes; home < want {
			t.Errorf("got %d connections before the move, want %d at least", home, want)
		}
		c.wantSent(t, stub.CallMigrate, 1)
	})
}

func TestPreflight_isLeftOutWhereItIsTurnedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, failsBeforeMove(stub.Wrong))
		got, err := c.engine.Migrate(t.Context(), c.tested(false))
		wantStatus(t, got, err, migration.StatusConfirmed)
	})
}

func TestPreflight_refusesAServerThatIsShutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := healthy()
		server.Status = cloudservers.StatusShutoff
		c := newCloud(t, stub.Config{}, server)
		began := time.Now()
		_, err := c.engine.Migrate(t.Context(), c.preflighted(c.server))
		failure := wantKind(t, err, migration.KindPreflight)
		if failure.Migration.VerificationResult != nil || failure.Err != nil || failure.Server.Status != cloudservers.StatusShutoff {
			t.Errorf("got %+v, want no test of a server that is SHUTOFF", failure)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("took %s, want it at once", took)
		}
		c.wantSent(t, stub.CallMigrate, 0)
	})
}

func TestPreflight_refusesWhatCannotBeMigratedWithoutATest(t *testing.T) {
	tests := map[string]struct {
		server stub.Server
		want   migration.Kind
	}{
		"in ERROR": {stub.Server{Status: cloudservers.StatusError}, migration.KindStatus},
		"OnMetal":  {stub.Server{FlavorID: "onmetal-io1"}, migration.KindOnMetal},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, test.server)
				_, err := c.engine.Migrate(t.Context(), c.preflighted(c.server))
				wantKind(t, err, test.want)
				c.wantSent(t, stub.CallMigrate, 0)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, healthy())
		if err := c.Migrate(c.server, "somebody"); err != nil {
			t.Fatal(err)
		}
		_, err := c.engine.Migrate(t.Context(), c.preflighted(c.server))
		wantKind(t, err, migration.KindPending)
		c.wantSent(t, stub.CallMigrate, 0)
	})
}

func TestPreflight_waitsForABusyServerFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := healthy()
		server.TaskState = "image_snapshot"
		c := newCloud(t, stub.Config{}, server)
		time.AfterFunc(61*time.Second, func() {
			c.SetServer(c.server, func(s *stub.Server) { s.TaskState = "" })
		})
		got, err := c.engine.Migrate(t.Context(), c.preflighted(c.server))
		wantStatus(t, got, err, migration.StatusConfirmed)
		c.wantSent(t, stub.CallMigrate, 1)
	})
}

// The account may send one write a minute. What is only tested must not use it.
func TestPreflight_takesNoTurnAtTheRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, failsBeforeMove(stub.Wrong))
		c.engine = c.pacedEngine(t, 1, migration.Limits{})
		other := c.AddServer(stub.Server{})
		var all sync.WaitGroup
		all.Go(func() {
			_, err := c.engine.Migrate(t.Context(), c.preflighted(c.server))
			wantKind(t, err, migration.KindPreflight)
		})
		synctest.Wait() // its preflight is under way
		began := time.Now()
		got, err := c.engine.Migrate(t.Context(), migration.Request{ServerID: other})
		wantStatus(t, got, err, migration.StatusAwaiting)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("the other server took %s, want it not to wait for the preflight", took)
		}
		all.Wait()
		c.wantSent(t, stub.CallMigrate, 1)
	})
}

func TestPreflight_comesAfterTheTurnInTheFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, healthy())
		c.engine = c.limitedEngine(t, migration.Limits{Concurrent: 1})
		var tested atomic.Pointer[time.Time]
		sick := c.AddServer(stub.Server{AccessIPv4: "192.0.2.12", Health: func(stub.Visit) stub.Health {
			now := time.Now()
			tested.CompareAndSwap(nil, &now)
			return stub.Wrong
		}})
		var ended time.Time
		var all sync.WaitGroup
		all.Go(func() {
			got, err := c.migrate(t.Context(), true)
			ended = time.Now()
			wantStatus(t, got, err, migration.StatusConfirmed)
		})
		synctest.Wait()
		_, err := c.engine.Migrate(t.Context(), c.preflighted(sick))
		wantKind(t, err, migration.KindPreflight)
		all.Wait()
		if first := tested.Load(); first == nil || first.Before(ended) {
			t.Errorf("the server was tested at %v, want it to be after its turn came, at %v", first, ended)
		}
	})
}

func TestPreflight_thatFailsDoesNotCountAsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, failsBeforeMove(stub.Wrong))
		c.engine = c.limitedEngine(t, migration.Limits{Failures: 1})
		stopped := c.AddServer(stub.Server{Status: cloudservers.StatusShutoff})
		ids := c.addServers(2)
		for _, id := range []string{c.server, stopped} {
			_, err := c.engine.Migrate(t.Context(), c.preflighted(id))
			wantKind(t, err, migration.KindPreflight)
		}
		request := c.preflighted(ids[1])
		request.Timeout = 13 * time.Second // so that its preflight times out
		_, err := c.engine.Migrate(t.Context(), request)
		if failure := wantKind(t, err, migration.KindPreflight); !failure.TimedOut() {
			t.Errorf("got %v, want a timeout", err)
		}
		got := c.migrateAll(t.Context(), true, 0, c.AddServer(stub.Server{}))[0]
		wantStatus(t, got.Migration, got.err, migration.StatusConfirmed)
	})
}

// The preflight takes longer than the move, the test and the confirm may.
func TestPreflight_takesNothingFromTheTimeOfTheMigration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := healthy()
		server.Health = func(v stub.Visit) stub.Health {
			if v.Home && v.Since < 2*time.Minute {
				return stub.Closed
			}
			return stub.Healthy
		}
		c := newCloud(t, stub.Config{}, server)
		request := c.preflighted(c.server)
		request.Verification.Preflight = 5 * time.Minute
		request.Timeout = 2*time.Minute + 20*time.Second
		began := time.Now()
		got, err := c.engine.Migrate(t.Context(), request)
		wantStatus(t, got, err, migration.StatusConfirmed)
		if took := time.Since(began); took < request.Timeout {
			t.Fatalf("took %s: the test proves nothing", took)
		}
	})
}

func TestPreflight_isLeftOutWhereAMigrationIsTakenOver(t *testing.T) {
	for name, settled := range map[string]bool{"pending": false, "confirmed": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				connections := 0
				server := healthy()
				server.Health = func(stub.Visit) stub.Health {
					connections++
					return stub.Healthy
				}
				c := newCloud(t, stub.Config{}, server)
				if err := c.Migrate(c.server, stub.DefaultUser.ID); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				if settled {
					if err := c.Confirm(c.server, stub.DefaultUser.ID); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Minute)
				}
				got, err := c.engine.Migrate(t.Context(), c.preflighted(c.server))
				wantStatus(t, got, err, migration.StatusConfirmed)
				if want := 2 * c.test(false).Plan.Successes; connections != want || !got.Adopted || !got.VerificationResult.Passed {
					t.Errorf("got %d connections and %+v, want it taken over and tested once, with %d", connections, got, want)
				}
				c.wantMigrations(t, 0)
			})
		})
	}
}

// duringPreflight migrates the server, and does something during its preflight.
func (c *cloud) duringPreflight(t *testing.T, do func()) (migration.Migration, error) {
	t.Helper()
	request := c.preflighted(c.server)
	request.Verification.Preflight = 5 * time.Minute
	c.SetServer(c.server, func(s *stub.Server) {
		s.Health = func(v stub.Visit) stub.Health {
			if v.Home && v.Since < time.Minute {
				return stub.Closed
			}
			return stub.Healthy
		}
	})
	time.AfterFunc(30*time.Second, do)
	return c.engine.Migrate(t.Context(), request)
}

func TestPreflight_looksAgainAfterIt(t *testing.T) {
	by := func(user string) func(t *testing.T, c *cloud) {
		return func(t *testing.T, c *cloud) {
			if err := c.Migrate(c.server, user); err != nil {
				t.Error(err)
			}
		}
	}
	t.Run("migrated by somebody", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, healthy())
			_, err := c.duringPreflight(t, func() { by("somebody")(t, c) })
			wantKind(t, err, migration.KindPending)
			c.wantSent(t, stub.CallMigrate, 0)
		})
	})
	t.Run("migrated by another run of the same user", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, healthy())
			got, err := c.duringPreflight(t, func() { by(stub.DefaultUser.ID)(t, c) })
			wantStatus(t, got, err, migration.StatusConfirmed)
			if !got.Adopted {
				t.Errorf("got %+v, want it taken over", got)
			}
			c.wantSent(t, stub.CallMigrate, 0)
		})
	})
	t.Run("deleted", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, healthy())
			_, err := c.duringPreflight(t, func() { _ = c.Delete(c.server) })
			wantKind(t, err, migration.KindPreflight) // its connections are refused
			c.wantSent(t, stub.CallMigrate, 0)
		})
	})
}

// A server that was moved or stopped since its preflight has to pass again.
func TestPreflight_isMadeAgainWhereTheServerIsAnotherOne(t *testing.T) {
	tests := map[string]struct {
		changed func(t *testing.T, c *cloud)
		want    migration.Kind
	}{
		"somebody has moved it to a host where it is sick": {func(t *testing.T, c *cloud) {
			if err := c.Migrate(c.server, "somebody"); err != nil {
				t.Error(err)
			}
			time.Sleep(10 * time.Second)
			if err := c.Confirm(c.server, "somebody"); err != nil {
				t.Error(err)
			}
		}, migration.KindPreflight},
		"somebody has stopped it": {func(_ *testing.T, c *cloud) {
			c.SetServer(c.server, func(s *stub.Server) { s.Status = cloudservers.StatusShutoff })
		}, migration.KindPreflight},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, failsAfterMove(stub.Wrong))
				c.engine = c.pacedEngine(t, 1, migration.Limits{})
				c.migrateAnother(t) // which uses up the write request of the minute
				var all sync.WaitGroup
				all.Go(func() {
					_, err := c.engine.Migrate(t.Context(), c.preflighted(c.server))
					wantKind(t, err, test.want)
				})
				time.Sleep(20 * time.Second) // it has passed, and waits for its turn
				test.changed(t, c)
				all.Wait()
				c.wantMigrations(t, 0)
			})
		})
	}
}

// migrateAnother migrates another server.
func (c *cloud) migrateAnother(t *testing.T) {
	t.Helper()
	got, err := c.engine.Migrate(t.Context(), migration.Request{ServerID: c.AddServer(stub.Server{})})
	wantStatus(t, got, err, migration.StatusAwaiting)
}

func TestPreflight_thatIsMadeAgainHoldsNoWriteBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, failsAfterMove(stub.Wrong))
		c.engine = c.pacedEngine(t, 1, migration.Limits{})
		c.migrateAnother(t) // which uses up the write request of the minute
		var all sync.WaitGroup
		all.Go(func() {
			_, err := c.engine.Migrate(t.Context(), c.preflighted(c.server))
			wantKind(t, err, migration.KindPreflight)
		})
		time.Sleep(20 * time.Second)
		c.SetServer(c.server, func(s *stub.Server) { s.Health = func(stub.Visit) stub.Health { return stub.Wrong } })
		if err := c.Relocate(c.server); err != nil {
			t.Error(err)
		}
		time.Sleep(50 * time.Second) // its turn has come, and it is tested again
		began := time.Now()
		c.migrateAnother(t)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("another server took %s, want it not to wait for the preflight", took)
		}
		all.Wait()
	})
}

// A request whose answer was lost may be sent again. An error must not say that
// nothing was sent.
func TestPreflight_countsForTheRepetitionOfALostRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, healthy())
		c.Inject(stub.Fault{Call: stub.CallMigrate, Count: 1, Reset: true, Do: func() {
			c.SetServer(c.server, func(s *stub.Server) { s.Status = cloudservers.StatusShutoff })
		}})
		_, err := c.engine.Migrate(t.Context(), c.preflighted(c.server))
		wantKind(t, err, migration.KindUnverified)
		c.wantMigrations(t, 1)
	})
}

// The migration that was to be taken over is reverted before its turn comes.
func TestPreflight_isMadeWhereATakeOverHasVanished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, failsBeforeMove(stub.Wrong))
		c.engine = c.pacedEngine(t, 1, migration.Limits{})
		if err := c.Migrate(c.server, stub.DefaultUser.ID); err != nil {
			t.Fatal(err)
		}
		c.migrateAnother(t) // which uses up the write request of the minute
		var all sync.WaitGroup
		all.Go(func() {
			_, err := c.engine.Migrate(t.Context(), c.preflighted(c.server))
			wantKind(t, err, migration.KindPreflight)
		})
		time.Sleep(5 * time.Second)
		if err := c.Revert(c.server, stub.DefaultUser.ID); err != nil {
			t.Error(err)
		}
		all.Wait()
		c.wantMigrations(t, 0)
	})
}

func TestPreflight_endsWithinASecondOfItsCancellation(t *testing.T) {
	for name, health := range map[string]stub.Health{"closed": stub.Closed, "silent": stub.Silent} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, failsBeforeMove(health))
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(13*time.Second, cancel)
				began := time.Now()
				got, err := c.engine.Migrate(ctx, c.preflighted(c.server))
				if failure := wantKind(t, err, migration.KindPreflight); failure.Err == nil || failure.TimedOut() {
					t.Errorf("got %v, want a cancellation", err)
				}
				if took := time.Since(began); took > 14*time.Second {
					t.Errorf("took %s, want a second after the cancel at most", took)
				}
				if got.Status != "" {
					t.Errorf("got status %s, want none", got.Status)
				}
				c.wantSent(t, stub.CallMigrate, 0)
			})
		})
	}
	t.Run("timed out", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, failsBeforeMove(stub.Silent))
			request := c.preflighted(c.server)
			request.Timeout = 13 * time.Second
			began := time.Now()
			_, err := c.engine.Migrate(t.Context(), request)
			if failure := wantKind(t, err, migration.KindPreflight); !failure.TimedOut() {
				t.Errorf("got %v, want a timeout", err)
			}
			if took := time.Since(began); took > 14*time.Second {
				t.Errorf("took %s, want the timeout of %s", took, request.Timeout)
			}
			c.wantSent(t, stub.CallMigrate, 0)
		})
	})
}

func TestPreflight_ofAServerThatIsMigratedAgainKeepsThePreviousMigration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{AccessIPv4: "192.0.2.11"})
		previous, err := c.migrate(t.Context(), true)
		wantStatus(t, previous, err, migration.StatusConfirmed)
		c.SetServer(c.server, func(s *stub.Server) { s.Health = func(stub.Visit) stub.Health { return stub.Wrong } })
		c.engine = c.newEngine(t, stub.DefaultUser)
		request := c.preflighted(c.server)
		request.Previous = &previous
		got, err := c.engine.Migrate(t.Context(), request)
		wantKind(t, err, migration.KindPreflight)
		if got.RequestID != previous.RequestID || got.VerificationResult != nil {
			t.Errorf("got %+v, want the previous migration as it was", got)
		}
		c.wantMigrations(t, 1)
	})
}

func TestPreflight_readsNoMoreThanALook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, healthy())
		_, err := c.engine.Migrate(t.Context(), c.preflighted(c.server))
		if err != nil {
			t.Fatal(err)
		}
		calls := c.calls()
		before := calls[:slices.Index(calls, stub.CallMigrate)]
		want := []stub.Call{stub.CallToken, stub.CallActionLog, stub.CallServer, stub.CallActionLog, stub.CallServer}
		if !slices.Equal(before, want) {
			t.Errorf("got %v before the migrate request, want %v", before, want)
		}
	})
}

// A preflight that passed is not made again after a refusal or a lost answer.
func TestPreflight_isMadeOnce(t *testing.T) {
	for name, fault := range map[string]stub.Fault{
		"refused": {Status: http.StatusConflict}, "lost": {Reset: true}, "over the rate limit": {Status: http.StatusTooManyRequests, RetryAfter: 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := healthy()
				connections := 0
				server.Health = func(v stub.Visit) stub.Health {
					if v.Home {
						connections++
					}
					return stub.Healthy
				}
				c := newCloud(t, stub.Config{}, server)
				fault.Call, fault.Count = stub.CallMigrate, 1
				c.Inject(fault)
				got, err := c.engine.Migrate(t.Context(), c.preflighted(c.server))
				wantStatus(t, got, err, migration.StatusConfirmed)
				if want := 2 * c.test(false).Plan.Successes; connections != want {
					t.Errorf("got %d connections before the move, want %d", connections, want)
				}
				c.wantMigrations(t, 1)
			})
		})
	}
}
