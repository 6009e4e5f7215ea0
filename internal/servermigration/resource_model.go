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

// model is the resource as a configuration, a plan and a state have it.
type model struct {
	ID                 types.String   `tfsdk:"id"`
	ServerID           types.String   `tfsdk:"server_id"`
	Region             types.String   `tfsdk:"region"`
	AutoConfirm        types.Bool     `tfsdk:"auto_confirm"`
	OnDestroy          types.String   `tfsdk:"on_destroy"`
	Triggers           types.Map      `tfsdk:"triggers"`
	Verification       types.Object   `tfsdk:"verification"`
	VerificationResult types.Object   `tfsdk:"verification_result"`
	Status             types.String   `tfsdk:"status"`
	ServerStatus       types.String   `tfsdk:"server_status"`
	ServerName         types.String   `tfsdk:"server_name"`
	RequestID          types.String   `tfsdk:"request_id"`
	SourceHostID       types.String   `tfsdk:"source_host_id"`
	DestinationHostID  types.String   `tfsdk:"destination_host_id"`
	RequestedAt        types.String   `tfsdk:"requested_at"`
	ConfirmBy          types.String   `tfsdk:"confirm_by"`
	SettledAt          types.String   `tfsdk:"settled_at"`
	Timeouts           timeouts.Value `tfsdk:"timeouts"`
}

// fromMigration fills the computed attributes with what the engine found out.
func (m *model) fromMigration(from migration.Migration) {
	// The configuration's spelling of the region stays: Terraform insists on it.
	if !strings.EqualFold(m.Region.ValueString(), from.Region) {
		m.Region = types.StringValue(from.Region)
	}
	m.ID = types.StringValue(idOf(from))
	m.Status = types.StringValue(string(from.Status))
	m.ServerStatus = optional(from.ServerStatus)
	m.ServerName = optional(from.ServerName)
	m.RequestID = optional(from.RequestID)
	m.SourceHostID = optional(from.SourceHostID)
	m.DestinationHostID = optional(from.DestinationHostID)
	m.RequestedAt = timestamp(from.RequestedAt)
	m.ConfirmBy = timestamp(from.ConfirmBy())
	m.SettledAt = timestamp(from.SettledAt)
	if from.VerificationResult != nil || m.VerificationResult.IsUnknown() {
		m.VerificationResult = resultOf(from.VerificationResult)
	}
}

// idOf is the id of a migration's resource.
func idOf(m migration.Migration) string {
	return strings.Join([]string{m.Region, m.ServerID, m.RequestID}, "/")
}

// expectEnd marks what a test, a confirmation or a revert changes as unknown.
func (m *model) expectEnd() {
	m.Status = types.StringUnknown()
	m.ServerStatus = types.StringUnknown()
	m.ServerName = types.StringUnknown()
	m.ConfirmBy = types.StringUnknown()
	m.SettledAt = types.StringUnknown()
	if m.DestinationHostID.IsNull() { // it is imported, and still under way
		m.DestinationHostID = types.StringUnknown()
	}
	if m.RequestID.IsNull() { // the action log may name it by now
		m.ID, m.RequestID, m.RequestedAt = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	}
	if !m.Verification.IsNull() {
		m.VerificationResult = types.ObjectUnknown(resultTypes)
	}
}

// expectAnotherMigration marks what another migration changes as unknown.
func (m *model) expectAnotherMigration() {
	m.expectEnd()
	m.ID, m.RequestID, m.RequestedAt = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	m.SourceHostID, m.DestinationHostID = types.StringUnknown(), types.StringUnknown()
	m.VerificationResult = types.ObjectUnknown(resultTypes)
}

// request asks the engine for the migration that a plan describes.
func (m *model) request(timeout time.Duration, test *migration.Verification) migration.Request {
	return migration.Request{
		Region:       m.Region.ValueString(),
		ServerID:     m.ServerID.ValueString(),
		AutoConfirm:  m.AutoConfirm.ValueBool(),
		Verification: test,
		Timeout:      timeout,
	}
}

// toMigration is the migration that the state holds, as the engine knows it.
func (m *model) toMigration(ctx context.Context) (migration.Migration, diag.Diagnostics) {
	result, diags := recordedResult(ctx, m.VerificationResult)
	parse := func(name string, value types.String) time.Time {
		if value.ValueString() == "" {
			return time.Time{}
		}
		parsed, err := time.Parse(time.RFC3339, value.ValueString())
		if err != nil {
			diags.AddAttributeError(path.Root(name), "Unreadable state", fmt.Sprintf(
				"The state has %q in %s, which cannot be parsed as an RFC 3339 time. Somebody may have edited the state by hand. Correct it there.", value.ValueString(), name))
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
		RequestedAt:       parse("requested_at", m.RequestedAt),
		SettledAt:         parse("settled_at", m.SettledAt),

		VerificationResult: result,
	}, diags
}

// The keys of the private state. Where the action log cannot be read, the flavor
// tells the engine a resize from a migration, and the launch on the new host tells one
// migration from another. The deadline counts from the time at which the server came to
// await confirmation.
const (
	privateFlavor   = "flavor_id"
	privateLaunched = "launched_at"
	privateAwaiting = "awaiting_since"
)

// keepPrivate writes to the private state what only the engine needs.
func keepPrivate(ctx context.Context, private privateSetter, m migration.Migration) diag.Diagnostics {
	var diags diag.Diagnostics
	since := timestamp(m.AwaitingSince).ValueString()
	for key, value := range map[string]string{privateFlavor: m.FlavorID, privateLaunched: m.LaunchedAt, privateAwaiting: since} {
		text, _ := json.Marshal(value) // of a string, it cannot fail
		diags.Append(private.SetKey(ctx, key, text)...)
	}
	return diags
}

// migrationOf is the migration that the state holds, as toMigration reads it, with what the
// private state and the provider block add.
func (c *Config) migrationOf(ctx context.Context, state *model, private privateGetter) (migration.Migration, diag.Diagnostics) {
	m, diags := state.toMigration(ctx)
	m.ConfirmWindow = c.Engine.ConfirmWindow()
	var since string
	for key, value := range map[string]*string{privateFlavor: &m.FlavorID, privateLaunched: &m.LaunchedAt, privateAwaiting: &since} {
		text, more := private.GetKey(ctx, key)
		diags.Append(more...)
		_ = json.Unmarshal(text, value) // an imported migration has none
	}
	m.AwaitingSince, _ = time.Parse(time.RFC3339, since) // it is zero until that was seen
	return m, diags
}

// privateSetter and privateGetter are the framework's private state, whose type
// is internal to the framework.
type privateSetter interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

type privateGetter interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

// optional is a text, or null if it is empty because the API did not tell it.
func optional(value string) types.String {
	if value == "" {
		return types.StringNull()
	}
	return types.StringValue(value)
}

// timestamp is the time in RFC 3339, or null for the zero time.
func timestamp(t time.Time) types.String {
	if t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339))
}
