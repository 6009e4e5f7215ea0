package servermigration

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// planner makes plans, as Terraform does in one process of the provider.
type planner struct {
	t        *testing.T
	resource *serverMigration
	schema   resource.SchemaResponse
}

func newPlanner(t *testing.T) *planner {
	cloud := stub.New(stub.Config{})
	cloud.AddServer(stub.Server{ID: sample.ServerID, Name: sample.ServerName})
	engine := engineOn(t, cloud.Transport())
	p := &planner{t: t, resource: &serverMigration{config: &Config{Engine: engine}, engine: engine}}
	p.resource.Schema(t.Context(), resource.SchemaRequest{}, &p.schema)
	return p
}

// raw is a model as a configuration, state or plan. Without a model it is null.
func (p *planner) raw(m *model) tftypes.Value {
	state := tfsdk.State{Schema: p.schema.Schema, Raw: tftypes.NewValue(p.schema.Schema.Type().TerraformType(p.t.Context()), nil)}
	if m != nil {
		if diags := state.Set(p.t.Context(), m); diags.HasError() {
			p.t.Fatal(diags)
		}
	}
	return state.Raw
}

func (p *planner) plan(state, plan *model) resource.ModifyPlanResponse {
	req := resource.ModifyPlanRequest{
		Config: tfsdk.Config{Schema: p.schema.Schema, Raw: p.raw(plan)},
		State:  tfsdk.State{Schema: p.schema.Schema, Raw: p.raw(state)},
		Plan:   tfsdk.Plan{Schema: p.schema.Schema, Raw: p.raw(plan)},
	}
	resp := resource.ModifyPlanResponse{Plan: req.Plan}
	p.resource.ModifyPlan(p.t.Context(), req, &resp)
	return resp
}

// planned is a model whose computed attributes are not known yet.
func planned() *model {
	m := imported(sample)
	m.Region = types.StringValue("ORD")
	m.expectAnotherMigration()
	return &m
}

func TestPlan_refusesToDestroyAndCreateForOneServerInAnyOrder(t *testing.T) {
	recent := settledSample(migration.StatusConfirmed, "")
	recent.SettledAt = time.Now().Add(-23 * time.Hour)
	old := settledSample(migration.StatusConfirmed, "")
	old.SettledAt = time.Now().Add(-25 * time.Hour)
	for _, test := range []struct {
		name  string
		was   migration.Migration
		wants string // a text of the error of one of the two calls; empty: no error
	}{
		{"pending", sample, "change triggers"},
		{"confirmed lately", recent, "keep the resource and change triggers"},
		{"confirmed long ago", old, ""},
		{"reverted", settledSample(migration.StatusReverted, "user-7"), ""},
	} {
		destroys := func(p *planner) diag.Diagnostics {
			state := imported(test.was)
			return p.plan(&state, nil).Diagnostics
		}
		creates := func(p *planner) diag.Diagnostics { return p.plan(nil, planned()).Diagnostics }
		for name, calls := range map[string][]func(*planner) diag.Diagnostics{
			"destroyed first": {destroys, creates}, "created first": {creates, destroys},
		} {
			t.Run(test.name+", "+name, func(t *testing.T) {
				p := newPlanner(t)
				var errors diag.Diagnostics
				for _, call := range calls {
					errors.Append(call(p).Errors()...)
				}
				if failed := errors.HasError(); failed != (test.wants != "") {
					t.Fatalf("got errors %v, want one: %t", errors, test.wants != "")
				}
				for _, d := range errors {
					if !strings.Contains(d.Detail(), test.wants) || !strings.Contains(d.Detail(), "moved block") {
						t.Errorf("got %s, want that it names %q and the moved block", d.Detail(), test.wants)
					}
				}
			})
		}
	}
}

func TestPlan_refusesToReplaceOnlyAMigrationThatIsPending(t *testing.T) {
	recent := settledSample(migration.StatusConfirmed, "")
	recent.SettledAt = time.Now().Add(-time.Hour)
	for _, test := range []struct {
		name    string
		was     migration.Migration
		refused bool
	}{{"pending", sample, true}, {"confirmed", recent, false}} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlanner(t)
			state := imported(test.was)
			if first := p.plan(&state, &state); len(first.Diagnostics) > 0 {
				t.Errorf("got %v for the first call, which shows no change, want nothing", first.Diagnostics)
			}
			second := p.plan(nil, planned())
			if second.Diagnostics.HasError() != test.refused {
				t.Errorf("got %v for the second call, want an error: %t", second.Diagnostics, test.refused)
			}
		})
	}
}

