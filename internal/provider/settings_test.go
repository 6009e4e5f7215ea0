package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// clearEnvironment unsets every variable that the provider reads.
func clearEnvironment(t *testing.T) {
	t.Helper()
	for _, variables := range environment {
		for _, variable := range variables {
			t.Setenv(variable, "")
		}
	}
}

func str(value string) types.String { return types.StringValue(value) }

func TestResolve_takesTheFirstVariableThatIsSet(t *testing.T) {
	for argument, variables := range environment {
		for i, variable := range variables {
			t.Run(variable, func(t *testing.T) {
				clearEnvironment(t)
				for _, later := range variables[i+1:] {
					t.Setenv(later, "later")
				}
				t.Setenv(variable, "first")
				s := &settings{block: map[string]attr.Value{argument: types.StringNull()}}
				want := setting{argument: argument, value: "first", variable: variable}
				if got := s.get(argument); got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
				s.block[argument] = str("block")
				if got := s.get(argument); got.value != "block" || got.variable != "" {
					t.Errorf("got %+v, want what the block says", got)
				}
			})
		}
	}
}

func TestResolve_hasTheDocumentedDefaults(t *testing.T) {
	clearEnvironment(t)
	got, diags := (&model{Username: str("demo"), APIKey: str("key")}).resolve()
	if diags.HasError() {
		t.Fatal(diags)
	}
	want := cloudservers.Config{
		Credentials: cloudservers.Credentials{
			Username: "demo", APIKey: "key",
			Origin: "username from the provider block and api_key from the provider block",
		},
		EndpointType: gophercloud.AvailabilityPublic, PollInterval: 2 * time.Second, RequestTimeout: time.Minute, MaxRetries: 5,
	}
	if diff := cmp.Diff(want, got.client); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if got.limits != (migration.Limits{}) {
		t.Errorf("got limits %+v, want none", got.limits)
	}
	if got.warnBefore != 6*time.Hour {
		t.Errorf("got warnings %s before, want 6h", got.warnBefore)
	}
}

func TestResolve_takesEveryArgument(t *testing.T) {
	clearEnvironment(t)
	t.Setenv("RACKSPACE_MAX_CONCURRENT_MIGRATIONS", "20")
	got, diags := (&model{
		StopAfterFailures: types.Int64Value(3), RequestsPerMinute: &ratesModel{Read: types.Int64Value(500)},
		Token: str("t"), TenantID: str("123456"), Region: str("dfw"),
		IdentityEndpoint: str("https://identity.example/v2.0/"), ComputeEndpoint: str("http://127.0.0.1:8774/v2/1"),
		EndpointType: str("internal"), PollInterval: str("5s"),
		RequestTimeout: str("10s"), WarnBefore: str("0s"), MaxRetries: types.Int64Value(0),
	}).resolve()
	if diags.HasError() {
		t.Fatal(diags)
	}
	want := cloudservers.Config{
		Credentials:      cloudservers.Credentials{Token: "t", TenantID: "123456", Origin: "token from the provider block"},
		Region:           "dfw",
		IdentityEndpoint: "https://identity.example/v2.0/", IdentityOrigin: "identity_endpoint in the provider block", ComputeEndpoint: "http://127.0.0.1:8774/v2/1",
		EndpointType: gophercloud.AvailabilityInternal, PollInterval: 5 * time.Second, RequestTimeout: 10 * time.Second,
		Rates: cloudservers.Rates{Read: 500},
	}
	if diff := cmp.Diff(want, got.client); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if want := (migration.Limits{Concurrent: 20, Failures: 3}); got.limits != want {
		t.Errorf("got limits %+v, want %+v", got.limits, want)
	}
	if got.warnBefore != 0 {
		t.Errorf("got warnings %s before, want none", got.warnBefore)
	}
}

