package migration_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// reported is a request whose moved server is tested and not confirmed.
func (c *cloud) reported(revert bool) migration.Request {
	return migration.Request{ServerID: c.server, Verification: c.test(revert)}
}

func TestReport_isNoErrorWithoutAutoConfirm(t *testing.T) {
	for name, server := range map[string]stub.Server{"healthy": healthy(), "sick": failsAfterMove(stub.Wrong)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, server)
				got, err := c.engine.Migrate(t.Context(), c.reported(false))
				wantStatus(t, got, err, migration.StatusAwaiting)
				if got.VerificationResult == nil || got.VerificationResult.Passed != (name == "healthy") {
					t.Errorf("got verification %+v of a %s server", got.VerificationResult, name)
				}
				c.wantSent(t, stub.CallConfirm, 0)
				c.wantSent(t, stub.CallRevert, 0)
			})
		})
	}
}

func TestReport_rollsBackWithoutAutoConfirmToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, failsAfterMove(stub.Wrong))
		home := c.hostID(t)
		got, err := c.engine.Migrate(t.Context(), c.reported(true))
		failure := wantKind(t, err, migration.KindRolledBack)
		if got.Status != migration.StatusReverted || c.hostID(t) != home || got.VerificationResult == nil || got.VerificationResult.Passed || !failure.Unverified {
			t.Errorf("got %+v on host %s, want it reverted to %s, with the failed test", got, c.hostID(t), home)
		}
		c.wantSent(t, stub.CallConfirm, 0)
		c.wantSent(t, stub.CallRevert, 1)
	})
}

// With a limit of one failure, each failed test stops the next migration. What happened
// to the server after the test makes no difference.
func TestReport_countsEachFailedTestAsAFailure(t *testing.T) {
	settled := func(settle func(*stub.Stub, string, string) error) func(*cloud) {
		return func(c *cloud) {
			c.Inject(stub.Fault{Call: stub.CallRevert, Count: 1, Do: func() { _ = settle(c.Stub, c.server, "somebody") }})
		}
	}
	nothing := func(*cloud) {}
	tests := []struct {
		name        string
		autoConfirm bool
		revert      bool
		meanwhile   func(*cloud)
		want        []migration.Kind // none: no error
	}{
		{"reported", false, false, nothing, nil},
		{"an error", true, false, nothing, []migration.Kind{migration.KindUnverified}},
		{"rolled back", false, true, nothing, []migration.Kind{migration.KindRolledBack}},
		{"rolled back, with auto_confirm", true, true, nothing, []migration.Kind{migration.KindRolledBack}},
		{"confirmed by somebody before the revert", false, true, settled((*stub.Stub).Confirm), []migration.Kind{migration.KindConfirmed}},
		{"reverted by somebody before the revert", false, true, settled((*stub.Stub).Revert), []migration.Kind{migration.KindReverted}},
		{"the end of the revert is not seen", false, true, func(c *cloud) {
			c.Inject(stub.Fault{Call: stub.CallRevert, Effect: true, Hang: true})
		}, []migration.Kind{migration.KindSettling}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, failsAfterMove(stub.Wrong))
				c.engine = c.limitedEngine(t, migration.Limits{Failures: 1})
				test.meanwhile(c)
				_, err := c.engine.Migrate(t.Context(), migration.Request{
					ServerID: c.server, AutoConfirm: test.autoConfirm, Verification: c.test(test.revert), Timeout: 6 * time.Minute,
				})
				for _, want := range test.want {
					wantKind(t, err, want)
				}
				if err != nil && test.want == nil {
					t.Errorf("got error %v, want none", err)
				}
				next := c.migrateAll(t.Context(), true, 0, c.AddServer(stub.Server{}))[0]
				stopped := wantKind(t, next.err, migration.KindStopped)
				if got := stopped.Failures; len(got) != 1 || got[0].Migration.ServerID != c.server || !got[0].Unverified {
					t.Errorf("got failures %v, want that of the server that did not pass", got)
				}
			})
		})
	}
}

