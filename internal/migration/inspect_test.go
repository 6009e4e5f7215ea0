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

// after lets something happen to the server of a cloud, and time pass in which it ends.
func (c *cloud) after(t *testing.T, event func(id, user string) error, user string, then time.Duration) {
	t.Helper()
	if err := event(c.server, user); err != nil {
		t.Fatal(err)
	}
	time.Sleep(then)
}

func TestInspect_tellsTheNewestMigrationWithOneLook(t *testing.T) {
	ours := stub.DefaultUser.ID
	tests := []struct {
		name   string
		events func(*testing.T, *cloud)
		want   migration.Status
		user   string
	}{
		{"under way", func(t *testing.T, c *cloud) { c.after(t, c.Migrate, ours, time.Second) }, migration.StatusMigrating, ours},
		{"awaiting", func(t *testing.T, c *cloud) { c.after(t, c.Migrate, "somebody", time.Minute) }, migration.StatusAwaiting, "somebody"},
		{"being reverted", func(t *testing.T, c *cloud) {
			c.after(t, c.Migrate, ours, time.Minute)
			c.after(t, c.Revert, "somebody", 0)
		}, migration.StatusAwaiting, ours},
		{"confirmed", func(t *testing.T, c *cloud) {
			c.after(t, c.Migrate, ours, time.Minute)
			c.after(t, c.Confirm, "somebody", time.Minute)
		}, migration.StatusConfirmed, ours},
		{"confirmed, and resized since", func(t *testing.T, c *cloud) {
			c.after(t, c.Migrate, ours, time.Minute)
			c.after(t, c.Confirm, "somebody", time.Minute)
			c.after(t, c.Resize, "somebody", time.Minute)
		}, migration.StatusConfirmed, ours},
		{"reverted", func(t *testing.T, c *cloud) {
			c.after(t, c.Migrate, ours, time.Minute)
			c.after(t, c.Revert, "somebody", time.Minute)
		}, migration.StatusReverted, ours},
		{"failed without a fault", func(t *testing.T, c *cloud) {
			c.SetServer(c.server, func(s *stub.Server) { s.Outcome = stub.OutcomeNoValidHost })
			c.after(t, c.Migrate, ours, time.Minute)
		}, migration.StatusFailed, ours},
		{"failed in ERROR", func(t *testing.T, c *cloud) {
			c.SetServer(c.server, func(s *stub.Server) { s.Outcome = stub.OutcomeFails })
			c.after(t, c.Migrate, ours, time.Minute)
		}, migration.StatusFailed, ours},
		{"it moved, and the server is in ERROR after its confirmation", func(t *testing.T, c *cloud) {
			c.SetServer(c.server, func(s *stub.Server) { s.ConfirmOutcome = stub.ConfirmFails })
			c.after(t, c.Migrate, ours, time.Minute)
			c.after(t, c.Confirm, ours, time.Minute)
		}, "", ours},
		{"the server is rebooted, and the log has no end", func(t *testing.T, c *cloud) {
			c.after(t, c.Migrate, ours, time.Minute)
			c.SetServer(c.server, func(s *stub.Server) { s.Status = "REBOOT" })
		}, "", ours},
		{"the server is at rest, and the log has no end", func(t *testing.T, c *cloud) {
			c.after(t, c.Migrate, ours, time.Minute)
			c.SetServer(c.server, func(s *stub.Server) { s.Status = "ACTIVE" })
			time.Sleep(time.Hour)
		}, "", ours},
		{"a resize followed, and the log has no end", func(_ *testing.T, c *cloud) {
			c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusOK, Body: `{"instanceActions":[
				{"action":"resize","request_id":"req-2","user_id":"user-7","start_time":"2000-01-01T00:00:00.000000"},
				{"action":"migrate","request_id":"req-1","user_id":"user-7","start_time":"1999-12-31T00:00:00.000000"}]}`})
		}, "", "user-7"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{Name: "web-1"})
				test.events(t, c)
				before := len(c.calls())
				got, err := c.engine.Inspect(t.Context(), "ord", c.server)
				if err != nil || got.Region != "ORD" || got.Server.Name != "web-1" || got.OurUserID != ours || got.LogErr != nil {
					t.Fatalf("got %+v (%v), want the server", got, err)
				}
				if !got.Migrated || got.Migration.Status != test.want || got.UserID != test.user {
					t.Errorf("got the status %q of user %s, want %q of user %s", got.Migration.Status, got.UserID, test.want, test.user)
				}
				if diff := cmp.Diff([]stub.Call{stub.CallToken, stub.CallActionLog, stub.CallServer}, c.calls()[before:]); diff != "" {
					t.Errorf("sent something else than one look (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestInspect_saysWhatItCannotTell(t *testing.T) {
	inspect := func(t *testing.T, fault stub.Fault, server string) (migration.Inspection, error) {
		t.Helper()
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.Inject(fault)
		if server == "" {
			server = c.server
		}
		return c.engine.Inspect(t.Context(), "", server)
	}
	synctest.Test(t, func(t *testing.T) {
		got, err := inspect(t, stub.Fault{}, "")
		if err != nil || got.Migrated || got.LogErr != nil {
			t.Errorf("got %+v (%v), want a server that was never migrated", got, err)
		}
		got, err = inspect(t, stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden}, "")
		if err != nil || got.Migrated || got.LogErr == nil {
			t.Errorf("got %+v (%v), want a server whose log is refused", got, err)
		}
		_, err = inspect(t, stub.Fault{Call: stub.CallActionLog, Status: http.StatusServiceUnavailable}, "")
		wantKind(t, err, migration.KindAPI)
		_, err = inspect(t, stub.Fault{Call: stub.CallServer, Status: http.StatusForbidden}, "")
		wantKind(t, err, migration.KindAPI)
		_, err = inspect(t, stub.Fault{}, "4d6f7665-0000-4000-8000-000000000000")
		wantKind(t, err, migration.KindNotFound)
	})
}