func TestResolve_picksTheCredentials(t *testing.T) {
	tests := []struct {
		name  string
		block model
		env   map[string]string
		want  cloudservers.Credentials
	}{
		{
			"the API key before the password, both from the environment", model{},
			map[string]string{"OS_USERNAME": "u", "RAX_API_KEY": "k", "OS_PASSWORD": "p", "OS_TOKEN": "t"},
			cloudservers.Credentials{Username: "u", APIKey: "k", Origin: "username from the environment variable OS_USERNAME and api_key from the environment variable RAX_API_KEY"},
		},
		{
			"the block before the environment, whatever the kind", model{Password: str("p")},
			map[string]string{"RACKSPACE_USERNAME": "u", "RACKSPACE_API_KEY": "k"},
			cloudservers.Credentials{Username: "u", Password: "p", Origin: "username from the environment variable RACKSPACE_USERNAME and password from the provider block"},
		},
		{
			"a token with its tenant", model{},
			map[string]string{"RACKSPACE_TOKEN": "t", "RS_TENANT_ID": "1"},
			cloudservers.Credentials{Token: "t", TenantID: "1", Origin: "token from the environment variable RACKSPACE_TOKEN"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			clearEnvironment(t)
			for variable, value := range test.env {
				t.Setenv(variable, value)
			}
			got, diags := test.block.resolve()
			if diags.HasError() {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(test.want, got.client.Credentials); diff != "" {
				t.Errorf("credentials (-want +got):\n%s", diff)
			}
		})
	}
}

func TestResolve_namesTheArgumentAndTheVariablesOfWhatIsWrong(t *testing.T) {
	valid := func(change func(*model)) model {
		m := model{Username: str("demo"), APIKey: str("key")}
		change(&m)
		return m
	}
	tests := []struct {
		name  string
		block model
		env   map[string]string
		want  []string
	}{
		{"nothing", model{}, nil, []string{"No credentials", "username and api_key", "RACKSPACE_USERNAME", "RACKSPACE_API_KEY", "RACKSPACE_TOKEN"}},
		{"a key without a username", model{APIKey: str("key")}, nil, []string{"api_key from the provider block", "no username", "RS_USERNAME"}},
		{"a token without a tenant", model{}, map[string]string{"OS_TOKEN": "t"}, []string{"OS_TOKEN", "no tenant_id", "RACKSPACE_TENANT_ID"}},
		{"plain http", valid(func(m *model) { m.IdentityEndpoint = str("http://identity.example/v2.0/") }), nil, []string{"identity_endpoint", "https://", "identity.example", "loopback"}},
		{"plain http in the environment", valid(func(*model) {}), map[string]string{"RS_AUTH_URL": "http://10.0.0.1/v2.0"}, []string{"RS_AUTH_URL", "identity_endpoint", "10.0.0.1"}},
		{"plain http to a name that only looks local", valid(func(m *model) { m.ComputeEndpoint = str("http://localhost.example/v2") }), nil, []string{"compute_endpoint", "loopback"}},
		{"no URL", valid(func(m *model) { m.ComputeEndpoint = str("ord.servers") }), nil, []string{"compute_endpoint", "must be a URL"}},
		{"a file", valid(func(m *model) { m.ComputeEndpoint = str("file:///etc/passwd") }), nil, []string{"compute_endpoint", "must be a URL"}},
		{"a password in a URL", valid(func(m *model) { m.ComputeEndpoint = str("https://u:p@ord.example/v2") }), nil, []string{"compute_endpoint", "must not contain a username or password"}},
		{"an endpoint type", valid(func(*model) {}), map[string]string{"OS_ENDPOINT_TYPE": "admin"}, []string{"OS_ENDPOINT_TYPE", `"public" or "internal"`}},
		{"too short an interval", valid(func(m *model) { m.PollInterval = str("1ms") }), nil, []string{"poll_interval", "at least 100ms"}},
		{"no interval", valid(func(*model) {}), map[string]string{"RACKSPACE_POLL_INTERVAL": "often"}, []string{"RACKSPACE_POLL_INTERVAL", "poll_interval", `must be a duration such as "10s" or "1m30s", not "often"`}},
		{"an interval without a unit", valid(func(*model) {}), map[string]string{"RACKSPACE_POLL_INTERVAL": "10"}, []string{"RACKSPACE_POLL_INTERVAL", `not "10"`, `write "10s"`}},
		{"a timeout without a unit", valid(func(*model) {}), map[string]string{"RACKSPACE_REQUEST_TIMEOUT": "60"}, []string{"RACKSPACE_REQUEST_TIMEOUT", `not "60"`, `write "60s"`}},
		{"a negative time to warn", valid(func(*model) {}), map[string]string{"RACKSPACE_WARN_BEFORE": "-6h"}, []string{"RACKSPACE_WARN_BEFORE", "warn_before", "must not be negative"}},
		{"a time to warn without a unit", valid(func(m *model) { m.WarnBefore = str("6") }), nil, []string{"warn_before", `write "6s"`}},
		{"a timeout of nothing", valid(func(m *model) { m.RequestTimeout = str("0s") }), nil, []string{"request_timeout", "at least 1s"}},
		{"retries", valid(func(*model) {}), map[string]string{"RACKSPACE_MAX_RETRIES": "-1"}, []string{"RACKSPACE_MAX_RETRIES", "0 to 100"}},
		{"no migrations at all", valid(func(m *model) { m.MaxConcurrentMigrations = types.Int64Value(0) }), nil, []string{"max_concurrent_migrations", "from 1 to"}},
		{"many migrations", valid(func(*model) {}), map[string]string{"RACKSPACE_MAX_CONCURRENT_MIGRATIONS": "many"}, []string{"RACKSPACE_MAX_CONCURRENT_MIGRATIONS", "many"}},
		{"failures", valid(func(m *model) { m.StopAfterFailures = types.Int64Value(-1) }), nil, []string{"stop_after_failures", "from 1 to"}},
		{"a rate not known yet", valid(func(m *model) { m.RequestsPerMinute = &ratesModel{Write: types.Int64Unknown()} }), nil, []string{"not known yet", "requests_per_minute.write"}},
		{"failures not known yet", valid(func(m *model) { m.StopAfterFailures = types.Int64Unknown() }), nil, []string{"not known yet", "stop_after_failures", "a value that is known."}},
		{"an API key, and a user of Keystone", model{APIKey: str("key"), UserID: str("u-1")}, map[string]string{"RACKSPACE_USERNAME": "u"}, []string{"user_id from the provider block", "api_key from the provider block is for the Identity API v2.0"}},
		{"not known yet", model{APIKey: types.StringUnknown()}, nil, []string{"not known yet", "api_key", "RACKSPACE_API_KEY", "-target"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			clearEnvironment(t)
			for variable, value := range test.env {
				t.Setenv(variable, value)
			}
			_, diags := test.block.resolve()
			if len(diags) != 1 {
				t.Fatalf("got %d diagnostics, want 1: %v", len(diags), diags)
			}
			text := diags[0].Summary() + ": " + diags[0].Detail()
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("got %q, want %q in it", text, want)
				}
			}
		})
	}
}

func TestResolve_acceptsPlainHTTPToLoopback(t *testing.T) {
	clearEnvironment(t)
	for _, host := range []string{"localhost", "127.0.0.1:8774", "127.8.8.8", "[::1]:8774"} {
		block := model{Username: str("demo"), APIKey: str("key"), IdentityEndpoint: str("http://" + host + "/v2.0/")}
		if _, diags := block.resolve(); diags.HasError() {
			t.Errorf("%s: got %v, want none", host, diags)
		}
	}
}
