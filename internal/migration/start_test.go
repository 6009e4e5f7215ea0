package migration_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

var noRequestID = http.Header{"X-Compute-Request-Id": nil, "X-Openstack-Request-Id": nil}

func TestStart_migratesOnceWhateverBecomesOfTheAnswer(t *testing.T) {
	faults := map[string]stub.Fault{
		"500":              {Status: http.StatusInternalServerError},
		"503":              {Status: http.StatusServiceUnavailable},
		"a proxy's page":   stub.HTML(http.StatusBadGateway),
		"a torn line":      {Reset: true},
		"no answer":        {Hang: true},
		"no request id":    {Status: http.StatusAccepted, Header: noRequestID, Body: " "},
		"the rate limit":   {Status: http.StatusRequestEntityTooLarge, RetryAfter: 30 * time.Second},
		"the wrong answer": {Status: http.StatusFound, Header: http.Header{"Location": {"https://elsewhere.example/"}}},
	}
	for name, fault := range faults {
		for _, effect := range []bool{false, true} {
			if effect && fault.RetryAfter > 0 || effect && fault.Status == http.StatusFound || !effect && fault.Status == http.StatusAccepted {
				continue // an API that refuses has not accepted, and the other way round
			}
			t.Run(name+map[bool]string{false: ", not accepted", true: ", accepted"}[effect], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := newCloud(t, stub.Config{}, stub.Server{})
					fault := fault
					fault.Call, fault.Count, fault.Effect = stub.CallMigrate, 1, effect
					c.Inject(fault)

					got, err := c.migrate(t.Context(), true)

					if fault.Status == http.StatusFound {
						wantKind(t, err, migration.KindRefused)
						c.wantMigrations(t, 0)
						return
					}
					wantStatus(t, got, err, migration.StatusConfirmed)
					c.wantMigrations(t, 1)
					c.wantSent(t, stub.CallMigrate, map[bool]int{false: 2, true: 1}[effect])
					if got.RequestID != migrateEntry(c).RequestID {
						t.Errorf("got request id %q, want the log's %q", got.RequestID, migrateEntry(c).RequestID)
					}
				})
			})
		}
	}
}

// migrateEntry is the newest migrate entry of the server's action log.
func migrateEntry(c *cloud) stub.Action {
	for _, action := range c.ActionLog(c.server) {
		if action.Action == cloudservers.ActionMigrate {
			return action
		}
	}
	return stub.Action{}
}

func TestStart_reportsWhatTheAPIRefuses(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 405, 415, 501} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{})
				c.Inject(stub.Fault{Call: stub.CallMigrate, Status: status})
				_, err := c.migrate(t.Context(), true)
				wantKind(t, err, migration.KindRefused)
				c.wantMigrations(t, 0)
				want := 1
				if status == http.StatusUnauthorized {
					want = 2 // once more with a new token
				}
				c.wantSent(t, stub.CallMigrate, want)
			})
		})
	}
}

func TestStart_givesUpOnAnAPIThatStaysInTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.Inject(stub.Fault{Call: stub.CallMigrate, Status: http.StatusInternalServerError})
		_, err := c.migrate(t.Context(), true)
		wantKind(t, err, migration.KindRefused)
		c.wantMigrations(t, 0)
		c.wantSent(t, stub.CallMigrate, 3) // MaxRetries is 2
	})
}

func TestStart_doesNotGuessWhenNothingCanBeTold(t *testing.T) {
	tests := []struct {
		name   string
		effect bool
		faults []stub.Fault
	}{
		{"the action log cannot be read, not accepted", false, []stub.Fault{{Call: stub.CallActionLog, Status: http.StatusNotFound}}},
		{"nothing can be read", true, []stub.Fault{
			{Call: stub.CallActionLog, Status: http.StatusServiceUnavailable}, {Call: stub.CallServer, Skip: 1, Status: http.StatusServiceUnavailable},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{})
				c.Inject(stub.Fault{Call: stub.CallMigrate, Effect: test.effect, Reset: true, Count: 1})
				for _, fault := range test.faults {
					c.Inject(fault)
				}
				_, err := c.migrate(t.Context(), true)
				wantKind(t, err, migration.KindUndecided)
				c.wantSent(t, stub.CallMigrate, 1)
			})
		})
	}
}

func TestStart_takesWhatTheServerShowsForNoEvidenceOfItsOwnRequest(t *testing.T) {
	lost := stub.Fault{Call: stub.CallMigrate, Effect: true, Reset: true, Count: 1}
	unreadable := stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden}
	t.Run("it migrates", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			time.Sleep(25 * time.Hour) // it did not change for a day, so that it is migrated without a log
			c.Inject(lost)
			c.Inject(unreadable)
			_, err := c.migrate(t.Context(), true)
			wantKind(t, err, migration.KindUndecided) // it could be somebody else's of the same moment
			c.wantSent(t, stub.CallMigrate, 1)
			c.wantSent(t, stub.CallConfirm, 0)
		})
	})
	t.Run("it migrates, the log can be read by then", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			time.Sleep(25 * time.Hour)
			c.Inject(lost)
			c.Inject(unreadable)
			time.AfterFunc(9*time.Second, c.ClearFaults)
			got, err := c.migrate(t.Context(), true)
			wantStatus(t, got, err, migration.StatusConfirmed)
			if got.RequestID != migrateEntry(c).RequestID {
				t.Errorf("got request id %q, want the log's", got.RequestID)
			}
		})
	})
}

func TestStart_waitsForARequestThatArrivesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.Inject(stub.Fault{Call: stub.CallMigrate, Hang: true, Count: 1})
		// The client gives up after a minute; a proxy hands the request on later.
		time.AfterFunc(65*time.Second, func() {
			if err := c.Migrate(c.server, stub.DefaultUser.ID); err != nil {
				t.Error(err)
			}
		})
		got, err := c.migrate(t.Context(), true)
		wantStatus(t, got, err, migration.StatusConfirmed)
		c.wantSent(t, stub.CallMigrate, 1)
	})
}

func TestStart_doesNotTakeSomebodysMigrationForItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.Inject(stub.Fault{Call: stub.CallMigrate, Hang: true, Count: 1})
		time.AfterFunc(10*time.Second, func() {
			if err := c.Migrate(c.server, "somebody"); err != nil {
				t.Error(err)
			}
		})
		_, err := c.migrate(t.Context(), true)
		if failure := wantKind(t, err, migration.KindPending); failure.Pending == nil || failure.Pending.UserID != "somebody" {
			t.Errorf("got pending %+v, want somebody's", failure.Pending)
		}
		c.wantSent(t, stub.CallConfirm, 0)
	})
}

func TestStart_judgesAConflictByTheServer(t *testing.T) {
	t.Run("locked", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{Locked: true})
			_, err := c.migrate(t.Context(), true)
			wantKind(t, err, migration.KindRefused)
			c.wantSent(t, stub.CallMigrate, 2) // the task in the way could have ended just now
		})
	})
	t.Run("busy for a moment", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			c.Inject(stub.Fault{Call: stub.CallMigrate, Status: http.StatusConflict, Count: 1})
			got, err := c.migrate(t.Context(), true)
			wantStatus(t, got, err, migration.StatusConfirmed)
			c.wantMigrations(t, 1)
		})
	})
	t.Run("our own migration", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			c.Inject(stub.Fault{Call: stub.CallMigrate, Status: http.StatusConflict, Effect: true, Count: 1})
			got, err := c.migrate(t.Context(), true)
			wantStatus(t, got, err, migration.StatusConfirmed)
			c.wantMigrations(t, 1)
		})
	})
	t.Run("somebody was quicker", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			c.Inject(stub.Fault{Call: stub.CallMigrate, Delay: 10 * time.Second})
			time.AfterFunc(5*time.Second, func() {
				if err := c.Migrate(c.server, "somebody"); err != nil {
					t.Error(err)
				}
			})
			_, err := c.migrate(t.Context(), true)
			wantKind(t, err, migration.KindPending)
		})
	})
}

func TestStart_saysWhenTheRateLimitOutlastsTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.Inject(stub.Fault{Call: stub.CallMigrate, Status: http.StatusRequestEntityTooLarge, RetryAfter: time.Minute})
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute+30*time.Second)
		defer cancel()
		_, err := c.migrate(ctx, true)
		wantKind(t, err, migration.KindRefused)
		c.wantSent(t, stub.CallMigrate, 5) // at 0, 1, 2, 3 and 4 minutes
		c.wantMigrations(t, 0)
	})
}

func TestStart_goesOnWithoutARequestIDWhereNobodyTellsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.Inject(stub.Fault{Call: stub.CallMigrate, Effect: true, Status: http.StatusAccepted, Header: noRequestID, Body: " "})
		c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden})
		got, err := c.migrate(t.Context(), true)
		wantStatus(t, got, err, migration.StatusConfirmed)
		if got.RequestID != "" {
			t.Errorf("got request id %q, want none", got.RequestID)
		}
	})
}

func TestInspect_explainsWhyABusyServerWasNotMigrated(t *testing.T) {
	tests := []struct {
		name string
		then func(*cloud, context.CancelFunc)
		want migration.Kind
	}{
		{"cancelled", func(_ *cloud, cancel context.CancelFunc) { cancel() }, migration.KindBusy},
		{"deleted", func(c *cloud, _ context.CancelFunc) { _ = c.Delete(c.server) }, migration.KindNotFound},
		{"in ERROR", func(c *cloud, _ context.CancelFunc) {
			c.SetServer(c.server, func(s *stub.Server) { s.Status = cloudservers.StatusError })
		}, migration.KindStatus},
		{"no answers", func(c *cloud, _ context.CancelFunc) {
			c.Inject(stub.Fault{Call: stub.CallServer, Status: http.StatusForbidden})
		}, migration.KindAPI},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{TaskState: "image_snapshot"})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				time.AfterFunc(61*time.Second, func() { test.then(c, cancel) })
				_, err := c.migrate(ctx, true)
				failure := wantKind(t, err, test.want)
				if !strings.Contains(failure.Error(), c.server) || !strings.Contains(failure.Error(), string(test.want)) {
					t.Errorf("got %q, want the server and the kind", failure.Error())
				}
				c.wantSent(t, stub.CallMigrate, 0)
			})
		})
	}
}

func TestInspect_namesNothingWhereTheLogCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{Status: cloudservers.StatusVerifyResize})
		c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden})
		_, err := c.migrate(t.Context(), true)
		if failure := wantKind(t, err, migration.KindPending); failure.Pending != nil {
			t.Errorf("got pending %+v, want none", failure.Pending)
		}
	})
}

func TestInspect_reportsAnAPIThatDoesNotAnswer(t *testing.T) {
	for _, call := range []stub.Call{stub.CallToken, stub.CallServer} {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			c.Inject(stub.Fault{Call: call, Status: http.StatusServiceUnavailable})
			_, err := c.migrate(t.Context(), true)
			wantKind(t, err, migration.KindAPI)
			c.wantSent(t, stub.CallMigrate, 0)
		})
	}
}
