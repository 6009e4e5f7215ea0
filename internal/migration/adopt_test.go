package migration_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// TestAdopt_followsItsRules has a row for each row of the table at adopt.
func TestAdopt_followsItsRules(t *testing.T) {
	const ours, theirs = "user-1", "user-7"
	const minute = 61 * time.Second
	during := func(by string) func(*cloud) error {
		return func(c *cloud) error { return c.Migrate(c.server, by) }
	}
	after := func(wait time.Duration, steps ...func(*cloud) error) func(*cloud) error {
		return func(c *cloud) error {
			for _, step := range steps {
				if err := step(c); err != nil {
					return err
				}
				time.Sleep(wait)
			}
			return nil
		}
	}
	confirmed := func(c *cloud) error { return c.Confirm(c.server, ours) }
	reverted := func(c *cloud) error { return c.Revert(c.server, ours) }
	resized := func(c *cloud) error { return c.Resize(c.server, ours) }
	rebooted := func(c *cloud) error {
		c.SetServer(c.server, func(s *stub.Server) { s.Name = "renamed" })
		return nil
	}
	failing := func(by string) func(*cloud) error {
		return func(c *cloud) error {
			c.SetServer(c.server, func(s *stub.Server) { s.Outcome = stub.OutcomeFails })
			if err := c.Migrate(c.server, by); err != nil {
				return err
			}
			time.Sleep(minute)
			c.SetServer(c.server, func(s *stub.Server) { s.Outcome, s.Status = stub.OutcomeMoves, cloudservers.StatusActive })
			return nil
		}
	}
	movedLive := func(c *cloud) error {
		c.SetServer(c.server, func(s *stub.Server) { s.Status, s.TaskState = cloudservers.StatusMigrating, "migrating" })
		return nil
	}
	forbid := stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden}
	empty := stub.Fault{Call: stub.CallActionLog, Status: http.StatusOK, Body: `{"instanceActions":[]}`}

	tests := []struct {
		name    string
		server  stub.Server
		before  func(*cloud) error
		forget  bool
		fault   stub.Fault
		adopted bool
		status  migration.Status // empty: refused
		refused migration.Kind
		sent    int // migrate requests
	}{
		{name: "it migrates", before: during(ours), adopted: true, status: migration.StatusConfirmed},
		{name: "it awaits confirmation", before: after(minute, during(ours)), adopted: true, status: migration.StatusConfirmed},
		{name: "it awaits confirmation, stopped", server: stub.Server{Status: "SHUTOFF"}, before: after(minute, during(ours)), adopted: true, status: migration.StatusConfirmed},
		{name: "it is being confirmed", before: after(0, after(minute, during(ours)), confirmed), adopted: true, status: migration.StatusConfirmed},
		{name: "it is being reverted", before: after(0, after(minute, during(ours)), reverted), refused: migration.KindPending},
		{name: "it migrates, and this run forgot it", before: after(minute, during(ours)), forget: true, refused: migration.KindPending},
		{name: "it has awaited confirmation for longer than a day", before: after(25*time.Hour, during(ours)), adopted: true, status: migration.StatusConfirmed},
		{name: "somebody else migrates it", before: during(theirs), refused: migration.KindPending},
		{name: "somebody resizes it", before: resized, refused: migration.KindPending},
		{name: "it migrates, the log says nothing", before: during(ours), fault: empty, refused: migration.KindPending},
		{name: "it migrates, the log is unreadable", before: during(ours), fault: forbid, refused: migration.KindPending},

		{name: "it was confirmed a minute ago", before: after(minute, during(ours), confirmed), adopted: true, status: migration.StatusConfirmed},
		{name: "somebody confirmed it a minute ago", before: after(minute, during(ours), func(c *cloud) error { return c.Confirm(c.server, theirs) }), adopted: true, status: migration.StatusConfirmed},
		{name: "it was confirmed, and this run forgot it", before: after(minute, during(ours), confirmed), forget: true, status: migration.StatusConfirmed, sent: 1},
		{name: "it was confirmed more than a day ago", before: after(25*time.Hour, during(ours), confirmed), status: migration.StatusConfirmed, sent: 1},
		{name: "it was confirmed more than a day ago, and renamed now", before: after(minute, after(25*time.Hour, during(ours), confirmed), rebooted), status: migration.StatusConfirmed, sent: 1},
		{name: "it was reverted a minute ago", before: after(minute, during(ours), reverted), status: migration.StatusConfirmed, sent: 1},
		{name: "it failed a minute ago", before: after(minute, during(ours), func(c *cloud) error {
			c.SetServer(c.server, func(s *stub.Server) { s.Outcome = stub.OutcomeMoves; s.Status = cloudservers.StatusActive })
			return nil
		}), server: stub.Server{Outcome: stub.OutcomeFails}, status: migration.StatusConfirmed, sent: 1},
		{name: "somebody else's was confirmed a minute ago", before: after(minute, during(theirs), confirmed), status: migration.StatusConfirmed, sent: 1},
		{name: "a resize was confirmed a minute ago", before: after(minute, resized, confirmed), status: migration.StatusConfirmed, sent: 1},
		{name: "its end is not told", before: after(minute, during(ours), confirmed), fault: withoutConfirms, refused: migration.KindUntold},
		{name: "it was confirmed hours ago", before: after(23*time.Hour, during(ours), confirmed), adopted: true, status: migration.StatusConfirmed},
		{name: "it was confirmed, and somebody resized it since", before: after(minute, after(minute, during(ours), confirmed), after(minute, resized), confirmed), adopted: true, status: migration.StatusConfirmed},
		{name: "it changed a minute ago, the log says nothing", before: after(minute, rebooted), fault: empty, refused: migration.KindUnproven, sent: 1},
		{name: "it changed a minute ago, the log is unreadable", before: after(minute, rebooted), fault: forbid, refused: migration.KindUntold},
		{name: "it changed a minute ago, the log is unreadable, this run gave one up", before: after(minute, during(ours), confirmed), forget: true, fault: forbid, refused: migration.KindUntold},
		{name: "it was asked for 26 hours ago, and confirmed a minute ago", before: after(minute, after(26*time.Hour, during(ours)), confirmed), adopted: true, status: migration.StatusConfirmed},
		{name: "it was confirmed, and somebody failed to migrate it since", before: after(minute, during(ours), confirmed, failing(theirs)), adopted: true, status: migration.StatusConfirmed},
		{name: "it was confirmed, and we failed to migrate it since", before: after(minute, during(ours), confirmed, failing(ours)), status: migration.StatusConfirmed, sent: 1},
		{name: "it was confirmed hours ago, and is moved live", before: after(minute, after(2*time.Hour, after(minute, during(ours)), confirmed), movedLive), refused: migration.KindPending},
		{name: "it was confirmed a minute ago, and is moved live", before: after(minute, after(minute, during(ours)), confirmed, movedLive), refused: migration.KindPending},
		{name: "it did not change for a day, the log is unreadable", before: after(25*time.Hour, rebooted), fault: forbid, status: migration.StatusConfirmed, sent: 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{AutoConfirmAfter: 100 * time.Hour}, test.server)
				if err := test.before(c); err != nil {
					t.Fatal(err)
				}
				earlier := begunEntry(c)
				if test.forget {
					c.giveUp(t, migration.Migration{ServerID: c.server, RequestID: earlier.RequestID})
				}
				if test.fault.Call != "" {
					fault := test.fault
					if fault.Body == withoutConfirms.Body {
						fault.Body = logOf(earlier)
					}
					c.Inject(fault)
				}
				confirms := c.Count(stub.CallConfirm)

				got, err := c.migrate(t.Context(), true)

				c.wantSent(t, stub.CallMigrate, test.sent)
				if test.status == "" {
					wantKind(t, err, test.refused)
					c.wantSent(t, stub.CallConfirm, confirms)
					return
				}
				wantStatus(t, got, err, test.status)
				if got.Adopted != test.adopted {
					t.Errorf("got adopted %t, want %t", got.Adopted, test.adopted)
				}
				if test.adopted && (got.RequestID != earlier.RequestID || !got.RequestedAt.Equal(earlier.Start) || got.SourceHostID != "") {
					t.Errorf("got %+v, want the migration of request %s", got, earlier.RequestID)
				}
				if got.DestinationHostID != c.hostID(t) && test.fault.Call == "" {
					t.Errorf("got destination %q, want %q", got.DestinationHostID, c.hostID(t))
				}
			})
		})
	}
}