func TestPlan_saysWhatAChangeOfTriggersDoes(t *testing.T) {
	for _, test := range []struct {
		name      string
		was       migration.Migration
		onDestroy types.String
		severity  diag.Severity
		says      string
	}{
		{"the migration is confirmed", settledSample(migration.StatusConfirmed, ""), types.StringValue("none"), diag.SeverityWarning, "Its migration is confirmed"},
		{"confirm", sample, types.StringValue("confirm"), diag.SeverityWarning, "first confirms the pending migration"},
		{"revert", sample, types.StringValue("revert"), diag.SeverityWarning, "first reverts the pending migration"},
		{"none", sample, types.StringValue("none"), diag.SeverityError, "auto_confirm = true"},
		{"unknown", sample, types.StringUnknown(), diag.SeverityWarning, "not known yet"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlanner(t)
			state := imported(test.was)
			plan := state
			plan.Triggers = types.MapValueMust(types.StringType, map[string]attr.Value{"n": types.StringValue("2")})
			plan.OnDestroy = test.onDestroy

			got := p.plan(&state, &plan)

			if len(got.Diagnostics) != 1 || got.Diagnostics[0].Severity() != test.severity || !strings.Contains(got.Diagnostics[0].Detail(), test.says) {
				t.Errorf("got %v, want one of severity %s that says %q", got.Diagnostics, test.severity, test.says)
			}
			if test.severity == diag.SeverityError {
				return
			}
			for _, name := range []string{
				"id", "status", "server_status", "server_name", "request_id", "source_host_id", "destination_host_id", "requested_at", "confirm_by", "settled_at",
			} {
				var value types.String
				if diags := got.Plan.GetAttribute(t.Context(), path.Root(name), &value); diags.HasError() || !value.IsUnknown() {
					t.Errorf("got %s for %s (%v), want that it is unknown", value, name, diags)
				}
			}
			var result types.Object
			if diags := got.Plan.GetAttribute(t.Context(), path.Root("verification_result"), &result); diags.HasError() || !result.IsUnknown() {
				t.Errorf("got %s for verification_result (%v), want that it is unknown", result, diags)
			}
		})
	}
}

func TestPlan_treatsAnotherRegionAsAnotherServer(t *testing.T) {
	p := newPlanner(t)
	state, plan := imported(sample), planned()
	plan.Region = types.StringValue("DFW")
	if first := p.plan(&state, plan); first.Diagnostics.HasError() {
		t.Errorf("got %v for the first call, want no error", first.Diagnostics)
	}
	second := p.plan(nil, plan)
	if len(second.Diagnostics) != 1 || second.Diagnostics[0].Summary() != "There is no server "+sample.ServerID {
		t.Errorf("got %v for the second call, want that there is no such server in DFW", second.Diagnostics)
	}
}

func TestPlan_remindsOfAServerThatDidNotPass(t *testing.T) {
	p := newPlanner(t)
	m := settledSample(migration.StatusConfirmed, "user-7")
	m.ServerStatus, m.VerificationResult = cloudservers.StatusActive, failedTest()
	state := imported(m)
	for _, auto := range []bool{true, false} {
		state.AutoConfirm = types.BoolValue(auto)
		if got := p.plan(&state, &state).Diagnostics; (len(got) == 1) != auto || got.HasError() {
			t.Errorf("got %v with auto_confirm = %t, want one warning: %t", got, auto, auto)
		}
	}
}

func TestPlan_saysWhatAnAutoConfirmOfTheApplyMayDo(t *testing.T) {
	p := newPlanner(t)
	state := imported(sample)
	plan := state
	plan.AutoConfirm = types.BoolUnknown()
	got := p.plan(&state, &plan).Diagnostics
	if len(got) != 1 || !strings.HasSuffix(got[0].Summary(), "may be confirmed") || strings.Contains(got[0].Detail(), "auto_confirm is true. ") {
		t.Errorf("got %v, want one warning that the migration may be confirmed", got)
	}
}
