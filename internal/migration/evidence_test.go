package migration_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// polledEvery is an engine with a poll interval, on the cloud.
func (c *cloud) polledEvery(t *testing.T, interval time.Duration) {
	t.Helper()
	c.engine = c.configuredEngine(t, stub.DefaultUser, cloudservers.Config{PollInterval: interval, MaxRetries: 2}, migration.Limits{})
}

// at does something to the server after a time.
func (c *cloud) at(t *testing.T, after time.Duration, do func() error) {
	t.Helper()
	time.AfterFunc(after, func() {
		if err := do(); err != nil {
			t.Error(err)
		}
	})
}

func TestMigrate_confirmsNoMigrationThatReplacedOurs(t *testing.T) {
	tests := []struct {
		name     string
		interval time.Duration
		away     time.Duration // the API answers no poll for so long, from 8 s on
	}{
		{"between two polls of 20 s", 20 * time.Second, 0},
		{"during an outage of 24 s", 2 * time.Second, 24 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{})
				c.polledEvery(t, test.interval)
				if test.away > 0 {
					c.at(t, 6500*time.Millisecond, func() error {
						c.Inject(stub.Fault{Call: stub.CallServer, Status: http.StatusServiceUnavailable, Until: c.Now().Add(test.away)})
						return nil
					})
				}
				// Ours awaits confirmation from 7.2 s on, theirs from 19 s on.
				c.at(t, 8*time.Second, func() error { return c.Revert(c.server, "somebody") })
				c.at(t, 11500*time.Millisecond, func() error { return c.Migrate(c.server, "somebody") })
				got, err := c.migrate(t.Context(), true)
				if wantKind(t, err, migration.KindReverted); got.Status != migration.StatusReverted || got.SettledBy != "somebody" {
					t.Errorf("got %+v, want it reverted by somebody", got)
				}
				c.wantSent(t, stub.CallConfirm, 0)
			})
		})
	}
}

func TestMigrate_migratesNoServerThatAnotherRunHasMovedMeanwhile(t *testing.T) {
	// Another run of the same user migrates and confirms while ours waits.
	another := func(t *testing.T, c *cloud) {
		t.Helper()
		c.at(t, time.Second, func() error { return c.Migrate(c.server, stub.DefaultUser.ID) })
		c.at(t, 10*time.Second, func() error { return c.Confirm(c.server, stub.DefaultUser.ID) })
	}
	tests := map[string]stub.Fault{
		"as long as Retry-After says": {Call: stub.CallMigrate, Status: http.StatusRequestEntityTooLarge, RetryAfter: 28 * time.Second, Count: 1},
		"for a slow read":             {Call: stub.CallServer, Delay: 20 * time.Second, Effect: true, Count: 1},
		"for a slow action log":       {Call: stub.CallActionLog, Delay: 20 * time.Second, Effect: true, Count: 1},
	}
	for name, fault := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{})
				c.Inject(fault)
				another(t, c)
				got, err := c.migrate(t.Context(), true)
				wantStatus(t, got, err, migration.StatusConfirmed)
				if !got.Adopted || len(c.ActionLog(c.server)) != 2 {
					t.Errorf("got %+v and the log %+v, want the other run's migration and no further one", got, c.ActionLog(c.server))
				}
			})
		})
	}
}

func TestConfirm_claimsNoConfirmationWithoutEvidence(t *testing.T) {
	entry := func(id, message string, start time.Time) stub.Action {
		return stub.Action{Action: cloudservers.ActionMigrate, RequestID: id, UserID: stub.DefaultUser.ID, Message: message, Start: start}
	}
	tests := map[string]struct {
		log  func(ours stub.Action) []stub.Action
		want migration.Kind
	}{
		"ours says Error, an older one does not": {func(ours stub.Action) []stub.Action {
			return []stub.Action{entry(ours.RequestID, "Error", ours.Start), entry("req-older", "", ours.Start.Add(-time.Hour))}
		}, migration.KindFailed},
		"ours has another request id": {func(ours stub.Action) []stub.Action {
			return []stub.Action{entry("req-renamed", "", ours.Start)}
		}, migration.KindUnproven},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{})
				ours, _ := c.migrate(t.Context(), false)
				c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusOK, Body: logOf(test.log(migrateEntry(c))...)})
				got, err := c.confirm(t.Context(), ours)
				if wantKind(t, err, test.want); got.Status == migration.StatusConfirmed {
					t.Errorf("got status %s of a server in VERIFY_RESIZE", got.Status)
				}
				c.wantSent(t, stub.CallConfirm, 0)
			})
		})
	}
}