// begunEntry is the newest migrate entry of the server's action log that did not
// fail at once.
func begunEntry(c *cloud) stub.Action {
	for _, action := range c.ActionLog(c.server) {
		if action.Action == cloudservers.ActionMigrate && action.Message == "" {
			return action
		}
	}
	return stub.Action{}
}

// withoutConfirms is a log that has the migrate entry alone.
var withoutConfirms = stub.Fault{Call: stub.CallActionLog, Status: http.StatusOK, Body: "the migrate entry alone"}

func logOf(entries ...stub.Action) string {
	var log []string
	for _, entry := range entries {
		log = append(log, fmt.Sprintf(`{"action":%q,"request_id":%q,"user_id":%q,"message":%s,"start_time":%q}`,
			entry.Action, entry.RequestID, entry.UserID, map[bool]string{true: "null", false: `"Error"`}[entry.Message == ""], entry.Start.Format("2006-01-02T15:04:05.000000")))
	}
	return `{"instanceActions":[` + strings.Join(log, ",") + `]}`
}

func TestAdopt_doesNotConfirmAgainWhatIsBeingConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		if err := c.Migrate(c.server, "user-1"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(61 * time.Second)
		if err := c.Confirm(c.server, "user-1"); err != nil {
			t.Fatal(err)
		}
		got, err := c.migrate(t.Context(), true)
		wantStatus(t, got, err, migration.StatusConfirmed)
		c.wantSent(t, stub.CallConfirm, 0)
	})
}

