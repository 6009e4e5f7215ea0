package migration_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// settleAndBegin has somebody settle our migration, and begin another move.
func (c *cloud) settleAndBegin(t *testing.T, settle, begin func(id, user string) error) {
	t.Helper()
	for _, step := range []func(id, user string) error{settle, begin} {
		if err := step(c.server, "somebody"); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Second)
	}
}

func TestProve_goesByHostAndFlavorWhereTheLogCannotBeRead(t *testing.T) {
	tests := []struct {
		name   string
		server stub.Server
		change func(*migration.Migration)
		since  func(*testing.T, *cloud)
		sent   bool
	}{
		{name: "as it was", sent: true},
		{name: "resized since", since: func(t *testing.T, c *cloud) { c.settleAndBegin(t, c.Confirm, c.Resize) }},
		{name: "resized since, to the same host", since: func(t *testing.T, c *cloud) { c.settleAndBegin(t, c.Revert, c.Resize) }},
		{name: "migrated since", since: func(t *testing.T, c *cloud) { c.settleAndBegin(t, c.Confirm, c.Migrate) }},
		{name: "its host is hidden", server: stub.Server{NoHostID: true}},
		{name: "its flavor is not known", change: func(m *migration.Migration) { m.FlavorID = "" }},
		{name: "its request is not known", change: func(m *migration.Migration) { m.RequestID = "" }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, call := range []stub.Call{stub.CallConfirm, stub.CallRevert} {
				synctest.Test(t, func(t *testing.T) {
					c := newCloud(t, stub.Config{}, test.server)
					ours, err := c.migrate(t.Context(), false)
					wantStatus(t, ours, err, migration.StatusAwaiting)
					if test.since != nil {
						test.since(t, c)
						time.Sleep(time.Minute)
					}
					if test.change != nil {
						test.change(&ours)
					}
					c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden})
					settle, want := c.confirm, migration.StatusConfirmed
					if call == stub.CallRevert {
						settle, want = c.engine.Revert, migration.StatusReverted
					}
					got, err := settle(t.Context(), ours)
					if test.sent {
						wantStatus(t, got, err, want)
						c.wantSent(t, call, 1)
						return
					}
					// Where the server is on another host again, that proves that ours was confirmed.
					if got.Status.Settled() {
						wantStatus(t, got, err, migration.StatusConfirmed)
					} else {
						wantKind(t, err, migration.KindUnproven)
					}
					c.wantSent(t, call, 0)
				})
			}
		})
	}
}

func TestProve_findsTheRequestThatNobodyNamed(t *testing.T) {
	tests := map[string]func(ours stub.Action) (log []stub.Action){
		"alone": func(ours stub.Action) []stub.Action { return []stub.Action{ours} },
		"before what somebody failed to begin": func(ours stub.Action) []stub.Action {
			return []stub.Action{{Action: cloudservers.ActionResize, RequestID: "req-failed", UserID: "somebody", Message: "Error", Start: ours.Start.Add(time.Minute)}, ours}
		},
		"after an earlier one": func(ours stub.Action) []stub.Action {
			earlier := ours
			earlier.RequestID, earlier.Start = "req-earlier", ours.Start.Add(-time.Hour)
			return []stub.Action{ours, earlier}
		},
	}
	for name, log := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{})
				ours, _ := c.migrate(t.Context(), false)
				ours.RequestID = ""
				c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusOK, Body: logOf(log(migrateEntry(c))...)})
				got, err := c.confirm(t.Context(), ours)
				wantStatus(t, got, err, migration.StatusConfirmed)
				if got.RequestID != migrateEntry(c).RequestID {
					t.Errorf("got request id %q, want the log's", got.RequestID)
				}
			})
		})
	}
}

func TestProve_namesNothingThatCouldBeAnother(t *testing.T) {
	for _, call := range []stub.Call{stub.CallConfirm, stub.CallRevert} {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			ours, _ := c.migrate(t.Context(), false)
			ours.RequestID = ""
			c.settleAndBegin(t, c.Confirm, func(id, _ string) error { return c.Migrate(id, stub.DefaultUser.ID) })
			settle := c.confirm
			if call == stub.CallRevert {
				settle = c.engine.Revert
			}
			_, err := settle(t.Context(), ours)
			wantKind(t, err, migration.KindUnproven)
			c.wantSent(t, call, 0)
		})
	}
}

