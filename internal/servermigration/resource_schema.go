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
		// Raise the version with a change after which older states cannot be read, and add
		// an upgrader. testdata has a state of each version.
		Version: 0,
		MarkdownDescription: "Moves a server to another hypervisor host in its region. The server keeps its data and its addresses. " +
			"Creating the resource migrates the server once, and waits until the server runs on its new host. " +
			"The cloud then keeps the original copy. Test the moved server, and confirm or revert the migration. " +
			"After 24 hours, Rackspace's public cloud confirms the migration automatically. For other clouds see `confirm_window` of the provider.\n\n" +
			"-> A migration restarts the server. A server that is shut off stays shut off. OnMetal servers cannot be migrated.",
		Attributes: map[string]schema.Attribute{
			"id": computed("Id of the migration: `REGION/SERVER_ID/REQUEST_ID`. An import can use it."),
			"server_id": schema.StringAttribute{
				MarkdownDescription: "UUID of the server to migrate, in lower case, as the API writes it. A change replaces the resource, and migrates the other server.",
				Required:            true,
				Validators:          []validator.String{serverid.Validator()},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"region": schema.StringAttribute{
				MarkdownDescription: "Region of the server, such as `ORD`, in any letter case. Defaults to the provider's region. " +
					"A change to another region replaces the resource, and migrates the server of that region.",
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
				MarkdownDescription: "Whether to confirm the migration after the server runs on its new host. If there is a `verification`, the server must first pass it. " +
					"The cloud deletes the original copy on the old host when the migration is confirmed. " +
					"Defaults to `false`, which leaves the migration awaiting confirmation. " +
					"While it is `true`, each apply confirms a migration that awaits confirmation. A change to `false` sends nothing.",
				Optional: true,
				Computed: true,
				Default:  booldefault.StaticBool(false),
			},
			"on_destroy": schema.StringAttribute{
				MarkdownDescription: "What to do to a pending migration when the resource is destroyed. The same is done before a change of `triggers` migrates the server again. A migration is pending while it is under way or awaits confirmation. " +
					"`confirm` confirms the migration. If there is a `verification`, the server must first pass it. " +
					"`revert` reverts the migration, and waits until the server is back on its original host. " +
					"**A revert brings the original disk back. What the server has written to its local disks since the migration is lost.** " +
					"`none` only removes the migration from the state, and a change of `triggers` is an error. Defaults to `none`. " +
					"A migration that is confirmed, reverted or failed is only removed from the state. " +
					"A change sends nothing. A destroy uses the value in the state, so apply a change before you destroy.",
				Optional:   true,
				Computed:   true,
				Default:    stringdefault.StaticString(string(migration.OnDestroyNone)),
				Validators: []validator.String{stringvalidator.OneOf(string(migration.OnDestroyNone), string(migration.OnDestroyConfirm), string(migration.OnDestroyRevert))},
			},
			"triggers": schema.MapAttribute{
				MarkdownDescription: "Values that you choose. If you change, add or remove one, the apply migrates the server again, and updates the resource in place. " +
					"An imported migration has no triggers, so an apply that adds them migrates the server again. " +
					"If the migration is pending, the provider first does to it what `on_destroy` says. With `none` the plan is an error. " +
					"If the server cannot be migrated again, the state keeps the earlier migration, and the next apply tries again. " +
					"By default there are no triggers.",
				ElementType: types.StringType,
				Optional:    true,
			},
			"verification":        verificationAttribute(),
			"verification_result": verificationResult(),
			"status": computed("How far the migration has come: `migrating`, `awaiting_confirmation`, `confirmed`, `reverted` or `failed`. " +
				"`confirmed`, `reverted` and `failed` do not change any more, and a refresh then sends no request."),
			"server_status":       computed("Status of the server in the API's words, such as `VERIFY_RESIZE`, when the provider last read the migration."),
			"server_name":         computed("Name of the server when the provider last read the migration. In a plan it is the name at that time."),
			"request_id":          computed("Id of the migrate request. The server's action log and the cloud's support identify the migration by it."),
			"source_host_id":      computed("Id of the hypervisor host that the server was moved from. A host has another id in each account. Null if the migration was taken over or imported, and the provider did not see the host."),
			"destination_host_id": computed("Id of the hypervisor host that the server was moved to."),
			"requested_at":        computed("When the migration was requested (RFC 3339, UTC, by the API's clock)."),
			"confirm_by": computed("Time after which the cloud confirms the migration automatically (RFC 3339, UTC). It is the `confirm_window` of the provider after the migration began to await confirmation: 24 hours on Rackspace's public cloud. Until the provider has seen that, it counts from the request. " +
				"Null once the migration is confirmed, reverted or failed. Also null where it is not known when the cloud confirms, or where it never does."),
			"settled_at": computed("When the migration was confirmed or reverted, or when it failed (RFC 3339, UTC). Null until then."),
		},
		Blocks: map[string]schema.Block{
			"timeouts": timeoutsBlock(ctx, timeouts.Opts{
				Create: true, Update: true, Delete: true, Read: true,
				CreateDescription: timeoutDescription("the create, with its test and confirmation", "2h") +
					" It does not include the time that the migration waits for `max_concurrent_migrations` or the rate limit.",
				UpdateDescription: timeoutDescription("the update, which may confirm the migration, test the server or migrate it again", "2h"),
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
