package servermigration

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// ConfirmationType is the name of the resource that confirms a migration.
const ConfirmationType = "rackspace_server_migration_confirmation"

var (
	_ resource.Resource              = (*confirmation)(nil)
	_ resource.ResourceWithConfigure = (*confirmation)(nil)
)

// confirmation confirms a migration after everything that it depends on. So any resource or
// data source can test the server before.
type confirmation struct {
	config *Config
	engine *migration.Engine
}

// NewConfirmation returns the resource rackspace_server_migration_confirmation.
func NewConfirmation() resource.Resource { return &confirmation{} }

func (c *confirmation) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = ConfirmationType
}

func (c *confirmation) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	c.config = configOf(req.ProviderData, &resp.Diagnostics)
	c.engine = c.config.Engine
}

type confirmationModel struct {
	ID          types.String   `tfsdk:"id"`
	MigrationID types.String   `tfsdk:"migration_id"`
	Triggers    types.Map      `tfsdk:"triggers"`
	Status      types.String   `tfsdk:"status"`
	SettledAt   types.String   `tfsdk:"settled_at"`
	Timeouts    timeouts.Value `tfsdk:"timeouts"`
}

func (c *confirmation) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Confirms a migration after everything that the confirmation depends on has succeeded. " +
			"So a test of your own can run between the migration and its confirmation, in one apply. It can be a data source with a postcondition, or a resource of another provider. " +
			"If the test fails, the migration awaits confirmation, and the next apply continues from there.\n\n" +
			"-> For a test over TCP, HTTP or SSH you do not need this resource. Use `verification` of `rackspace_server_migration`. " +
			"Use either this resource or `auto_confirm = true`.",
		Attributes: map[string]schema.Attribute{
			"id": computed("The same as `migration_id`. An import uses it."),
			"migration_id": schema.StringAttribute{
				MarkdownDescription: "The `id` of the `rackspace_server_migration` to confirm. A change replaces the resource, and confirms the other migration.",
				Required:            true,
				Validators:          []validator.String{migrationIDRule{}},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"triggers": schema.MapAttribute{
				MarkdownDescription: "Values that you choose. A change replaces the resource, which checks again that the migration is confirmed. By default there are none.",
				ElementType:         types.StringType,
				Optional:            true,
				PlanModifiers:       []planmodifier.Map{mapplanmodifier.RequiresReplace()},
			},
			"status":     computed("Status of the migration. It is `confirmed`. If the apply stopped before the provider saw that, it is `awaiting_confirmation` until the next refresh."),
			"settled_at": computed("When the migration was confirmed (RFC 3339, UTC)."),
		},
		Blocks: map[string]schema.Block{
			"timeouts": timeoutsBlock(ctx, timeouts.Opts{
				Create: true, Read: true,
				CreateDescription: timeoutDescription("the confirmation", "2h"),
				ReadDescription:   timeoutDescription("the answers to a refresh", "5m"),
			}),
		},
	}
}

// Create confirms the migration, unless somebody has already.
func (c *confirmation) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan confirmationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := plan.Timeouts.Create(ctx, defaultTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	id := plan.MigrationID.ValueString()
	if strings.HasSuffix(id, "/") {
		resp.Diagnostics.Append(namesNoRequest(id))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := c.find(ctx, id)
	if err == nil {
		resp.Diagnostics.Append(refuseUnverified(found)...)
		if resp.Diagnostics.HasError() {
			return
		}
		found, err = c.engine.Confirm(ctx, found, nil)
	}
	resp.Diagnostics.Append(explain(err, recorded)...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.fromMigration(found)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// find finds a migration by the id of its resource: in what this run has done, or else in
// the server's action log.
func (c *confirmation) find(ctx context.Context, id string) (migration.Migration, error) {
	region, server, request, _ := splitMigrationID(id)
	if known, begun := c.engine.Recorded(request); begun {
		return known, nil
	}
	return c.engine.Find(ctx, region, server, request)
}

func (m *confirmationModel) fromMigration(from migration.Migration) {
	m.ID, m.Status, m.SettledAt = m.MigrationID, types.StringValue(string(from.Status)), timestamp(from.SettledAt)
}

// Read finds out whether a migration is confirmed now, if the apply did not see that. If it
// is not, Read removes the confirmation from the state, so that the next apply confirms the
// migration. It also removes a confirmation whose server was deleted.
func (c *confirmation) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state confirmationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || state.Status.ValueString() == string(migration.StatusConfirmed) {
		return
	}
	timeout, diags := state.Timeouts.Read(ctx, defaultReadTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	is, err := c.find(ctx, state.MigrationID.ValueString())
	if isGone(err) { // a 404 counts only when it is seen twice
		is, err = c.find(ctx, state.MigrationID.ValueString())
	}
	if isGone(err) {
		resp.Diagnostics.Append(removedConfirmation(is))
		resp.State.RemoveResource(ctx)
		return
	}
	resp.Diagnostics.Append(explain(err, recorded)...)
	switch {
	case resp.Diagnostics.HasError():
	case is.Status != migration.StatusConfirmed:
		resp.State.RemoveResource(ctx)
	default:
		state.fromMigration(is)
		resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	}
}

// isGone tells whether an error says that the server does not exist any more.
func isGone(err error) bool {
	return isKind(err, migration.KindNotFound) || isKind(err, migration.KindGone)
}

// Update records a change of timeouts.
func (c *confirmation) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan confirmationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	}
}

// Delete only removes the resource from the state: a confirmation cannot be undone.
func (c *confirmation) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}
