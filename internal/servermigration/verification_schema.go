package servermigration

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
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
		MarkdownDescription: "What the server has to pass before it is moved, and again on its new host before its migration is confirmed, by `auto_confirm` or by `on_destroy = \"confirm\"`. " +
			"All checks run at the same time, from where Terraform runs, and all of them have to pass several times in a row. " +
			"A server that does not pass is not moved, see `preflight`. " +
			"With `auto_confirm = false` a moved server that does not pass is reported in a warning and in `verification_result`. " +
			"A server that is shut off is not moved while `preflight` is `true`. " +
			"If it changes while the migration awaits confirmation, the apply tests the server again. A change of `on_failure`, `preflight` or `preflight_timeout` alone sends nothing.",
		Optional:   true,
		Validators: []validator.Object{anyCheck{}},
		Attributes: map[string]schema.Attribute{
			"tcp": schema.ListNestedAttribute{
				MarkdownDescription: "Ports that have to take a TCP connection.",
				Optional:            true,
				Validators:          []validator.List{shownList{listvalidator.SizeAtLeast(1)}, shownList{listvalidator.NoNullValues()}},
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"host": host(),
					"port": schema.Int64Attribute{MarkdownDescription: "Port, from 1 to 65535.", Required: true, Validators: []validator.Int64{portRule}},
				}},
			},
			"http": schema.ListNestedAttribute{
				MarkdownDescription: "URLs that have to give the right answer to a GET request.",
				Optional:            true,
				Validators:          []validator.List{shownList{listvalidator.SizeAtLeast(1)}, shownList{listvalidator.NoNullValues()}},
				NestedObject:        schema.NestedAttributeObject{Attributes: httpAttributes()},
			},
			"ssh_banner": schema.ListNestedAttribute{
				MarkdownDescription: "Ports that have to answer with an SSH banner: a sign of life of the whole system, without credentials.",
				Optional:            true,
				Validators:          []validator.List{shownList{listvalidator.SizeAtLeast(1)}, shownList{listvalidator.NoNullValues()}},
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
				MarkdownDescription: "Time between the starts of two rounds of checks, such as `10s`. Defaults to `5s`.",
				Optional:            true, Computed: true, Default: stringdefault.StaticString("5s"),
				Validators: []validator.String{intervalRule},
			},
			"timeout": schema.StringAttribute{
				MarkdownDescription: "The moved server must pass within this time, such as `10m`. Include the time that it needs to boot. Defaults to `5m`.",
				Optional:            true, Computed: true, Default: stringdefault.StaticString("5m"),
				Validators: []validator.String{timeoutRule},
			},
			"check_timeout": schema.StringAttribute{
				MarkdownDescription: "Time for one try of one check, such as `30s`. At most `timeout`. Defaults to `10s`, or to `timeout` where that is shorter.",
				Optional:            true,
				Validators:          []validator.String{checkTimeoutRule},
			},
			"preflight": schema.BoolAttribute{
				MarkdownDescription: "Whether the server has to pass on its present host before it is moved. " +
					"If it does not pass, the apply fails and nothing is sent to the server. Set it to `false` to move a server because it is sick. " +
					"A migration that is taken over has no preflight. Defaults to `true`.",
				Optional: true, Computed: true, Default: booldefault.StaticBool(true),
			},
			"preflight_timeout": schema.StringAttribute{
				MarkdownDescription: "The server must pass within this time before it is moved, such as `1m`. " +
					"Defaults to `30s`, or to `successes` times `interval` where that is longer.",
				Optional:   true,
				Validators: []validator.String{timeoutRule},
			},
			"successes": schema.Int64Attribute{
				MarkdownDescription: "How many rounds in a row all checks have to pass, each on a new connection. Defaults to `3`.",
				Optional:            true, Computed: true, Default: int64default.StaticInt64(verification.DefaultSuccesses),
				Validators: []validator.Int64{successesRule},
			},
			"on_failure": schema.StringAttribute{
				MarkdownDescription: "What happens to the migration of a moved server that does not pass. `keep` leaves it awaiting confirmation. With `auto_confirm = true` the apply fails, and the next apply tests the server again. " +
					"`revert` brings the server back to its original host, and the apply fails. A destroy never reverts because of it. " +
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
			Validators:          []validator.List{shownList{listvalidator.SizeAtLeast(1)}, shownList{listvalidator.NoNullValues()}, listvalidator.ValueInt64sAre(statusCodeRule)},
		},
		"body_contains": schema.StringAttribute{
			MarkdownDescription: "Text that the answer has to contain, in its first MiB.",
			Optional:            true,
		},
		"headers": schema.MapAttribute{
			MarkdownDescription: "Headers to send. They are kept in the state, though not shown: put secrets in `headers_wo`.",
			ElementType:         types.StringType,
			Optional:            true,
			Sensitive:           true,
			Validators:          []validator.Map{mapvalidator.NoNullValues()},
		},
		"headers_wo": schema.MapAttribute{
			MarkdownDescription: "Headers to send that are not kept in plan or state (write-only), such as `Authorization`; they win over `headers` of the same name. " +
				"A destroy does not have them. Where write-only arguments are not supported, before Terraform 1.11 and OpenTofu 1.11, use `headers`, and protect the state.",
			ElementType: types.StringType,
			Optional:    true,
			Sensitive:   true,
			WriteOnly:   true,
			Validators:  []validator.Map{mapvalidator.NoNullValues()},
		},
		"tls_server_name": schema.StringAttribute{
			MarkdownDescription: "Name that the certificate of the URL's host has to be for. Defaults to that host.",
			Optional:            true,
		},
		"ca_certificate": schema.StringAttribute{
			MarkdownDescription: "Certificates of the authorities to trust, in PEM form. Defaults to the system's.",
			Optional:            true,
			Validators:          []validator.String{certificateRule},
		},
		"follow_redirects": schema.BoolAttribute{
			MarkdownDescription: "Whether to follow redirects, at most 10 of them. Headers are sent to the scheme, host and port of `url` alone. Defaults to `false`: a redirect is judged by its status code.",
			Optional:            true, Computed: true, Default: booldefault.StaticBool(false),
		},
	}
}

func verificationResult() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Result of the last test of the moved server. The preflight is not recorded here. Null if there was no test.",
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
					"passed":     schema.BoolAttribute{MarkdownDescription: "Whether it passed in enough rounds in a row.", Computed: true},
					"attempts":   schema.Int64Attribute{MarkdownDescription: "How often it was tried.", Computed: true},
					"last_error": schema.StringAttribute{MarkdownDescription: "Error of the most recent failed try, in plain words. Null if no try failed.", Computed: true},
				}},
			},
		},
	}
}
