package servermigration

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

type model struct {
	ID                types.String
	ServerID          types.String
	Region            types.String
	AutoConfirm       types.Bool
	OnDestroy         types.String
	Triggers          types.Map
	Status            types.String
	ServerStatus      types.String
	ServerName        types.String
	RequestID         types.String
	SourceHostID      types.String
	DestinationHostID types.String
	RequestedAt       types.String
	ConfirmBy         types.String
	SettledAt         types.String

	Verification       types.Object
	VerificationResult types.Object

	Timeouts timeouts.Value
}

// strings are the attributes that are one.
func (m *model) strings() map[string]*types.String {
	return map[string]*types.String{
		"id":                  &m.ID,
		"server_id":           &m.ServerID,
		"region":              &m.Region,
		"on_destroy":          &m.OnDestroy,
		"status":              &m.Status,
		"server_status":       &m.ServerStatus,
		"server_name":         &m.ServerName,
		"request_id":          &m.RequestID,
		"source_host_id":      &m.SourceHostID,
		"destination_host_id": &m.DestinationHostID,
		"requested_at":        &m.RequestedAt,
		"confirm_by":          &m.ConfirmBy,
		"settled_at":          &m.SettledAt,
	}
}

// read fills the model from a plan or a state, by its Get. A struct that the
// framework fills by reflection costs a regular expression, compiled anew, for
// each of its fields, each time.
func (m *model) read(ctx context.Context, get func(context.Context, any) diag.Diagnostics) diag.Diagnostics {
	var object types.Object
	diags := get(ctx, &object)
	if diags.HasError() {
		return diags
	}
	values := object.Attributes()
	for name, field := range m.strings() {
		*field = values[name].(types.String)
	}
	m.AutoConfirm = values["auto_confirm"].(types.Bool)
	m.Triggers = values["triggers"].(types.Map)
	m.Verification = values["verification"].(types.Object)
	m.VerificationResult = values["verification_result"].(types.Object)
	m.Timeouts = values["timeouts"].(timeouts.Value)
	return diags
}

// write hands the model to the Set of a plan or a state.
func (m *model) write(ctx context.Context, set func(context.Context, any) diag.Diagnostics) diag.Diagnostics {
	values := map[string]attr.Value{
		"auto_confirm":        m.AutoConfirm,
		"triggers":            m.Triggers,
		"verification":        m.Verification,
		"verification_result": m.VerificationResult,
		"timeouts":            m.Timeouts,
	}
	for name, field := range m.strings() {
		values[name] = *field
	}
	object, diags := types.ObjectValue(attributeTypes(), values)
	if diags.HasError() {
		return diags
	}
	return set(ctx, object)
}

// attributeTypes are those of the resource.
var attributeTypes = sync.OnceValue(func() map[string]attr.Type {
	var resp resource.SchemaResponse
	NewResource().Schema(context.Background(), resource.SchemaRequest{}, &resp)
	return resp.Schema.Type().(attr.TypeWithAttributeTypes).AttributeTypes()
})

// record takes over what the engine found out.
func (m *model) record(from migration.Migration) {
	// The configuration's spelling of the region stays: Terraform insists on it.
	if !strings.EqualFold(m.Region.ValueString(), from.Region) {
		m.Region = types.StringValue(from.Region)
	}
	m.ID = types.StringValue(strings.Join([]string{from.Region, from.ServerID, from.RequestID}, "/"))
	m.Status = types.StringValue(string(from.Status))
	m.ServerStatus = known(from.ServerStatus)
	m.ServerName = known(from.ServerName)
	m.RequestID = known(from.RequestID)
	m.SourceHostID = known(from.SourceHostID)
	m.DestinationHostID = known(from.DestinationHostID)
	m.RequestedAt = timestamp(from.RequestedAt)
	m.ConfirmBy = timestamp(from.ConfirmBy())
	m.SettledAt = timestamp(from.SettledAt)
	if from.Verification != nil || m.VerificationResult.IsUnknown() {
		m.VerificationResult = resultOf(from.Verification)
	}
}

// migration is the engine's view of what the state holds.
func (m *model) migration() (migration.Migration, diag.Diagnostics) {
	var diags diag.Diagnostics
	read := func(name string, value types.String) time.Time {
		if value.ValueString() == "" {
			return time.Time{}
		}
		parsed, err := time.Parse(time.RFC3339, value.ValueString())
		if err != nil {
			diags.AddAttributeError(path.Root(name), "Unreadable state", fmt.Sprintf(
				"The state holds %q in %s, which is no RFC 3339 time. Was the state edited by hand? Correct it there.", value.ValueString(), name))
		}
		return parsed
	}
	// The id has the region as the API spells it.
	region, _, found := strings.Cut(m.ID.ValueString(), "/")
	if !found {
		region = m.Region.ValueString()
	}
	return migration.Migration{
		Region:            region,
		ServerID:          m.ServerID.ValueString(),
		ServerName:        m.ServerName.ValueString(),
		RequestID:         m.RequestID.ValueString(),
		Status:            migration.Status(m.Status.ValueString()),
		ServerStatus:      m.ServerStatus.ValueString(),
		SourceHostID:      m.SourceHostID.ValueString(),
		DestinationHostID: m.DestinationHostID.ValueString(),
		RequestedAt:       read("requested_at", m.RequestedAt),
		SettledAt:         read("settled_at", m.SettledAt),
	}, diags
}

// privateFlavor is where the state keeps what only the engine needs: by the
// flavor it tells a migration from a resize where the action log cannot.
const privateFlavor = "flavor_id"

func keepFlavor(ctx context.Context, private privateSetter, m migration.Migration) diag.Diagnostics {
	flavor, _ := json.Marshal(m.FlavorID) // of a string, it cannot fail
	return private.SetKey(ctx, privateFlavor, flavor)
}

// pendingOf is migration with what the state keeps beside its attributes.
func pendingOf(ctx context.Context, state *model, private privateGetter) (migration.Migration, diag.Diagnostics) {
	pending, diags := state.migration()
	flavor, unread := private.GetKey(ctx, privateFlavor)
	diags.Append(unread...)
	_ = json.Unmarshal(flavor, &pending.FlavorID) // an import has none
	return pending, diags
}

// privateSetter and privateGetter are the framework's private state, which has no
// type of its own outside of it.
type privateSetter interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

type privateGetter interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

// known is null for what the API did not tell.
func known(value string) types.String {
	if value == "" {
		return types.StringNull()
	}
	return types.StringValue(value)
}

func timestamp(t time.Time) types.String {
	if t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339))
}
