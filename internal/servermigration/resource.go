// Package servermigration is everything that Terraform calls
// rackspace_server_migration. It turns plans into calls of the migration
// engine, and the engine's answers into state and diagnostics.
package servermigration

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/serving"
)

// ResourceType is the name of the resource in a configuration.
const ResourceType = "rackspace_server_migration"

// Default timeouts.
const (
	defaultSettleTimeout = 2 * time.Hour // create, update and delete
	defaultReadTimeout   = 5 * time.Minute
)

var (
	_ resource.Resource                = (*serverMigration)(nil)
	_ resource.ResourceWithConfigure   = (*serverMigration)(nil)
	_ resource.ResourceWithIdentity    = (*serverMigration)(nil)
	_ resource.ResourceWithImportState = (*serverMigration)(nil)
	_ resource.ResourceWithModifyPlan  = (*serverMigration)(nil)

	_ resource.ResourceWithValidateConfig = (*serverMigration)(nil)
)

type serverMigration struct {
	*Shared
}

// NewResource returns the resource rackspace_server_migration.
func NewResource() resource.Resource { return &serverMigration{} }

func (r *serverMigration) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = ResourceType
}

func (r *serverMigration) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.Shared = sharedOf(req.ProviderData, &resp.Diagnostics)
}

// Create migrates the server. A failure leaves nothing in the state: Terraform
// would call what is there tainted, and migrate the server again to replace it.
func (r *serverMigration) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan model
	resp.Diagnostics.Append(plan.read(ctx, req.Plan.Get)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := plan.Timeouts.Create(ctx, defaultSettleTimeout)
	resp.Diagnostics.Append(diags...)
	test, diags := configuredTest(ctx, req.Config)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	request := migration.Request{
		Region:      plan.Region.ValueString(),
		ServerID:    plan.ServerID.ValueString(),
		AutoConfirm: plan.AutoConfirm.ValueBool(),
		Timeout:     timeout,

		Verification: test,
	}
	done, over, err := serving.Await(ctx, func(ctx context.Context) (migration.Migration, error) {
		return r.engine.Migrate(ctx, request)
	})
	if !over {
		return
	}
	if done.Adopted {
		resp.Diagnostics.Append(tookOver(done))
	}
	resp.Diagnostics.Append(explain(err, unrecorded)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if err == nil {
		resp.Diagnostics.Append(announce(done, plan.AutoConfirm.ValueBool())...)
	}
	r.remember(done)
	plan.record(done)
	resp.Diagnostics.Append(plan.write(ctx, resp.State.Set)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityOf(done))...)
	resp.Diagnostics.Append(keepFlavor(ctx, resp.Private, done)...)
}

// Read finds out what became of a migration that was pending. A settled one is
// history: nothing is sent.
func (r *serverMigration) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state model
	resp.Diagnostics.Append(state.read(ctx, req.State.Get)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := state.Timeouts.Read(ctx, defaultReadTimeout)
	resp.Diagnostics.Append(diags...)
	was, diags := state.migration()
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	is, err := r.engine.Refresh(ctx, was)
	var failure *migration.Error
	if errors.As(err, &failure) && failure.Kind == migration.KindGone {
		resp.Diagnostics.Append(forgotGone(is))
		resp.State.RemoveResource(ctx)
		// The framework wants an identity even of what is gone.
		resp.Diagnostics.Append(resp.Identity.Set(ctx, identityOf(is))...)
		return
	}
	resp.Diagnostics.Append(explain(err, recorded)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if is.Status != was.Status {
		resp.Diagnostics.Append(happenedOutside(is)...)
	}
	r.note(is, state.OnDestroy.ValueString())
	state.record(is)
	resp.Diagnostics.Append(state.write(ctx, resp.State.Set)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityOf(is))...)
}

