package migration_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestRefresh_tellsTheTruthAboutWhatHappenedSince(t *testing.T) {
	tests := []struct {
		name   string
		server stub.Server
		event  func(*cloud) error
		want   migration.Status
		by     string
	}{
		{"nothing", stub.Server{}, nil, migration.StatusAwaiting, ""},
		{"confirmed by a person", stub.Server{}, func(c *cloud) error { return c.Confirm(c.server, "somebody") }, migration.StatusConfirmed, "somebody"},
		{"reverted by a person", stub.Server{}, func(c *cloud) error { return c.Revert(c.server, "somebody") }, migration.StatusReverted, "somebody"},
		{"reverted, host ids hidden", stub.Server{NoHostID: true}, func(c *cloud) error { return c.Revert(c.server, "somebody") }, migration.StatusReverted, "somebody"},
		{"confirmed by Rackspace after 24 hours", stub.Server{}, func(*cloud) error { time.Sleep(25 * time.Hour); return nil }, migration.StatusConfirmed, ""},
		{"confirmed, then migrated by somebody", stub.Server{}, func(c *cloud) error {
			if err := c.Confirm(c.server, "somebody"); err != nil {
				return err
			}
			time.Sleep(time.Minute)
			return c.Migrate(c.server, "somebody")
		}, migration.StatusConfirmed, "somebody"},
	}
	for _, readable := range []bool{true, false} {
		for _, test := range tests {
			if !readable && (test.server.NoHostID || test.by != "" && test.name == "confirmed, then migrated by somebody") {
				continue // without host ids or with a newer migration only the log can tell
			}
			t.Run(test.name+map[bool]string{true: "", false: ", the log unreadable"}[readable], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := newCloud(t, stub.Config{}, test.server)
					awaiting, err := c.migrate(t.Context(), false)
					wantStatus(t, awaiting, err, migration.StatusAwaiting)
					if test.event != nil {
						if err := test.event(c); err != nil {
							t.Fatal(err)
						}
						time.Sleep(time.Minute)
					}
					if !readable {
						c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden})
						test.by = ""
					}

					got, err := c.engine.Refresh(t.Context(), awaiting)

					wantStatus(t, got, err, test.want)
					if got.SettledBy != test.by {
						t.Errorf("got settled by %q, want %q", got.SettledBy, test.by)
					}
					if got.SettledAt.IsZero() != (test.want == migration.StatusAwaiting) {
						t.Errorf("got settled at %s with status %s", got.SettledAt, got.Status)
					}
					c.wantSent(t, stub.CallMigrate, 1)
				})
			})
		}
	}
}

func TestRefresh_takesTheTimeOfTheAutomaticConfirmFromTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		awaiting, _ := c.migrate(t.Context(), false)
		time.Sleep(72 * time.Hour)
		got, err := c.engine.Refresh(t.Context(), awaiting)
		wantStatus(t, got, err, migration.StatusConfirmed)
		if !got.Automatic {
			t.Error("the confirm does not count as automatic")
		}
		if late := got.SettledAt.Sub(awaiting.RequestedAt); late < 24*time.Hour || late > 24*time.Hour+time.Minute {
			t.Errorf("got settled %s after the request, want 24 hours", late)
		}
	})
}

func TestRefresh_sendsNothingForASettledMigration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		settled, err := c.migrate(t.Context(), true)
		wantStatus(t, settled, err, migration.StatusConfirmed)
		sent := len(c.Requests())
		got, err := c.newEngine(t, stub.DefaultUser).Refresh(t.Context(), settled)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(settled, got); diff != "" {
			t.Errorf("migration (-want +got):\n%s", diff)
		}
		if got := len(c.Requests()); got != sent {
			t.Errorf("got %d requests, want none", got-sent)
		}
	})
}

func TestRefresh_forgetsAServerOnlyWhenTwoLooksMissIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		awaiting, _ := c.migrate(t.Context(), false)
		c.Inject(stub.Fault{Call: stub.CallServer, Status: http.StatusNotFound, Count: 1})
		got, err := c.engine.Refresh(t.Context(), awaiting)
		wantStatus(t, got, err, migration.StatusAwaiting)

		if err := c.Delete(c.server); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		_, err = c.engine.Refresh(t.Context(), awaiting)
		wantKind(t, err, migration.KindGone)
	})
}

func TestRefresh_reportsAnAPIThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		awaiting, _ := c.migrate(t.Context(), false)
		time.Sleep(time.Minute)
		c.Inject(stub.Fault{Status: http.StatusServiceUnavailable})
		got, err := c.engine.Refresh(t.Context(), awaiting)
		wantKind(t, err, migration.KindAPI)
		if got.Status != migration.StatusAwaiting {
			t.Errorf("got status %q, want it unchanged", got.Status)
		}
	})
}

func TestRefresh_doesNotTakeSomebodysLaterMigrationForOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		ours, _ := c.migrate(t.Context(), false)
		// A day later somebody's migration awaits on the very host that ours led to.
		time.Sleep(25 * time.Hour)
		for c.hostID(t) != ours.DestinationHostID || c.ActionLog(c.server)[0].Action != "migrate" {
			if err := c.Migrate(c.server, "somebody"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
			if c.hostID(t) == ours.DestinationHostID {
				break
			}
			if err := c.Confirm(c.server, "somebody"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		got, err := c.engine.Refresh(t.Context(), ours)
		wantStatus(t, got, err, migration.StatusConfirmed)
		if late := got.SettledAt.Sub(ours.RequestedAt); late > 25*time.Hour {
			t.Errorf("got settled after %s, want after a day: it was ours", late)
		}
	})
}

func TestRefresh_waitsForTheEndOfARevert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{Status: "SHUTOFF"})
		if err := c.Migrate(c.server, "somebody"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		awaiting, err := c.engine.Find(t.Context(), "", c.server, "")
		wantStatus(t, awaiting, err, migration.StatusAwaiting)
		if err := c.Revert(c.server, "somebody"); err != nil {
			t.Fatal(err)
		}
		// REVERT_RESIZE, then VERIFY_RESIZE with a task on the original host.
		for _, after := range []time.Duration{time.Second / 2, 2600 * time.Millisecond} {
			time.Sleep(after)
			got, err := c.newEngine(t, stub.DefaultUser).Refresh(t.Context(), awaiting)
			wantStatus(t, got, err, migration.StatusAwaiting)
		}
		time.Sleep(time.Minute)
		got, err := c.engine.Refresh(t.Context(), awaiting)
		wantStatus(t, got, err, migration.StatusReverted)
	})
}

func TestRefresh_tellsThatAnImportedMigrationFailed(t *testing.T) {
	for _, outcome := range []stub.Outcome{stub.OutcomeNoValidHost, stub.OutcomeFails} {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{Outcome: outcome})
			if err := c.Migrate(c.server, "somebody"); err != nil {
				t.Fatal(err)
			}
			found, err := c.engine.Find(t.Context(), "", c.server, "")
			wantStatus(t, found, err, migration.StatusMigrating)
			time.Sleep(time.Minute)
			got, err := c.engine.Refresh(t.Context(), found)
			wantStatus(t, got, err, migration.StatusFailed)
		})
	}
}
