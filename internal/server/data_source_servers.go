package server

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
)

var (
	_ datasource.DataSource                   = (*serversDataSource)(nil)
	_ datasource.DataSourceWithConfigure      = (*serversDataSource)(nil)
	_ datasource.DataSourceWithValidateConfig = (*serversDataSource)(nil)
)

// serversDataSource is the data source rackspace_servers.
type serversDataSource struct{ configured }

// NewServers returns the data source rackspace_servers.
func NewServers() datasource.DataSource { return &serversDataSource{} }

func (d *serversDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_servers"
}

// statuses are the statuses that a server in a list can have, in the API's words.
var statuses = []string{
	cloudservers.StatusActive, "BUILD", cloudservers.StatusError, "HARD_REBOOT", cloudservers.StatusMigrating, "PASSWORD", "PAUSED", "REBOOT",
	"REBUILD", "RESCUE", cloudservers.StatusResize, cloudservers.StatusResizing, cloudservers.StatusRevertResize, "SHELVED", "SHELVED_OFFLOADED",
	cloudservers.StatusShutoff, "SUSPENDED", "UNKNOWN", cloudservers.StatusVerifyResize,
}

func (d *serversDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Finds the servers of a region, to choose what to migrate. A server is found if it matches all arguments. Without arguments all servers are found.\n\n" +
			"`by_name` and `by_id` are made for `for_each`. Their keys do not change when other servers are created or deleted. " +
			"A migration changes the `host_id` of its server, and for a while its `status`. " +
			"If you choose the servers of a `for_each` by these, the next plan does not find a moved server any more. It then removes the migration from the state.\n\n" +
			"-> Servers of other tenants are found only with `all_tenants` of the provider, which needs an administrator.",
		Attributes: map[string]schema.Attribute{
			"region": regionAttribute(),
			"name_regex": schema.StringAttribute{
				MarkdownDescription: "Regular expression ([RE2](https://github.com/google/re2/wiki/Syntax)) that some part of the server's name must match, such as `^web-`. By default every name matches.",
				Optional:            true,
			},
			"status": schema.ListAttribute{
				MarkdownDescription: "The server must have one of these statuses, in the API's words, such as `[\"ACTIVE\", \"SHUTOFF\"]`. By default every status matches.",
				ElementType:         types.StringType,
				Optional:            true,
				Validators:          []validator.List{listvalidator.SizeAtLeast(1), listvalidator.NoNullValues(), listvalidator.ValueStringsAre(stringvalidator.OneOf(statuses...))},
			},
			"metadata": schema.MapAttribute{
				MarkdownDescription: "The server must have all of this metadata, with exactly these values. It may have more.",
				ElementType:         types.StringType,
				Optional:            true,
				Validators:          []validator.Map{mapvalidator.NoNullValues()},
			},
			"host_id": schema.StringAttribute{
				MarkdownDescription: "The server must be on the hypervisor host with this id. `data.rackspace_server.web.host_id` finds all servers on the same host as that one. An empty id is an error.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"flavor_id": schema.StringAttribute{
				MarkdownDescription: "The server must have the flavor with this id.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"servers": schema.ListNestedAttribute{
				MarkdownDescription: "The servers that were found, sorted by name, then by id.",
				Computed:            true,
				NestedObject:        schema.NestedAttributeObject{Attributes: serverAttributes(nil)},
			},
			"by_name": schema.MapAttribute{
				MarkdownDescription: "The id of each server that was found, by its name. If several servers have a name, its id is null, and a warning names them. " +
					"The plan of a resource that uses this id as its `server_id` then fails. So it never acts on the wrong server. Use `by_id` in that case.",
				ElementType: types.StringType,
				Computed:    true,
			},
			"by_id": schema.MapAttribute{
				MarkdownDescription: "The name of each server that was found, by its id.",
				ElementType:         types.StringType,
				Computed:            true,
			},
		},
	}
}

