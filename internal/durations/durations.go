// Package durations reads the arguments of a configuration that are durations,
// such as "1m30s", and says in plain words what is wrong with one.
package durations

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Positive is the least value of a duration that must be greater than 0.
const Positive = time.Nanosecond

// Parse reads a duration. The problem is empty if there is none. Otherwise it continues a
// sentence that begins with the name of the argument: must be a duration such as …
func Parse(text string) (value time.Duration, problem string) {
	value, err := time.ParseDuration(text)
	if err == nil {
		return value, ""
	}
	hint := "The units are h (hours), m (minutes), s (seconds) and ms (milliseconds)."
	switch _, err := time.ParseDuration(text + "s"); {
	case err == nil && strings.Trim(text, "0123456789.") == "":
		hint = fmt.Sprintf("It lacks a unit: write %q for seconds, or %q for minutes.", text+"s", text+"m")
	case err == nil:
		hint = fmt.Sprintf("Its last number lacks a unit: write %q if seconds are meant.", text+"s")
	}
	return 0, fmt.Sprintf(`must be a duration such as "10s" or "1m30s", not %q. %s`, text, hint)
}

// ParseAtLeast is Parse for a duration that must not be less than another one.
func ParseAtLeast(text string, least time.Duration) (value time.Duration, problem string) {
	value, problem = Parse(text)
	switch {
	case problem != "", value >= least:
		return value, problem
	case least == 0:
		return value, fmt.Sprintf("must not be negative, as %q is.", text)
	case least == Positive:
		return value, fmt.Sprintf("must be greater than 0, not %q.", text)
	}
	return value, fmt.Sprintf("must be at least %s, not %q.", least, text)
}

// Read reads an argument that has a known value. The diagnostics name the argument.
func Read(at path.Path, value types.String, least time.Duration) (time.Duration, diag.Diagnostics) {
	parsed, problem := ParseAtLeast(value.ValueString(), least)
	if problem != "" {
		return 0, diag.Diagnostics{diag.NewAttributeErrorDiagnostic(at, "Invalid duration", fmt.Sprintf("The argument %s %s", at, problem))}
	}
	return parsed, nil
}

// AtLeast returns a validator of arguments that are durations, and not less than
// another one.
func AtLeast(least time.Duration) validator.String { return atLeast(least) }

type atLeast time.Duration

func (least atLeast) Description(context.Context) string {
	return fmt.Sprintf(`a duration such as "10s" or "1m30s", of at least %s`, time.Duration(least))
}

func (least atLeast) MarkdownDescription(ctx context.Context) string { return least.Description(ctx) }

func (least atLeast) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	_, diags := Read(req.Path, req.ConfigValue, time.Duration(least))
	resp.Diagnostics.Append(diags...)
}
