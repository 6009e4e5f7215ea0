package migration_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-log/tflogtest"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// milestone is an entry of the log at INFO.
type milestone struct{ Message, After, Percent any }

func milestonesOf(t *testing.T, log *bytes.Buffer, serverID string) (found []milestone) {
	t.Helper()
	entries, err := tflogtest.MultilineJSONDecode(log)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry["@level"] == "info" && entry["server_id"] == serverID {
			found = append(found, milestone{entry["@message"], entry["after"], entry["percent"]})
		}
	}
	return found
}

func TestMigrate_logsItsMilestones(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{ReportsProgress: true}, stub.Server{})
		c.engine = c.limitedEngine(t, stub.DefaultUser, migration.Limits{Concurrent: 1})
		var log bytes.Buffer
		second := c.addServers(2)[1]

		for _, got := range c.migrateAll(tflogtest.RootLogger(t.Context(), &log), true, 0, c.server, second) {
			wantStatus(t, got.Migration, got.err, migration.StatusConfirmed)
		}

		want := []milestone{
			{"The migration waits for its turn", nil, nil},
			{"It is the migration's turn", nil, nil},
			{"The migration was accepted", "0s", nil},
			{"The migration goes on", "2s", 20.0},
			{"The migration goes on", "4s", 60.0},
			{"The migration goes on", "6s", 80.0},
			{"The migration goes on", "8s", 100.0},
			{"The server has moved and awaits confirmation", "8s", 100.0},
			{"The confirm was accepted", "8s", 100.0},
			{"The migration is confirmed", "10s", nil},
		}
		if diff := cmp.Diff(want, milestonesOf(t, &log, second)); diff != "" {
			t.Errorf("log of the second migration (-want +got):\n%s", diff)
		}
	})
}

func TestMigrate_logsThatTheCloudConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{AutoConfirmAfter: time.Millisecond}, stub.Server{})
		var log bytes.Buffer
		got, err := c.migrate(tflogtest.RootLogger(t.Context(), &log), false)
		wantStatus(t, got, err, migration.StatusConfirmed)
		logged := milestonesOf(t, &log, c.server)
		if last := logged[len(logged)-1]; last.Message != "The migration is confirmed" || last.After != "8s" {
			t.Errorf("got %v at the end of the log, want it confirmed after 8s", last)
		}
	})
}
