// Package servermigration has the resources, the actions, the list resource and the
// function about migrations. It turns plans into calls of the migration engine, and the
// engine's answers into state and diagnostics.
package servermigration

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// ResourceType is the name of the resource in a configuration.
const ResourceType = "rackspace_server_migration"

// Default timeouts.
const (
	defaultTimeout     = 2 * time.Hour // create, update and delete
	defaultReadTimeout = 5 * time.Minute
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
	config *Config
	engine *migration.Engine
}

// NewResource returns the resource rackspace_server_migration.
func NewResource() resource.Resource { return &serverMigration{} }

func (r *serverMigration) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = ResourceType
}

func (r *serverMigration) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.config = configOf(req.ProviderData, &resp.Diagnostics)
	r.engine = r.config.Engine
}

// Create migrates the server. A failure leaves nothing in the state: Terraform
// would mark it as tainted, and migrate the server again on the next apply.
func (r *serverMigration) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := plan.Timeouts.Create(ctx, defaultTimeout)
	resp.Diagnostics.Append(diags...)
	test, diags := configuredTest(ctx, req.Config)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	r.config.noteCreated(plan.ServerID.ValueString())
	done, err := r.engine.Migrate(ctx, plan.request(timeout, test))
	resp.Diagnostics.Append(r.config.outcome(done, err, creating, plan.AutoConfirm.ValueBool())...)
	if resp.Diagnostics.HasError() {
		return
	}
	name := plan.ServerName
	plan.fromMigration(done)
	if !name.IsUnknown() { // a server that was renamed since the plan must not fail the apply
		plan.ServerName = name
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityOf(done))...)
	resp.Diagnostics.Append(keepPrivate(ctx, resp.Private, done)...)
}

// Read finds out what became of a migration that was pending. For a migration
// that has ended nothing is sent.
func (r *serverMigration) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := state.Timeouts.Read(ctx, defaultReadTimeout)
	resp.Diagnostics.Append(diags...)
	was, diags := r.config.migrationOf(ctx, &state, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	is, err := r.engine.Refresh(ctx, was)
	if isKind(err, migration.KindGone) {
		resp.Diagnostics.Append(removedWithServer(is))
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
	resp.Diagnostics.Append(r.config.remind(is, is.SeenAt)...)
	r.config.noteState(is, false)
	state.fromMigration(is)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityOf(is))...)
	resp.Diagnostics.Append(keepPrivate(ctx, resp.Private, is)...)
}

// Update migrates the server again, or confirms its migration. Every other change
// concerns only the state.
func (r *serverMigration) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := plan.Timeouts.Update(ctx, defaultTimeout)
	resp.Diagnostics.Append(diags...)
	was, diags := r.config.migrationOf(ctx, &state, req.Private)
	resp.Diagnostics.Append(diags...)
	test, diags := configuredTest(ctx, req.Config)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if plan.VerificationResult.IsNull() { // the verification was removed, and its result with it
		was.VerificationResult = nil
	}
	is := was
	switch {
	case migratesAgain(&plan, &state):
		is, diags = r.migrateAgain(ctx, was, &plan, &state, timeout, test)
	case confirms(&plan, &state):
		is, diags = r.confirm(ctx, was, &plan, &state, timeout, test)
	case testsAgain(ctx, &plan, &state):
		is, diags = r.testAgain(ctx, was, &plan, &state, timeout, test)
	default:
		if plan.VerificationResult.IsUnknown() { // triggers that the plan did not know yet are what they were
			plan.VerificationResult = state.VerificationResult
		}
		plan.fromMigration(was)
		plan.ConfirmBy = state.ConfirmBy // as planned, also if confirm_window has changed since
	}
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityOf(is))...)
	resp.Diagnostics.Append(keepPrivate(ctx, resp.Private, is)...)
}

// migrateAgain migrates the server of a migration in the state once more. Until
// the new request was accepted, an error keeps the state and its triggers, so that
// the next apply tries again. After that, the state has the new migration, and the
// next apply goes on with it.
func (r *serverMigration) migrateAgain(ctx context.Context, was migration.Migration, plan, state *model, timeout time.Duration, test *migration.Verification) (migration.Migration, diag.Diagnostics) {
	request := plan.request(timeout, test)
	request.Previous = &was
	request.OnDestroy = migration.OnDestroy(plan.OnDestroy.ValueString())
	request.PreviousVerification = test
	done, err := r.engine.Migrate(ctx, request)
	if err != nil && isSame(done, was) {
		*plan = *state
		plan.fromMigration(done)
		return done, explain(err, again)
	}
	plan.fromMigration(done)
	return done, r.config.outcome(done, err, recorded, plan.AutoConfirm.ValueBool())
}

// confirm confirms a pending migration. When an error leaves it pending, the state
// keeps its arguments, so that the next apply tries again.
func (r *serverMigration) confirm(ctx context.Context, was migration.Migration, plan, state *model, timeout time.Duration, test *migration.Verification) (migration.Migration, diag.Diagnostics) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	done, err := r.engine.Confirm(ctx, was, test)
	diags := explain(err, recorded)
	if diags.HasError() && !done.Status.Settled() {
		*plan = *state
	}
	plan.fromMigration(done)
	return done, diags
}

// testAgain tests the server of a pending migration. When an error leaves it pending,
// the state keeps its arguments, so that the next apply tests again.
func (r *serverMigration) testAgain(ctx context.Context, was migration.Migration, plan, state *model, timeout time.Duration, test *migration.Verification) (migration.Migration, diag.Diagnostics) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	done, err := r.engine.Test(ctx, was, test)
	diags := explain(err, recorded)
	switch {
	case err == nil:
		diags = unverified(done)
	case !done.Status.Settled():
		*plan = *state
	}
	plan.fromMigration(done)
	return done, diags
}

// Delete does to a pending migration what on_destroy says, and removes it from the
// state. Nothing is left to do where the cloud or somebody has confirmed or
// reverted it first.
func (r *serverMigration) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := state.Timeouts.Delete(ctx, defaultTimeout)
	resp.Diagnostics.Append(diags...)
	was, diags := r.config.migrationOf(ctx, &state, req.Private)
	resp.Diagnostics.Append(diags...)
	test, diags := testOf(ctx, state.Verification)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r.config.noteDestroyed(was.ServerID)
	done, err := r.engine.Destroy(ctx, was, migration.OnDestroy(state.OnDestroy.ValueString()), test)
	resp.Diagnostics.Append(explain(err, destroying)...)
	if err != nil || done.Status.Settled() {
		return
	}
	// The plan has warned of a migration that is left pending.
	if _, begun := r.engine.Recorded(was.RequestID); begun {
		resp.Diagnostics.Append(leftToAnother(done))
	}
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

// isSame tells whether is, of the same server, is no later migration than was. An
// API can leave out the request id.
func isSame(is, was migration.Migration) bool {
	if is.RequestID == "" || was.RequestID == "" {
		return !is.RequestedAt.After(was.RequestedAt)
	}
	return is.RequestID == was.RequestID
}
