package servermigration

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

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
	verificationArguments
	HTTP []httpModel `tfsdk:"http"`
}

// verificationArguments are those that the verifications of resources and actions have
// in common.
type verificationArguments struct {
	TCP              []tcpModel   `tfsdk:"tcp"`
	SSHBanner        []sshModel   `tfsdk:"ssh_banner"`
	Interval         types.String `tfsdk:"interval"`
	Timeout          types.String `tfsdk:"timeout"`
	CheckTimeout     types.String `tfsdk:"check_timeout"`
	Successes        types.Int64  `tfsdk:"successes"`
	Preflight        types.Bool   `tfsdk:"preflight"`
	PreflightTimeout types.String `tfsdk:"preflight_timeout"`
	OnFailure        types.String `tfsdk:"on_failure"`
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
	httpArguments
	HeadersWO map[string]string `tfsdk:"headers_wo"`
}

type httpArguments struct {
	URL             types.String      `tfsdk:"url"`
	StatusCodes     []int             `tfsdk:"status_codes"`
	BodyContains    types.String      `tfsdk:"body_contains"`
	Headers         map[string]string `tfsdk:"headers"`
	TLSServerName   types.String      `tfsdk:"tls_server_name"`
	CACertificate   types.String      `tfsdk:"ca_certificate"`
	FollowRedirects types.Bool        `tfsdk:"follow_redirects"`
}

// ValidateConfig refuses a verification that cannot be carried out, as soon as all
// of it is known. The validators of its arguments do not wait for that, and may have
// found the same: the framework shows equal errors once.
func (r *serverMigration) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var configured types.Object
	var onDestroy types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("verification"), &configured)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("on_destroy"), &onDestroy)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if onDestroy.ValueString() == string(migration.OnDestroyConfirm) {
		resp.Diagnostics.Append(refuseHeadersWO(configured)...)
	}
	if isComplete(ctx, configured) {
		_, diags := testOf(ctx, configured)
		resp.Diagnostics.Append(diags...)
	}
}

// isComplete tells whether all of a verification is known, and has no list of checks
// that is empty and no element that is null: their own validators refuse those.
func isComplete(ctx context.Context, configured types.Object) bool {
	value, err := configured.ToTerraformValue(ctx)
	if err != nil || !value.IsFullyKnown() || hasNullElement(value) {
		return false
	}
	for _, kind := range []string{"tcp", "http", "ssh_banner"} {
		if checks, ok := configured.Attributes()[kind].(types.List); ok && !checks.IsNull() && len(checks.Elements()) == 0 {
			return false
		}
	}
	return true
}

// hasNullElement tells whether an element of a list or map in a value is null.
func hasNullElement(value tftypes.Value) bool {
	found := false
	_ = tftypes.Walk(value, func(at *tftypes.AttributePath, value tftypes.Value) (bool, error) {
		switch at.LastStep().(type) {
		case tftypes.ElementKeyInt, tftypes.ElementKeyString:
			found = found || value.IsNull()
		}
		return true, nil
	})
	return found
}

// refuseHeadersWO refuses a test before the confirmation of a destroy that would go
// without some of its headers.
func refuseHeadersWO(configured types.Object) diag.Diagnostics {
	checks, _ := configured.Attributes()["http"].(types.List)
	for i, check := range checks.Elements() {
		object, _ := check.(types.Object)
		if headers := object.Attributes()["headers_wo"]; headers != nil && !headers.IsNull() && !headers.IsUnknown() {
			return diag.Diagnostics{diag.NewAttributeErrorDiagnostic(shownAt(path.Root("verification").AtName("http").AtListIndex(i).AtName("headers_wo")),
				"headers_wo cannot be used with on_destroy = \"confirm\"",
				"A destroy tests the server before it confirms the migration, and Terraform does not give write-only arguments to a destroy. So the test would go without these headers. "+
					"Use headers, and protect the state. Or use another on_destroy.")}
		}
	}
	return nil
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
	return m.test()
}

