package migration_test

import (
	"bytes"
	"fmt"
	"strings"
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
			text := strings.TrimPrefix(fmt.Sprint(entry["@message"]), serverID+": ")
			found = append(found, milestone{text, entry["after"], entry["percent"]})
		}
	}
	return found
}

func TestMigrate_logsItsMilestones(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, stub.Config{ReportsProgress: true}, stub.Server{})
		c.engine = c.limitedEngine(t, migration.Limits{Concurrent: 1})
		var log bytes.Buffer
		second := c.addServers(2)[1]

		for _, got := range c.migrateAll(tflogtest.RootLogger(t.Context(), &log), true, 0, c.server, second) {
			wantStatus(t, got.Migration, got.err, migration.StatusConfirmed)
		}

		want := []milestone{
			{"waiting for its turn, 0s", nil, nil},
			{"reading the server and its action log, 10s", nil, nil},
			{"migration accepted, request " + c.ActionLog(second)[1].RequestID + ", 10s", "0s", nil},
			{"RESIZE (resize_migrating), 20 %, 12s", "2s", 20.0},
			{"RESIZE (resize_migrated), 60 %, 14s", "4s", 60.0},
			{"RESIZE (resize_finish), 80 %, 16s", "6s", 80.0},
			{"on its new host, 18s", "8s", 100.0},
			{"confirmation accepted, 18s", "8s", 100.0},
			{"confirmed after 20s", "10s", nil},
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
		if last := logged[len(logged)-1]; last.Message != "confirmed after 8s" || last.After != "8s" {
			t.Errorf("got %v at the end of the log, want it confirmed after 8s", last)
		}
	})
}