func TestMigrate_migratesAServerOnceInARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		_, first := c.migrate(t.Context(), true)
		got, err := c.migrate(t.Context(), true)
		if first != nil {
			t.Fatal(first)
		}
		wantKind(t, err, migration.KindClaimed)
		c.wantMigrations(t, 1)
		if got.ServerID != c.server {
			t.Errorf("got %+v, want the server's id", got)
		}
	})
}

func TestDestroy_leavesWhatTheRunItselfHasBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		got, err := c.migrate(t.Context(), false)
		wantStatus(t, got, err, migration.StatusAwaiting)
		got, err = c.engine.Destroy(t.Context(), got, migration.OnDestroyRevert, nil)
		wantStatus(t, got, err, migration.StatusAwaiting)
		c.wantSent(t, stub.CallRevert, 0)
	})
}

func TestDestroy_keepsACreateFromTakingTheMigrationOver(t *testing.T) {
	t.Run("pending", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			old, _ := c.migrate(t.Context(), false)
			c.engine = c.newEngine(t, stub.DefaultUser)
			c.giveUp(t, old)
			_, err := c.migrate(t.Context(), false)
			if failure := wantKind(t, err, migration.KindPending); failure.Pending == nil || failure.Pending.RequestID != old.RequestID {
				t.Errorf("got %+v pending, want the migration that was given up", failure.Pending)
			}
		})
	})
	t.Run("confirmed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			old, _ := c.migrate(t.Context(), true)
			c.engine = c.newEngine(t, stub.DefaultUser)
			c.giveUp(t, old)
			got, err := c.migrate(t.Context(), true)
			wantStatus(t, got, err, migration.StatusConfirmed)
			c.wantMigrations(t, 2)
		})
	})
}

// giveUp has a run destroy a migration and do nothing to it.
func (c *cloud) giveUp(t *testing.T, m migration.Migration) {
	t.Helper()
	if _, err := c.engine.Destroy(t.Context(), m, migration.OnDestroyNone, nil); err != nil {
		t.Fatal(err)
	}
}

