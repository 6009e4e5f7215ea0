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

// The three actions on migrations (Terraform 1.14) make the same calls of the engine
// as the resources. What they share is here.

// configured is what an action gets from the provider.
type configured struct {
	config *Config
}

func (c *configured) Configure(_ context.Context, req action.ConfigureRequest, resp *action.ConfigureResponse) {
	c.config = configOf(req.ProviderData, &resp.Diagnostics)
}

// invoke makes the calls of the engine that an action consists of, and tells of their
// progress. limit is the time that they have.
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

// found finds the migration that an action names: by the id of a resource, or the
// newest one of a server.
func (c *configured) found(ctx context.Context, migrationID, serverID, region types.String) (migration.Migration, error) {
	if migrationID.ValueString() != "" {
		region, server, request, _ := splitMigrationID(migrationID.ValueString())
		return c.config.Engine.Find(ctx, region, server, request)
	}
	return c.config.Engine.Find(ctx, region.ValueString(), serverID.ValueString(), "")
}

// repeatAfter is how long a progress message stands before it is sent again with the
// time that has passed.
const repeatAfter = 15 * time.Second

// progress sends what an operation tells to the person who invoked an action: at
// once, and again after every 15 seconds without news.
type progress struct {
	news chan migration.Progress
	sent chan struct{} // closed when all was sent
}

func newProgress(send func(action.InvokeProgressEvent)) *progress {
	p := &progress{make(chan migration.Progress, 100), make(chan struct{})}
	go p.run(send)
	return p
}

// run sends. It is apart from the operation, which must not wait for a Terraform that
// takes nothing any more.
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
			if last.Done { // it did not end later
				continue
			}
		}
		if last.Text != "" {
			send(action.InvokeProgressEvent{Message: last.Line(time.Now())})
		}
		again.Reset(repeatAfter)
	}
}

// note takes news. If a hundred of them have not been sent yet, it drops them.
func (p *progress) note(news migration.Progress) {
	select {
	case p.news <- news:
	default:
	}
}

// already says that nothing is left to do.
func (p *progress) already(m migration.Migration, what string) {
	text := what + " already"
	if !m.SettledAt.IsZero() {
		text += ", at " + m.SettledAt.Format(time.RFC3339)
	}
	p.note(migration.Progress{Server: m.Name(), Text: text})
}

// stop ends the messages, once all are sent or nobody wants them any more.
func (p *progress) stop(ctx context.Context) {
	close(p.news)
	select {
	case <-p.sent:
	case <-ctx.Done():
	}
}

// actionVerification is the verification of an action, which has no write-only
// arguments: the framework does not allow them in an action.
type actionVerification struct {
	verificationArguments
	HTTP []httpArguments `tfsdk:"http"`
}

// verifying is an action that has a verification.
type verifying struct{ configured }

// ValidateConfig refuses a verification that cannot be carried out, as soon as all of
// it is known.
func (*verifying) ValidateConfig(ctx context.Context, req action.ValidateConfigRequest, resp *action.ValidateConfigResponse) {
	var configured types.Object
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("verification"), &configured)...)
	if !resp.Diagnostics.HasError() && isComplete(ctx, configured) {
		testOfAction(ctx, configured, &resp.Diagnostics)
	}
}

// testOfAction is the verification that an action is configured with; nil where there
// is none.
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
