package servermigration

import (
	"context"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework-validators/actionvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	resourceschema "github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/durations"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/serverid"
)

// triggerNote describes the limits of an action that a resource invokes.
const triggerNote = "\n\n-> A resource can invoke this action with an `action_trigger`. Before Terraform 1.16, other resources that depend on that resource do not wait for the action. " +
	"From Terraform 1.16 on, do not use `on_failure = taint` in a `rackspace_server_migration`. Terraform would replace the resource, and migrate the server again. " +
	"An action and a `rackspace_server_migration` cannot migrate the same server in one apply."

func (a *migrateAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Migrates a server to another hypervisor host now, and shows the progress. It needs Terraform 1.14. " +
			"If the provider's user has already requested a migration of the server that is under way or awaits confirmation, the action continues with that one. " +
			"Terraform keeps no state of it. To keep one, use the resource `rackspace_server_migration`." + triggerNote,
		Attributes: map[string]schema.Attribute{
			"server_id": serverID("UUID of the server to migrate, in lower case, as the API writes it.", true),
			"region":    regionArgument(),
			"auto_confirm": schema.BoolAttribute{
				MarkdownDescription: "Whether to confirm the migration after the server runs on its new host. If there is a `verification`, the server must first pass it. Defaults to `false`, which leaves the migration awaiting confirmation.",
				Optional:            true,
			},
			"verification": verificationOfAction(),
			"timeout":      timeoutArgument("the migration, with its test and confirmation"),
		},
	}
}

func (a *confirmAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Confirms a migration that awaits confirmation, and shows the progress. The cloud then deletes the original copy on the old host. It needs Terraform 1.14. " +
			"If the migration is confirmed already, the action succeeds, and does not test the server. If the migration is still under way, the action waits for it." + triggerNote,
		Attributes: map[string]schema.Attribute{
			"server_id":    serverID("UUID of the server. The action confirms its newest migration. Set either this or `migration_id`.", false),
			"migration_id": migrationIDArgument(),
			"region":       regionArgument(),
			"verification": verificationOfAction(),
			"timeout":      timeoutArgument("the confirmation"),
		},
	}
}

func (a *revertAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reverts a migration that awaits confirmation, and shows the progress. The server moves back to its original host. It needs Terraform 1.14. " +
			"**The server gets its original disk back. What it has written to its local disks since the migration is lost.** " +
			"If the migration is reverted already, the action succeeds. If the migration is still under way, the action waits for it." + triggerNote,
		Attributes: map[string]schema.Attribute{
			"server_id":    serverID("UUID of the server. The action reverts its newest migration. Set either this or `migration_id`.", false),
			"migration_id": migrationIDArgument(),
			"region":       regionArgument(),
			"timeout":      timeoutArgument("the revert"),
		},
	}
}

func serverID(description string, required bool) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: description, Required: required, Optional: !required,
		Validators: []validator.String{serverid.Validator()},
	}
}

func migrationIDArgument() schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: "The `id` of a `rackspace_server_migration`. The action uses this migration, and no newer one. The id contains the region. Set either this or `server_id`.",
		Optional:            true,
		Validators:          []validator.String{migrationIDRule{requestNamed: true}},
	}
}

func regionArgument() schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: "Region of the server, such as `ORD`, in any letter case. Defaults to the provider's region.",
		Optional:            true,
		Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
	}
}

func timeoutArgument(what string) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: timeoutDescription(what, "2h"),
		Optional:            true,
		Validators:          []validator.String{durations.AtLeast(durations.Positive)},
	}
}

func oneOfServerAndMigration() []action.ConfigValidator {
	return []action.ConfigValidator{
		actionvalidator.ExactlyOneOf(path.MatchRoot("server_id"), path.MatchRoot("migration_id")),
		actionvalidator.Conflicting(path.MatchRoot("region"), path.MatchRoot("migration_id")),
	}
}

// shownHeaders describes headers in an action. The arguments of an action cannot be
// sensitive or write-only.
const shownHeaders = "Headers to send. A plan shows them, unless their values are sensitive. Use sensitive variables for secrets."

// forAction converts an argument of a resource to one of an action. An action has no
// computed arguments.
func forAction(attribute resourceschema.Attribute) schema.Attribute {
	switch a := attribute.(type) {
	case resourceschema.StringAttribute:
		return schema.StringAttribute{MarkdownDescription: a.MarkdownDescription, Required: a.Required, Optional: !a.Required, Validators: a.Validators}
	case resourceschema.Int64Attribute:
		return schema.Int64Attribute{MarkdownDescription: a.MarkdownDescription, Required: a.Required, Optional: !a.Required, Validators: a.Validators}
	case resourceschema.BoolAttribute:
		return schema.BoolAttribute{MarkdownDescription: a.MarkdownDescription, Optional: true, Validators: a.Validators}
	case resourceschema.ListAttribute:
		return schema.ListAttribute{MarkdownDescription: a.MarkdownDescription, ElementType: a.ElementType, Optional: true, Validators: a.Validators}
	case resourceschema.MapAttribute:
		return schema.MapAttribute{MarkdownDescription: a.MarkdownDescription, ElementType: a.ElementType, Optional: true, Validators: a.Validators}
	case resourceschema.ListNestedAttribute:
		return schema.ListNestedAttribute{
			MarkdownDescription: a.MarkdownDescription, Optional: true, Validators: a.Validators,
			NestedObject: schema.NestedAttributeObject{Attributes: forActions(a.NestedObject.Attributes), Validators: a.NestedObject.Validators},
		}
	}
	a := attribute.(resourceschema.SingleNestedAttribute)
	return schema.SingleNestedAttribute{MarkdownDescription: a.MarkdownDescription, Optional: true, Validators: a.Validators, Attributes: forActions(a.Attributes)}
}

// verificationOfAction is the argument verification of two actions. It is converted only
// once, because the conversion makes the start of the provider slower.
var verificationOfAction = sync.OnceValue(func() schema.Attribute { return forAction(verificationAttribute()) })

func forActions(attributes map[string]resourceschema.Attribute) map[string]schema.Attribute {
	converted := map[string]schema.Attribute{}
	for name, attribute := range attributes {
		switch headers, _ := attribute.(resourceschema.MapAttribute); {
		case headers.WriteOnly: // the framework does not allow it in an action
		case headers.Sensitive:
			headers.MarkdownDescription = shownHeaders
			converted[name] = forAction(headers)
		default:
			converted[name] = forAction(attribute)
		}
	}
	return converted
}