func TestProve_isNotMisledByAServerThatIsStillThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		ours, _ := c.migrate(t.Context(), false)
		c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden})
		c.settleAndBegin(t, c.Confirm, func(id, user string) error {
			// While their migration is prepared, the server is still on the host that ours led to.
			time.AfterFunc(500*time.Millisecond, func() {
				_, err := c.confirm(t.Context(), ours)
				wantKind(t, err, migration.KindUnproven)
			})
			return c.Migrate(id, user)
		})
		c.wantSent(t, stub.CallConfirm, 0)
	})
}

func TestProve_goesByTheOrderOfTheLogWhateverTheClocksSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.Advance(-time.Hour)
		c.Inject(stub.Fault{Call: stub.CallMigrate, Effect: true, Header: http.Header{"Date": nil}, Count: 1})
		ours, err := c.migrate(t.Context(), false)
		wantStatus(t, ours, err, migration.StatusAwaiting)
		c.settleAndBegin(t, c.Revert, c.Resize)
		got, err := c.confirm(t.Context(), ours)
		if wantKind(t, err, migration.KindReverted); got.Status != migration.StatusReverted {
			t.Errorf("got status %s, want it reverted", got.Status)
		}
		c.wantSent(t, stub.CallConfirm, 0)
	})
}

func TestProve_believesNoSingleAnswerThatTheServerIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		ours, _ := c.migrate(t.Context(), false)
		c.Inject(stub.Fault{Call: stub.CallConfirm, Status: http.StatusTooManyRequests, RetryAfter: 5 * time.Minute, Count: 1})
		time.AfterFunc(time.Minute, func() {
			c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusNotFound, Count: 1})
			c.Inject(stub.Fault{Call: stub.CallServer, Status: http.StatusNotFound, Count: 1})
		})
		got, err := c.confirm(t.Context(), ours)
		wantStatus(t, got, err, migration.StatusConfirmed)
	})
}

func TestProve_provesNothingByWhatMayHaveReplacedOurs(t *testing.T) {
	for _, autoConfirm := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			time.AfterFunc(3*time.Second, func() {
				c.Inject(stub.Fault{Call: stub.CallServer, Status: http.StatusServiceUnavailable, Until: c.Now().Add(5 * time.Minute)})
				c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden})
			})
			time.AfterFunc(61*time.Second, func() { c.settleAndBegin(t, c.Confirm, c.Migrate) })
			_, err := c.migrate(t.Context(), autoConfirm)
			wantKind(t, err, migration.KindUnproven)
			c.wantSent(t, stub.CallConfirm, 0)
		})
	}
}

func TestProve_tellsMigrationsToTheSameHostApartByTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		ours, err := c.migrate(t.Context(), false)
		wantStatus(t, ours, err, migration.StatusAwaiting)
		c.settleAndBegin(t, c.Revert, c.Migrate)
		if c.hostID(t) != ours.DestinationHostID {
			t.Fatal("the server is on another host than ours: the test proves nothing")
		}
		c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden})
		_, err = c.confirm(t.Context(), ours)
		wantKind(t, err, migration.KindUnproven)
		_, err = c.engine.Revert(t.Context(), ours)
		wantKind(t, err, migration.KindUnproven)
		c.wantSent(t, stub.CallConfirm, 0)
		c.wantSent(t, stub.CallRevert, 0)
	})
}

func TestMigrate_saysThatItWasRevertedThoughAnotherOneFollowed(t *testing.T) {
	t.Run("while nobody could look", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			time.AfterFunc(3*time.Second, func() { c.Inject(stub.Fault{Call: stub.CallServer, Status: http.StatusServiceUnavailable}) })
			time.AfterFunc(61*time.Second, func() { c.settleAndBegin(t, c.Revert, c.Migrate) })
			time.AfterFunc(5*time.Minute, c.ClearFaults)
			_, err := c.migrate(t.Context(), false)
			wantKind(t, err, migration.KindReverted)
		})
	})
	for _, passes := range []bool{true, false} {
		t.Run(fmt.Sprintf("while it was tested, and it passed: %t", passes), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{AccessIPv4: "192.0.2.11", Health: func(v stub.Visit) stub.Health {
					if v.Since < 2*time.Minute || !passes && !v.Home {
						return stub.Closed
					}
					return stub.Healthy
				}})
				time.AfterFunc(20*time.Second, func() { c.settleAndBegin(t, c.Revert, c.Migrate) })
				_, err := c.engine.Migrate(t.Context(), c.tested(false))
				wantKind(t, err, migration.KindReverted)
				c.wantSent(t, stub.CallConfirm, 0)
			})
		})
	}
}

