package servermigration

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/durations"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

var (
	_ list.ListResource              = (*migrationList)(nil)
	_ list.ListResourceWithConfigure = (*migrationList)(nil)
)

// migrationList is the list resource, which finds migrations for terraform query.
type migrationList struct {
	serverMigration
}

// NewListResource returns the list resource rackspace_server_migration.
func NewListResource() list.ListResource { return &migrationList{} }

type listModel struct {
	Region           types.String `tfsdk:"region"`
	ServerName       types.String `tfsdk:"server_name"`
	ConfirmWithin    types.String `tfsdk:"confirm_within"`
	IncludeMigrating types.Bool   `tfsdk:"include_migrating"`
}

func (r *migrationList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Finds the migrations of a region that await confirmation, whoever started them. It needs Terraform 1.14 or later.\n\n" +
			"`terraform query` lists each migration with its deadline if that is known, such as `web-1: confirm or revert by 2026-11-24T09:20Z`. " +
			"`terraform query -generate-config-out=migrations.tf` writes a configuration that imports them. Applying it sends nothing that changes a server. " +
			"Resizes that await confirmation are not listed.",
		Attributes: map[string]schema.Attribute{
			"region": schema.StringAttribute{
				MarkdownDescription: "Region to look in, such as `ORD`, in any letter case. Defaults to the provider's region.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"server_name": schema.StringAttribute{
				MarkdownDescription: "Regular expression ([RE2](https://github.com/google/re2/wiki/Syntax)) that some part of the server's name must match, such as `^web-`. By default every name matches.",
				Optional:            true,
			},
			"confirm_within": schema.StringAttribute{
				MarkdownDescription: "Lists only migrations that the cloud confirms automatically within this time, such as `2h`. It needs `confirm_window` of the provider. By default all are listed.",
				Optional:            true,
				Validators:          []validator.String{durations.AtLeast(durations.Positive)},
			},
			"include_migrating": schema.BoolAttribute{
				MarkdownDescription: "Whether to list migrations that are still under way as well. Defaults to `false`.",
				Optional:            true,
			},
		},
	}
}

func (r *migrationList) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var config listModel
	diags := req.Config.Get(ctx, &config)
	name, err := regexp.Compile(config.ServerName.ValueString())
	if err != nil {
		diags.AddAttributeError(path.Root("server_name"), "Invalid regular expression", fmt.Sprintf("The argument %q is not a regular expression: %s.", "server_name", err))
	}
	filter := migration.Filter{Migrating: config.IncludeMigrating.ValueBool()}
	if !config.ConfirmWithin.IsNull() {
		var more diag.Diagnostics
		filter.ConfirmWithin, more = durations.Read(path.Root("confirm_within"), config.ConfirmWithin, durations.Positive)
		diags.Append(more...)
		if r.engine.ConfirmWindow() == 0 {
			diags.Append(noDeadline())
		}
	}
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, defaultReadTimeout)
	defer cancel()
	filter.Server = name.MatchString
	found, err := r.engine.Pending(ctx, config.Region.ValueString(), filter)
	if err != nil {
		stream.Results = list.ListResultsStreamDiagnostics(explain(err, creating))
		return
	}
	stream.Results = func(push func(list.ListResult) bool) {
		for i, m := range found {
			if int64(i) == req.Limit || !push(listed(ctx, req, m)) {
				return
			}
		}
	}
}

func listed(ctx context.Context, req list.ListRequest, m migration.Migration) list.ListResult {
	result := req.NewListResult(ctx)
	result.DisplayName = displayName(m)
	result.Diagnostics.Append(result.Identity.Set(ctx, identityOf(m))...)
	if req.IncludeResource {
		state := imported(m)
		result.Diagnostics.Append(result.Resource.Set(ctx, &state)...)
	}
	return result
}

// displayName tells a person what to do about a migration, and until when.
func displayName(m migration.Migration) string {
	name := m.ServerName
	if name == "" {
		name = m.ServerID
	}
	if m.Status == migration.StatusMigrating {
		return fmt.Sprintf("%s: migrating since %s", name, minutes(m.RequestedAt))
	}
	if m.ConfirmBy().IsZero() {
		return name + ": awaits confirmation"
	}
	return fmt.Sprintf("%s: confirm or revert by %s", name, minutes(m.ConfirmBy()))
}

// noDeadline refuses confirm_within, because the deadlines of migrations are not known.
func noDeadline() diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("confirm_within"), "It is not known when the cloud confirms a migration",
		"The provider argument confirm_window is 0, or it is not set and the cloud is not Rackspace's public cloud. "+
			"Set it to the time after which the cloud confirms a migration automatically. Or leave confirm_within out, which lists all migrations.")
}

func minutes(t time.Time) string { return t.UTC().Format("2006-01-02T15:04Z") }
