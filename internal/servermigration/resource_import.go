package servermigration

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// identity names a server's newest migration.
type identity struct {
	Region   types.String `tfsdk:"region"`
	ServerID types.String `tfsdk:"server_id"`
}

func identityOf(m migration.Migration) identity {
	return identity{Region: types.StringValue(m.Region), ServerID: types.StringValue(m.ServerID)}
}

// IdentitySchema names what tells one migration from another to Terraform 1.12
// and later.
func (r *serverMigration) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{
		Attributes: map[string]identityschema.Attribute{
			"region": identityschema.StringAttribute{
				Description:       "Region of the server. Defaults to the provider's region.",
				OptionalForImport: true,
			},
			"server_id": identityschema.StringAttribute{
				Description:       "UUID of the server.",
				RequiredForImport: true,
			},
		},
	}
}

// ImportState takes over the newest migration of a server, which is named as
// SERVER_ID, REGION/SERVER_ID or by identity.
func (r *serverMigration) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	var asked identity
	if req.ID == "" && req.Identity != nil {
		resp.Diagnostics.Append(req.Identity.Get(ctx, &asked)...)
	} else {
		asked = parseImportID(req.ID)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	if !uuid.MatchString(asked.ServerID.ValueString()) {
		resp.Diagnostics.AddError("Invalid import id", "A migration is imported by its server: SERVER_ID or REGION/SERVER_ID, "+
			"where SERVER_ID is the server's UUID in lower case, such as ORD/8c65cb68-0681-4c30-bc88-6b83a8a26aee. "+
			"It takes over the server's newest migration.")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, defaultReadTimeout)
	defer cancel()
	found, err := r.engine.Find(ctx, asked.Region.ValueString(), asked.ServerID.ValueString(), "")
	resp.Diagnostics.Append(explain(err, creating)...)
	if resp.Diagnostics.HasError() {
		return
	}
	state := imported(found)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityOf(found))...)
}

// parseImportID reads SERVER_ID or REGION/SERVER_ID. The id of a resource,
// REGION/SERVER_ID/REQUEST_ID, is neither: it could name an older migration.
func parseImportID(id string) identity {
	region, server, found := strings.Cut(id, "/")
	if !found {
		return identity{ServerID: types.StringValue(id)}
	}
	if region == "" {
		return identity{}
	}
	return identity{Region: types.StringValue(region), ServerID: types.StringValue(server)}
}

// imported is the state of a migration that somebody started outside of
// Terraform, with the arguments' defaults.
func imported(m migration.Migration) model {
	state := model{
		ServerID:    types.StringValue(m.ServerID),
		AutoConfirm: types.BoolValue(false),
		OnDestroy:   types.StringValue(string(migration.OnDestroyNone)),
		Triggers:    types.MapNull(types.StringType),

		Verification:       types.ObjectNull(verificationAttribute().GetType().(attr.TypeWithAttributeTypes).AttributeTypes()),
		VerificationResult: types.ObjectNull(resultTypes),

		Timeouts: timeouts.Value{Object: types.ObjectNull(map[string]attr.Type{
			"create": types.StringType, "read": types.StringType, "update": types.StringType, "delete": types.StringType,
		})},
	}
	state.fromMigration(m)
	return state
}
