package servermigration

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/serverid"
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

// importID names a migration: that of a request or, without one, the newest of its
// server.
type importID struct {
	identity
	request string
}

// ImportState takes over a migration, which is named as SERVER_ID,
// REGION/SERVER_ID, REGION/SERVER_ID/REQUEST_ID or by identity.
func (r *serverMigration) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	var asked importID
	if req.ID == "" && req.Identity != nil && !req.Identity.Raw.IsNull() {
		resp.Diagnostics.Append(req.Identity.Get(ctx, &asked.identity)...)
	} else {
		asked = parseImportID(req.ID)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	if !serverid.Valid(asked.ServerID.ValueString()) {
		resp.Diagnostics.Append(invalidImportID(req.ID, asked.identity))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, defaultReadTimeout)
	defer cancel()
	found, err := r.engine.Find(ctx, asked.Region.ValueString(), asked.ServerID.ValueString(), asked.request)
	resp.Diagnostics.Append(explainImport(found, err)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(r.config.tellDeadline(found)...)
	state := imported(found)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityOf(found))...)
	resp.Diagnostics.Append(keepPrivate(ctx, resp.Private, found)...)
}

// parseImportID reads the id of an import. The server is empty if the id is not valid.
func parseImportID(id string) importID {
	parts := strings.Split(id, "/")
	asked := importID{}
	switch {
	case len(parts) == 1:
		asked.ServerID = types.StringValue(id)
	case len(parts) > 3, parts[0] == "":
	default:
		asked.Region, asked.ServerID = types.StringValue(parts[0]), types.StringValue(parts[1])
		asked.request = strings.Join(parts[2:], "")
	}
	return asked
}

func invalidImportID(id string, by identity) diag.Diagnostic {
	what := fmt.Sprintf("%q is not an import id. ", id)
	if id == "" && by.ServerID.ValueString() != "" {
		what = fmt.Sprintf("The server_id of the identity is %q. ", by.ServerID.ValueString())
	}
	return diag.NewErrorDiagnostic("Invalid import id", what+"A migration is imported by one of these:\n"+
		"  - SERVER_ID, the UUID of its server in lower case: the newest migration of that server in the provider's region\n"+
		"  - REGION/SERVER_ID, such as ORD/8c65cb68-0681-4c30-bc88-6b83a8a26aee: the newest migration of that server\n"+
		"  - REGION/SERVER_ID/REQUEST_ID, the id of the resource: the migration of that request, also an older one")
}

// explainImport says why the migration to import was not found.
func explainImport(found migration.Migration, err error) diag.Diagnostics {
	if isKind(err, migration.KindNeverMigrated) && found.RequestID != "" {
		return diag.Diagnostics{diag.NewErrorDiagnostic(
			"There is no migration to import: "+serverOf(found)+" has none of request "+found.RequestID,
			"Its action log has no migrate entry of that request. Check the id. Without the request id, REGION/SERVER_ID imports the newest migration of the server.",
		)}
	}
	return explain(err, creating)
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
