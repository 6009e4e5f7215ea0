// Package acctest is what the acceptance tests share: the provider in process,
// and a stub of the cloud for each test.
package acctest

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/provider"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// Build is what the provider of a test says about itself.
var Build = provider.Build{Version: "test", Commit: "c0ffee0"}

// Providers serves the provider of this source tree to a test.
var Providers = map[string]func() (tfprotov6.ProviderServer, error){
	"rackspace": func() (tfprotov6.ProviderServer, error) { return provider.NewServer(provider.New(Build, nil)()), nil },
}

// PollInterval is the poll_interval with which the tests of a Cloud run the provider.
const PollInterval = 100 * time.Millisecond

// Cloud is a stub of the cloud, served over HTTP for the time of a test.
type Cloud struct {
	*stub.Stub
	URL string // where it is served, without a trailing slash
}

// NewCloud starts a stub whose migrations take half a second, unless the
// configuration has a timing of its own.
func NewCloud(t *testing.T, config stub.Config) *Cloud {
	t.Helper()
	if config.Timing == (stub.Timing{}) {
		config.Timing = stub.ObservedTiming().Scaled(15)
	}
	cloud := stub.New(config)
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	return &Cloud{Stub: cloud, URL: server.URL}
}

// Provider returns a configuration: a provider block that uses the cloud, with further
// arguments, and after it the rest.
func (c *Cloud) Provider(arguments, rest string) string {
	return fmt.Sprintf(`
provider "rackspace" {
  username          = %q
  api_key           = %q
  identity_endpoint = %q
  poll_interval     = %q
  %s
}
%s`, stub.DefaultUser.Name, stub.DefaultUser.APIKey, stub.IdentityEndpoint(c.URL), PollInterval, arguments, rest)
}

// Setenv sets the environment variables of the provider, so that a provider block without
// arguments uses the cloud.
func (c *Cloud) Setenv(t *testing.T) {
	t.Helper()
	for name, value := range c.variables() {
		t.Setenv(name, value)
	}
}

// variables are the environment variables by which the provider finds the cloud.
func (c *Cloud) variables() map[string]string {
	return map[string]string{
		"RACKSPACE_USERNAME": stub.DefaultUser.Name, "RACKSPACE_API_KEY": stub.DefaultUser.APIKey,
		"RACKSPACE_IDENTITY_ENDPOINT": stub.IdentityEndpoint(c.URL), "RACKSPACE_POLL_INTERVAL": PollInterval.String(),
	}
}
