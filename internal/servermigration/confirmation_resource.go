package servermigration

import (
	"context"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/serving"
)

// ConfirmationType is the name of the resource that confirms a migration.
const ConfirmationType = "rackspace_server_migration_confirmation"

var (
	_ resource.Resource              = (*confirmation)(nil)
	_ resource.ResourceWithConfigure = (*confirmation)(nil)
)

// confirmation confirms a migration in the order of the graph, so that anything
// that Terraform knows can stand between a migration and its confirm.
type confirmation struct {
	*Shared
}

// NewConfirmation returns the resource rackspace_server_migration_confirmation.
func NewConfirmation() resource.Resource { return &confirmation{} }

func (c *confirmation) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = ConfirmationType
}

func (c *confirmation) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	c.Shared = sharedOf(req.ProviderData, &resp.Diagnostics)
}

type confirmationModel struct {
	ID          types.String   `tfsdk:"id"`
	MigrationID types.String   `tfsdk:"migration_id"`
	Triggers    types.Map      `tfsdk:"triggers"`
	Status      types.String   `tfsdk:"status"`
	SettledAt   types.String   `tfsdk:"settled_at"`
	Timeouts    timeouts.Value `tfsdk:"timeouts"`
}

// migrationID is the id of a rackspace_server_migration.
var migrationID = regexp.MustCompile(`^[^/]+/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[^/]*$`)

func (c *confirmation) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Confirms a migration that awaits it, in the order of the graph: " +
			"what it depends on, such as a data source with a postcondition or a check of another provider, stands between the migration and its confirm in one apply. " +
			"If that fails, the migration is left awaiting confirmation, and the next apply goes on from there.\n\n" +
			"-> For a test over TCP, HTTP or SSH the provider needs no second resource: see `verification` of `rackspace_server_migration`. " +
			"Use either this resource or `auto_confirm = true`.",
		Attributes: map[string]schema.Attribute{
			"id": computed("The same as `migration_id`."),
			"migration_id": schema.StringAttribute{
				MarkdownDescription: "The `id` of the `rackspace_server_migration` to confirm. Another one is confirmed anew.",
				Required:            true,
				Validators: []validator.String{
					stringvalidator.RegexMatches(migrationID, "must be the id of a rackspace_server_migration: REGION/SERVER_ID/REQUEST_ID"),
				},
				PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"triggers": schema.MapAttribute{
				MarkdownDescription: "Values of any meaning. A change of one of them makes sure once more that the migration is confirmed.",
				ElementType:         types.StringType,
				Optional:            true,
				PlanModifiers:       []planmodifier.Map{mapplanmodifier.RequiresReplace()},
			},
			"status":     computed("`confirmed` or, if the apply ended before the end of the confirm was seen, `awaiting_confirmation` until the next refresh."),
			"settled_at": computed("When the migration was confirmed (RFC 3339, UTC)."),
		},
		Blocks: map[string]schema.Block{
			"timeouts": timeouts.Block(ctx, timeouts.Opts{
				Create: true, Read: true,
				CreateDescription: timeoutDescription("the confirm to be carried out", "2h"),
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
	timeout, diags := plan.Timeouts.Create(ctx, defaultSettleTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	id := plan.MigrationID.ValueString()
	if strings.HasSuffix(id, "/") {
		resp.Diagnostics.Append(namesNoRequest(id))
		return
	}
	pending, over, err := serving.Await(ctx, func(ctx context.Context) (migration.Migration, error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		pending, err := c.recall(ctx, id)
		if err != nil {
			return pending, err
		}
		return c.engine.Confirm(ctx, pending, nil)
	})
	if !over {
		return
	}
	resp.Diagnostics.Append(explain(err, recorded)...)
	if err == nil && pending.Status != migration.StatusConfirmed {
		resp.Diagnostics.Append(nothingToConfirm(pending))
	}
	if resp.Diagnostics.HasError() {
		return
	}
	plan.record(pending)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// recall finds a migration by the id of its resource: this run has it, or else
// the server's action log.
func (c *confirmation) recall(ctx context.Context, id string) (migration.Migration, error) {
	region, rest, _ := strings.Cut(id, "/")
	server, request, _ := strings.Cut(rest, "/")
	if known, ok := c.remembered(request); ok {
		return known, nil
	}
	return c.engine.Find(ctx, region, server, request)
}

func (m *confirmationModel) record(from migration.Migration) {
	m.ID, m.Status, m.SettledAt = m.MigrationID, types.StringValue(string(from.Status)), timestamp(from.SettledAt)
}

// Read looks again at a confirm whose end was not seen. What turns out not to be
// confirmed is removed from the state, so that the next apply confirms it.
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
	is, err := c.recall(ctx, state.MigrationID.ValueString())
	resp.Diagnostics.Append(explain(err, recorded)...)
	switch {
	case resp.Diagnostics.HasError():
	case is.Status != migration.StatusConfirmed:
		resp.State.RemoveResource(ctx)
	default:
		state.record(is)
		resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	}
}

// Update records a change of timeouts.
func (c *confirmation) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan confirmationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	}
}

// Delete forgets: a confirm cannot be undone.
func (c *confirmation) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}