// duringTest lets something happen 20 seconds after the first connection to the moved server.
func duringTest(t *testing.T, c *cloud, health stub.Health, steps ...func() error) {
	t.Helper()
	begun := false
	c.SetServer(c.server, func(s *stub.Server) {
		s.Health = func(v stub.Visit) stub.Health {
			if v.Home && !begun {
				return stub.Healthy
			}
			if !begun {
				begun = true
				time.AfterFunc(20*time.Second, func() {
					for _, step := range steps {
						if err := step(); err != nil {
							t.Error(err)
						}
						time.Sleep(20 * time.Second)
					}
				})
			}
			if v.Since < 90*time.Second {
				return stub.Wrong
			}
			return health
		}
	})
}

func TestReport_saysWhatOthersDidDuringTheTest(t *testing.T) {
	type does func(cloud *stub.Stub, id, user string) error
	confirm, revert, migrate := (*stub.Stub).Confirm, (*stub.Stub).Revert, (*stub.Stub).Migrate
	remove := func(cloud *stub.Stub, id, _ string) error { return cloud.Delete(id) }
	const none = migration.Kind("")
	tests := []struct {
		name        string
		does        []does
		autoConfirm bool
		revert      bool
		health      stub.Health
		want        migration.Kind
		status      migration.Status
	}{
		{"deleted", []does{remove}, false, false, stub.Healthy, migration.KindGone, migration.StatusAwaiting},
		{"deleted, with revert", []does{remove}, false, true, stub.Wrong, migration.KindGone, migration.StatusAwaiting},
		{"deleted, with auto_confirm", []does{remove}, true, false, stub.Healthy, migration.KindGone, migration.StatusAwaiting},
		{"reverted", []does{revert}, false, false, stub.Healthy, migration.KindReverted, migration.StatusReverted},
		{"reverted, with revert", []does{revert}, false, true, stub.Wrong, migration.KindReverted, migration.StatusReverted},
		{"reverted and migrated", []does{revert, migrate}, false, false, stub.Healthy, migration.KindReverted, migration.StatusReverted},
		{"reverted and migrated, with revert", []does{revert, migrate}, false, true, stub.Wrong, migration.KindReverted, migration.StatusReverted},
		{"confirmed and migrated", []does{confirm, migrate}, false, false, stub.Healthy, migration.KindUntested, migration.StatusConfirmed},
		{"confirmed and migrated, with auto_confirm", []does{confirm, migrate}, true, false, stub.Healthy, migration.KindUntested, migration.StatusConfirmed},
		{"confirmed and migrated, with revert", []does{confirm, migrate}, false, true, stub.Wrong, migration.KindConfirmed, migration.StatusConfirmed},
		{"confirmed and migrated, sick", []does{confirm, migrate}, false, false, stub.Wrong, migration.KindUntested, migration.StatusConfirmed},
		{"confirmed and migrated, sick, with auto_confirm", []does{confirm, migrate}, true, false, stub.Wrong, migration.KindUntested, migration.StatusConfirmed},
		{"confirmed, healthy", []does{confirm}, false, false, stub.Healthy, none, migration.StatusConfirmed},
		{"confirmed, sick", []does{confirm}, false, false, stub.Wrong, none, migration.StatusConfirmed},
		{"confirmed, healthy, with revert", []does{confirm}, false, true, stub.Healthy, none, migration.StatusConfirmed},
		{"confirmed, sick, with revert", []does{confirm}, false, true, stub.Wrong, migration.KindConfirmed, migration.StatusConfirmed},
		{"confirmed, healthy, with auto_confirm", []does{confirm}, true, false, stub.Healthy, none, migration.StatusConfirmed},
		{"confirmed, sick, with auto_confirm", []does{confirm}, true, false, stub.Wrong, migration.KindUnverified, migration.StatusConfirmed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, healthy())
				var steps []func() error
				for _, does := range test.does {
					steps = append(steps, func() error { return does(c.Stub, c.server, "somebody") })
				}
				duringTest(t, c, test.health, steps...)
				request := c.reported(test.revert)
				request.AutoConfirm = test.autoConfirm
				got, err := c.engine.Migrate(t.Context(), request)
				if test.want == none {
					wantStatus(t, got, err, test.status)
					if got.VerificationResult == nil || got.VerificationResult.Passed != (test.health == stub.Healthy) {
						t.Errorf("got verification %+v", got.VerificationResult)
					}
				} else if wantKind(t, err, test.want); got.Status != test.status {
					t.Errorf("got status %s, want %s", got.Status, test.status)
				}
				if result := got.VerificationResult; err != nil && result != nil && (result.Passed || test.want == migration.KindUntested) {
					t.Errorf("got verification %+v, though it was not this migration's server that was tested", result)
				}
				c.wantSent(t, stub.CallConfirm, 0)
				c.wantSent(t, stub.CallRevert, 0)
				time.Sleep(2 * time.Minute) // until somebody has finished
			})
		})
	}
}

