package servermigration

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

type model struct {
	ID                types.String `tfsdk:"id"`
	ServerID          types.String `tfsdk:"server_id"`
	Region            types.String `tfsdk:"region"`
	AutoConfirm       types.Bool   `tfsdk:"auto_confirm"`
	OnDestroy         types.String `tfsdk:"on_destroy"`
	Triggers          types.Map    `tfsdk:"triggers"`
	Status            types.String `tfsdk:"status"`
	ServerStatus      types.String `tfsdk:"server_status"`
	ServerName        types.String `tfsdk:"server_name"`
	RequestID         types.String `tfsdk:"request_id"`
	SourceHostID      types.String `tfsdk:"source_host_id"`
	DestinationHostID types.String `tfsdk:"destination_host_id"`
	RequestedAt       types.String `tfsdk:"requested_at"`
	ConfirmBy         types.String `tfsdk:"confirm_by"`
	SettledAt         types.String `tfsdk:"settled_at"`

	Verification       types.Object `tfsdk:"verification"`
	VerificationResult types.Object `tfsdk:"verification_result"`

	Timeouts timeouts.Value `tfsdk:"timeouts"`
}

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