func TestAdopt_waitsForTheLogAsLongAsTheRateLimitSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		if err := c.Migrate(c.server, "user-1"); err != nil {
			t.Fatal(err)
		}
		c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusRequestEntityTooLarge, RetryAfter: 10 * time.Minute, Count: 1})
		got, err := c.migrate(t.Context(), true)
		wantStatus(t, got, err, migration.StatusConfirmed)
		if !got.Adopted {
			t.Errorf("got %+v, want it adopted", got)
		}

		c.engine = c.newEngine(t, stub.DefaultUser)
		c.SetServer(c.server, func(*stub.Server) {}) // it changed just now
		c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusRequestEntityTooLarge, RetryAfter: 31 * time.Minute})
		_, err = c.engine.Migrate(t.Context(), migration.Request{ServerID: c.server, Timeout: time.Hour})
		wantKind(t, err, migration.KindAPI)
		c.wantSent(t, stub.CallMigrate, 0)
	})
}

func TestAdopt_looksAgainWhereTheLogKnowsMoreThanTheLook(t *testing.T) {
	t.Run("confirmed by now", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{AutoConfirmAfter: time.Second}, stub.Server{})
			if err := c.Migrate(c.server, stub.DefaultUser.ID); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			c.Inject(stub.Fault{Call: stub.CallActionLog, Delay: 20 * time.Second, Count: 1})
			got, err := c.migrate(t.Context(), true)
			wantStatus(t, got, err, migration.StatusConfirmed)
			c.wantSent(t, stub.CallMigrate, 0)
		})
	})
	t.Run("failed by now", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{Outcome: stub.OutcomeNoValidHost})
			if err := c.Migrate(c.server, stub.DefaultUser.ID); err != nil {
				t.Fatal(err)
			}
			c.SetServer(c.server, func(s *stub.Server) { s.Outcome = stub.OutcomeMoves })
			c.Inject(stub.Fault{Call: stub.CallActionLog, Delay: 2 * time.Second, Count: 1})
			got, err := c.migrate(t.Context(), true)
			wantStatus(t, got, err, migration.StatusConfirmed)
			c.wantSent(t, stub.CallMigrate, 1)
		})
	})
}

func TestAdopt_allowsThisMachinesClockToBeOffWhereTheAPIHasNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.Advance(-time.Hour)
		if err := c.Migrate(c.server, stub.DefaultUser.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if err := c.Confirm(c.server, stub.DefaultUser.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		c.Inject(stub.Fault{Header: http.Header{"Date": nil}})
		got, err := c.migrate(t.Context(), true)
		wantStatus(t, got, err, migration.StatusConfirmed)
		c.wantSent(t, stub.CallMigrate, 0)
	})
}

// A migration whose end the log does not tell ended when the next move began, at the
// latest. How long before that it was requested says nothing: a cloud may confirm
// by itself after a week, or never.
func TestAdopt_asksHowAMigrationEndedHoweverLongAgoItBegan(t *testing.T) {
	tests := []struct {
		name      string
		requested time.Duration // so long before the next move
		next      time.Duration // how long ago that was
		sent      int
	}{
		{"it can have been confirmed a minute ago", 60 * time.Hour, time.Minute, 0},
		{"it ended more than a day ago", time.Hour, 25 * time.Hour, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{AutoConfirmAfter: 100 * time.Hour}, stub.Server{})
				c.after(t, c.Migrate, stub.DefaultUser.ID, test.requested)
				c.after(t, c.Confirm, stub.DefaultUser.ID, 2*time.Second)
				c.after(t, c.Resize, "somebody", test.next)
				c.after(t, c.Confirm, "somebody", time.Minute)
				log := c.ActionLog(c.server) // without the first confirm
				c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusOK, Body: logOf(log[0], log[1], log[3]), Count: 10})
				_, err := c.migrate(t.Context(), false)
				c.wantSent(t, stub.CallMigrate, test.sent)
				if test.sent == 0 {
					wantKind(t, err, migration.KindUntold)
				}
			})
		})
	}
}