func TestConfirm_leavesAloneWhatBeganWhileNobodyCouldLook(t *testing.T) {
	for _, autoConfirm := range []bool{true, false} {
		for _, begun := range []string{"a resize", "a migration"} {
			t.Run(fmt.Sprintf("%s, to be confirmed: %t", begun, autoConfirm), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := newCloud(t, stub.Config{}, stub.Server{})
					begin := map[string]func(id, user string) error{"a resize": c.Resize, "a migration": c.Migrate}[begun]
					time.AfterFunc(3*time.Second, func() { c.Inject(stub.Fault{Call: stub.CallServer, Status: http.StatusServiceUnavailable}) })
					time.AfterFunc(61*time.Second, func() { c.settleAndBegin(t, c.Confirm, begin) })
					time.AfterFunc(5*time.Minute, c.ClearFaults)
					got, err := c.migrate(t.Context(), autoConfirm)
					wantStatus(t, got, err, migration.StatusConfirmed)
					c.wantSent(t, stub.CallConfirm, 0)
					if is, _ := c.Server(c.server); is.Status != cloudservers.StatusVerifyResize || got.SettledBy != "somebody" {
						t.Errorf("got the server %s and the migration settled by %q, want the other left alone", is.Status, got.SettledBy)
					}
				})
			})
		}
	}
}

func TestConfirm_looksAgainAfterAWaitForTheRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		ours, err := c.migrate(t.Context(), false)
		wantStatus(t, ours, err, migration.StatusAwaiting)
		other := c.AddServer(stub.Server{})
		c.Inject(stub.Fault{Call: stub.CallMigrate, Status: http.StatusRequestEntityTooLarge, RetryAfter: 5 * time.Minute, Count: 1})
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := c.engine.Migrate(t.Context(), migration.Request{ServerID: other}); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Second)
		time.AfterFunc(61*time.Second, func() { c.settleAndBegin(t, c.Confirm, c.Resize) })
		got, err := c.confirm(t.Context(), ours)
		wantStatus(t, got, err, migration.StatusConfirmed)
		c.wantSent(t, stub.CallConfirm, 0)
		all.Wait()
	})
}

func TestConfirm_looksAgainBeforeItRepeats(t *testing.T) {
	faults := []stub.Fault{
		{Status: http.StatusRequestEntityTooLarge, RetryAfter: 25 * time.Second},
		{Status: http.StatusServiceUnavailable, Delay: 25 * time.Second},
	}
	for _, fault := range faults {
		for _, call := range []stub.Call{stub.CallConfirm, stub.CallRevert} {
			t.Run(http.StatusText(fault.Status)+", "+string(call), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := newCloud(t, stub.Config{}, stub.Server{})
					ours, _ := c.migrate(t.Context(), false)
					fault := fault
					fault.Call, fault.Count = call, 1
					c.Inject(fault)
					time.AfterFunc(time.Second, func() { c.settleAndBegin(t, c.Confirm, c.Migrate) })
					settle := c.confirm
					if call == stub.CallRevert {
						settle = c.engine.Revert
					}
					got, err := settle(t.Context(), ours)
					if call == stub.CallRevert {
						wantKind(t, err, migration.KindConfirmed)
					} else if err != nil {
						t.Error(err)
					}
					if got.Status != migration.StatusConfirmed {
						t.Errorf("got status %s, want confirmed by somebody", got.Status)
					}
					c.wantSent(t, call, 1)
				})
			})
		}
	}
}

func TestConfirm_saysThatItWasSentBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{NoHostID: true})
		ours, _ := c.migrate(t.Context(), false)
		c.Inject(stub.Fault{Call: stub.CallConfirm, Status: http.StatusServiceUnavailable, Count: 1})
		time.AfterFunc(time.Second, func() { c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden}) })
		_, err := c.confirm(t.Context(), ours)
		if failure := wantKind(t, err, migration.KindUnproven); !failure.Sent {
			t.Error("got a confirm that was never sent, want one that was not sent again")
		}
		c.wantSent(t, stub.CallConfirm, 1)
	})
}