// The migration is confirmed before the test begins: it cannot be reverted any more.
func TestReport_testsWhatTheCloudHasConfirmed(t *testing.T) {
	tests := []struct {
		name   string
		revert bool
		health stub.Health
		fails  bool
	}{{"keep", false, stub.Wrong, false}, {"revert", true, stub.Wrong, true}, {"healthy", true, stub.Healthy, false}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{AutoConfirmAfter: 100 * time.Millisecond}, failsAfterMove(test.health))
				got, err := c.engine.Migrate(t.Context(), c.reported(test.revert))
				if test.fails {
					wantKind(t, err, migration.KindUnverified)
				} else if err != nil {
					t.Errorf("got error %v, want none", err)
				}
				if result := got.VerificationResult; got.Status != migration.StatusConfirmed || result == nil || result.Passed != (test.health == stub.Healthy) {
					t.Errorf("got %+v, want it confirmed and tested", got)
				}
				c.wantSent(t, stub.CallRevert, 0)
			})
		})
	}
}

func TestTest_reportsOnWhatAwaitsConfirmation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, failsAfterMove(stub.Wrong))
		awaiting, err := c.migrate(t.Context(), false)
		wantStatus(t, awaiting, err, migration.StatusAwaiting)
		for _, passes := range []bool{false, true} {
			if passes {
				c.SetServer(c.server, func(s *stub.Server) { s.Health = nil })
			}
			got, err := c.engine.Test(t.Context(), awaiting, c.test(false))
			wantStatus(t, got, err, migration.StatusAwaiting)
			if got.VerificationResult == nil || got.VerificationResult.Passed != passes {
				t.Errorf("got verification %+v, want passed: %t", got.VerificationResult, passes)
			}
		}
		c.wantSent(t, stub.CallConfirm, 0)
		c.wantSent(t, stub.CallRevert, 0)
	})
}

func TestTest_rollsBackWhereThatIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, failsAfterMove(stub.Wrong))
		awaiting, _ := c.migrate(t.Context(), false)
		got, err := c.engine.Test(t.Context(), awaiting, c.test(true))
		if wantKind(t, err, migration.KindRolledBack); got.Status != migration.StatusReverted {
			t.Errorf("got status %s, want reverted", got.Status)
		}
	})
}

func TestTest_waitsForAMigrationThatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		c := newCloud(t, stub.Config{}, stub.Server{AccessIPv4: "192.0.2.11", Health: func(v stub.Visit) stub.Health {
			if !v.Home {
				asked++
			}
			return stub.Wrong
		}})
		if err := c.Migrate(c.server, stub.DefaultUser.ID); err != nil {
			t.Fatal(err)
		}
		migrating, err := c.engine.Find(t.Context(), "ord", c.server, "")
		wantStatus(t, migrating, err, migration.StatusMigrating)
		got, err := c.engine.Test(t.Context(), migrating, c.test(false))
		wantStatus(t, got, err, migration.StatusAwaiting)
		if asked == 0 || got.VerificationResult == nil || got.VerificationResult.Passed {
			t.Errorf("got verification %+v after %d connections, want it failed", got.VerificationResult, asked)
		}
	})
}

