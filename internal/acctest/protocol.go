package acctest

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	rackspace "github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/provider"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/server"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// Object is the configuration of a provider, a resource or a nested object. It has a value
// for each argument. A missing argument is null. A list is a []any.
type Object = map[string]any

// Session calls the provider as Terraform calls one process of it. The provider runs in the
// process of the test. Each method makes calls of the plugin protocol.
type Session struct {
	t       *testing.T
	server  tfprotov6.ProviderServer
	schemas *tfprotov6.GetProviderSchemaResponse
}

// Arguments returns the arguments of a provider block for the cloud, with further ones.
func (c *Cloud) Arguments(more Object) Object {
	block := Object{
		"username": stub.DefaultUser.Name, "api_key": stub.DefaultUser.APIKey,
		"identity_endpoint": stub.IdentityEndpoint(c.URL), "poll_interval": PollInterval.String(),
	}
	maps.Copy(block, more)
	return block
}

// NewSession configures the provider of this source tree as Terraform does. The provider
// sends requests to the cloud over HTTP. The diagnostics come from the validation and the
// configuration of the provider block.
func NewSession(t *testing.T, block Object) (*Session, Diagnostics) {
	t.Helper()
	s := newSession(t, rackspace.New(Build, nil)())
	return s, s.configure(block)
}

// NewVirtualSession configures a provider that calls the stub in process. So it can run
// under testing/synctest, in virtual time. It has the resources and the schema of the real
// provider, and a client with this configuration.
func NewVirtualSession(t *testing.T, cloud *stub.Stub, config cloudservers.Config, limits migration.Limits) *Session {
	t.Helper()
	config.IdentityEndpoint, config.Transport = stub.IdentityEndpoint(stub.URL), cloud.Transport()
	config.Credentials = cloudservers.Credentials{
		Username: stub.DefaultUser.Name, APIKey: stub.DefaultUser.APIKey,
		Origin: "username from the provider block and api_key from the provider block",
	}
	s := newSession(t, inProcess{rackspace.New(Build, nil)(), config, limits})
	if diagnostics := s.configure(nil); len(diagnostics) > 0 {
		t.Fatal(diagnostics)
	}
	return s
}

// inProcess is the provider with a client that a test has configured.
type inProcess struct {
	provider.Provider
	config cloudservers.Config
	limits migration.Limits
}

// Actions returns the actions of the real provider.
func (p inProcess) Actions(ctx context.Context) []func() action.Action {
	return p.Provider.(provider.ProviderWithActions).Actions(ctx)
}

// Configure makes the client and the engine that all resources use.
func (p inProcess) Configure(_ context.Context, _ provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	client, err := cloudservers.New(p.config)
	if err != nil {
		resp.Diagnostics.AddError("Cannot make a client", err.Error())
		return
	}
	engine := migration.New(client, p.limits, migration.ConfirmationWindow)
	shared := &servermigration.Config{Engine: engine, WarnBefore: 6 * time.Hour}
	resp.ResourceData, resp.ActionData = shared, shared
	resp.DataSourceData = &server.Config{Client: client, Engine: engine}
}

func newSession(t *testing.T, p provider.Provider) *Session {
	t.Helper()
	s := &Session{t: t, server: providerserver.NewProtocol6(p)()}
	schemas, err := s.server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	s.check(err)
	s.schemas = schemas
	return s
}

func (s *Session) configure(block Object) Diagnostics {
	s.t.Helper()
	config := s.encode(s.schemas.Provider.ValueType(), block)
	validated, err := s.server.ValidateProviderConfig(s.t.Context(), &tfprotov6.ValidateProviderConfigRequest{Config: config})
	s.check(err)
	if len(validated.Diagnostics) > 0 {
		return validated.Diagnostics
	}
	configured, err := s.server.ConfigureProvider(s.t.Context(), &tfprotov6.ConfigureProviderRequest{Config: config, TerraformVersion: "1.11.4"})
	s.check(err)
	return configured.Diagnostics
}

// Change is a planned change of a resource.
type Change struct {
	Action   Action
	Planned  Instance // the state after the apply; values that the plan does not know are unknown
	prior    Instance
	config   *tfprotov6.DynamicValue
	planned  *tfprotov6.DynamicValue
	private  []byte
	identity *tfprotov6.ResourceIdentityData
}

// Contradicts compares a plan with an earlier plan of the same change. It returns the path
// of a value that was known in the earlier plan and has changed. The path is empty if there
// is none. Terraform does not apply a plan that contradicts an earlier one.
func (c *Change) Contradicts(earlier *Change) string {
	differences, err := earlier.Planned.value.Diff(c.Planned.value)
	if err != nil {
		return err.Error()
	}
	for _, d := range differences {
		if d.Value1 != nil && d.Value1.IsFullyKnown() {
			return d.Path.String()
		}
	}
	return ""
}

// Action is what a plan does to a resource.
type Action string

// The actions of a plan.
const (
	NoOp    Action = "no-op"
	Create  Action = "create"
	Update  Action = "update"
	Replace Action = "replace"
	Delete  Action = "delete"
)

// Validate checks a configuration as terraform validate does.
func (s *Session) Validate(typeName string, config Object) Diagnostics {
	s.t.Helper()
	resp, err := s.server.ValidateResourceConfig(s.t.Context(), &tfprotov6.ValidateResourceConfigRequest{
		TypeName: typeName, Config: s.encode(s.typeOf(typeName), config),
		ClientCapabilities: &tfprotov6.ValidateResourceConfigClientCapabilities{WriteOnlyAttributesAllowed: true},
	})
	s.check(err)
	return resp.Diagnostics
}