// test is what a verification asks for.
func (m *verificationModel) test() (*migration.Verification, diag.Diagnostics) {
	var diags diag.Diagnostics
	plan := verification.Plan{
		Interval:     duration("interval", m.Interval, verification.DefaultInterval, &diags),
		Timeout:      duration("timeout", m.Timeout, verification.DefaultTimeout, &diags),
		CheckTimeout: duration("check_timeout", m.CheckTimeout, 0, &diags),
		Successes:    number(m.Successes, verification.DefaultSuccesses),
	}
	for _, check := range m.TCP {
		plan.TCP = append(plan.TCP, verification.TCP{Host: check.Host.ValueString(), Port: int(check.Port.ValueInt64())})
	}
	for _, check := range m.SSHBanner {
		plan.SSHBanner = append(plan.SSHBanner, verification.SSHBanner{Host: check.Host.ValueString(), Port: number(check.Port, verification.DefaultSSHPort)})
	}
	for _, check := range m.HTTP {
		plan.HTTP = append(plan.HTTP, verification.HTTP{
			URL: check.URL.ValueString(), StatusCodes: check.StatusCodes, BodyContains: check.BodyContains.ValueString(),
			Headers: check.Headers, HeadersWO: check.HeadersWO,
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
	return &migration.Verification{
		Plan: plan, Revert: m.OnFailure.ValueString() == onFailureRevert, Preflight: m.preflight(plan, &diags),
	}, diags
}

// defaultPreflight is how long a server may take to pass before it is moved: it runs
// already.
const defaultPreflight = 30 * time.Second

// preflight is how long the server may take to pass before it is moved; 0 where it is
// moved without.
func (m *verificationModel) preflight(plan verification.Plan, diags *diag.Diagnostics) time.Duration {
	needed := time.Duration(plan.Successes) * plan.Interval
	timeout := duration("preflight_timeout", m.PreflightTimeout, max(defaultPreflight, needed), diags)
	if !diags.HasError() && timeout <= needed-plan.Interval {
		diags.Append(invalid(verification.Problem{Path: []any{"preflight_timeout"},
			Text: fmt.Sprintf("is too short for %d successes in a row, %s apart.", plan.Successes, plan.Interval)}))
	}
	if !m.Preflight.IsNull() && !m.Preflight.ValueBool() {
		return 0
	}
	return timeout
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

// recordedResult is a result that the state holds; nil where there is none.
func recordedResult(ctx context.Context, recorded types.Object) (*verification.Result, diag.Diagnostics) {
	if recorded.IsNull() || recorded.IsUnknown() {
		return nil, nil
	}
	var m struct {
		Passed    types.Bool   `tfsdk:"passed"`
		CheckedAt types.String `tfsdk:"checked_at"`
		Checks    []struct {
			Name      types.String `tfsdk:"name"`
			Target    types.String `tfsdk:"target"`
			Passed    types.Bool   `tfsdk:"passed"`
			Attempts  types.Int64  `tfsdk:"attempts"`
			LastError types.String `tfsdk:"last_error"`
		} `tfsdk:"checks"`
	}
	diags := recorded.As(ctx, &m, basetypes.ObjectAsOptions{})
	at, _ := time.Parse(time.RFC3339, m.CheckedAt.ValueString()) // resultOf wrote it
	result := &verification.Result{Passed: m.Passed.ValueBool(), CheckedAt: at}
	for _, check := range m.Checks {
		result.Checks = append(result.Checks, verification.Check{
			Name: check.Name.ValueString(), Target: check.Target.ValueString(), Passed: check.Passed.ValueBool(),
			Attempts: int(check.Attempts.ValueInt64()), LastError: check.LastError.ValueString(),
		})
	}
	return result, diags
}

// hasFailed tells whether a result says that the server did not pass.
func hasFailed(result *verification.Result) bool { return result != nil && !result.Passed }

// testsAgain tells whether an update tests the server of a pending migration again:
// another verification has to be passed.
func testsAgain(ctx context.Context, plan, state *model) bool {
	if migration.Status(state.Status.ValueString()).Settled() || plan.Verification.IsNull() || plan.Verification.Equal(state.Verification) {
		return false
	}
	if value, err := plan.Verification.ToTerraformValue(ctx); err != nil || !value.IsFullyKnown() {
		return true
	}
	planned, _ := testOf(ctx, plan.Verification) // a wrong one was refused before
	recorded, _ := testOf(ctx, state.Verification)
	return recorded == nil || planned == nil || !reflect.DeepEqual(planned.Plan, recorded.Plan)
}