// Update confirms a migration that awaits it if auto_confirm asks for that by
// now; every other change concerns the state alone.
func (r *serverMigration) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state model
	resp.Diagnostics.Append(plan.read(ctx, req.Plan.Get)...)
	resp.Diagnostics.Append(state.read(ctx, req.State.Get)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := plan.Timeouts.Update(ctx, defaultSettleTimeout)
	resp.Diagnostics.Append(diags...)
	pending, diags := pendingOf(ctx, &state, req.Private)
	resp.Diagnostics.Append(diags...)
	test, diags := configuredTest(ctx, req.Config)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if confirms(&plan, &state) {
		done, over, err := serving.Await(ctx, func(ctx context.Context) (migration.Migration, error) {
			ctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			return r.engine.Confirm(ctx, pending, test)
		})
		if !over {
			return
		}
		resp.Diagnostics.Append(explain(err, recorded)...)
		if err != nil && !done.Status.Settled() && resp.Diagnostics.HasError() {
			// Else the state stays as it is, and the next apply tries again.
			if done.Verification != nil {
				resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("verification_result"), resultOf(done.Verification))...)
			}
			return
		}
		if err == nil && done.Status == migration.StatusReverted {
			resp.Diagnostics.Append(happenedOutside(done)...)
		}
		pending = done
	}
	plan.record(pending)
	resp.Diagnostics.Append(plan.write(ctx, resp.State.Set)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityOf(pending))...)
}

// Delete forgets the migration, after on_destroy was done to the server if the
// migration is still pending. Where the cloud or somebody settled it first,
// there is nothing left to do. What another resource has taken over, such as the
// replacement with create_before_destroy, is that one's to settle.
func (r *serverMigration) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(state.read(ctx, req.State.Get)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := state.Timeouts.Delete(ctx, defaultSettleTimeout)
	resp.Diagnostics.Append(diags...)
	pending, diags := pendingOf(ctx, &state, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	leave, forgotten, err := r.engine.Forget(ctx, pending)
	resp.Diagnostics.Append(explain(err, destroying)...)
	if resp.Diagnostics.HasError() {
		return
	}
	defer leave()
	switch {
	case pending.Status.Settled():
		return
	case !forgotten:
		resp.Diagnostics.Append(leftToAnother(pending))
		return
	}
	var settle func(context.Context, migration.Migration) (migration.Migration, error)
	var want migration.Status
	switch state.OnDestroy.ValueString() {
	case onDestroyConfirm:
		test, diags := testOf(ctx, state.Verification)
		resp.Diagnostics.Append(diags...)
		if resp.Diagnostics.HasError() {
			return
		}
		want = migration.StatusConfirmed
		settle = func(ctx context.Context, m migration.Migration) (migration.Migration, error) {
			return r.engine.Confirm(ctx, m, test)
		}
	case onDestroyRevert:
		settle, want = r.engine.Revert, migration.StatusReverted
	default:
		resp.Diagnostics.Append(forgotPending(pending))
		return
	}
	done, err := settle(ctx, pending)
	var failure *migration.Error
	switch {
	case errors.As(err, &failure) && failure.Kind == migration.KindGone:
		resp.Diagnostics.Append(forgotGone(done))
	case done.Status.Settled() && done.Status != want && done.Status != migration.StatusFailed && !rolledBack(failure):
		resp.Diagnostics.Append(settledOtherwise(done, want))
	default:
		resp.Diagnostics.Append(explain(err, destroying)...)
	}
}

func rolledBack(failure *migration.Error) bool {
	return failure != nil && failure.Kind == migration.KindRolledBack
}

// configuredTest is the configured verification. It is not read from the plan,
// which has no write-only values.
func configuredTest(ctx context.Context, config tfsdk.Config) (*migration.Verification, diag.Diagnostics) {
	var configured types.Object
	diags := config.GetAttribute(ctx, path.Root("verification"), &configured)
	if diags.HasError() {
		return nil, diags
	}
	return testOf(ctx, configured)
}
