package provider_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/provider"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

const (
	server  = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
	address = "rackspace_server_migration.web"
)

func newCloud(t *testing.T, config stub.Config) *acctest.Cloud {
	t.Helper()
	cloud := acctest.NewCloud(t, config)
	cloud.AddServer(stub.Server{ID: server, Name: "web-1"})
	return cloud
}

// configured is a provider block with these arguments alone, and a migration.
func configured(arguments ...string) string {
	return fmt.Sprintf("provider \"rackspace\" {\n%s\n}\nresource \"rackspace_server_migration\" \"web\" {\n  server_id = %q\n}\n",
		strings.Join(arguments, "\n"), server)
}

func test(t *testing.T, steps ...resource.TestStep) {
	t.Helper()
	resource.ParallelTest(t, resource.TestCase{ProtoV6ProviderFactories: acctest.Providers, Steps: steps})
}

func TestProvider_hasAValidSchema(t *testing.T) {
	served, err := providerserver.NewProtocol6WithError(provider.New(acctest.Build, nil)())()
	if err != nil {
		t.Fatal(err)
	}
	schema, err := served.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, diagnostic := range schema.Diagnostics {
		t.Errorf("%s: %s", diagnostic.Summary, diagnostic.Detail)
	}
}

// apply configures the provider, and plans and applies a migration of the server,
// as far as there is no error. It needs no Terraform.
func apply(t *testing.T, block acctest.Object) (acctest.Instance, acctest.Diagnostics) {
	t.Helper()
	session, diagnostics := acctest.NewSession(t, block)
	if diagnostics.HasError() {
		return acctest.Instance{}, diagnostics
	}
	change, diagnostics := session.Plan(session.Absent(servermigration.ResourceType), acctest.Object{"server_id": server})
	if diagnostics.HasError() {
		return acctest.Instance{}, diagnostics
	}
	return session.Apply(change)
}

func TestProvider_authenticates(t *testing.T) {
	for name, credentials := range map[string]func(*acctest.Cloud) acctest.Object{
		"by API key": func(*acctest.Cloud) acctest.Object {
			return acctest.Object{"username": stub.DefaultUser.Name, "api_key": stub.DefaultUser.APIKey}
		},
		"by password": func(*acctest.Cloud) acctest.Object {
			return acctest.Object{"username": stub.DefaultUser.Name, "password": stub.DefaultUser.Password}
		},
		"by token": func(cloud *acctest.Cloud) acctest.Object {
			return acctest.Object{"token": cloud.IssueToken(stub.DefaultUser), "tenant_id": "123456"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			cloud := newCloud(t, stub.Config{})
			block := credentials(cloud)
			block["identity_endpoint"], block["poll_interval"] = cloud.URL, acctest.PollInterval.String()
			migrated, diagnostics := apply(t, block)
			if got := migrated.Get("status"); got != "awaiting_confirmation" || diagnostics.HasError() {
				t.Errorf("got the status %q, want that it awaits confirmation:\n%s", got, diagnostics)
			}
		})
	}
}

func TestProvider_usesTheEndpointThatIsSet(t *testing.T) {
	cloud := newCloud(t, stub.Config{NoDefaultRegion: true})
	migrated, diagnostics := apply(t, cloud.Arguments(acctest.Object{"region": "lab", "compute_endpoint": cloud.URL + "/ORD/v2/123456"}))
	if got := migrated.Get("region"); got != "LAB" || diagnostics.HasError() {
		t.Errorf("got the region %q, want LAB:\n%s", got, diagnostics)
	}
}

