package migration_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestFind_tellsTheNewestMigrationFromTheActionLog(t *testing.T) {
	tests := []struct {
		name   string
		events func(*cloud) error
		want   migration.Status
		by     string
	}{
		{"awaiting", func(*cloud) error { return nil }, migration.StatusAwaiting, ""},
		{"being reverted", func(c *cloud) error {
			err := c.Revert(c.server, "somebody")
			return err
		}, migration.StatusAwaiting, ""},
		{"confirmed", func(c *cloud) error { defer time.Sleep(time.Minute); return c.Confirm(c.server, "somebody") }, migration.StatusConfirmed, "somebody"},
		{"confirmed by the cloud", func(*cloud) error { time.Sleep(48 * time.Hour); return nil }, migration.StatusConfirmed, ""},
		{"reverted", func(c *cloud) error { defer time.Sleep(time.Minute); return c.Revert(c.server, "somebody") }, migration.StatusReverted, "somebody"},
		{"confirmed, and resized since", func(c *cloud) error {
			if err := c.Confirm(c.server, "somebody"); err != nil {
				return err
			}
			time.Sleep(time.Minute)
			defer time.Sleep(time.Minute)
			return c.Resize(c.server, "somebody")
		}, migration.StatusConfirmed, "somebody"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{Name: "web-1"})
				asked, err := c.migrate(t.Context(), false)
				wantStatus(t, asked, err, migration.StatusAwaiting)
				if err := test.events(c); err != nil {
					t.Fatal(err)
				}
				got, err := c.engine.Find(t.Context(), "", c.server, "")
				wantStatus(t, got, err, test.want)
				if got.RequestID != asked.RequestID || !got.RequestedAt.Equal(asked.RequestedAt) || got.SettledBy != test.by ||
					got.ServerName != "web-1" || got.Region != "ORD" {
					t.Errorf("got %+v, want the migration %+v", got, asked)
				}
			})
		})
	}
}

func TestFind_doesNotTakeAPendingResizeForAMigration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		if err := c.Resize(c.server, "somebody"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		// A log that has lost how the migration before the resize was settled.
		c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusOK, Body: `{"instanceActions":[
			{"action":"resize","request_id":"req-2","start_time":"2000-01-01T00:00:00.000000"},
			{"action":"migrate","request_id":"req-1","start_time":"1999-12-31T00:00:00.000000"}]}`})
		_, err := c.engine.Find(t.Context(), "", c.server, "")
		wantKind(t, err, migration.KindUnknownEnd)
		pending, err := c.engine.Pending(t.Context(), "", migration.Filter{Server: func(string) bool { return true }})
		if err != nil || len(pending) != 0 {
			t.Errorf("got %+v (%v), want none pending", pending, err)
		}
	})
}

func TestFind_explainsWhatItCannotFind(t *testing.T) {
	t.Run("never migrated", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{})
			_, err := c.engine.Find(t.Context(), "", c.server, "")
			wantKind(t, err, migration.KindNeverMigrated)
		})
	})
	t.Run("failed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, stub.Config{}, stub.Server{Outcome: stub.OutcomeNoValidHost})
			_, _ = c.migrate(t.Context(), false)
			got, err := c.engine.Find(t.Context(), "", c.server, "")
			wantStatus(t, got, err, migration.StatusFailed)
		})
	})
	for name, kind := range map[string]migration.Kind{"no server": migration.KindNotFound, "no region": migration.KindAPI, "no log": migration.KindAPI} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, stub.Server{})
				c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden})
				region, server := "", c.server
				if kind == migration.KindNotFound {
					server = "4d6f7665-0000-4000-8000-000000000000"
				}
				if name == "no region" {
					region = "XYZ"
				}
				_, err := c.engine.Find(t.Context(), region, server, "")
				wantKind(t, err, kind)
			})
		})
	}
}

