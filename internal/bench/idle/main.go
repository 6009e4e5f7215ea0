// Command idle is a provider that sends no requests. It has the schemas of our provider
// block, of rackspace_server_migration and of rackspace_servers, but none of our plan rules.
// Its processor time is the framework's share. The benchmarks compare ours with it.
package main

import (
	"context"
	"fmt"
	"log"
	"maps"
	"runtime/debug"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	rackspace "github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/provider"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/server"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
)

const (
	// createTime is so long that a thousand creates are in flight at once.
	createTime = 30 * time.Second
	// servers is how many servers the data source finds.
	servers = 3000
)

type idle struct{ provider.Provider }

// Configure sets the garbage collector as main.go does, so that it does not make a difference.
func (idle) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {
	debug.SetGCPercent(50)
}

func (idle) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{func() resource.Resource { return migration{servermigration.NewResource()} }}
}

func (idle) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{func() datasource.DataSource { return found{server.NewServers()} }}
}

type migration struct{ resource.Resource }

// Create waits. Unknown values become null in the state.
func (migration) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	select {
	case <-time.After(createTime):
	case <-ctx.Done():
		resp.Diagnostics.AddError("Interrupted", context.Cause(ctx).Error())
		return
	}
	var err error
	resp.State.Raw, err = tftypes.Transform(req.Plan.Raw, func(_ *tftypes.AttributePath, value tftypes.Value) (tftypes.Value, error) {
		if value.IsKnown() {
			return value, nil
		}
		return tftypes.NewValue(value.Type(), nil), nil
	})
	if err != nil {
		resp.Diagnostics.AddError("Cannot make the state", err.Error())
	}
}

type found struct{ datasource.DataSource }

// Read returns invented servers, with a value in each attribute.
func (found) Read(_ context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	attributes := map[string]tftypes.Value{}
	if err := req.Config.Raw.As(&attributes); err != nil {
		resp.Diagnostics.AddError("Cannot read the configuration", err.Error())
		return
	}
	attributes = maps.Clone(attributes) // the configuration keeps its own
	for _, name := range []string{"servers", "by_id", "by_name"} {
		attributes[name] = madeUp(attributes[name].Type(), servers)
	}
	resp.State.Raw = tftypes.NewValue(req.Config.Raw.Type(), attributes)
}

// madeUp returns an invented value of a type. size is the number of elements at its top
// level; a list or map below has one.
func madeUp(typ tftypes.Type, size int) tftypes.Value {
	switch typ := typ.(type) {
	case tftypes.Object:
		attributes := map[string]tftypes.Value{}
		for name, attribute := range typ.AttributeTypes {
			attributes[name] = madeUp(attribute, 1)
		}
		return tftypes.NewValue(typ, attributes)
	case tftypes.List:
		elements := []tftypes.Value{}
		for range size {
			elements = append(elements, madeUp(typ.ElementType, 1))
		}
		return tftypes.NewValue(typ, elements)
	case tftypes.Map:
		elements := map[string]tftypes.Value{}
		for i := range size {
			elements[fmt.Sprint("made-up-", i)] = madeUp(typ.ElementType, 1)
		}
		return tftypes.NewValue(typ, elements)
	}
	if typ.Is(tftypes.Number) {
		return tftypes.NewValue(typ, 1)
	}
	return tftypes.NewValue(typ, "made-up")
}

func main() {
	ours := rackspace.New(rackspace.Build{Version: "idle"}, nil)
	if err := providerserver.Serve(context.Background(), func() provider.Provider { return idle{ours()} },
		providerserver.ServeOpts{Address: "registry.terraform.io/terraform-provider-rackspace/rackspace"}); err != nil {
		log.Fatal(err)
	}
}