// filter has the arguments of the data source. They say which servers it is to find.
type filter struct {
	region, hostID, flavorID types.String

	name     *regexp.Regexp
	status   []string
	metadata map[string]string
}

func (f *filter) read(ctx context.Context, config tfsdk.Config) diag.Diagnostics {
	diags := read(ctx, config, map[string]any{
		"region": &f.region, "host_id": &f.hostID, "flavor_id": &f.flavorID, "status": &f.status, "metadata": &f.metadata,
	})
	return append(diags, f.readName(ctx, config)...)
}

// readName reads the regular expression, and reports one that cannot be parsed.
func (f *filter) readName(ctx context.Context, config tfsdk.Config) diag.Diagnostics {
	var pattern types.String
	diags := config.GetAttribute(ctx, path.Root("name_regex"), &pattern)
	var err error
	if f.name, err = regexp.Compile(pattern.ValueString()); err != nil {
		diags.AddAttributeError(path.Root("name_regex"), "Invalid regular expression", fmt.Sprintf("The argument %q is not a regular expression: %s.", "name_regex", err))
	}
	return diags
}

func (f *filter) matches(s *cloudservers.Server) bool {
	has := s.Metadata.Value()
	for key, value := range f.metadata {
		if got, ok := has[key]; !ok || got != value {
			return false
		}
	}
	return f.name.MatchString(s.Name) && (f.status == nil || slices.Contains(f.status, s.Status)) &&
		(f.hostID.IsNull() || f.hostID.ValueString() == s.HostID) && (f.flavorID.IsNull() || f.flavorID.ValueString() == s.Flavor.ID)
}

// ValidateConfig checks the regular expression, for which the schema has no validator.
func (d *serversDataSource) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	resp.Diagnostics.Append(new(filter).readName(ctx, req.Config)...)
}

func (d *serversDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var wanted filter
	if resp.Diagnostics.Append(wanted.read(ctx, req.Config)...); resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	reading := servermigration.Reading{
		What:      "the servers of the region",
		IfRefused: "The API refuses to list servers. Use a user whose role may list them. A single server may be readable all the same, by its id with the data source rackspace_server.",
	}
	region, err := d.Client.Region(ctx, wanted.region.ValueString())
	if err != nil {
		resp.Diagnostics.Append(reading.Explain(wanted.region.ValueString(), err)...)
		return
	}
	servers, err := region.SharedServers(ctx)
	if err != nil {
		resp.Diagnostics.Append(reading.Explain(region.Name, err)...)
		return
	}
	servers = slices.DeleteFunc(servers, func(s *cloudservers.Server) bool { return !wanted.matches(s) })
	slices.SortFunc(servers, func(a, b *cloudservers.Server) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	found, sameName := shownBy(servers)
	found["region"] = regionOf(wanted.region, region.Name)
	if len(sameName) > 0 {
		resp.Diagnostics.AddAttributeWarning(path.Root("by_name"), "Several servers have the same name",
			"The id of such a name is null in by_name, because it does not tell which server is meant:\n"+listed(sameName)+
				"\n\nUse by_id instead, or set arguments that only one of them matches.")
	}
	resp.Diagnostics.Append(show(ctx, req.Config, &resp.State, found)...)
}

// shownBy makes the list and the maps of servers, which are sorted by name. sameName are
// the servers whose name another one has too.
func shownBy(servers []*cloudservers.Server) (found object, sameName []*cloudservers.Server) {
	objects, byName, byID := []any{}, object{}, object{}
	for i, server := range servers {
		objects = append(objects, objectOf(server))
		byName[server.Name], byID[server.ID] = server.ID, server.Name
		hasName := func(other int) bool { return other >= 0 && other < len(servers) && servers[other].Name == server.Name }
		if hasName(i-1) || hasName(i+1) {
			byName[server.Name] = nil
			sameName = append(sameName, server)
		}
	}
	return object{"servers": objects, "by_name": byName, "by_id": byID}, sameName
}