func TestTest_leavesAloneWhatHasEnded(t *testing.T) {
	settles := map[migration.Status]func(*stub.Stub, string, string) error{
		migration.StatusConfirmed: (*stub.Stub).Confirm, migration.StatusReverted: (*stub.Stub).Revert,
	}
	for status, settle := range settles {
		for _, seen := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, failsAfterMove(stub.Wrong))
				given, _ := c.migrate(t.Context(), false)
				if err := settle(c.Stub, c.server, "somebody"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				if seen { // the state has it as it ended
					var err error
					given, err = c.engine.Refresh(t.Context(), given)
					wantStatus(t, given, err, status)
				}
				sent := len(c.calls())
				got, err := c.engine.Test(t.Context(), given, c.test(true))
				switch {
				case status == migration.StatusReverted:
					wantKind(t, err, migration.KindReverted)
				case seen:
					wantStatus(t, got, err, status)
				default: // it does not pass, and it is too late to revert it
					wantKind(t, err, migration.KindUnverified)
				}
				if got.Status != status {
					t.Errorf("got status %s, want %s", got.Status, status)
				}
				if seen && len(c.calls()) > sent {
					t.Errorf("got requests %v for what has ended", c.calls()[sent:])
				}
				c.wantSent(t, stub.CallRevert, 0)
				c.wantSent(t, stub.CallConfirm, 0)
			})
		}
	}
}

func TestDestroy_confirmsOnlyWhatPassesAndNeverReverts(t *testing.T) {
	for _, state := range []migration.Status{migration.StatusMigrating, migration.StatusAwaiting} {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, failsAfterMove(stub.Wrong))
			if err := c.Migrate(c.server, stub.DefaultUser.ID); err != nil {
				t.Fatal(err)
			}
			if state == migration.StatusAwaiting {
				time.Sleep(10 * time.Second)
			}
			given, err := c.engine.Find(t.Context(), "ord", c.server, "")
			wantStatus(t, given, err, state)
			got, err := c.engine.Destroy(t.Context(), given, migration.OnDestroyConfirm, c.test(true))
			failure := wantKind(t, err, migration.KindUnverified)
			if got.Status != migration.StatusAwaiting || got.VerificationResult == nil || failure.Want != migration.StatusConfirmed {
				t.Errorf("got %+v, want it awaiting, with the failed test", got)
			}
			c.SetServer(c.server, func(s *stub.Server) { s.Health = nil })
			got, err = c.engine.Destroy(t.Context(), got, migration.OnDestroyConfirm, c.test(true))
			wantStatus(t, got, err, migration.StatusConfirmed)
			c.wantSent(t, stub.CallRevert, 0)
			c.wantSent(t, stub.CallConfirm, 1)
		})
	}
}

func TestMigrate_againNeverRevertsWhatItWasToConfirm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, failsAfterMove(stub.Wrong))
		previous, _ := c.migrate(t.Context(), false)
		c.engine = c.newEngine(t, stub.DefaultUser)
		request := c.tested(true)
		request.Previous, request.OnDestroy, request.PreviousVerification = &previous, migration.OnDestroyConfirm, c.test(true)
		got, err := c.engine.Migrate(t.Context(), request)
		wantKind(t, err, migration.KindUnverified)
		if got.Status != migration.StatusAwaiting || got.RequestID != previous.RequestID {
			t.Errorf("got %+v, want the previous migration awaiting", got)
		}
		c.wantSent(t, stub.CallRevert, 0)
		c.wantMigrations(t, 1)
	})
}

// Two resources of one migration have to show the same time: that of the action log.
func TestSettledAt_isWhatTheActionLogHas(t *testing.T) {
	settles := map[string]func(*cloud, context.Context, migration.Migration) (migration.Migration, error){
		"confirm": func(c *cloud, ctx context.Context, m migration.Migration) (migration.Migration, error) {
			return c.confirm(ctx, m)
		},
		"revert": func(c *cloud, ctx context.Context, m migration.Migration) (migration.Migration, error) {
			return c.engine.Revert(ctx, m)
		},
	}
	for name, settle := range settles {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				timing := stub.ObservedTiming()
				timing.ConfirmStale, timing.RevertOnNew = 5*time.Second, 5*time.Second // so that the end comes later
				c := newCloud(t, stub.Config{Timing: timing}, stub.Server{})
				awaiting, _ := c.migrate(t.Context(), false)
				for _, call := range []stub.Call{stub.CallConfirm, stub.CallRevert} { // its answer is slow
					c.Inject(stub.Fault{Call: call, Effect: true, Delay: 1500 * time.Millisecond})
				}
				got, err := settle(c, t.Context(), awaiting)
				if err != nil {
					t.Fatal(err)
				}
				if logged := c.ActionLog(c.server)[0].Start.UTC().Truncate(time.Second); !got.SettledAt.Equal(logged) {
					t.Errorf("got settled at %s, the action log has %s", got.SettledAt, logged)
				}
				other, err := c.newEngine(t, stub.DefaultUser).Refresh(t.Context(), awaiting)
				if err != nil || !other.SettledAt.Equal(got.SettledAt) {
					t.Errorf("got settled at %s (%v) of a refresh, want %s", other.SettledAt, err, got.SettledAt)
				}
			})
		})
	}
}

