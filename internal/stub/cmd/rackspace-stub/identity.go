package main

import (
	"fmt"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// identity is the version of the Identity API that a command is to use.
type identity string

const (
	identityV2 identity = "v2.0" // set by the provider's own variables
	identityV3 identity = "v3"   // set by the variables of OpenStack, which all its clients read
)

// String implements flag.Value.
func (i *identity) String() string { return string(*i) }

// Set implements flag.Value.
func (i *identity) Set(text string) error {
	if *i = identity(text); *i != identityV2 && *i != identityV3 {
		return fmt.Errorf("it must be %s or %s", identityV2, identityV3)
	}
	return nil
}

// variables are the environment variables by which a program finds the stub at a URL. They
// are those of one version only. The provider reads both kinds, and prefers its own.
func (i *identity) variables(url string) []variable {
	if *i == identityV3 {
		return []variable{
			{"OS_IDENTITY_API_VERSION", "3"},
			{"OS_AUTH_URL", stub.KeystoneEndpoint(url)},
			{"OS_USERNAME", stub.DefaultUser.Name},
			{"OS_PASSWORD", stub.DefaultUser.Password},
			{"OS_USER_DOMAIN_NAME", stub.DomainName},
			{"OS_PROJECT_NAME", stub.DefaultProject},
			{"OS_PROJECT_DOMAIN_NAME", stub.DomainName},
			{"OS_REGION_NAME", "ORD"},
		}
	}
	return []variable{
		{"RACKSPACE_IDENTITY_ENDPOINT", stub.IdentityEndpoint(url)},
		{"RACKSPACE_USERNAME", stub.DefaultUser.Name},
		{"RACKSPACE_API_KEY", stub.DefaultUser.APIKey},
		{"RACKSPACE_REGION", "ORD"},
	}
}
