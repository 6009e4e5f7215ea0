// Package server has the data sources about servers. They tell what a server is, which
// host it is on, and what was done to it. They change nothing.
package server

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// readTimeout bounds the read of a data source.
const readTimeout = 5 * time.Minute

// Config is what the provider hands over to its data sources, for one run of
// Terraform.
type Config struct {
	Client *cloudservers.Client
	Engine *migration.Engine
}

// configured is the part of a data source that the provider configures.
type configured struct{ *Config }

// Configure takes what the provider hands over. That is nothing while Terraform asks only
// for the schema.
func (c *configured) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	config, ok := req.ProviderData.(*Config)
	if req.ProviderData != nil && !ok {
		resp.Diagnostics.AddError("Provider defect", fmt.Sprintf("The provider configured a data source with a %T. Please report this.", req.ProviderData))
	}
	c.Config = config
}

// read reads arguments by their names. Each argument is a pointer.
func read(ctx context.Context, config tfsdk.Config, arguments map[string]any) (diags diag.Diagnostics) {
	for name, argument := range arguments {
		diags.Append(config.GetAttribute(ctx, path.Root(name), argument)...)
	}
	return diags
}

// regionOf is the region as the configuration spells it. If the configuration has none,
// it is name, as the API spells it.
func regionOf(config types.String, name string) string { return cmp.Or(config.ValueString(), name) }

// show writes the arguments of the configuration and what was found to the state.
func show(ctx context.Context, config tfsdk.Config, state *tfsdk.State, found object) diag.Diagnostics {
	typ := state.Schema.Type().TerraformType(ctx)
	var arguments map[string]tftypes.Value
	if err := config.Raw.As(&arguments); err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Provider defect", "The configuration is not an object. Please report this.")}
	}
	values := maps.Clone(arguments) // a change of arguments would change the configuration
	for name, value := range found {
		values[name] = valueOf(typ.(tftypes.Object).AttributeTypes[name], value)
	}
	return state.Set(ctx, tftypes.NewValue(typ, values))
}
