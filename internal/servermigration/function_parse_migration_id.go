package servermigration

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var _ function.Function = (*parseMigrationID)(nil)

// parseMigrationID is the function parse_migration_id.
type parseMigrationID struct{}

// NewParseMigrationID returns the function parse_migration_id.
func NewParseMigrationID() function.Function { return parseMigrationID{} }

func (parseMigrationID) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "parse_migration_id"
}

func (parseMigrationID) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Splits the id of a migration into its parts.",
		MarkdownDescription: "Splits the id of a `rackspace_server_migration`, which is `REGION/SERVER_ID/REQUEST_ID`, into an object of `region`, `server_id` and `request_id`. " +
			"`request_id` is null if the API named no request when the migration began. Text that is not such an id is an error.",
		Parameters: []function.Parameter{function.StringParameter{
			Name:                "migration_id",
			MarkdownDescription: "Id of a `rackspace_server_migration`, such as `ORD/8c65cb68-0681-4c30-bc88-6b83a8a26aee/req-5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01`.",
		}},
		Return: function.ObjectReturn{AttributeTypes: map[string]attr.Type{
			"region": types.StringType, "server_id": types.StringType, "request_id": types.StringType,
		}},
	}
}

func (parseMigrationID) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var id string
	if resp.Error = req.Arguments.Get(ctx, &id); resp.Error != nil {
		return
	}
	region, server, request, ok := splitMigrationID(id)
	if !ok {
		resp.Error = function.NewArgumentFuncError(0, fmt.Sprintf("%q is not the id of a rackspace_server_migration. "+ // Terraform names the parameter, and ends the sentence
			"Such an id is REGION/SERVER_ID/REQUEST_ID, for example ORD/8c65cb68-0681-4c30-bc88-6b83a8a26aee/req-5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01", id))
		return
	}
	resp.Error = resp.Result.Set(ctx, struct {
		Region    string       `tfsdk:"region"`
		ServerID  string       `tfsdk:"server_id"`
		RequestID types.String `tfsdk:"request_id"`
	}{region, server, optional(request)})
}