// Read refreshes a resource.
func (s *Session) Read(was Instance) (Instance, Diagnostics) {
	s.t.Helper()
	if !was.Exists() {
		return was, nil
	}
	resp, err := s.server.ReadResource(s.t.Context(), &tfprotov6.ReadResourceRequest{
		TypeName: was.Type, CurrentState: s.dynamic(was.value), Private: was.private, CurrentIdentity: was.identity,
	})
	s.check(err)
	return Instance{was.Type, s.decode(was.Type, resp.NewState), resp.Private, resp.NewIdentity}, resp.Diagnostics
}

// Plan plans a change of a resource to a configuration; nil destroys it. Terraform plans a
// replacement twice, with the prior state and with an empty one. Plan makes the first of
// these two calls.
func (s *Session) Plan(prior Instance, config Object) (*Change, Diagnostics) {
	s.t.Helper()
	typ := s.typeOf(prior.Type)
	configured := s.value(typ, nil)
	if config != nil {
		configured = s.value(typ, config)
	}
	change := &Change{prior: prior, config: s.dynamic(configured)}
	resp, err := s.server.PlanResourceChange(s.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: prior.Type, PriorState: s.dynamic(prior.value), Config: change.config, PriorPrivate: prior.private,
		ProposedNewState: s.dynamic(s.propose(prior, configured)), PriorIdentity: prior.identity,
	})
	s.check(err)
	change.planned, change.private, change.identity = resp.PlannedState, resp.PlannedPrivate, resp.PlannedIdentity
	if resp.PlannedState == nil { // the plan has failed
		return change, resp.Diagnostics
	}
	planned := s.decode(prior.Type, resp.PlannedState)
	change.Planned = Instance{Type: prior.Type, value: planned}
	switch {
	case planned.Equal(prior.value):
		change.Action = NoOp
	case planned.IsNull():
		change.Action = Delete
	case prior.value.IsNull():
		change.Action = Create
	case len(resp.RequiresReplace) > 0:
		change.Action = Replace
	default:
		change.Action = Update
	}
	return change, resp.Diagnostics
}

// propose returns the state that Terraform proposes to a provider: the configuration. A
// computed attribute that the configuration does not set has its prior value.
func (s *Session) propose(prior Instance, config tftypes.Value) tftypes.Value {
	s.t.Helper()
	if config.IsNull() || prior.value.IsNull() {
		return config
	}
	var old, proposed map[string]tftypes.Value
	s.check(prior.value.As(&old))
	s.check(config.As(&proposed))
	for _, attribute := range s.schemas.ResourceSchemas[prior.Type].Block.Attributes {
		if attribute.Computed && proposed[attribute.Name].IsNull() {
			proposed[attribute.Name] = old[attribute.Name]
		}
	}
	return tftypes.NewValue(config.Type(), proposed)
}

// Apply applies a planned change.
func (s *Session) Apply(change *Change) (Instance, Diagnostics) {
	s.t.Helper()
	resp, err := s.server.ApplyResourceChange(s.t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: change.prior.Type, PriorState: s.dynamic(change.prior.value), PlannedState: change.planned,
		Config: change.config, PlannedPrivate: change.private, PlannedIdentity: change.identity,
	})
	s.check(err)
	return Instance{change.prior.Type, s.decode(change.prior.Type, resp.NewState), resp.Private, resp.NewIdentity}, resp.Diagnostics
}

// Import imports a resource by its id.
func (s *Session) Import(typeName, id string) (Instance, Diagnostics) {
	s.t.Helper()
	resp, err := s.server.ImportResourceState(s.t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: typeName, ID: id})
	s.check(err)
	if len(resp.ImportedResources) == 0 {
		return s.Absent(typeName), resp.Diagnostics
	}
	found := resp.ImportedResources[0]
	return Instance{typeName, s.decode(typeName, found.State), found.Private, found.Identity}, resp.Diagnostics
}

// Invoke invokes an action, after its validation and its plan. progress is called with each
// progress message when it comes; it may be nil.
func (s *Session) Invoke(ctx context.Context, typeName string, config Object, progress func(string)) Diagnostics {
	s.t.Helper()
	actions := s.server.(tfprotov6.ActionServer)
	encoded := s.encode(s.schemas.ActionSchemas[typeName].Schema.ValueType(), config)
	validated, err := actions.ValidateActionConfig(ctx, &tfprotov6.ValidateActionConfigRequest{ActionType: typeName, Config: encoded})
	s.check(err)
	if len(validated.Diagnostics) > 0 {
		return validated.Diagnostics
	}
	planned, err := actions.PlanAction(ctx, &tfprotov6.PlanActionRequest{ActionType: typeName, Config: encoded})
	s.check(err)
	if len(planned.Diagnostics) > 0 {
		return planned.Diagnostics
	}
	stream, err := actions.InvokeAction(ctx, &tfprotov6.InvokeActionRequest{ActionType: typeName, Config: encoded})
	s.check(err)
	var end Diagnostics
	for event := range stream.Events {
		switch event := event.Type.(type) {
		case tfprotov6.ProgressInvokeActionEventType:
			if progress != nil {
				progress(event.Message)
			}
		case tfprotov6.CompletedInvokeActionEventType:
			end = event.Diagnostics
		}
	}
	return end
}

// Absent returns a resource that does not exist in the state.
func (s *Session) Absent(typeName string) Instance {
	return Instance{Type: typeName, value: s.value(s.typeOf(typeName), nil)}
}
