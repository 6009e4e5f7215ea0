package servermigration

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/durations"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/verification"
)

// What on_failure can be.
const (
	onFailureKeep   = "keep"
	onFailureRevert = "revert"
)

type verificationModel struct {
	TCP       []tcpModel   `tfsdk:"tcp"`
	HTTP      []httpModel  `tfsdk:"http"`
	SSHBanner []sshModel   `tfsdk:"ssh_banner"`
	Interval  types.String `tfsdk:"interval"`
	Timeout   types.String `tfsdk:"timeout"`
	Successes types.Int64  `tfsdk:"successes"`
	OnFailure types.String `tfsdk:"on_failure"`
}

type tcpModel struct {
	Host types.String `tfsdk:"host"`
	Port types.Int64  `tfsdk:"port"`
}

type sshModel struct {
	Host types.String `tfsdk:"host"`
	Port types.Int64  `tfsdk:"port"`
}

type httpModel struct {
	URL             types.String      `tfsdk:"url"`
	StatusCodes     []int             `tfsdk:"status_codes"`
	BodyContains    types.String      `tfsdk:"body_contains"`
	Headers         map[string]string `tfsdk:"headers"`
	HeadersWO       map[string]string `tfsdk:"headers_wo"`
	TLSServerName   types.String      `tfsdk:"tls_server_name"`
	CACertificate   types.String      `tfsdk:"ca_certificate"`
	FollowRedirects types.Bool        `tfsdk:"follow_redirects"`
}

// ValidateConfig refuses a verification that cannot be carried out, as soon as all
// of it is known. The validators of its arguments do not wait for that, and may have
// found the same: the framework shows equal errors once.
func (r *serverMigration) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var configured types.Object
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("verification"), &configured)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if value, err := configured.ToTerraformValue(ctx); err != nil || !value.IsFullyKnown() {
		return
	}
	_, diags := testOf(ctx, configured)
	resp.Diagnostics.Append(diags...)
}

// testOf is what a configured verification asks for; nil where there is none.
func testOf(ctx context.Context, configured types.Object) (*migration.Verification, diag.Diagnostics) {
	if configured.IsNull() {
		return nil, nil
	}
	var m verificationModel
	diags := configured.As(ctx, &m, basetypes.ObjectAsOptions{})
	if diags.HasError() {
		return nil, diags
	}
	plan := verification.Plan{
		Interval:  duration("interval", m.Interval, verification.DefaultInterval, &diags),
		Timeout:   duration("timeout", m.Timeout, verification.DefaultTimeout, &diags),
		Successes: number(m.Successes, verification.DefaultSuccesses),
	}
	for _, check := range m.TCP {
		plan.TCP = append(plan.TCP, verification.TCP{Host: check.Host.ValueString(), Port: int(check.Port.ValueInt64())})
	}
	for _, check := range m.SSHBanner {
		plan.SSHBanner = append(plan.SSHBanner, verification.SSHBanner{Host: check.Host.ValueString(), Port: number(check.Port, verification.DefaultSSHPort)})
	}
	for _, check := range m.HTTP {
		headers := maps.Clone(check.Headers)
		if headers == nil {
			headers = map[string]string{}
		}
		maps.Copy(headers, check.HeadersWO)
		plan.HTTP = append(plan.HTTP, verification.HTTP{
			URL: check.URL.ValueString(), StatusCodes: check.StatusCodes, BodyContains: check.BodyContains.ValueString(), Headers: headers,
			TLSServerName: check.TLSServerName.ValueString(), CACertificate: check.CACertificate.ValueString(),
			FollowRedirects: check.FollowRedirects.ValueBool(),
		})
	}
	if diags.HasError() {
		return nil, diags
	}
	for _, problem := range plan.Validate() {
		diags.Append(invalid(problem))
	}
	return &migration.Verification{Plan: plan, Revert: m.OnFailure.ValueString() == onFailureRevert}, diags
}

// invalid names the argument that a problem is with.
func invalid(problem verification.Problem) diag.Diagnostic {
	at := path.Root("verification")
	for _, step := range problem.Path {
		if index, ok := step.(int); ok {
			at = at.AtListIndex(index)
		} else {
			at = at.AtName(fmt.Sprint(step))
		}
	}
	return invalidAt(at, problem.Text)
}

func duration(name string, value types.String, unset time.Duration, diags *diag.Diagnostics) time.Duration {
	if value.IsNull() {
		return unset
	}
	parsed, problem := durations.Parse(value.ValueString())
	if problem != "" {
		diags.Append(invalid(verification.Problem{Path: []any{name}, Text: problem}))
	}
	return parsed
}

func number(value types.Int64, unset int) int {
	if value.IsNull() {
		return unset
	}
	return int(value.ValueInt64())
}

var (
	checkTypes = map[string]attr.Type{
		"name": types.StringType, "target": types.StringType, "passed": types.BoolType,
		"attempts": types.Int64Type, "last_error": types.StringType,
	}
	resultTypes = map[string]attr.Type{
		"passed": types.BoolType, "checked_at": types.StringType,
		"checks": types.ListType{ElemType: types.ObjectType{AttrTypes: checkTypes}},
	}
)

// resultOf is a verification's result as the state holds it.
func resultOf(result *verification.Result) types.Object {
	if result == nil {
		return types.ObjectNull(resultTypes)
	}
	checks := []attr.Value{}
	for _, check := range result.Checks {
		checks = append(checks, types.ObjectValueMust(checkTypes, map[string]attr.Value{
			"name": types.StringValue(check.Name), "target": types.StringValue(check.Target), "passed": types.BoolValue(check.Passed),
			"attempts": types.Int64Value(int64(check.Attempts)), "last_error": optional(check.LastError),
		}))
	}
	return types.ObjectValueMust(resultTypes, map[string]attr.Value{
		"passed": types.BoolValue(result.Passed), "checked_at": timestamp(result.CheckedAt),
		"checks": types.ListValueMust(types.ObjectType{AttrTypes: checkTypes}, checks),
	})
}

// hasFailed tells whether a recorded result says that the server did not pass.
func hasFailed(result types.Object) bool {
	passed, known := result.Attributes()["passed"].(types.Bool)
	return known && !passed.IsNull() && !passed.IsUnknown() && !passed.ValueBool()
}
