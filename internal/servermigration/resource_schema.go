package servermigration

import (
	"context"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// uuid is how the API writes server ids. Another spelling of the same id would
// later look like another server, and migrate it again.
var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// What on_destroy can be.
const (
	onDestroyNone    = "none"
	onDestroyConfirm = "confirm"
	onDestroyRevert  = "revert"
)

func (r *serverMigration) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		// A change that older states cannot be read with raises it, and brings an
		// upgrader along; testdata has a state of each version.
		Version: 0,
		MarkdownDescription: "Moves a Cloud Server to another hypervisor host in its region, keeping its data and its addresses. " +
			"Creating the resource migrates the server once and waits until it runs on its new host. " +
			"Rackspace keeps the original for 24 hours: test the moved server, then confirm the migration with `auto_confirm` or by other means. " +
			"Rackspace confirms by itself what nobody has settled by then.\n\n" +
			"-> A migration restarts the server. A server that is shut off stays shut off. OnMetal servers cannot be migrated.",
		Attributes: map[string]schema.Attribute{
			"id": computed("Identifies the migration: `REGION/SERVER_ID/REQUEST_ID`."),
			"server_id": schema.StringAttribute{
				MarkdownDescription: "UUID of the server to migrate, in lower case, as the API writes it. A change migrates the other server.",
				Required:            true,
				Validators: []validator.String{
					stringvalidator.RegexMatches(uuid, "must be the UUID of a server in lower case, such as 8c65cb68-0681-4c30-bc88-6b83a8a26aee"),
				},
				PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"region": schema.StringAttribute{
				MarkdownDescription: "Region of the server, such as `ORD`, in any letter case. Defaults to the provider's region. " +
					"A change means another server, and migrates that one.",
				Optional:   true,
				Computed:   true,
				Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
				PlanModifiers: []planmodifier.String{
					stringplanmodifier.UseStateForUnknown(),
					stringplanmodifier.RequiresReplaceIf(otherRegion,
						"Another region means another server.", "Another region means another server."),
				},
			},
			"auto_confirm": schema.BoolAttribute{
				MarkdownDescription: "Whether to confirm the migration as soon as the server runs on its new host; the original is then removed. " +
					"Defaults to `false`: the migration is left awaiting confirmation. " +
					"A change from `false` to `true` confirms a migration that still awaits it; any other change sends nothing.",
				Optional: true,
				Computed: true,
				Default:  booldefault.StaticBool(false),
			},
			"on_destroy": schema.StringAttribute{
				MarkdownDescription: "What destroying the resource does to a migration that still awaits confirmation: " +
					"`none` only forgets it, `confirm` confirms it, and `revert` reverts it and waits until the server is back on its original host. " +
					"**A revert brings the original disk back: what the server has written since the migration is lost.** " +
					"A settled migration is only forgotten. Defaults to `none`. A change sends nothing; it has to be applied before the destroy that it is meant for.",
				Optional:   true,
				Computed:   true,
				Default:    stringdefault.StaticString(onDestroyNone),
				Validators: []validator.String{stringvalidator.OneOf(onDestroyNone, onDestroyConfirm, onDestroyRevert)},
			},
			"triggers": schema.MapAttribute{
				MarkdownDescription: "Values of any meaning. A change of one of them migrates the server again. " +
					"While the migration awaits confirmation that is refused, unless `on_destroy` settles it first.",
				ElementType:   types.StringType,
				Optional:      true,
				PlanModifiers: []planmodifier.Map{mapplanmodifier.RequiresReplace()},
			},
			"verification":        fixed(ctx, verificationAttribute()),
			"verification_result": fixed(ctx, verificationResult()),
			"status": computed("How far the migration has come: `migrating`, `awaiting_confirmation`, `confirmed`, `reverted` or `failed`. " +
				"After `confirmed`, `reverted` and `failed` it does not change any more, and refreshing it sends no request."),
			"server_status":       computed("Status of the server in the API's own words, such as `VERIFY_RESIZE`, when the migration was last looked at."),
			"server_name":         computed("Name of the server, when the migration was last looked at."),
			"request_id":          computed("The API's id of the migrate request. It names the migration in the server's action log, and to Rackspace support."),
			"source_host_id":      computed("Id of the hypervisor host that the server was moved from. Host ids are opaque, and specific to the account."),
			"destination_host_id": computed("Id of the hypervisor host that the server was moved to."),
			"requested_at":        computed("When the migration was asked for (RFC 3339, UTC, by the API's clock)."),
			"confirm_by": computed("When Rackspace confirms the migration by itself, 24 hours after it was asked for (RFC 3339, UTC). " +
				"Null once the migration is settled."),
			"settled_at": computed("When the migration was confirmed or reverted (RFC 3339, UTC). Null until then."),
		},
		Blocks: map[string]schema.Block{
			"timeouts": timeouts.Block(ctx, timeouts.Opts{
				Create: true, Update: true, Delete: true, Read: true,
				CreateDescription: timeoutDescription("the server to move and, with `auto_confirm`, the confirm to be carried out, from its turn on where `max_concurrent_migrations` or the rate limit lets it wait", "2h"),
				UpdateDescription: timeoutDescription("a confirm that a change of `auto_confirm` asks for", "2h"),
				DeleteDescription: timeoutDescription("what `on_destroy` does to a migration that is still pending", "2h"),
				ReadDescription:   timeoutDescription("the answers to a refresh", "5m"),
			}),
		},
	}
}

func computed(description string) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: description,
		Computed:            true,
		PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
	}
}

func timeoutDescription(what, unset string) string {
	return "How long to wait for " + what + ", such as `30m`. Defaults to `" + unset + "`."
}

// otherRegion tells another region from another spelling of the same one.
func otherRegion(_ context.Context, req planmodifier.StringRequest, resp *stringplanmodifier.RequiresReplaceIfFuncResponse) {
	resp.RequiresReplace = !strings.EqualFold(req.PlanValue.ValueString(), req.StateValue.ValueString())
}
