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

const hostDescription = "Host name or address (IPv4 or IPv6). Defaults to the server's access address. If it has none, the public or else the private address is used."

func verificationAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Test that the server must pass before it is moved, and again on its new host. The provider confirms a migration only if its server has passed. " +
			"All checks run at the same time on the machine that runs Terraform. The server passes after all checks pass several times in a row. " +
			"A server that does not pass before the move is not moved, unless `preflight` is `false`. A server that is shut off cannot pass. " +
			"`on_failure` says what happens to a moved server that does not pass. `verification_result` has the result. " +
			"By default there is no test. " +
			"A change while the migration awaits confirmation tests the server again. A change of only `on_failure`, `preflight` or `preflight_timeout` sends nothing.",
		Optional:   true,
		Validators: []validator.Object{anyCheck{}},
		Attributes: map[string]schema.Attribute{
			"tcp": schema.ListNestedAttribute{
				MarkdownDescription: "Ports that must accept a TCP connection.",
				Optional:            true,
				Validators:          []validator.List{shownList{listvalidator.SizeAtLeast(1)}, shownList{listvalidator.NoNullValues()}},
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"host": host(),
					"port": schema.Int64Attribute{MarkdownDescription: "Port, from 1 to 65535.", Required: true, Validators: []validator.Int64{portRule}},
				}},
			},
			"http": schema.ListNestedAttribute{
				MarkdownDescription: "URLs that must give the right answer to a GET request.",
				Optional:            true,
				Validators:          []validator.List{shownList{listvalidator.SizeAtLeast(1)}, shownList{listvalidator.NoNullValues()}},
				NestedObject:        schema.NestedAttributeObject{Attributes: httpAttributes()},
			},
			"ssh_banner": schema.ListNestedAttribute{
				MarkdownDescription: "Ports that must answer with an SSH banner. This shows that the system runs, and needs no credentials.",
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
				MarkdownDescription: "Time from the start of one round of checks to the start of the next one, such as `10s`. Defaults to `5s`.",
				Optional:            true, Computed: true, Default: stringdefault.StaticString("5s"),
				Validators: []validator.String{intervalRule},
			},
			"timeout": schema.StringAttribute{
				MarkdownDescription: "The moved server must pass within this time, such as `10m`. Include the time that it needs to boot. Defaults to `5m`.",
				Optional:            true, Computed: true, Default: stringdefault.StaticString("5m"),
				Validators: []validator.String{timeoutRule},
			},
			"check_timeout": schema.StringAttribute{
				MarkdownDescription: "Time for one try of one check, such as `30s`. It can be at most `timeout`. Defaults to `10s`, or to `timeout` if that is shorter.",
				Optional:            true,
				Validators:          []validator.String{checkTimeoutRule},
			},
			"preflight": schema.BoolAttribute{
				MarkdownDescription: "Whether the server must pass the test on its present host before it is moved. " +
					"If it does not pass, the apply fails, and no migration is requested. Set it to `false` to move a server that does not work. " +
					"A migration that is taken over has no preflight. Defaults to `true`.",
				Optional: true, Computed: true, Default: booldefault.StaticBool(true),
			},
			"preflight_timeout": schema.StringAttribute{
				MarkdownDescription: "The server must pass within this time before it is moved, such as `1m`. " +
					"Defaults to `30s`, or to `successes` times `interval` if that is longer.",
				Optional:   true,
				Validators: []validator.String{timeoutRule},
			},
			"successes": schema.Int64Attribute{
				MarkdownDescription: "Number of rounds in a row in which all checks must pass, each on a new connection. Defaults to `3`.",
				Optional:            true, Computed: true, Default: int64default.StaticInt64(verification.DefaultSuccesses),
				Validators: []validator.Int64{successesRule},
			},
			"on_failure": schema.StringAttribute{
				MarkdownDescription: "What to do to the migration if the moved server does not pass. `keep` leaves it awaiting confirmation. With `auto_confirm = true` the apply then fails, and the next apply tests the server again. With `auto_confirm = false` there is a warning. " +
					"`revert` reverts the migration, and the apply fails. A destroy never reverts because of this argument. " +
					"**A revert brings the original disk back. What the server has written to its local disks since the migration is lost.** Defaults to `keep`.",
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
			MarkdownDescription: "`http` or `https` URL. Without a host, as in `http://:8080/healthz`, it uses the server's access address. If the server has none, it uses the public or else the private address.",
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
			MarkdownDescription: "Text that the first MiB of the answer must contain. By default the text is not checked.",
			Optional:            true,
		},
		"headers": schema.MapAttribute{
			MarkdownDescription: "Headers to send. The plan and the state keep them, although Terraform does not show them. Put secrets into `headers_wo`.",
			ElementType:         types.StringType,
			Optional:            true,
			Sensitive:           true,
			Validators:          []validator.Map{mapvalidator.NoNullValues()},
		},
		"headers_wo": schema.MapAttribute{
			MarkdownDescription: "Secret headers to send, such as `Authorization`. Neither the plan nor the state keeps them (write-only). They win over `headers` of the same name. " +
				"A destroy does not have them, so they cannot be used with `on_destroy = \"confirm\"`. They need Terraform 1.11 or OpenTofu 1.11. With an earlier version use `headers`, and protect the state.",
			ElementType: types.StringType,
			Optional:    true,
			Sensitive:   true,
			WriteOnly:   true,
			Validators:  []validator.Map{mapvalidator.NoNullValues()},
		},
		"tls_server_name": schema.StringAttribute{
			MarkdownDescription: "Name that must be in the certificate of the URL's host. Defaults to that host.",
			Optional:            true,
		},
		"ca_certificate": schema.StringAttribute{
			MarkdownDescription: "Certificates of the authorities to trust, in PEM form. Defaults to the authorities that the system trusts.",
			Optional:            true,
			Validators:          []validator.String{certificateRule},
		},
		"follow_redirects": schema.BoolAttribute{
			MarkdownDescription: "Whether to follow redirects, at most 10 of them. Headers are sent only to the scheme, host and port of `url`. Defaults to `false`, which checks the status code of the redirect itself.",
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
			"checked_at": schema.StringAttribute{MarkdownDescription: "When the test ended (RFC 3339, UTC, by the clock of the machine that ran Terraform).", Computed: true},
			"checks": schema.ListNestedAttribute{
				MarkdownDescription: "Result of each check, in the order `tcp`, `http`, `ssh_banner`.",
				Computed:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"name":       schema.StringAttribute{MarkdownDescription: "Place of the check in `verification`, such as `http[0]`.", Computed: true},
					"target":     schema.StringAttribute{MarkdownDescription: "Address of the check, or its URL without the query.", Computed: true},
					"passed":     schema.BoolAttribute{MarkdownDescription: "Whether the check passed in enough rounds in a row.", Computed: true},
					"attempts":   schema.Int64Attribute{MarkdownDescription: "Number of tries of the check.", Computed: true},
					"last_error": schema.StringAttribute{MarkdownDescription: "Why the most recent failed try failed. Null if no try failed.", Computed: true},
				}},
			},
		},
	}
}
