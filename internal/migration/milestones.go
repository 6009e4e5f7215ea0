package migration

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// observeAndLog takes in what a poll or a look shows, and logs how far the migration has
// come.
func (o *operation) observeAndLog(ctx context.Context, s *cloudservers.Server, asked time.Time, log logSource) {
	was, awaited := o.server, o.hasAwaited
	o.observe(s, asked, log)
	if o.known && o.sent == sentNothing && was != nil && s != nil && (was.Status != s.Status || was.TaskState != s.TaskState || was.Progress != s.Progress) {
		o.milestone(ctx, "The migration goes on")
	}
	if o.hasAwaited && !awaited {
		o.milestone(ctx, "The server has moved and awaits confirmation")
	}
}

func (o *operation) fields() map[string]any {
	return map[string]any{
		"region":      o.migration.Region,
		"server_id":   o.migration.ServerID,
		"server_name": o.migration.ServerName,
		"request_id":  o.migration.RequestID,
		"status":      o.migration.ServerStatus,
	}
}

// milestone logs how far the migration has come, and how long after its request
// by the API's clock.
func (o *operation) milestone(ctx context.Context, what string) {
	fields := o.fields()
	if o.server != nil && !o.migration.RequestedAt.IsZero() {
		fields["after"] = max(0, o.server.SeenAt.Sub(o.migration.RequestedAt)).String()
		if stateOf(o.server) != serverResting {
			fields["task_state"], fields["percent"] = o.server.TaskState, o.server.Progress
		}
	}
	tflog.Info(ctx, what, fields)
}

func (o *operation) logUnread(ctx context.Context, err error) {
	tflog.Warn(ctx, "Cannot read the server's action log", map[string]any{
		"server_id": o.migration.ServerID, "error": err.Error(),
	})
}