// The rate limit can hold the second of the two reads of a look back for a minute.
func TestInspect_looksAgainWhereTheTwoReadsAreFarApart(t *testing.T) {
	looks := map[string]func(*testing.T, *cloud) error{
		"inspect": func(t *testing.T, c *cloud) error {
			_, err := c.engine.Inspect(t.Context(), "", c.server)
			return err
		},
		"find": func(t *testing.T, c *cloud) error {
			_, err := c.engine.Find(t.Context(), "", c.server, "")
			return err
		},
	}
	for name, look := range looks {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{})
				c.after(t, c.Migrate, "somebody", time.Minute)
				c.Inject(stub.Fault{Call: stub.CallServer, Status: http.StatusTooManyRequests, RetryAfter: 30 * time.Second, Count: 1})
				if err := look(t, c); err != nil {
					t.Errorf("got %v, want the server", err)
				}
				if got := c.Count(stub.CallActionLog); got != 2 {
					t.Errorf("got %d reads of the action log, want 2", got)
				}
			})
		})
	}
}

func TestLog_hasTheOutcomeOfEachMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.after(t, c.Migrate, "user-1", time.Minute)
		c.after(t, c.Revert, "user-2", time.Minute)
		c.after(t, c.Resize, "user-3", time.Minute)
		c.after(t, c.Confirm, "user-3", time.Minute)
		c.SetServer(c.server, func(s *stub.Server) { s.Outcome = stub.OutcomeNoValidHost })
		c.after(t, c.Migrate, "user-1", time.Minute)
		c.SetServer(c.server, func(s *stub.Server) { s.Outcome = stub.OutcomeMoves })
		c.after(t, c.Migrate, "user-1", time.Minute)
		entries, region, err := c.engine.Log(t.Context(), "ord", c.server)
		if err != nil || region != "ORD" {
			t.Fatalf("got the region %q (%v), want ORD", region, err)
		}
		var got []string
		for _, entry := range entries {
			text := entry.Action.Action + " by " + string(entry.UserID)
			if entry.Move != nil {
				text += ": " + string(entry.Move.Outcome)
			}
			if entry.Move != nil && entry.Move.RequestID != entry.RequestID {
				t.Errorf("got the move %+v with the entry %+v", entry.Move, entry.Action)
			}
			got = append(got, text)
		}
		want := []string{
			"migrate by user-1: open", "migrate by user-1: failed", "confirmResize by user-3", "resize by user-3: confirmed",
			"revertResize by user-2", "migrate by user-1: reverted",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("got another log than wanted (-want +got):\n%s", diff)
		}
	})
}

func TestLog_reportsThatItIsRefused(t *testing.T) {
	c := newCloud(t, stub.Config{}, stub.Server{})
	c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden})
	_, _, err := c.engine.Log(t.Context(), "", c.server)
	if failure := wantKind(t, err, migration.KindAPI); failure.Migration.Region != "ORD" {
		t.Errorf("got the region %q, want ORD", failure.Migration.Region)
	}
	_, _, err = c.engine.Log(t.Context(), "XYZ", c.server)
	wantKind(t, err, migration.KindAPI)
}