func TestProvider_explainsWhatIsWrong(t *testing.T) {
	tests := []struct {
		name   string
		config stub.Config
		block  acctest.Object
		want   string
	}{
		{"two kinds of credentials", stub.Config{}, acctest.Object{"password": "p"}, `(?s)Invalid Attribute Combination.*api_key,password,token`},
		{"an empty argument", stub.Config{}, acctest.Object{"region": ""}, `(?s)region.*string length must be at least 1`},
		{"an unknown region", stub.Config{}, acctest.Object{"region": "XYZ"}, `(?s)There is no region "XYZ".*DFW, LON, ORD`},
		{"no region", stub.Config{NoDefaultRegion: true}, nil, `(?s)No region is set.*Set region in the provider block.*DFW, LON, ORD`},
		{"no ServiceNet", stub.Config{}, acctest.Object{"region": "LON", "endpoint_type": "internal"}, `(?s)There is no region "LON".*no internal endpoint of the compute service.*DFW, ORD`},
		{"an endpoint type", stub.Config{}, acctest.Object{"endpoint_type": "admin"}, `(?s)endpoint_type.*one of:.*public.*internal`},
		{"a duration", stub.Config{}, acctest.Object{"request_timeout": "soon"}, `(?s)Invalid duration \(AttributeName\("request_timeout"\)\).*The argument request_timeout must be a duration such as "10s" or "1m30s", not "soon"\. The units are`},
		{"a duration without a unit", stub.Config{}, acctest.Object{"poll_interval": "10"}, `(?s)The argument poll_interval must be a duration such as "10s" or "1m30s", not "10"\. It lacks a unit: write "10s" for seconds, or "10m" for minutes\.\n\n$`},
		{"a negative duration", stub.Config{}, acctest.Object{"warn_before": "-1h"}, `(?s)The argument warn_before must not be negative, as "-1h" is`},
		{"no duration at all", stub.Config{}, acctest.Object{"poll_interval": "0s"}, `(?s)The argument poll_interval must be at least 100ms, not "0s"`},
		{"retries", stub.Config{}, acctest.Object{"max_retries": 101}, `(?s)max_retries.*between 0 and 100`},
		{"limits of requests that are not known yet", stub.Config{}, acctest.Object{"requests_per_minute": acctest.Unknown}, `(?s)Provider argument not known yet.*The value of requests_per_minute depends on something`},
		{"plain http", stub.Config{}, acctest.Object{"compute_endpoint": "http://192.0.2.1/v2/1"}, `(?s)Invalid compute endpoint.*must begin with https://`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cloud := newCloud(t, tt.config)
			if _, got := apply(t, cloud.Arguments(tt.block)); !regexp.MustCompile(tt.want).MatchString(got.Errors()) {
				t.Errorf("got the error %q, want %s in it", got.Errors(), tt.want)
			}
			if got := cloud.Count(stub.CallMigrate); got != 0 {
				t.Errorf("got %d migrate requests, want none", got)
			}
		})
	}
}

func TestProvider_saysWhichCredentialsWereRefused(t *testing.T) {
	cloud := newCloud(t, stub.Config{})
	_, got := apply(t, acctest.Object{"username": "demo", "api_key": "wrong-secret", "identity_endpoint": cloud.URL})
	want := regexp.MustCompile(`(?s)Cannot authenticate with the cloud.*401 unauthorized: Unable to authenticate.*` +
		`credentials were refused \(username from the provider block and api_key from the provider block\)`)
	if !want.MatchString(got.Errors()) {
		t.Errorf("got the error %q, want %s in it", got.Errors(), want)
	}
	if got := len(cloud.Requests()); got != 1 {
		t.Errorf("got %d requests, want the token request alone", got)
	}
}

