// Package acctest has what the tests of several packages share. It runs a stub of the cloud
// for each test, and the provider: in the process of the test, or as a process of its own.
package acctest

import (
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/provider"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// Build is the version and the commit of the provider in tests.
var Build = provider.Build{Version: "test", Commit: "c0ffee0"}

// Providers serves the provider of this source tree to a test.
var Providers = map[string]func() (tfprotov6.ProviderServer, error){
	"rackspace": func() (tfprotov6.ProviderServer, error) { return provider.NewServer(provider.New(Build, nil)()), nil },
}

// PollInterval is the poll_interval of the provider in tests with a Cloud.
const PollInterval = 100 * time.Millisecond

// Cloud is a stub of the cloud, which is served over HTTP until the test ends.
type Cloud struct {
	*stub.Stub
	URL string // where it is served, without a trailing slash

	attach func() (string, error) // the first call is runProvider; later ones return the same
}

// NewCloud starts a stub. Its migrations take half a second, unless the configuration has a
// timing.
func NewCloud(t *testing.T, config stub.Config) *Cloud {
	t.Helper()
	if config.Timing == (stub.Timing{}) {
		config.Timing = stub.ObservedTiming().Scaled(15)
	}
	cloud := stub.New(config)
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	served := &Cloud{Stub: cloud, URL: server.URL}
	served.attach = sync.OnceValues(func() (string, error) { return served.runProvider(t) })
	return served
}

// Provider returns a configuration. It is a provider block for the cloud, with further
// arguments, followed by rest.
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

// variables are the environment variables with the address and credentials of the cloud.
func (c *Cloud) variables() map[string]string {
	return map[string]string{
		"RACKSPACE_USERNAME": stub.DefaultUser.Name, "RACKSPACE_API_KEY": stub.DefaultUser.APIKey,
		"RACKSPACE_IDENTITY_ENDPOINT": stub.IdentityEndpoint(c.URL), "RACKSPACE_POLL_INTERVAL": PollInterval.String(),
	}
}
