package server

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/datasourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/serverid"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
)

var (
	_ datasource.DataSource                     = (*serverDataSource)(nil)
	_ datasource.DataSourceWithConfigure        = (*serverDataSource)(nil)
	_ datasource.DataSourceWithConfigValidators = (*serverDataSource)(nil)
)

// serverDataSource is the data source rackspace_server.
type serverDataSource struct{ configured }

// NewServer returns the data source rackspace_server.
func NewServer() datasource.DataSource { return &serverDataSource{} }

func (d *serverDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_server"
}

func (d *serverDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads one server, by its id or by its exact name, and what became of its newest migration.",
		Attributes: serverAttributes(map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "UUID of the server, in lower case. Set either this or `name`.",
				Optional:            true, Computed: true,
				Validators: []validator.String{serverid.Validator()},
			},
			"name": schema.StringAttribute{
				MarkdownDescription: "Full name of the server. It is an error if no server or several servers have this name, and the error lists what was found. Servers of other tenants are found by name only with `all_tenants` of the provider.",
				Optional:            true, Computed: true,
				Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"region": regionAttribute(),
			"migration": schema.SingleNestedAttribute{
				MarkdownDescription: "The newest migration of the server, whoever requested it. It is null for a server that was never migrated. " +
					"If the user may not read the server's action log, all its attributes are null, and there is a warning. It is then not known whether the server was ever migrated.",
				Computed: true,
				Attributes: map[string]schema.Attribute{
					"status": computed("How far the migration has come: `migrating`, `awaiting_confirmation`, `confirmed`, `reverted` or `failed`. " +
						"Null if neither the server nor its action log tells. One reason is a server in `ERROR`."),
					"requested_at": computed("When the migration was requested."),
					"confirm_by":   computed("Time after which the cloud confirms the migration automatically, where that is known. Null unless it is under way or awaits confirmation."),
					"request_id":   computed("Id of the migrate request."),
					"requested_by_us": schema.BoolAttribute{
						MarkdownDescription: "Whether the provider's user requested the migration, in this configuration or elsewhere. Null if the token does not name the user.",
						Computed:            true,
					},
				},
			},
		}),
	}
}

// ConfigValidators refuses a configuration that names the server by both id and name, or
// by neither.
func (d *serverDataSource) ConfigValidators(context.Context) []datasource.ConfigValidator {
	return []datasource.ConfigValidator{datasourcevalidator.ExactlyOneOf(path.MatchRoot("id"), path.MatchRoot("name"))}
}

func (d *serverDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var id, name, region types.String
	resp.Diagnostics.Append(read(ctx, req.Config, map[string]any{"id": &id, "name": &name, "region": &region})...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	reading := servermigration.Reading{
		What: "server " + id.ValueString(), Argument: "id",
		IfRefused: "Use a user whose role may read servers.",
	}
	serverID := id.ValueString()
	if id.IsNull() {
		var diags diag.Diagnostics
		reading.What, reading.Argument = "server "+name.ValueString(), "name"
		serverID, diags = d.find(ctx, region.ValueString(), name.ValueString())
		if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() {
			return
		}
	}
	found, err := d.Engine.Inspect(ctx, region.ValueString(), serverID)
	if err != nil {
		resp.Diagnostics.Append(reading.Explain(region.ValueString(), err)...)
		return
	}
	server := objectOf(found.Server)
	server["region"], server["migration"] = regionOf(region, found.Region), migrationOf(found)
	resp.Diagnostics.Append(show(ctx, req.Config, &resp.State, server)...)
	if found.LogErr != nil {
		resp.Diagnostics.Append(servermigration.Reading{
			What: "the action log of server " + found.Server.Name + " (" + serverID + ")",
			IfRefused: "So it is not known whether the server was ever migrated: all attributes of migration are null. " +
				"The other attributes are complete. To know, use a user whose role may read the action log.",
		}.Refusal(found.LogErr))
	}
}

// migrationOf is the newest migration of a server; nil if it was never migrated.
func migrationOf(found migration.Inspection) any {
	m := found.Migration
	switch {
	case found.LogErr != nil:
		return object{}
	case !found.Migrated:
		return nil
	}
	shown := object{"status": orNull(string(m.Status)), "requested_at": timestamp(m.RequestedAt), "request_id": orNull(m.RequestID)}
	if m.Status != "" {
		shown["confirm_by"] = timestamp(m.ConfirmBy())
	}
	if found.OurUserID != "" {
		shown["requested_by_us"] = found.UserID == found.OurUserID
	}
	return shown
}

// find returns the id of the one server that has a name.
func (d *serverDataSource) find(ctx context.Context, region, name string) (id string, diags diag.Diagnostics) {
	reading := servermigration.Reading{
		What:      "the servers of that name",
		IfRefused: "A server can be found by its name only where the API lists servers. Name it by its id instead, or use a user whose role may list servers.",
	}
	at, err := d.Client.Region(ctx, region)
	if err != nil {
		return "", reading.Explain(region, err)
	}
	exact, similar, err := named(ctx, at, name)
	switch {
	case err != nil:
		return "", reading.Explain(at.Name, err)
	case len(exact) == 1:
		return exact[0].ID, nil
	case len(exact) > 1:
		diags.AddAttributeError(path.Root("name"), fmt.Sprintf("Several servers are named %q", name),
			"These servers of region "+at.Name+" have the name:\n"+listed(exact)+"\n\nSet id instead of name, to say which one is meant.")
		return "", diags
	}
	hint := "None has a similar name. A server of another tenant is found by its name only if the provider has all_tenants = true."
	if len(similar) > 0 {
		hint = "These have a similar name:\n" + listed(similar)
	}
	diags.AddAttributeError(path.Root("name"), fmt.Sprintf("There is no server named %q", name),
		"No server of region "+at.Name+" has exactly this name. "+hint+"\n\nCheck name, and whether the server is in another region (argument region).")
	return "", diags
}

// notLiteral matches the characters of a name that can have a meaning in a regular
// expression. Nova's databases differ in that, so all but these are replaced.
var notLiteral = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// named returns the servers that have a name. If there is none, it returns those that
// have a similar one. The API takes a regular expression, which may match other names
// too.
func named(ctx context.Context, at *cloudservers.Region, name string) (exact, similar []*cloudservers.Server, err error) {
	pattern := notLiteral.ReplaceAllString(name, ".*")
	found, err := at.Servers(ctx, url.Values{"name": {"^" + pattern + "$"}})
	for _, server := range found {
		if server.Name == name {
			exact = append(exact, server)
		}
	}
	if err != nil || len(exact) > 0 {
		return exact, nil, err
	}
	similar, err = at.Servers(ctx, url.Values{"name": {pattern}})
	return nil, similar, err
}

// maxListed is how many servers a message lists.
const maxListed = 10

// listed lists servers for a message: the name, id and status of each.
func listed(servers []*cloudservers.Server) string {
	var lines []string
	for i, server := range servers {
		if i == maxListed {
			lines = append(lines, fmt.Sprintf("  - and %d others", len(servers)-maxListed))
			break
		}
		lines = append(lines, fmt.Sprintf("  - %s (%s, %s)", server.Name, server.ID, server.Status))
	}
	return strings.Join(lines, "\n")
}
