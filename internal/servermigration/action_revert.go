package servermigration

import (
	"context"
	"time"

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

// ConfigValidators wants one name of the migration.
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
	invoke(ctx, resp, m.Timeout, func(ctx context.Context, limit time.Duration, p *progress) (migration.Migration, error) {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		is, err := a.found(ctx, m.MigrationID, m.ServerID, m.Region)
		if err == nil && is.Status == migration.StatusReverted {
			p.already(is, "reverted")
			return is, nil
		}
		if err == nil {
			is, err = a.config.Engine.Revert(ctx, is)
		}
		return is, err
	})
}
