// Package provider is the provider block. It has the schema of the block, reads the
// settings from the block, clouds.yaml and the environment, and lists what the provider
// offers.
package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/providervalidator"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/server"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
)

var (
	_ provider.Provider                     = (*rackspaceProvider)(nil)
	_ provider.ProviderWithConfigValidators = (*rackspaceProvider)(nil)
	_ provider.ProviderWithListResources    = (*rackspaceProvider)(nil)
	_ provider.ProviderWithFunctions        = (*rackspaceProvider)(nil)
)

type rackspaceProvider struct {
	build      Build
	configured func(*cloudservers.Client)
}

// Build names the source that the provider was built from. Both parts are in the
// User-Agent header of every request.
type Build struct {
	Version string
	Commit  string // empty where it is not known
}

// String is the version, followed by the commit in parentheses.
func (b Build) String() string {
	if b.Commit == "" {
		return b.Version
	}
	return fmt.Sprintf("%s (%s)", b.Version, b.Commit)
}

// New returns the provider's constructor. configured may be nil. Otherwise it is called
// with each client that the provider makes.
func New(build Build, configured func(*cloudservers.Client)) func() provider.Provider {
	return func() provider.Provider { return &rackspaceProvider{build, configured} }
}

func (p *rackspaceProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "rackspace"
	resp.Version = p.build.Version
}

func (p *rackspaceProvider) ConfigValidators(context.Context) []provider.ConfigValidator {
	return []provider.ConfigValidator{
		providervalidator.Conflicting(
			path.MatchRoot(argAPIKey), path.MatchRoot(argPassword), path.MatchRoot(argToken), path.MatchRoot(argApplicationCredentialSecret),
		),
		providervalidator.Conflicting(path.MatchRoot(argTenantID), path.MatchRoot(argTenantName)),
		providervalidator.Conflicting(path.MatchRoot(argUserID), path.MatchRoot(argUsername)),
		providervalidator.Conflicting(path.MatchRoot(argUserDomainID), path.MatchRoot(argUserDomainName)),
		providervalidator.Conflicting(path.MatchRoot(argProjectDomainID), path.MatchRoot(argProjectDomainName)),
		providervalidator.Conflicting(path.MatchRoot(argApplicationCredentialID), path.MatchRoot(argApplicationCredentialName)),
	}
}

// Configure makes what the resources share. It sends nothing:
// credentials are checked by the first call that needs them.
func (p *rackspaceProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var block model
	var rates types.Object
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root(argRequestsPerMinute), &rates)...)
	if rates.IsUnknown() { // the model cannot have an object that is not known
		resp.Diagnostics.Append(unknownRates(path.Root(argRequestsPerMinute)))
		return
	}
	resp.Diagnostics.Append(req.Config.Get(ctx, &block)...)
	if resp.Diagnostics.HasError() {
		return
	}
	settings, diags := block.resolve()
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	config := settings.client
	config.UserAgent = fmt.Sprintf("terraform-provider-rackspace/%s Terraform/%s", p.build, req.TerraformVersion)
	config.Context = context.WithoutCancel(ctx) // for its logger, which outlives that of a resource
	client, err := cloudservers.New(config)
	if err != nil {
		resp.Diagnostics.AddError("Invalid provider arguments", err.Error())
		return
	}
	if p.configured != nil {
		p.configured(client)
	}
	shared := &servermigration.Config{Engine: migration.New(client, settings.limits, settings.confirmWindow), WarnBefore: settings.warnBefore}
	resp.ResourceData, resp.ListResourceData, resp.ActionData = shared, shared, shared
	resp.DataSourceData = &server.Config{Client: client, Engine: shared.Engine}
}

func (p *rackspaceProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{servermigration.NewResource, servermigration.NewConfirmation}
}

func (p *rackspaceProvider) Actions(context.Context) []func() action.Action {
	return []func() action.Action{servermigration.NewMigrateAction, servermigration.NewConfirmAction, servermigration.NewRevertAction}
}

func (p *rackspaceProvider) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{servermigration.NewListResource}
}

func (p *rackspaceProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{server.NewServer, server.NewServers, server.NewActions}
}

func (p *rackspaceProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{servermigration.NewParseMigrationID}
}
