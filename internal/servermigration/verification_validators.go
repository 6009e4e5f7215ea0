package servermigration

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/durations"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/verification"
)

// This file has the validators of the arguments of a verification. Each checks one argument
// as if all others were right, because they may not be known yet. The rules are those of
// verification.Plan.Validate.

// shownAt is the path with which every Terraform shows the line of a nested
// argument. Terraform 1.15 follows the path of verification.tcp[0].port to its end,
// and ignores what comes after it. Terraform 1.11 and OpenTofu cannot follow it, and
// would show the first line of the resource. They only look at the last two steps,
// and find an argument of the resource and one key in it, so these two are appended:
// verification["tcp"].
func shownAt(at path.Path) path.Path {
	steps := at.Steps()
	if len(steps) < 2 {
		return at
	}
	root, isRoot := steps[0].(path.PathStepAttributeName)
	key, isKey := steps[1].(path.PathStepAttributeName)
	if !isRoot || !isKey {
		return at
	}
	return at.AtName(string(root)).AtMapKey(string(key))
}

// invalidAt names an argument of a verification, and says what is wrong with it.
func invalidAt(at path.Path, problem string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(shownAt(at), "Invalid verification", fmt.Sprintf("The argument %s %s", at, problem))
}

// problemsAfter says what is wrong with a verification that was right before change.
func problemsAfter(at path.Path, change func(*verification.Plan)) diag.Diagnostics {
	plan := verification.Plan{
		TCP:      []verification.TCP{{Port: verification.DefaultSSHPort}},
		HTTP:     []verification.HTTP{{URL: "https://app.example.com"}},
		Interval: verification.DefaultInterval, Timeout: math.MaxInt64, Successes: 1,
	}
	change(&plan)
	var diags diag.Diagnostics
	for _, problem := range plan.Validate() {
		diags.Append(invalidAt(at, problem.Text))
	}
	return diags
}

// undescribed is the part of a validator that only generated documentation uses.
type undescribed struct{}

func (undescribed) Description(context.Context) string         { return "" }
func (undescribed) MarkdownDescription(context.Context) string { return "" }

// numberRule, textRule and durationRule check the value of an argument. set puts the value
// into a plan that is otherwise right.
type (
	numberRule struct {
		undescribed
		set func(p *verification.Plan, value int)
	}
	textRule struct {
		undescribed
		set func(p *verification.Plan, value string)
	}
	durationRule struct {
		undescribed
		set func(p *verification.Plan, value time.Duration)
	}
)

func (v numberRule) ValidateInt64(_ context.Context, req validator.Int64Request, resp *validator.Int64Response) {
	if isKnown(req.ConfigValue) {
		resp.Diagnostics.Append(problemsAfter(req.Path, func(p *verification.Plan) { v.set(p, int(req.ConfigValue.ValueInt64())) })...)
	}
}

func (v textRule) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if isKnown(req.ConfigValue) {
		resp.Diagnostics.Append(problemsAfter(req.Path, func(p *verification.Plan) { v.set(p, req.ConfigValue.ValueString()) })...)
	}
}

func (v durationRule) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if !isKnown(req.ConfigValue) {
		return
	}
	value, problem := durations.Parse(req.ConfigValue.ValueString())
	if problem != "" {
		resp.Diagnostics.Append(invalidAt(req.Path, problem))
		return
	}
	resp.Diagnostics.Append(problemsAfter(req.Path, func(p *verification.Plan) { v.set(p, value) })...)
}

var (
	portRule      = numberRule{set: func(p *verification.Plan, port int) { p.TCP[0].Port = port }}
	successesRule = numberRule{set: func(p *verification.Plan, successes int) { p.Successes = successes }}
	intervalRule  = durationRule{set: func(p *verification.Plan, interval time.Duration) { p.Interval = interval }}
	timeoutRule   = durationRule{set: func(p *verification.Plan, timeout time.Duration) { p.Timeout = timeout }}

	// In a plan, 0 means the default. So that 0 is refused, the rule checks 1 ns less.
	checkTimeoutRule = durationRule{set: func(p *verification.Plan, timeout time.Duration) { p.CheckTimeout = timeout - 1 }}

	urlRule         = textRule{set: func(p *verification.Plan, url string) { p.HTTP[0].URL = url }}
	certificateRule = textRule{set: func(p *verification.Plan, pem string) { p.HTTP[0].CACertificate = pem }}
	statusCodeRule  = numberRule{set: func(p *verification.Plan, code int) { p.HTTP[0].StatusCodes = []int{code} }}
)

// anyCheck refuses a verification without a check.
type anyCheck struct{ undescribed }

func (anyCheck) ValidateObject(_ context.Context, req validator.ObjectRequest, resp *validator.ObjectResponse) {
	if !isKnown(req.ConfigValue) {
		return
	}
	for _, kind := range []string{"tcp", "http", "ssh_banner"} {
		if !req.ConfigValue.Attributes()[kind].IsNull() {
			return
		}
	}
	resp.Diagnostics.Append(problemsAfter(req.Path, func(p *verification.Plan) { p.TCP, p.HTTP = nil, nil })...)
}

func isKnown(value attr.Value) bool { return !value.IsNull() && !value.IsUnknown() }

// shownText and shownList are validators whose errors Terraform shows at the line of
// the argument.
type (
	shownText struct{ validator.String }
	shownList struct{ validator.List }
)

func (v shownText) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	var inner validator.StringResponse
	v.String.ValidateString(ctx, req, &inner)
	resp.Diagnostics.Append(shown(inner.Diagnostics)...)
}

func (v shownList) ValidateList(ctx context.Context, req validator.ListRequest, resp *validator.ListResponse) {
	var inner validator.ListResponse
	v.List.ValidateList(ctx, req, &inner)
	resp.Diagnostics.Append(shown(inner.Diagnostics)...)
}

func shown(diags diag.Diagnostics) diag.Diagnostics {
	var moved diag.Diagnostics
	for _, d := range diags {
		if with, ok := d.(diag.DiagnosticWithPath); ok {
			d = diag.WithPath(shownAt(with.Path()), d)
		}
		moved.Append(d)
	}
	return moved
}