func TestStart_looksAgainAfterAWaitForTheRateLimit(t *testing.T) {
	tests := []struct {
		name  string
		since func(*cloud) error
		want  migration.Kind
		sent  int
	}{
		{"nothing happened", func(*cloud) error { return nil }, "", 2},
		{"the same user migrated it", func(c *cloud) error {
			if err := c.Migrate(c.server, stub.DefaultUser.ID); err != nil {
				return err
			}
			time.Sleep(time.Minute)
			return c.Confirm(c.server, stub.DefaultUser.ID)
		}, "", 1},
		{"the same user migrates it", func(c *cloud) error { return c.Migrate(c.server, stub.DefaultUser.ID) }, "", 1},
		{"somebody migrates it", func(c *cloud) error { return c.Migrate(c.server, "somebody") }, migration.KindPending, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{})
				c.Inject(stub.Fault{Call: stub.CallMigrate, Status: http.StatusRequestEntityTooLarge, RetryAfter: 5 * time.Minute, Count: 1})
				time.AfterFunc(61*time.Second, func() {
					if err := test.since(c); err != nil {
						t.Error(err)
					}
				})
				got, err := c.migrate(t.Context(), true)
				c.wantSent(t, stub.CallMigrate, test.sent)
				if test.want != "" {
					wantKind(t, err, test.want)
					return
				}
				wantStatus(t, got, err, migration.StatusConfirmed)
				if got.Adopted != (test.sent == 1) {
					t.Errorf("got adopted %t, want what the other run began, and nothing else", got.Adopted)
				}
			})
		})
	}
}

func TestStart_saysWhenAnotherRunOfTheSameUserWasQuicker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.Inject(stub.Fault{Call: stub.CallMigrate, Delay: 5 * time.Second})
		time.AfterFunc(time.Second, func() {
			if err := c.Migrate(c.server, stub.DefaultUser.ID); err != nil {
				t.Error(err)
			}
		})
		got, err := c.migrate(t.Context(), true)
		wantStatus(t, got, err, migration.StatusConfirmed)
		if !got.Adopted {
			t.Errorf("got %+v, want it adopted", got)
		}
	})
}

func TestStart_isUndecidedWhereAConflictMayBeWithItsOwnRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.Inject(stub.Fault{Call: stub.CallMigrate, Status: http.StatusGatewayTimeout, Count: 1})
		c.Inject(stub.Fault{Call: stub.CallMigrate, Delay: 2 * time.Second, Count: 1})
		time.AfterFunc(21*time.Second, func() { // the proxy lets the first one through at last
			if err := c.Migrate(c.server, stub.DefaultUser.ID); err != nil {
				t.Error(err)
			}
			c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusServiceUnavailable})
		})
		_, err := c.migrate(t.Context(), true)
		wantKind(t, err, migration.KindUndecided)
		c.wantSent(t, stub.CallConfirm, 0)
	})
}

func TestStart_givesUpWhatTheLogNamesAsSomebodysAtLast(t *testing.T) {
	for _, autoConfirm := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			c.Inject(stub.Fault{Call: stub.CallMigrate, Reset: true, Count: 1})
			c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden})
			time.AfterFunc(time.Second, func() {
				if err := c.Migrate(c.server, "somebody"); err != nil {
					t.Error(err)
				}
			})
			time.AfterFunc(9*time.Second, c.ClearFaults)
			_, err := c.migrate(t.Context(), autoConfirm)
			failure := wantKind(t, err, migration.KindPending)
			if failure.Pending == nil || failure.Pending.UserID != "somebody" || !failure.Sent {
				t.Errorf("got %+v, want it to name somebody, and the request that was sent", failure)
			}
			c.wantSent(t, stub.CallConfirm, 0)
		})
	}
}

func TestStart_allowsTheActionLogAClockOfItsOwn(t *testing.T) {
	for _, behind := range []time.Duration{-3 * time.Second, 3 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			c.Inject(stub.Fault{Call: stub.CallMigrate, Effect: true, Hang: true, Count: 1})
			time.AfterFunc(time.Second, func() {
				entry := migrateEntry(c)
				entry.Start = entry.Start.Add(-behind)
				c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusOK, Body: logOf(entry)})
			})
			got, err := c.migrate(t.Context(), true)
			wantStatus(t, got, err, migration.StatusConfirmed)
			c.wantSent(t, stub.CallMigrate, 1)
		})
	}
}

