package migration

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// fate is what a server's action log says became of a migration. Its zero
// value says nothing.
type fate struct {
	unread  error // why the log could not be read
	failed  bool
	settled Status // StatusConfirmed, StatusReverted or empty
	by      string // the user who settled it; empty when the cloud did
	at      time.Time
}

// logTimeout bounds what a look waits for the action log. The rate limit could
// hold it back for as long as the whole wait.
const logTimeout = time.Minute

func (m *mover) log(ctx context.Context) ([]cloudservers.Action, error) {
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	return m.region.ActionLog(ctx, m.migration.ServerID)
}

// fate reads the action log. A log that cannot be read says nothing.
func (m *mover) fate(ctx context.Context) fate {
	log, err := m.log(ctx)
	if err != nil {
		tflog.Warn(ctx, "Cannot read the server's action log", map[string]any{
			"server_id": m.migration.ServerID, "error": err.Error(),
		})
		return fate{unread: err}
	}
	return fateOf(m.migration.RequestID, log)
}

// fateOf follows a log, newest entry first, from the migration's own entry to
// what settled it.
func fateOf(requestID string, log []cloudservers.Action) fate {
	var after []cloudservers.Action
	for i, entry := range log {
		if entry.RequestID != requestID || requestID == "" {
			continue
		}
		if entry.Message == cloudservers.ActionFailed {
			return fate{failed: true}
		}
		after = log[:i]
	}
	for i := len(after) - 1; i >= 0; i-- {
		entry := after[i]
		if entry.Message != cloudservers.ActionFailed && begins(entry) {
			break // ours was settled before it, but the log does not say how
		}
		settled := map[string]Status{
			cloudservers.ActionConfirm: StatusConfirmed,
			cloudservers.ActionRevert:  StatusReverted,
		}[entry.Action]
		if settled != "" && entry.Message != cloudservers.ActionFailed {
			return fate{settled: settled, by: string(entry.UserID), at: entry.Start.Time}
		}
	}
	return fate{}
}

// begins tells whether an action is one that has to be confirmed or reverted.
func begins(entry cloudservers.Action) bool {
	return entry.Action == cloudservers.ActionMigrate || entry.Action == cloudservers.ActionResize
}

// settleAs settles the migration as its fate has it.
func (m *Migration) settleAs(f fate) {
	m.settle(f.settled, f.at)
	m.SettledBy = f.by
	m.Automatic = f.settled == StatusConfirmed && f.by == ""
}