func TestConfirm_doesNotTakeWhatItAskedForAsTheOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		if err := c.Migrate(c.server, stub.DefaultUser.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		// Somebody reverts just before our confirm arrives; then the log is gone.
		c.Inject(stub.Fault{Call: stub.CallConfirm, Count: 1, Do: func() {
			if err := c.Revert(c.server, "somebody"); err != nil {
				t.Error(err)
			}
			c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusServiceUnavailable})
		}})
		got, err := c.migrate(t.Context(), true)
		var failure *migration.Error
		if !errors.As(err, &failure) || got.Status == migration.StatusConfirmed {
			t.Errorf("got %+v and error %v, want an error and no confirmation", got, err)
		}
	})
}

func TestMigrate_findsItsRequestHoweverLateTheReadsAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		const lag = 9 * time.Second
		for _, call := range []stub.Call{stub.CallServer, stub.CallActionLog} {
			c.Inject(stub.Fault{Call: call, Lag: lag, Until: c.Now().Add(time.Minute)})
		}
		c.Inject(stub.Fault{Call: stub.CallMigrate, Effect: true, Reset: true, Count: 1})
		got, err := c.migrate(t.Context(), true)
		wantStatus(t, got, err, migration.StatusConfirmed)
		c.wantSent(t, stub.CallMigrate, 1)
	})
}

func TestMigrate_provesAbsenceByTimeWhateverThePollIntervalIs(t *testing.T) {
	for name, lagging := range map[string]stub.Fault{
		"while the server migrates":    {Skip: 10, Count: 12},
		"while it awaits confirmation": {Skip: 72, Count: 12},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{})
				c.polledEvery(t, 100*time.Millisecond)
				lagging.Call, lagging.Lag = stub.CallServer, 9*time.Second
				c.Inject(lagging)
				got, err := c.migrate(t.Context(), true)
				wantStatus(t, got, err, migration.StatusConfirmed)
				c.wantSent(t, stub.CallConfirm, 1)
			})
		})
	}
	t.Run("a confirm that shows late", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			timing := stub.ObservedTiming()
			timing.ConfirmStale = 8 * time.Second
			c := newCloud(t, stub.Config{Timing: timing}, stub.Server{})
			c.polledEvery(t, 100*time.Millisecond)
			c.Inject(stub.Fault{Call: stub.CallConfirm, Effect: true, Reset: true, Count: 1})
			got, err := c.migrate(t.Context(), true)
			wantStatus(t, got, err, migration.StatusConfirmed)
			c.wantSent(t, stub.CallConfirm, 1)
		})
	})
}

func TestFind_isNotMisledByAMigrationThatBeginsBetweenItsReads(t *testing.T) {
	for _, between := range []stub.Call{stub.CallServer, stub.CallActionLog} {
		t.Run(string(between), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{})
				if err := c.Migrate(c.server, "somebody"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				if err := c.Confirm(c.server, "somebody"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				c.Inject(stub.Fault{Call: between, Count: 1, Do: func() {
					if err := c.Migrate(c.server, "somebody"); err != nil {
						t.Error(err)
					}
				}})
				got, err := c.engine.Find(t.Context(), "", c.server, "")
				if err != nil {
					t.Fatal(err)
				}
				if newest := migrateEntry(c).RequestID; got.RequestID == newest && got.Status == migration.StatusConfirmed {
					t.Errorf("got %+v, but that migration is under way", got)
				}
			})
		})
	}
}

