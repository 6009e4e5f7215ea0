package migration

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// Progress is how far an operation on a server has come.
type Progress struct {
	Server string    // its name, or its id until the name is known
	Text   string    // what is being done, or what was done
	Began  time.Time // when the operation began; zero where nothing had to be done
	Done   bool      // the operation has ended
}

// Line is the progress in one line, with the time that the operation has taken.
func (p Progress) Line(now time.Time) string {
	separator := ", "
	switch {
	case p.Began.IsZero():
		return p.Server + ": " + p.Text
	case p.Done:
		separator = " after "
	}
	return p.Server + ": " + p.Text + separator + now.Sub(p.Began).Truncate(time.Second).String()
}

// observerKey is the key of WithObserver's function in a context.
type observerKey struct{}

// WithObserver returns a context whose operations call a function with their progress:
// at their beginning, on each change and at their end. The log has the same at INFO.
func WithObserver(ctx context.Context, observe func(Progress)) context.Context {
	return context.WithValue(ctx, observerKey{}, observe)
}

// report tells what is being done now.
func (o *operation) report(ctx context.Context, text string) {
	o.tell(ctx, text, false)
}

func (o *operation) tell(ctx context.Context, text string, done bool) {
	p := Progress{Server: o.migration.Name(), Text: text, Began: o.began, Done: done}
	fields := o.fields()
	if o.server != nil && !o.migration.RequestedAt.IsZero() {
		fields["after"] = max(0, o.server.SeenAt.Sub(o.migration.RequestedAt)).String() // by the API's clock
		if stateOf(o.server) != serverResting {
			fields["task_state"], fields["percent"] = o.server.TaskState, o.server.Progress
		}
	}
	tflog.Info(ctx, p.Line(time.Now()), fields)
	if observe, ok := ctx.Value(observerKey{}).(func(Progress)); ok {
		observe(p)
	}
}

// reportEnd tells how the operation ended.
func (o *operation) reportEnd(ctx context.Context) {
	text, by := string(o.migration.Status), o.migration.ConfirmBy()
	switch {
	case o.migration.Status != StatusAwaiting:
	case by.IsZero():
		text = "awaits confirmation"
	default:
		left := strings.TrimSuffix(by.Sub(o.server.SeenAt).Truncate(time.Minute).String(), "0s")
		text = fmt.Sprintf("awaits confirmation until %s (%s left),", by.Format(time.RFC3339), left)
	}
	o.tell(ctx, text, true)
}

// observeAndLog takes in what a poll or a look shows, and tells of it if it is a change.
func (o *operation) observeAndLog(ctx context.Context, s *cloudservers.Server, asked time.Time, log logSource) {
	was, awaited := o.server, o.hasAwaited
	o.observe(s, asked, log)
	switch {
	case s == nil || !o.known || stateOf(s) == serverResting: // reportEnd follows
	case o.hasAwaited && !awaited:
		o.report(ctx, "on its new host")
	case was != nil && (was.Status != s.Status || was.TaskState != s.TaskState || was.Progress != s.Progress):
		o.report(ctx, inWords(s))
	}
}

// inWords is the state of a server, with its task and percentage where it has them.
func inWords(s *cloudservers.Server) string {
	text := s.Status
	if s.TaskState != "" {
		text += " (" + s.TaskState + ")"
	}
	if s.Progress > 0 && s.TaskState != "" {
		text += fmt.Sprintf(", %d %%", s.Progress)
	}
	return text
}

// reportRounds tells of each round of a test, and how many have passed in a row.
func (o *operation) reportRounds(ctx context.Context, where string) func(passed int) {
	targets := o.verify.Plan.Targets(o.server.Address())
	what := targets[0]
	if len(targets) > 1 {
		what += fmt.Sprintf(" and %d more", len(targets)-1)
	}
	last := -1
	return func(passed int) {
		if passed != last {
			o.report(ctx, fmt.Sprintf("%s, testing %s (%d of %d)", where, what, passed+1, o.verify.Plan.Successes))
		}
		last = passed
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

// warnOfLog notes in the log of the provider that the action log cannot be read.
func (o *operation) warnOfLog(ctx context.Context, err error) {
	tflog.Warn(ctx, "Cannot read the server's action log", map[string]any{
		"server_id": o.migration.ServerID, "error": err.Error(),
	})
}
