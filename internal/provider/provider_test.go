package provider_test

import (
	"fmt"
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
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/provider"
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
	served, err := providerserver.NewProtocol6WithError(provider.New("test", nil)())()
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

func TestAccProvider_authenticates(t *testing.T) {
	for name, credentials := range map[string]func(*acctest.Cloud) string{
		"by API key": func(*acctest.Cloud) string {
			return fmt.Sprintf("username = %q\napi_key = %q", stub.DefaultUser.Name, stub.DefaultUser.APIKey)
		},
		"by password": func(*acctest.Cloud) string {
			return fmt.Sprintf("username = %q\npassword = %q", stub.DefaultUser.Name, stub.DefaultUser.Password)
		},
		"by token": func(cloud *acctest.Cloud) string {
			return fmt.Sprintf("token = %q\ntenant_id = %q", cloud.IssueToken(stub.DefaultUser), "123456")
		},
	} {
		t.Run(name, func(t *testing.T) {
			cloud := newCloud(t, stub.Config{})
			test(t, resource.TestStep{
				Config: configured(credentials(cloud), fmt.Sprintf("identity_endpoint = %q\npoll_interval = %q", cloud.URL, acctest.PollInterval)),
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(address, tfjsonpath.New("status"), knownvalue.StringExact("awaiting_confirmation")),
				},
			})
		})
	}
}

func TestAccProvider_usesTheEndpointThatIsSet(t *testing.T) {
	cloud := newCloud(t, stub.Config{NoDefaultRegion: true})
	test(t, resource.TestStep{
		Config: cloud.Provider(fmt.Sprintf("region = \"lab\"\ncompute_endpoint = \"%s/ORD/v2/123456\"", cloud.URL),
			fmt.Sprintf("resource \"rackspace_server_migration\" \"web\" {\n  server_id = %q\n}\n", server)),
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue(address, tfjsonpath.New("region"), knownvalue.StringExact("LAB")),
		},
	})
}

func TestAccProvider_explainsWhatIsWrong(t *testing.T) {
	tests := []struct {
		name      string
		config    stub.Config
		arguments string
		want      string
	}{
		{"two kinds of credentials", stub.Config{}, `password = "p"`, `(?s)Invalid Attribute Combination.*api_key,password,token`},
		{"an empty argument", stub.Config{}, `region = ""`, `(?s)region.*string length must be at least 1`},
		{"an unknown region", stub.Config{}, `region = "XYZ"`, `(?s)There is no region "XYZ".*DFW, LON,\s+ORD`},
		{"no region", stub.Config{NoDefaultRegion: true}, ``, `(?s)No region is set.*Set region in the\s+provider block.*DFW, LON, ORD`},
		{"no ServiceNet", stub.Config{}, "region = \"LON\"\nendpoint_type = \"internal\"", `(?s)There is no region "LON".*no internal Cloud\s+Servers endpoint.*DFW, ORD`},
		{"an endpoint type", stub.Config{}, `endpoint_type = "admin"`, `(?s)endpoint_type.*one of:.*public.*internal`},
		{"a duration", stub.Config{}, `request_timeout = "soon"`, `(?s)request_timeout.*not a valid Go`},
		{"retries", stub.Config{}, `max_retries = 101`, `(?s)max_retries.*between 0 and 100`},
		{"plain http", stub.Config{}, `compute_endpoint = "http://192.0.2.1/v2/1"`, `(?s)Invalid compute endpoint.*must begin with\s+https://`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cloud := newCloud(t, tt.config)
			test(t, resource.TestStep{
				Config:      cloud.Provider(tt.arguments, fmt.Sprintf("resource \"rackspace_server_migration\" \"web\" {\n  server_id = %q\n}\n", server)),
				ExpectError: regexp.MustCompile(tt.want),
			})
			if got := cloud.Count(stub.CallMigrate); got != 0 {
				t.Errorf("got %d migrate requests, want none", got)
			}
		})
	}
}

func TestAccProvider_saysWhichCredentialsWereRefused(t *testing.T) {
	cloud := newCloud(t, stub.Config{})
	test(t, resource.TestStep{
		Config: configured(`username = "demo"`, `api_key = "wrong-secret"`, fmt.Sprintf("identity_endpoint = %q", cloud.URL)),
		ExpectError: regexp.MustCompile(`(?s)Cannot authenticate with Rackspace.*401 unauthorized: Unable to authenticate.*` +
			`credentials\s+were\s+refused\s+\(username from the provider block and\s+api_key\s+from\s+the\s+provider\s+block\)`),
	})
	if got := len(cloud.Requests()); got != 1 {
		t.Errorf("got %d requests, want the token request alone", got)
	}
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