func TestStart_takesNothingForItsOwnThatWasThereBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		ours, _ := c.migrate(t.Context(), false)
		c.giveUp(t, ours)
		c.engine = c.newEngine(t, stub.DefaultUser)
		// The migration before failed a moment ago, by the log's clock.
		if _, err := c.engine.Revert(t.Context(), ours); err != nil {
			t.Fatal(err)
		}
		c.SetServer(c.server, func(s *stub.Server) { s.Outcome = stub.OutcomeFails })
		if err := c.Migrate(c.server, stub.DefaultUser.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		c.SetServer(c.server, func(s *stub.Server) { s.Outcome, s.Status = stub.OutcomeMoves, cloudservers.StatusActive })
		before := c.Migrations(c.server)
		c.Inject(stub.Fault{Call: stub.CallMigrate, Reset: true, Count: 1})
		got, err := c.migrate(t.Context(), true)
		wantStatus(t, got, err, migration.StatusConfirmed)
		if sent := c.Migrations(c.server) - before; sent != 1 {
			t.Errorf("got %d migrations more, want 1", sent)
		}
	})
}

func TestStart_ownsNothingWhereTheTokenNamesNoUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nameless := stub.User{Name: "nameless", APIKey: "stub-api-key"}
		c := &cloud{Stub: stub.New(stub.Config{Users: []stub.User{nameless}})}
		c.server = c.AddServer(stub.Server{})
		c.engine = c.newEngine(t, nameless)
		c.Inject(stub.Fault{Call: stub.CallMigrate, Effect: true, Reset: true, Count: 1})
		_, err := c.migrate(t.Context(), true)
		wantKind(t, err, migration.KindUndecided) // it can be ours
		c.wantMigrations(t, 1)
		c.wantSent(t, stub.CallConfirm, 0)
	})
}

func TestDestroy_holdsAMigrateBackUntilTheOldMigrationHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		old, err := c.migrate(t.Context(), false)
		wantStatus(t, old, err, migration.StatusAwaiting)
		c.engine = c.newEngine(t, stub.DefaultUser)
		done := make(chan error, 1)
		go func() {
			time.Sleep(time.Second)
			got, err := c.migrate(t.Context(), true)
			if err == nil && got.RequestID == old.RequestID {
				t.Error("got the old migration, want another one")
			}
			done <- err
		}()
		got, err := c.engine.Destroy(t.Context(), old, migration.OnDestroyRevert, nil)
		wantStatus(t, got, err, migration.StatusReverted)
		if err := <-done; err != nil {
			t.Error(err)
		}
		c.wantMigrations(t, 2)
	})
}

func TestDestroy_canBeTriedAgainInTheSameRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		old, _ := c.migrate(t.Context(), false)
		c.engine = c.newEngine(t, stub.DefaultUser)
		c.Inject(stub.Fault{Call: stub.CallRevert, Status: http.StatusForbidden, Count: 1})
		_, err := c.engine.Destroy(t.Context(), old, migration.OnDestroyRevert, nil)
		wantKind(t, err, migration.KindUnsettled)
		got, err := c.engine.Destroy(t.Context(), old, migration.OnDestroyRevert, nil)
		wantStatus(t, got, err, migration.StatusReverted)
	})
}

func TestDestroy_givesUpWhatAFailedMigrateNeverHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		old, _ := c.migrate(t.Context(), false)
		c.engine = c.newEngine(t, stub.DefaultUser)
		c.Inject(stub.Fault{Call: stub.CallServer, Status: http.StatusForbidden, Count: 1})
		_, err := c.migrate(t.Context(), true)
		wantKind(t, err, migration.KindAPI)
		got, err := c.engine.Destroy(t.Context(), old, migration.OnDestroyRevert, nil)
		wantStatus(t, got, err, migration.StatusReverted)
	})
}

func TestDestroy_canBeCancelledWhileItWaitsForAMigrate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{TaskState: "image_snapshot"})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		go func() { _, _ = c.migrate(ctx, true) }()
		time.Sleep(time.Minute)
		short, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		pending := migration.Migration{ServerID: c.server, RequestID: "req-1", Status: migration.StatusAwaiting}
		_, err := c.engine.Destroy(short, pending, migration.OnDestroyNone, nil)
		if failure := wantKind(t, err, migration.KindInterrupted); !failure.TimedOut() {
			t.Error("a wait that timed out does not say so")
		}
		time.Sleep(10 * time.Minute)
	})
}
