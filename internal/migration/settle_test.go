package migration_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestConfirm_confirmsAMigrationThatAwaitsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		awaiting, err := c.migrate(t.Context(), false)
		wantStatus(t, awaiting, err, migration.StatusAwaiting)
		time.Sleep(time.Hour)

		got, err := c.engine.Confirm(t.Context(), awaiting, nil)

		wantStatus(t, got, err, migration.StatusConfirmed)
		c.wantSent(t, stub.CallConfirm, 1)
		c.wantSent(t, stub.CallToken, 1)
	})
}

func TestConfirm_sendsNothingForWhatIsSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		awaiting, _ := c.migrate(t.Context(), false)
		if err := c.Confirm(c.server, "somebody"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		got, err := c.engine.Confirm(t.Context(), awaiting, nil)
		wantStatus(t, got, err, migration.StatusConfirmed)
		c.wantSent(t, stub.CallConfirm, 0)
		if got.SettledBy != "somebody" {
			t.Errorf("got settled by %q, want somebody", got.SettledBy)
		}
	})
}

func TestConfirm_isJudgedByTheServerWhenItsAnswerIsLost(t *testing.T) {
	faults := map[string]stub.Fault{
		"500":            {Status: http.StatusInternalServerError},
		"a proxy's page": stub.HTML(http.StatusBadGateway),
		"a torn line":    {Reset: true},
		"no answer":      {Hang: true},
	}
	for name, fault := range faults {
		for _, effect := range []bool{false, true} {
			t.Run(name+map[bool]string{false: ", not accepted", true: ", accepted"}[effect], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := newCloud(t, stub.Config{}, stub.Server{})
					fault := fault
					fault.Call, fault.Count, fault.Effect = stub.CallConfirm, 1, effect
					c.Inject(fault)
					got, err := c.migrate(t.Context(), true)
					wantStatus(t, got, err, migration.StatusConfirmed)
					c.wantSent(t, stub.CallConfirm, map[bool]int{false: 2, true: 1}[effect])
				})
			})
		}
	}
}

func TestConfirm_reportsWhatTheAPIRefuses(t *testing.T) {
	for _, status := range []int{400, 401, 403, 409, 500} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{})
				c.Inject(stub.Fault{Call: stub.CallConfirm, Status: status})
				got, err := c.migrate(t.Context(), true)
				wantKind(t, err, migration.KindUnsettled)
				if got.Status != migration.StatusAwaiting {
					t.Errorf("got status %q, want it to await confirmation", got.Status)
				}
			})
		})
	}
}

func TestConfirm_takesAConflictForTheWordOfSomebodyElse(t *testing.T) {
	tests := []struct {
		name       string
		done       func(*cloud) error
		unreadable bool // the action log
		want       migration.Status
	}{
		{"confirmed", func(c *cloud) error { return c.Confirm(c.server, "somebody") }, false, migration.StatusConfirmed},
		{"reverted", func(c *cloud) error { return c.Revert(c.server, "somebody") }, false, migration.StatusReverted},
		{"reverted, the log unreadable", func(c *cloud) error { return c.Revert(c.server, "somebody") }, true, migration.StatusReverted},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{})
				if test.unreadable {
					c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden})
				}
				// Our confirm arrives after somebody has settled the migration.
				c.Inject(stub.Fault{Call: stub.CallConfirm, Delay: 10 * time.Second})
				time.AfterFunc(12*time.Second, func() {
					if err := test.done(c); err != nil {
						t.Error(err)
					}
				})
				got, err := c.migrate(t.Context(), true)
				if test.want == migration.StatusReverted {
					wantKind(t, err, migration.KindReverted)
				} else if err != nil {
					t.Error(err)
				}
				if got.Status != test.want {
					t.Errorf("got status %q, want %q", got.Status, test.want)
				}
			})
		})
	}
}

func TestConfirm_hasNothingLeftToFailOnceItIsAccepted(t *testing.T) {
	tests := []struct {
		name  string
		fault stub.Fault
	}{
		{"cancelled", stub.Fault{}},
		{"the API refuses to tell", stub.Fault{Call: stub.CallServer, Status: http.StatusForbidden}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				timing := stub.ObservedTiming()
				timing.ConfirmStale = time.Hour
				c := newCloud(t, stub.Config{Timing: timing}, stub.Server{})
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(61*time.Second, func() {
					if test.fault.Call == "" {
						cancel()
						return
					}
					c.Inject(test.fault)
				})
				got, err := c.migrate(ctx, true)
				cancel()
				wantKind(t, err, migration.KindSettling)
				if got.Status != migration.StatusAwaiting {
					t.Errorf("got status %q, want what was seen last", got.Status)
				}
				c.wantSent(t, stub.CallConfirm, 1)
			})
		})
	}
}

