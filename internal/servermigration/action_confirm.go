package servermigration

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// ConfirmActionType is the name of the action that confirms a migration.
const ConfirmActionType = "rackspace_server_migration_confirm"

var (
	_ action.ActionWithConfigure        = (*confirmAction)(nil)
	_ action.ActionWithConfigValidators = (*confirmAction)(nil)
	_ action.ActionWithValidateConfig   = (*confirmAction)(nil)
)

type confirmAction struct{ verifying }

// NewConfirmAction returns the action rackspace_server_migration_confirm.
func NewConfirmAction() action.Action { return &confirmAction{} }

func (a *confirmAction) Metadata(_ context.Context, _ action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = ConfirmActionType
}

// ConfigValidators refuses a configuration that does not name the migration in exactly one
// way.
func (a *confirmAction) ConfigValidators(context.Context) []action.ConfigValidator {
	return oneOfServerAndMigration()
}

type confirmModel struct {
	ServerID     types.String `tfsdk:"server_id"`
	MigrationID  types.String `tfsdk:"migration_id"`
	Region       types.String `tfsdk:"region"`
	Verification types.Object `tfsdk:"verification"`
	Timeout      types.String `tfsdk:"timeout"`
}

// Invoke confirms the migration, after the server has passed its verification.
func (a *confirmAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var m confirmModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	test := testOfAction(ctx, m.Verification, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	named := migrationName{id: m.MigrationID, serverID: m.ServerID, region: m.Region}
	a.end(ctx, resp, m.Timeout, named, migration.StatusConfirmed, func(ctx context.Context, found migration.Migration) (migration.Migration, error) {
		return a.config.Engine.Confirm(ctx, found, test)
	})
}
