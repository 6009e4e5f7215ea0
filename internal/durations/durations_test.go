package durations_test

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/durations"
)

func TestAtLeast_saysWhatIsWrong(t *testing.T) {
	const (
		units = ` The units are h (hours), m (minutes), s (seconds) and ms (milliseconds).`
		must  = `The argument poll_interval must be a duration such as "10s" or "1m30s", not `
	)
	tests := []struct {
		name  string
		value types.String
		least time.Duration
		want  string
	}{
		{"a duration", types.StringValue("1m30s"), time.Second, ""},
		{"the least", types.StringValue("1000ms"), time.Second, ""},
		{"nothing", types.StringNull(), time.Second, ""},
		{"not known yet", types.StringUnknown(), time.Second, ""},
		{"no unit", types.StringValue("10"), time.Second, must + `"10". It lacks a unit: write "10s" for seconds, or "10m" for minutes.`},
		{"no unit after a fraction", types.StringValue("1.5"), 0, must + `"1.5". It lacks a unit: write "1.5s" for seconds, or "1.5m" for minutes.`},
		{"no unit at the end", types.StringValue("1m30"), time.Second, must + `"1m30". Its last number lacks a unit: write "1m30s" if seconds are meant.`},
		{"a word", types.StringValue("tomorrow"), time.Second, must + `"tomorrow".` + units},
		{"days", types.StringValue("1d"), time.Second, must + `"1d".` + units},
		{"an empty text", types.StringValue(""), 0, must + `"".` + units},
		{"a unit alone", types.StringValue("m"), 0, must + `"m".` + units},
		{"too little", types.StringValue("50ms"), 100 * time.Millisecond, `The argument poll_interval must be at least 100ms, not "50ms".`},
		{"a negative one", types.StringValue("-1s"), 0, `The argument poll_interval must not be negative, as "-1s" is.`},
		{"zero", types.StringValue("0s"), durations.Positive, `The argument poll_interval must be greater than 0, not "0s".`},
		{"zero, where it is meant", types.StringValue("0s"), 0, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var resp validator.StringResponse
			at := path.Root("poll_interval")
			durations.AtLeast(test.least).ValidateString(t.Context(), validator.StringRequest{Path: at, ConfigValue: test.value}, &resp)
			got := ""
			for _, d := range resp.Diagnostics.Errors() {
				got += d.Detail()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestRead_returnsTheDuration(t *testing.T) {
	got, diags := durations.Read(path.Root("confirm_within"), types.StringValue("2h"), durations.Positive)
	if got != 2*time.Hour || diags.HasError() {
		t.Errorf("got %s (%v), want 2h", got, diags)
	}
}