func TestConfirm_tellsOfAServerThatFailedOrWasDeletedMeanwhile(t *testing.T) {
	tests := []struct {
		name string
		done func(*cloud)
		want migration.Kind
	}{
		{"in ERROR", func(c *cloud) {
			c.SetServer(c.server, func(s *stub.Server) { s.Status = cloudservers.StatusError })
		}, migration.KindFailed},
		{"deleted", func(c *cloud) { _ = c.Delete(c.server) }, migration.KindGone},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				timing := stub.ObservedTiming()
				timing.ConfirmStale = time.Hour
				c := newCloud(t, stub.Config{Timing: timing}, stub.Server{})
				time.AfterFunc(61*time.Second, func() { test.done(c) })
				_, err := c.migrate(t.Context(), true)
				wantKind(t, err, test.want)
			})
		})
	}
}
func TestRevert_waitsUntilTheServerIsBackOnItsOriginalHost(t *testing.T) {
	for _, server := range []stub.Server{{}, {Status: cloudservers.StatusShutoff}, {NoHostID: true}} {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, server)
			home := c.hostID(t)
			awaiting, err := c.migrate(t.Context(), false)
			wantStatus(t, awaiting, err, migration.StatusAwaiting)

			got, err := c.engine.Revert(t.Context(), awaiting)

			wantStatus(t, got, err, migration.StatusReverted)
			now, _ := c.Server(c.server)
			if now.HostID != home || now.TaskState != "" || got.ServerStatus != now.Status || now.Status == cloudservers.StatusVerifyResize {
				t.Errorf("got %s with the server %+v, want it settled at home", got.ServerStatus, now)
			}
			c.wantSent(t, stub.CallRevert, 1)
		})
	}
}

func TestRevert_isJudgedByTheServerWhenItsAnswerIsLost(t *testing.T) {
	for _, effect := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{Status: cloudservers.StatusShutoff})
			awaiting, _ := c.migrate(t.Context(), false)
			c.Inject(stub.Fault{Call: stub.CallRevert, Reset: true, Effect: effect, Count: 1})
			got, err := c.engine.Revert(t.Context(), awaiting)
			wantStatus(t, got, err, migration.StatusReverted)
			c.wantSent(t, stub.CallRevert, map[bool]int{false: 2, true: 1}[effect])
		})
	}
}

func TestRevert_tellsWhenItCameTooLate(t *testing.T) {
	t.Run("confirmed long before", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			awaiting, _ := c.migrate(t.Context(), false)
			time.Sleep(25 * time.Hour)
			got, err := c.engine.Revert(t.Context(), awaiting)
			if wantKind(t, err, migration.KindConfirmed); got.Status != migration.StatusConfirmed {
				t.Errorf("got status %s, want confirmed", got.Status)
			}
			c.wantSent(t, stub.CallRevert, 0)
		})
	})
	t.Run("confirmed in between", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			awaiting, _ := c.migrate(t.Context(), false)
			c.Inject(stub.Fault{Call: stub.CallRevert, Delay: 10 * time.Second})
			time.AfterFunc(5*time.Second, func() {
				if err := c.Confirm(c.server, "somebody"); err != nil {
					t.Error(err)
				}
			})
			got, err := c.engine.Revert(t.Context(), awaiting)
			if wantKind(t, err, migration.KindConfirmed); got.Status != migration.StatusConfirmed {
				t.Errorf("got status %s, want confirmed", got.Status)
			}
		})
	})
}

func TestRevert_firstWaitsForAMigrationThatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		if err := c.Migrate(c.server, "somebody"); err != nil {
			t.Fatal(err)
		}
		found, err := c.engine.Find(t.Context(), "ord", c.server, "")
		wantStatus(t, found, err, migration.StatusMigrating)
		got, err := c.engine.Revert(t.Context(), found)
		wantStatus(t, got, err, migration.StatusReverted)
	})
}

func TestConfirm_leavesWhatSomebodyStartedLaterAlone(t *testing.T) {
	for name, again := range map[string]func(*cloud) error{
		"a migration": func(c *cloud) error { return c.Migrate(c.server, "somebody") },
		"a resize":    func(c *cloud) error { return c.Resize(c.server, "somebody") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{})
				ours, _ := c.migrate(t.Context(), false)
				// Reverted, and moved to the same host once more: the server alone
				// cannot tell that from ours.
				if err := c.Revert(c.server, "somebody"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				if err := again(c); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				if c.hostID(t) != ours.DestinationHostID {
					t.Fatal("the server is on another host than ours: the test proves nothing")
				}
				got, err := c.confirm(t.Context(), ours)
				if wantKind(t, err, migration.KindReverted); got.Status != migration.StatusReverted {
					t.Errorf("got status %s, want reverted", got.Status)
				}
				got, err = c.engine.Revert(t.Context(), ours)
				wantStatus(t, got, err, migration.StatusReverted)
				c.wantSent(t, stub.CallConfirm, 0)
				c.wantSent(t, stub.CallRevert, 0)
			})
		})
	}
}

func TestConfirm_isNoFailureWhenItMayHaveBeenAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.Inject(stub.Fault{Call: stub.CallConfirm, Hang: true, Effect: true})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		got, err := c.migrate(ctx, true)
		if failure := wantKind(t, err, migration.KindSettling); !failure.Unsure || got.Status != migration.StatusAwaiting {
			t.Errorf("got %+v and status %s, want it unsure, and what was seen last", failure, got.Status)
		}
	})
}
