package servermigration

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/verification"
)

const hostDescription = "Host name or address, IPv4 or IPv6. Defaults to the server's access address, else its public, else its private one."

func verificationAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "What the moved server has to pass before its migration is confirmed, by `auto_confirm` or by `on_destroy = \"confirm\"`. " +
			"All checks run at the same time, from where Terraform runs, and each has to pass several times in a row. " +
			"A server that was shut off does not run after its move either, and passes none. A change sends nothing.",
		Optional:   true,
		Validators: []validator.Object{anyCheck{}},
		Attributes: map[string]schema.Attribute{
			"tcp": schema.ListNestedAttribute{
				MarkdownDescription: "Ports that have to take a TCP connection.",
				Optional:            true,
				Validators:          []validator.List{shownList{listvalidator.SizeAtLeast(1)}},
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"host": host(),
					"port": schema.Int64Attribute{MarkdownDescription: "Port, from 1 to 65535.", Required: true, Validators: []validator.Int64{portRule}},
				}},
			},
			"http": schema.ListNestedAttribute{
				MarkdownDescription: "URLs that have to give the right answer to a GET request.",
				Optional:            true,
				Validators:          []validator.List{shownList{listvalidator.SizeAtLeast(1)}},
				NestedObject:        schema.NestedAttributeObject{Attributes: httpAttributes()},
			},
			"ssh_banner": schema.ListNestedAttribute{
				MarkdownDescription: "Ports that have to answer with an SSH banner: a sign of life of the whole system, without credentials.",
				Optional:            true,
				Validators:          []validator.List{shownList{listvalidator.SizeAtLeast(1)}},
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"host": host(),
					"port": schema.Int64Attribute{
						MarkdownDescription: "Port. Defaults to `22`.",
						Optional:            true, Computed: true, Default: int64default.StaticInt64(verification.DefaultSSHPort),
						Validators: []validator.Int64{portRule},
					},
				}},
			},
			"interval": schema.StringAttribute{
				MarkdownDescription: "Time between two tries of a check, such as `10s`. Defaults to `5s`.",
				Optional:            true, Computed: true, Default: stringdefault.StaticString("5s"),
				Validators: []validator.String{intervalRule},
			},
			"timeout": schema.StringAttribute{
				MarkdownDescription: "Time for all checks together, a slow boot included, such as `10m`. Defaults to `5m`.",
				Optional:            true, Computed: true, Default: stringdefault.StaticString("5m"),
				Validators: []validator.String{timeoutRule},
			},
			"successes": schema.Int64Attribute{
				MarkdownDescription: "How many times in a row each check has to pass. Defaults to `3`.",
				Optional:            true, Computed: true, Default: int64default.StaticInt64(verification.DefaultSuccesses),
				Validators: []validator.Int64{successesRule},
			},
			"on_failure": schema.StringAttribute{
				MarkdownDescription: "What happens to the migration of a server that does not pass: `keep` leaves it awaiting confirmation, and the next apply tests it again; " +
					"`revert` brings the server back to its original host. Both fail the apply, and say why. " +
					"**A revert brings the original disk back: what the server has written since the migration is lost.** Defaults to `keep`.",
				Optional: true, Computed: true, Default: stringdefault.StaticString(onFailureKeep),
				Validators: []validator.String{shownText{stringvalidator.OneOf(onFailureKeep, onFailureRevert)}},
			},
		},
	}
}

func host() schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: hostDescription,
		Optional:            true,
		Validators:          []validator.String{shownText{stringvalidator.LengthAtLeast(1)}},
	}
}

func httpAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"url": schema.StringAttribute{
			MarkdownDescription: "`http` or `https` URL. One without a host, such as `http://:8080/healthz`, is that of the server itself, at its access address, else its public, else its private one.",
			Required:            true,
			Validators:          []validator.String{urlRule},
		},
		"status_codes": schema.ListAttribute{
			MarkdownDescription: "Status codes that pass. Defaults to 200 to 299.",
			ElementType:         types.Int64Type,
			Optional:            true,
			Validators:          []validator.List{shownList{listvalidator.SizeAtLeast(1)}, listvalidator.ValueInt64sAre(statusCodeRule)},
		},
		"body_contains": schema.StringAttribute{
			MarkdownDescription: "Text that the answer has to contain, in its first MiB.",
			Optional:            true,
		},
		"headers": schema.MapAttribute{
			MarkdownDescription: "Headers to send. They are kept in the state, though not shown: secrets belong into `headers_wo`.",
			ElementType:         types.StringType,
			Optional:            true,
			Sensitive:           true,
		},
		"headers_wo": schema.MapAttribute{
			MarkdownDescription: "Headers to send that are not kept in plan or state (write-only), such as `Authorization`; they win over `headers` of the same name. " +
				"A destroy does not have them. Where write-only arguments are not supported, before Terraform 1.11 and OpenTofu 1.11, use `headers`, and protect the state.",
			ElementType: types.StringType,
			Optional:    true,
			Sensitive:   true,
			WriteOnly:   true,
		},
		"tls_server_name": schema.StringAttribute{
			MarkdownDescription: "Name that the certificate has to be for. Defaults to the URL's host.",
			Optional:            true,
		},
		"ca_certificate": schema.StringAttribute{
			MarkdownDescription: "Certificates of the authorities to trust, in PEM form. Defaults to the system's.",
			Optional:            true,
			Validators:          []validator.String{certificateRule},
		},
		"follow_redirects": schema.BoolAttribute{
			MarkdownDescription: "Whether to follow redirects, to at most 10 other places; headers are not sent to other hosts. Defaults to `false`: a redirect is judged by its status code.",
			Optional:            true, Computed: true, Default: booldefault.StaticBool(false),
		},
	}
}

func verificationResult() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "What the last `verification` of the moved server came to. Null without one.",
		Computed:            true,
		PlanModifiers:       []planmodifier.Object{objectplanmodifier.UseStateForUnknown()},
		Attributes: map[string]schema.Attribute{
			"passed":     schema.BoolAttribute{MarkdownDescription: "Whether every check passed.", Computed: true},
			"checked_at": schema.StringAttribute{MarkdownDescription: "When it ended (RFC 3339, UTC, by the clock of the machine that ran Terraform).", Computed: true},
			"checks": schema.ListNestedAttribute{
				MarkdownDescription: "Each check, in the order of `tcp`, `http` and `ssh_banner`.",
				Computed:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"name":       schema.StringAttribute{MarkdownDescription: "Its place in `verification`, such as `http[0]`.", Computed: true},
					"target":     schema.StringAttribute{MarkdownDescription: "The address, or the URL without its query.", Computed: true},
					"passed":     schema.BoolAttribute{MarkdownDescription: "Whether it passed often enough in a row.", Computed: true},
					"attempts":   schema.Int64Attribute{MarkdownDescription: "How often it was tried.", Computed: true},
					"last_error": schema.StringAttribute{MarkdownDescription: "Why the last try failed that did, in plain words. Null if none did.", Computed: true},
				}},
			},
		},
	}
}
