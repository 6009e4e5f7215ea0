package servermigration

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// MigrateActionType is the name of the action that migrates a server.
const MigrateActionType = "rackspace_server_migrate"

var (
	_ action.ActionWithConfigure      = (*migrateAction)(nil)
	_ action.ActionWithValidateConfig = (*migrateAction)(nil)
)

type migrateAction struct{ verifying }

// NewMigrateAction returns the action rackspace_server_migrate.
func NewMigrateAction() action.Action { return &migrateAction{} }

func (a *migrateAction) Metadata(_ context.Context, _ action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = MigrateActionType
}

type migrateModel struct {
	ServerID     types.String `tfsdk:"server_id"`
	Region       types.String `tfsdk:"region"`
	AutoConfirm  types.Bool   `tfsdk:"auto_confirm"`
	Verification types.Object `tfsdk:"verification"`
	Timeout      types.String `tfsdk:"timeout"`
}

// Invoke migrates the server. A migration of ours that is pending is continued instead.
// One that has ended does not count: an action asks for a migration now.
func (a *migrateAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var m migrateModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	test := testOfAction(ctx, m.Verification, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	request := migration.Request{
		Region: m.Region.ValueString(), ServerID: m.ServerID.ValueString(),
		AutoConfirm: m.AutoConfirm.ValueBool(), Verification: test, PendingOnly: true,
	}
	invoke(ctx, resp, m.Timeout, func(ctx context.Context, limit time.Duration, _ *progress) (migration.Migration, error) {
		request.Timeout = limit
		return a.config.Engine.Migrate(ctx, request)
	})
}