// A resource with auto_confirm reads nothing more for it: the answer's time is that
// of the log, or that of a second later.
func TestSettledAt_isThatOfTheConfirmAndNotOfItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timing := stub.ObservedTiming()
		timing.ConfirmStale = 5 * time.Second
		c := newCloud(t, stub.Config{Timing: timing}, stub.Server{})
		got, err := c.migrate(t.Context(), true)
		wantStatus(t, got, err, migration.StatusConfirmed)
		if logged := c.ActionLog(c.server)[0].Start.UTC().Truncate(time.Second); !got.SettledAt.Equal(logged) {
			t.Errorf("got settled at %s, the action log has %s", got.SettledAt, logged)
		}
		c.wantSent(t, stub.CallActionLog, 2)
	})
}

func TestCheck_tellsOfOurMigrationsThatWereRolledBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		move := func(user string, settle func(*stub.Stub, string, string) error) string {
			t.Helper()
			if err := c.Migrate(c.server, user); err != nil {
				t.Fatal(err)
			}
			id := c.ActionLog(c.server)[0].RequestID
			time.Sleep(time.Minute)
			if err := settle(c.Stub, c.server, user); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			return id
		}
		ours := stub.DefaultUser.ID
		wantRolledBack := func(want ...string) {
			t.Helper()
			preview, err := c.engine.Check(t.Context(), "", c.server, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range preview.RolledBack {
				got = append(got, m.RequestID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %v rolled back, want %v", got, want)
			}
		}
		wantRolledBack()
		move(ours, (*stub.Stub).Revert)
		time.Sleep(24 * time.Hour)
		wantRolledBack() // it is too long ago
		first := move(ours, (*stub.Stub).Revert)
		time.Sleep(time.Hour)
		move("somebody", (*stub.Stub).Revert)
		second := move(ours, (*stub.Stub).Revert)
		if err := c.Resize(c.server, ours); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if err := c.Revert(c.server, ours); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		wantRolledBack(second, first)
		time.Sleep(23*time.Hour - 10*time.Minute)
		wantRolledBack(second, first)
		time.Sleep(15 * time.Minute)
		wantRolledBack(second)
		move(ours, (*stub.Stub).Confirm)
		wantRolledBack(second)
	})
}

// After a refused revert of ours, a revert by somebody else is not called ours.
func TestVerify_doesNotCallSomebodysRevertItsOwn(t *testing.T) {
	tests := map[string]struct {
		fault stub.Fault
		log   int // the status of the action log from then on
		by    string
	}{
		"refused":             {stub.Fault{}, 0, "somebody"},
		"lost":                {stub.Fault{Reset: true}, 0, "somebody"},
		"refused, and no log": {stub.Fault{}, http.StatusForbidden, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, failsAfterMove(stub.Wrong))
				test.fault.Call, test.fault.Count = stub.CallRevert, 1
				test.fault.Do = func() {
					_ = c.Revert(c.server, "somebody")
					if test.log != 0 {
						c.Inject(stub.Fault{Call: stub.CallActionLog, Status: test.log})
					}
				}
				c.Inject(test.fault)
				got, err := c.engine.Migrate(t.Context(), c.tested(true))
				if wantKind(t, err, migration.KindReverted); got.SettledBy != test.by {
					t.Errorf("got %+v, want it reverted by %q", got, test.by)
				}
			})
		})
	}
}

