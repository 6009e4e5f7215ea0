package server

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/serverid"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
)

var (
	_ datasource.DataSource              = (*actionsDataSource)(nil)
	_ datasource.DataSourceWithConfigure = (*actionsDataSource)(nil)
)

// actionsDataSource is the data source rackspace_server_actions.
type actionsDataSource struct{ configured }

// NewActions returns the data source rackspace_server_actions.
func NewActions() datasource.DataSource { return &actionsDataSource{} }

func (d *actionsDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_server_actions"
}

func (d *actionsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads the action log of a server, which says what was done to it, when and by whom. Use it for audits, and for the conditions of `check` blocks. The user must be allowed to read the log.",
		Attributes: map[string]schema.Attribute{
			"server_id": schema.StringAttribute{
				MarkdownDescription: "UUID of the server, in lower case.",
				Required:            true,
				Validators:          []validator.String{serverid.Validator()},
			},
			"region": regionAttribute(),
			"actions": schema.ListNestedAttribute{
				MarkdownDescription: "The entries of the action log, newest first.",
				Computed:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"action":     computed("The action in the API's words, such as `migrate`, `confirmResize`, `revertResize` or `resize`."),
					"request_id": computed("Id of the request. For a `migrate`, it is the `request_id` of the `rackspace_server_migration`."),
					"user_id":    computed("Id of the user who requested the action. Null if the cloud acted by itself, as when it confirms a migration automatically."),
					"project_id": computed("Id of the tenant (project) of the request. Null if the cloud acted by itself."),
					"started_at": computed("When the action was requested. Times are RFC 3339 in UTC."),
					"message":    computed("`Error` if the action failed. Null otherwise."),
					"failed": schema.BoolAttribute{
						MarkdownDescription: "Whether the action failed, by the log.",
						Computed:            true,
					},
					"outcome": computed("How a `migrate` or `resize` ended, by the later entries of the log: `confirmed`, `reverted` or `failed`. " +
						"It is `open` while the log has no end. It is `ended` if another `migrate` or `resize` followed, and the log does not tell how this one ended. Null for all other actions."),
				}},
			},
		},
	}
}

func (d *actionsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var serverID, region types.String
	resp.Diagnostics.Append(read(ctx, req.Config, map[string]any{"server_id": &serverID, "region": &region})...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	entries, name, err := d.Engine.Log(ctx, region.ValueString(), serverID.ValueString())
	if err != nil {
		resp.Diagnostics.Append(servermigration.Reading{
			What:      "the action log of server " + serverID.ValueString(),
			IfRefused: "Either the user's role may not read the action log, or there is no such server. Check server_id and region, or use another user.",
		}.Explain(region.ValueString(), err)...)
		return
	}
	actions := []any{}
	for _, entry := range entries {
		action := object{
			"action": entry.Action.Action, "request_id": orNull(entry.RequestID),
			"user_id": orNull(string(entry.UserID)), "project_id": orNull(string(entry.ProjectID)),
			"started_at": timestamp(entry.Start.Time), "message": orNull(entry.Message), "failed": entry.Message == cloudservers.ActionFailed,
		}
		if entry.Move != nil {
			action["outcome"] = string(entry.Move.Outcome)
		}
		actions = append(actions, action)
	}
	resp.Diagnostics.Append(show(ctx, req.Config, &resp.State, object{"region": regionOf(region, name), "actions": actions})...)
}
