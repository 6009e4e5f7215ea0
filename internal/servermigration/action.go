package servermigration

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/durations"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// This file has what the three actions on migrations share. They need Terraform 1.14, and
// make the same calls of the engine as the resources.

// configured is the part of an action that the provider configures.
type configured struct {
	config *Config
}

func (c *configured) Configure(_ context.Context, req action.ConfigureRequest, resp *action.ConfigureResponse) {
	c.config = configOf(req.ProviderData, &resp.Diagnostics)
}

// invoke runs the calls of the engine that an action consists of, and sends messages of
// their progress. Each call of work gets the timeout of the action as its limit.
func invoke(ctx context.Context, resp *action.InvokeResponse, timeout types.String, work func(ctx context.Context, limit time.Duration, p *progress) (migration.Migration, error)) {
	limit, problem := durations.Parse(timeout.ValueString())
	if timeout.IsNull() || problem != "" { // the validator has refused it
		limit = defaultTimeout
	}
	p := newProgress(resp.SendProgress)
	defer p.stop(ctx)
	done, err := work(migration.WithObserver(ctx, p.note), limit, p)
	if err != nil {
		resp.Diagnostics.Append(explain(err, invoking)...)
		return
	}
	resp.Diagnostics.Append(unverified(done)...)
}

// migrationName is how an action names a migration: by the id of its resource, or as the
// newest one of a server.
type migrationName struct{ id, serverID, region types.String }

// find finds the migration that an action names.
func (c *configured) find(ctx context.Context, named migrationName) (migration.Migration, error) {
	if named.id.ValueString() != "" {
		region, server, request, _ := splitMigrationID(named.id.ValueString())
		return c.config.Engine.Find(ctx, region, server, request)
	}
	return c.config.Engine.Find(ctx, named.region.ValueString(), named.serverID.ValueString(), "")
}

// end confirms or reverts the migration that an action names, unless it already has the
// status that the action wants.
func (c *configured) end(ctx context.Context, resp *action.InvokeResponse, timeout types.String, named migrationName, want migration.Status, act func(context.Context, migration.Migration) (migration.Migration, error)) {
	invoke(ctx, resp, timeout, func(ctx context.Context, limit time.Duration, p *progress) (migration.Migration, error) {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		found, err := c.find(ctx, named)
		switch {
		case err != nil:
			return found, err
		case found.Status == want:
			p.already(found)
			return found, nil
		}
		return act(ctx, found)
	})
}

// repeatAfter is the time after which a progress message is sent again, with the time that
// has passed since.
const repeatAfter = 15 * time.Second

// progress sends messages about an operation to the person who invoked an action. Each is
// sent at once, and again after every 15 seconds without a new one.
type progress struct {
	news chan migration.Progress
	sent chan struct{} // closed when all messages are sent
}

func newProgress(send func(action.InvokeProgressEvent)) *progress {
	p := &progress{make(chan migration.Progress, 100), make(chan struct{})}
	go p.run(send)
	return p
}

// run sends the messages. It runs in a goroutine of its own, because the operation must not
// wait for a Terraform that receives nothing any more.
func (p *progress) run(send func(action.InvokeProgressEvent)) {
	defer close(p.sent)
	again := time.NewTimer(repeatAfter)
	defer again.Stop()
	var last migration.Progress
	for {
		select {
		case news, more := <-p.news:
			if !more {
				return
			}
			last = news
		case <-again.C:
			if last.Done { // the time of an end does not change
				continue
			}
		}
		if last.Text != "" {
			send(action.InvokeProgressEvent{Message: last.Line(time.Now())})
		}
		again.Reset(repeatAfter)
	}
}

// note queues a message. It drops the message if a hundred others are not sent yet.
func (p *progress) note(news migration.Progress) {
	select {
	case p.news <- news:
	default:
	}
}

// already says that the migration has ended as the action wants.
func (p *progress) already(m migration.Migration) {
	text := string(m.Status) + " already"
	if !m.SettledAt.IsZero() {
		text += ", at " + m.SettledAt.Format(time.RFC3339)
	}
	p.note(migration.Progress{Server: m.Name(), Text: text})
}

// stop waits until all messages are sent, or until the action is cancelled.
func (p *progress) stop(ctx context.Context) {
	close(p.news)
	select {
	case <-p.sent:
	case <-ctx.Done():
	}
}

// actionVerification is the verification of an action. It has no write-only arguments,
// because the framework does not allow them in an action.
type actionVerification struct {
	verificationArguments
	HTTP []httpArguments `tfsdk:"http"`
}

// verifying is an action that has a verification.
type verifying struct{ configured }

// ValidateConfig refuses a verification that cannot be run, as soon as all of it is known.
func (*verifying) ValidateConfig(ctx context.Context, req action.ValidateConfigRequest, resp *action.ValidateConfigResponse) {
	var configured types.Object
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("verification"), &configured)...)
	if !resp.Diagnostics.HasError() && isComplete(ctx, configured) {
		testOfAction(ctx, configured, &resp.Diagnostics)
	}
}

// testOfAction is the verification in the configuration of an action; nil if there is none.
func testOfAction(ctx context.Context, configured types.Object, diags *diag.Diagnostics) *migration.Verification {
	if configured.IsNull() {
		return nil
	}
	var m actionVerification
	diags.Append(configured.As(ctx, &m, basetypes.ObjectAsOptions{})...)
	whole := verificationModel{verificationArguments: m.verificationArguments}
	for _, check := range m.HTTP {
		whole.HTTP = append(whole.HTTP, httpModel{httpArguments: check})
	}
	if diags.HasError() {
		return nil
	}
	test, more := whole.test()
	diags.Append(more...)
	return test
}