func TestProvider_explainsAnAuthenticationThatFails(t *testing.T) {
	const (
		noIdentity = `What answers there is not an Identity API v2\.0\..*The address comes from identity_endpoint in the provider block\. Correct it`
		problem    = `The Identity API has a problem\. Apply again later.*identity_endpoint`
	)
	status := func(status int) stub.Fault { return stub.Fault{Status: status} }
	page := stub.HTML(http.StatusOK)
	redirect := stub.HTML(http.StatusMovedPermanently)
	redirect.Header["Location"] = []string{"https://identity.example/?key=secret"}
	tests := []struct {
		name  string
		fault stub.Fault
		want  string
	}{
		{"400", status(http.StatusBadRequest), `The answer is: 400 badRequest: Malformed request body\..*not an Identity API v2\.0, or it does not take credentials of this kind.*identity_endpoint in the provider block`},
		{"401", status(http.StatusUnauthorized), `The answer is: 401 unauthorized.*credentials were refused \(username from the provider block`},
		{"403", status(http.StatusForbidden), `The answer is: 403 forbidden.*The user may not log in`},
		{"404", status(http.StatusNotFound), `The answer is: 404 itemNotFound.*` + noIdentity},
		{"404, a page", stub.HTML(http.StatusNotFound), `The answer is: 404 Not Found .the answer has no message.*` + noIdentity},
		{"405", status(http.StatusMethodNotAllowed), `The answer is: 405 badMethod.*` + noIdentity},
		{"410, a page", stub.HTML(http.StatusGone), `The answer is: 410 Gone.*` + noIdentity},
		{"501", status(http.StatusNotImplemented), `The answer is: 501.*` + noIdentity},
		{"a redirect", redirect, `The answer is: 301 Moved Permanently.*it redirects, and the provider does not follow a redirect with credentials.*identity_endpoint in the provider block`},
		{"a page", page, `got no usable answer: the answer could not be read: it is not the JSON that the API promises\..*` + noIdentity},
		{"another API", stub.Fault{Status: http.StatusOK, Body: `{"versions":[]}`}, `got no usable answer: the answer could not be read: it has no access\.token\.id\..*` + noIdentity},
		{"500", status(http.StatusInternalServerError), `The answer is: 500 identityFault.*` + problem},
		{"502, a page", stub.HTML(http.StatusBadGateway), `The answer is: 502 Bad Gateway .the answer has no message.*` + problem},
		{"503", status(http.StatusServiceUnavailable), `The answer is: 503.*` + problem},
		{"no answer", stub.Fault{Reset: true}, `got no usable answer: .*Check the network\..*identity_endpoint in the provider block`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cloud := newCloud(t, stub.Config{})
			test.fault.Call = stub.CallToken
			cloud.Inject(test.fault)
			_, got := apply(t, cloud.Arguments(acctest.Object{"max_retries": 0}))
			want := `(?s)^ERROR: Cannot authenticate with the cloud .*asked the Identity API for a token \(POST ` + regexp.QuoteMeta(cloud.URL) + `/v2\.0/tokens\).*` + test.want
			wantAuthenticationError(t, got.Errors(), want)
		})
	}
}

// wantAuthenticationError checks an error that is about no server.
func wantAuthenticationError(t *testing.T, got, want string) {
	t.Helper()
	if !regexp.MustCompile(want).MatchString(got) {
		t.Errorf("got the error %q, want %s in it", got, want)
	}
	for _, unwanted := range []string{"server_id", "region", "secret", "<", "compute_endpoint"} {
		if strings.Contains(got, unwanted) {
			t.Errorf("got %q in the error %q", unwanted, got)
		}
	}
}

func TestProvider_saysWhichVariableSetTheWrongIdentityEndpoint(t *testing.T) {
	cloud := newCloud(t, stub.Config{})
	t.Setenv("OS_AUTH_URL", cloud.URL+"/identity") // as of another cloud
	_, got := apply(t, acctest.Object{"username": stub.DefaultUser.Name, "api_key": stub.DefaultUser.APIKey})
	wantAuthenticationError(t, got.Errors(), `(?s)POST `+regexp.QuoteMeta(cloud.URL)+`/identity/v2\.0/tokens\)\. The answer is: 404 .*The address ends with /v3 for Keystone, and with /v2\.0 for Rackspace's public cloud\.`+
		` The address comes from the environment variable OS_AUTH_URL, which identity_endpoint in the provider block would override\..*`+regexp.QuoteMeta(cloudservers.DefaultIdentityEndpoint))
}

func TestAccProvider_takesItsSettingsFromTheEnvironment(t *testing.T) {
	cloud := newCloud(t, stub.Config{})
	cloud.Setenv(t)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Providers,
		Steps: []resource.TestStep{{
			Config: configured(),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(address, tfjsonpath.New("region"), knownvalue.StringExact("ORD")),
			},
		}},
	})
}

func TestAccProvider_looksAtAServerToPlanAndNoMore(t *testing.T) {
	cloud := newCloud(t, stub.Config{})
	test(t, resource.TestStep{
		Config:             cloud.Provider("", fmt.Sprintf("resource \"rackspace_server_migration\" \"web\" {\n  server_id = %q\n}\n", server)),
		PlanOnly:           true,
		ExpectNonEmptyPlan: true,
	})
	plans := cloud.Count(stub.CallToken)
	if got := len(cloud.Requests()); got != 2*plans || cloud.Count(stub.CallServer) != plans {
		t.Errorf("got %d requests, want a token and a read for each of %d plans", got, plans)
	}
}