func TestMigrate_leavesAServerAloneThatIsBeingDeleted(t *testing.T) {
	for _, task := range []string{"deleting", "soft-deleting"} {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{TaskState: task})
			_, err := c.migrate(t.Context(), true)
			wantKind(t, err, migration.KindStatus)
			c.wantSent(t, stub.CallMigrate, 0)
		})
		synctest.Test(t, func(t *testing.T) {
			timing := stub.ObservedTiming()
			timing.Deleting = time.Minute
			c := newCloud(t, stub.Config{Timing: timing, SoftDelete: task == "soft-deleting"}, stub.Server{})
			c.at(t, 7500*time.Millisecond, func() error { return c.Delete(c.server) })
			_, err := c.migrate(t.Context(), true)
			wantKind(t, err, migration.KindGone)
			c.wantSent(t, stub.CallConfirm, 0)
		})
	}
}

// TestMigrate_countsWhatItReads holds the cost of one migration without faults,
// polls aside.
func TestMigrate_countsWhatItReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.AddServer(stub.Server{})
		got, err := c.migrate(t.Context(), true)
		wantStatus(t, got, err, migration.StatusConfirmed)
		polls := 5 // at 2, 4, 6, 8 and 10 s
		c.wantSent(t, stub.CallToken, 1)
		c.wantSent(t, stub.CallServer, polls+2)
		c.wantSent(t, stub.CallActionLog, 2)
		c.wantSent(t, stub.CallMigrate, 1)
		c.wantSent(t, stub.CallConfirm, 1)
	})
}

func TestMigrate_migratesAgainThoughThePreviousRequestIsNotNamed(t *testing.T) {
	for _, onDestroy := range []migration.OnDestroy{migration.OnDestroyNone, migration.OnDestroyConfirm} {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			previous, err := c.migrate(t.Context(), onDestroy == migration.OnDestroyNone)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			c.engine = c.newEngine(t, stub.DefaultUser)
			previous.RequestID = ""
			got, err := c.engine.Migrate(t.Context(), migration.Request{
				ServerID: c.server, AutoConfirm: true, Previous: &previous, OnDestroy: onDestroy,
			})
			wantStatus(t, got, err, migration.StatusConfirmed)
			c.wantMigrations(t, 2)
		})
	}
}

func TestConfirm_saysThatTheRateLimitWasInTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		ours, _ := c.migrate(t.Context(), false)
		c.Inject(stub.Fault{Call: stub.CallConfirm, Status: http.StatusRequestEntityTooLarge, RetryAfter: 30 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute+500*time.Millisecond)
		defer cancel()
		_, err := c.confirm(ctx, ours)
		wantKind(t, err, migration.KindUnsettled)
	})
}

func TestConfirm_looksAgainAfterA404(t *testing.T) {
	for name, do := range map[string]func(*cloud){"nothing has happened": func(*cloud) {}, "deleted": func(c *cloud) { _ = c.Delete(c.server) }} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{})
				ours, _ := c.migrate(t.Context(), false)
				c.Inject(stub.Fault{Call: stub.CallConfirm, Status: http.StatusNotFound, Count: 1, Do: func() { do(c) }})
				got, err := c.confirm(t.Context(), ours)
				if name == "deleted" {
					wantKind(t, err, migration.KindGone)
					return
				}
				wantStatus(t, got, err, migration.StatusConfirmed)
				c.wantSent(t, stub.CallConfirm, 2)
			})
		})
	}
}

// The log says of a confirm that it failed only at its end. Until then it looks like
// one that succeeds.
func TestConfirm_believesNoConfirmThatTheLogCanHaveCalledFailedSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timing := stub.ObservedTiming()
		timing.ConfirmStale = 5 * time.Second
		c := newCloud(t, stub.Config{Timing: timing}, stub.Server{ConfirmOutcome: stub.ConfirmFails})
		awaiting, err := c.migrate(t.Context(), false)
		wantStatus(t, awaiting, err, migration.StatusAwaiting)
		if err := c.Confirm(c.server, "somebody"); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, func() { c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden}) })
		got, err := c.confirm(t.Context(), awaiting)
		if wantKind(t, err, migration.KindWait); got.Status != migration.StatusAwaiting {
			t.Errorf("got status %s, want it as it was last known", got.Status)
		}
	})
}