// The server has passed when the confirm is sent. A migration that begins after that
// does not change the result.
func TestVerify_staysPassedWhenAnotherMigrationFollowsOurConfirm(t *testing.T) {
	for name, fault := range map[string]stub.Fault{"accepted": {Effect: true}, "lost": {Effect: true, Reset: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, healthy())
				fault.Call = stub.CallConfirm
				fault.Do = func() {
					time.AfterFunc(600*time.Millisecond, func() {
						if err := c.Migrate(c.server, "somebody"); err != nil {
							t.Error(err)
						}
					})
				}
				c.Inject(fault)
				got, err := c.engine.Migrate(t.Context(), c.tested(false))
				wantStatus(t, got, err, migration.StatusConfirmed)
				if got.SettledBy != stub.DefaultUser.ID || !got.VerificationResult.Passed {
					t.Errorf("got %+v, want it confirmed by us and passed", got)
				}
			})
		})
	}
}

// The server has passed when the confirm is sent. That the log cannot be read any more
// does not change the result.
func TestVerify_staysPassedWhenTheLogCannotTellOfOurConfirm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, healthy())
		c.Inject(stub.Fault{Call: stub.CallConfirm, Count: 1, Effect: true, Reset: true, Do: func() {
			c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden})
		}})
		got, err := c.engine.Migrate(t.Context(), c.tested(false))
		wantStatus(t, got, err, migration.StatusConfirmed)
		if !got.VerificationResult.Passed {
			t.Errorf("got verification %+v, want it passed", got.VerificationResult)
		}
	})
}

// The log has told of our confirm once, and then cannot be read. The server still
// awaits confirmation, so it is not confirmed yet.
func TestVerify_waitsForTheEndOfAConfirmThatTheLogHasToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := healthy()
		server.ConfirmOutcome = stub.ConfirmNeverEnds
		c := newCloud(t, stub.Config{}, server)
		time.AfterFunc(time.Minute, func() { c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden}) })
		request := c.tested(false)
		request.Timeout = 10 * time.Minute
		got, err := c.engine.Migrate(t.Context(), request)
		if wantKind(t, err, migration.KindSettling); got.Status != migration.StatusAwaiting {
			t.Errorf("got status %s, want it awaiting", got.Status)
		}
	})
}

// A wait that ends while somebody's confirm is under way has not tested the server.
// KindSettling would let an apply succeed.
func TestVerify_isNotSettlingBeforeTheServerHasPassed(t *testing.T) {
	timing := stub.ObservedTiming()
	timing.ConfirmStale = time.Hour
	for name, test := range map[string]struct {
		fault stub.Fault
		want  migration.Kind
	}{
		"no answer comes":         {stub.Fault{Hang: true}, migration.KindInterrupted},
		"the API refuses to tell": {stub.Fault{Status: http.StatusForbidden}, migration.KindWait},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{Timing: timing}, healthy())
				time.AfterFunc(7300*time.Millisecond, func() { _ = c.Confirm(c.server, "somebody") })
				test.fault.Call = stub.CallServer // from right after the look that shows the confirm, at 8 s
				time.AfterFunc(8100*time.Millisecond, func() { c.Inject(test.fault) })
				request := c.tested(false)
				request.Timeout = 2 * time.Minute
				got, err := c.engine.Migrate(t.Context(), request)
				if wantKind(t, err, test.want); got.VerificationResult != nil {
					t.Errorf("got verification %+v, want none", got.VerificationResult)
				}
			})
		})
	}
	t.Run("after a failed test", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, healthy())
			ctx, cancel := context.WithCancel(t.Context())
			c.SetServer(c.server, func(s *stub.Server) {
				s.Health = stub.HealthyOnOriginalHost(stub.Wrong)
			})
			time.AfterFunc(7300*time.Millisecond, func() { _ = c.Confirm(c.server, "somebody") })
			// The look after the test gets no answer, and then the apply is cancelled.
			time.AfterFunc(time.Minute, func() {
				c.Inject(stub.Fault{Call: stub.CallServer, Hang: true})
			})
			time.AfterFunc(20*time.Minute, cancel)
			_, err := c.engine.Migrate(ctx, c.tested(false))
			if failure := wantKind(t, err, migration.KindUnverified); failure.Migration.Status != migration.StatusConfirmed {
				t.Errorf("got %+v, want it confirmed, with the failed test", failure)
			}
		})
	})
}