func TestCheck_seesWhatStandsInTheWay(t *testing.T) {
	tests := []struct {
		name   string
		server stub.Server
		want   migration.Kind
	}{
		{"OnMetal", stub.Server{FlavorID: "onmetal-io1"}, migration.KindOnMetal},
		{"pending", stub.Server{Status: cloudservers.StatusVerifyResize}, migration.KindPending},
		{"in ERROR", stub.Server{Status: cloudservers.StatusError}, migration.KindStatus},
		{"elsewhere", stub.Server{Region: "DFW"}, migration.KindNotFound},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, stub.Config{}, test.server)
				_, err := c.engine.Check(t.Context(), "", c.server, nil)
				wantKind(t, err, test.want)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{TaskState: "image_snapshot"})
		if got, err := c.engine.Check(t.Context(), "ord", c.server, nil); err != nil || got.Region != "ORD" {
			t.Errorf("got %q (%v), want ORD and no objection", got.Region, err)
		}
		if _, err := c.engine.Check(t.Context(), "XYZ", c.server, nil); err == nil {
			t.Error("got no error for a region that does not exist")
		}
	})
}

func TestPending_listsMigrationsThatAwaitOrAreUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{PageSize: 2}, stub.Server{Name: "idle"})
		awaiting := c.AddServer(stub.Server{Name: "awaiting"})
		unwanted := c.AddServer(stub.Server{Name: "unwanted"})
		resized := c.AddServer(stub.Server{Name: "resized"})
		failed := c.AddServer(stub.Server{Name: "failed", Outcome: stub.OutcomeFails})
		for _, id := range []string{awaiting, unwanted, failed} {
			if err := c.Migrate(id, "somebody"); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Resize(resized, "somebody"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if err := c.Migrate(c.server, "somebody"); err != nil {
			t.Fatal(err)
		}
		keep := func(name string) bool { return name != "unwanted" }
		for _, test := range []struct {
			filter migration.Filter
			want   []string
		}{
			{migration.Filter{Server: keep}, []string{"awaiting"}},
			{migration.Filter{Server: keep, Migrating: true}, []string{"idle", "awaiting"}},
			{migration.Filter{Server: keep, ConfirmWithin: 24 * time.Hour}, []string{"awaiting"}},
			{migration.Filter{Server: keep, ConfirmWithin: time.Hour}, nil},
		} {
			got, err := c.engine.Pending(t.Context(), "", test.filter)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, m := range got {
				names = append(names, m.ServerName)
			}
			if diff := cmp.Diff(test.want, names); diff != "" {
				t.Errorf("%+v (-want +got):\n%s", test.filter, diff)
			}
		}
		for _, call := range []stub.Call{stub.CallActionLog, stub.CallList} {
			c.Inject(stub.Fault{Call: call, Status: http.StatusForbidden})
			_, err := c.engine.Pending(t.Context(), "", migration.Filter{Server: keep})
			wantKind(t, err, migration.KindAPI)
		}
		_, err := c.engine.Pending(t.Context(), "XYZ", migration.Filter{Server: keep})
		wantKind(t, err, migration.KindAPI)
	})
}

func TestFind_takesNoLaterRevertForThatOfTheMigration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		c.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusOK, Body: `{"instanceActions":[
			{"action":"revertResize","request_id":"req-3","start_time":"2000-01-01T00:01:00.000000"},
			{"action":"resize","request_id":"req-2","start_time":"2000-01-01T00:00:00.000000"},
			{"action":"migrate","request_id":"req-1","start_time":"1999-12-31T00:00:00.000000"}]}`})
		_, err := c.engine.Find(t.Context(), "", c.server, "")
		wantKind(t, err, migration.KindUnknownEnd) // the revert was the resize's
	})
}

func TestCheck_takesNothingOverThatHasEndedWhereAServerIsMigratedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{}, stub.Server{})
		ours, err := c.migrate(t.Context(), true)
		wantStatus(t, ours, err, migration.StatusConfirmed)
		c.engine = c.newEngine(t, stub.DefaultUser)
		previous := migration.Migration{ServerID: c.server, RequestID: "req-older", RequestedAt: ours.RequestedAt.Add(-time.Hour)}
		for _, previous := range []*migration.Migration{nil, &previous} {
			got, err := c.engine.Check(t.Context(), "", c.server, previous)
			if err != nil || got.Adopted != (previous == nil) {
				t.Errorf("got adopted %t (%v) after %v", got.Adopted, err, previous)
			}
		}
	})
}
