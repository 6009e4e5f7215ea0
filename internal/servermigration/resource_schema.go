package servermigration

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/serverid"
)

func (r *serverMigration) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		// A change that older states cannot be read with raises it, and brings an
		// upgrader along; testdata has a state of each version.
		Version: 0,
		MarkdownDescription: "Moves a Cloud Server to another hypervisor host in its region, keeping its data and its addresses. " +
			"Creating the resource migrates the server once and waits until it runs on its new host. " +
			"Rackspace keeps the original for 24 hours: test the moved server, then confirm the migration with `auto_confirm` or by other means. " +
			"What nobody has confirmed or reverted by then, Rackspace confirms automatically.\n\n" +
			"-> A migration restarts the server. A server that is shut off stays shut off. OnMetal servers cannot be migrated.",
		Attributes: map[string]schema.Attribute{
			"id": computed("Identifies the migration, also for an import: `REGION/SERVER_ID/REQUEST_ID`."),
			"server_id": schema.StringAttribute{
				MarkdownDescription: "UUID of the server to migrate, in lower case, as the API writes it. A change replaces the resource: the other server is migrated.",
				Required:            true,
				Validators:          []validator.String{serverid.Validator()},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"region": schema.StringAttribute{
				MarkdownDescription: "Region of the server, such as `ORD`, in any letter case. Defaults to the provider's region. " +
					"A change replaces the resource: another region means another server, and that one is migrated.",
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
				MarkdownDescription: "Whether to confirm the migration as soon as the server runs on its new host and has passed its `verification`, if there is one. " +
					"Rackspace then deletes the original copy on the old host. " +
					"Defaults to `false`: the migration is left awaiting confirmation. " +
					"While it is `true`, an apply confirms a migration that awaits confirmation, after the server has passed its `verification`. A change to `false` sends nothing.",
				Optional: true,
				Computed: true,
				Default:  booldefault.StaticBool(false),
			},
			"on_destroy": schema.StringAttribute{
				MarkdownDescription: "What happens to a migration that still awaits confirmation when the resource is destroyed, or before a change of `triggers` migrates the server again. " +
					"`confirm` confirms it, after its server has passed the `verification`, if there is one. " +
					"`revert` reverts it and waits until the server is back on its original host. " +
					"With `none` a destroy only removes it from the state, and a change of `triggers` is refused. " +
					"**A revert brings the original disk back: what the server has written to its local disks since the migration is lost.** " +
					"A migration that was confirmed or reverted, or that failed, is only removed from the state. Defaults to `none`. " +
					"A change sends nothing. A destroy uses the value in the state. So change it, apply, and only then destroy.",
				Optional:   true,
				Computed:   true,
				Default:    stringdefault.StaticString(string(migration.OnDestroyNone)),
				Validators: []validator.String{stringvalidator.OneOf(string(migration.OnDestroyNone), string(migration.OnDestroyConfirm), string(migration.OnDestroyRevert))},
			},
			"triggers": schema.MapAttribute{
				MarkdownDescription: "Values of any meaning. A change of one of them migrates the server again, as an update in place. Adding or removing one does the same. An imported migration has no triggers, so an apply that adds them migrates the server again. " +
					"While the migration awaits confirmation, `on_destroy` says what is done to it first. With `none` the change is refused. " +
					"If the server cannot be migrated again, the state keeps the earlier migration, and the next apply tries again. " +
					"By default there are no triggers.",
				ElementType: types.StringType,
				Optional:    true,
			},
			"verification":        verificationAttribute(),
			"verification_result": verificationResult(),
			"status": computed("How far the migration has come: `migrating`, `awaiting_confirmation`, `confirmed`, `reverted` or `failed`. " +
				"After `confirmed`, `reverted` and `failed` it does not change any more, and refreshing it sends no request."),
			"server_status":       computed("Status of the server in the API's own words, such as `VERIFY_RESIZE`, when the migration was last looked at."),
			"server_name":         computed("Name of the server, when the migration was last looked at or, until then, when it was planned."),
			"request_id":          computed("The API's id of the migrate request. It names the migration in the server's action log, and to Rackspace support."),
			"source_host_id":      computed("Id of the hypervisor host that the server was moved from. Host ids are opaque, and specific to the account."),
			"destination_host_id": computed("Id of the hypervisor host that the server was moved to."),
			"requested_at":        computed("When the migration was requested (RFC 3339, UTC, by the API's clock)."),
			"confirm_by": computed("Rackspace confirms the migration automatically after this time, and not before (RFC 3339, UTC). It is 24 hours after the migration began to await confirmation. Until the provider has seen that, it is 24 hours after the request. " +
				"Null once the migration is confirmed, reverted or failed."),
			"settled_at": computed("When the migration was confirmed, reverted or failed (RFC 3339, UTC). Null until then."),
		},
		Blocks: map[string]schema.Block{
			"timeouts": timeoutsBlock(ctx, timeouts.Opts{
				Create: true, Update: true, Delete: true, Read: true,
				CreateDescription: timeoutDescription("the server to move and, with `auto_confirm`, for its confirmation", "2h") +
					" The time that the server waits for `max_concurrent_migrations` or for the rate limit does not count.",
				UpdateDescription: timeoutDescription("the confirmation that a change of `auto_confirm` asks for, or for the migration that a change of `triggers` asks for", "2h"),
				DeleteDescription: timeoutDescription("the confirmation or revert that `on_destroy` asks for", "2h"),
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

// otherRegion replaces the resource in another region, but not for another spelling
// of the same one.
func otherRegion(_ context.Context, req planmodifier.StringRequest, resp *stringplanmodifier.RequiresReplaceIfFuncResponse) {
	resp.RequiresReplace = isAnotherRegion(req.PlanValue, req.StateValue)
}
