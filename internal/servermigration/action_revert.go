package servermigration

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// RevertActionType is the name of the action that reverts a migration.
const RevertActionType = "rackspace_server_migration_revert"

var (
	_ action.ActionWithConfigure        = (*revertAction)(nil)
	_ action.ActionWithConfigValidators = (*revertAction)(nil)
)

type revertAction struct{ configured }

// NewRevertAction returns the action rackspace_server_migration_revert.
func NewRevertAction() action.Action { return &revertAction{} }

func (a *revertAction) Metadata(_ context.Context, _ action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = RevertActionType
}

// ConfigValidators refuses a configuration that does not name the migration in exactly one
// way.
func (a *revertAction) ConfigValidators(context.Context) []action.ConfigValidator {
	return oneOfServerAndMigration()
}

type revertModel struct {
	ServerID    types.String `tfsdk:"server_id"`
	MigrationID types.String `tfsdk:"migration_id"`
	Region      types.String `tfsdk:"region"`
	Timeout     types.String `tfsdk:"timeout"`
}

// Invoke reverts the migration.
func (a *revertAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var m revertModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	named := migrationName{id: m.MigrationID, serverID: m.ServerID, region: m.Region}
	a.end(ctx, resp, m.Timeout, named, migration.StatusReverted, a.config.Engine.Revert)
}
