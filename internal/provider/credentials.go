package provider

import (
	"fmt"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// credentials picks what to authenticate with. What the block sets wins over the entry
// of clouds.yaml, and that over the environment, whatever its kind.
func (s *settings) credentials() cloudservers.Credentials {
	proof := s.first(argAPIKey, argApplicationCredentialSecret, argPassword, argToken)
	if !proof.set() {
		s.diags.AddError("No credentials", fmt.Sprintf(
			"Set username and api_key in the provider block, or the environment variables %s and %s. "+
				"A password (password, %s) or a token with its tenant (token and tenant_id, %s) will do as well. "+
				"The API key is shown in the Rackspace control panel under My Profile & Settings. "+
				"For another OpenStack cloud, set cloud to an entry of clouds.yaml. Or set identity_endpoint, application_credential_id and application_credential_secret.",
			environment[argUsername][0], environment[argAPIKey][0], environment[argPassword][0], environment[argToken][0]))
		return cloudservers.Credentials{}
	}
	switch isKeystone, ok := s.isKeystone(proof); {
	case !ok:
		return cloudservers.Credentials{}
	case isKeystone:
		return s.keystone(proof)
	}
	tenant, username := s.first(argTenantID, argTenantName), s.get(argUsername)
	credentials := cloudservers.Credentials{Origin: proof.origin()}
	if tenant.argument == argTenantID {
		credentials.TenantID = tenant.value
	} else {
		credentials.TenantName = tenant.value
	}
	switch proof.argument {
	case argToken:
		if !tenant.set() {
			s.incomplete(proof, argTenantID)
		}
		credentials.Token = proof.value
		return credentials
	case argAPIKey:
		credentials.APIKey = proof.value
	case argPassword:
		credentials.Password = proof.value
	}
	if !username.set() {
		s.incomplete(proof, argUsername)
	}
	credentials.Username = username.value
	credentials.Origin = username.origin() + " and " + proof.origin()
	return credentials
}

// isKeystone tells whether the identity endpoint is one of Keystone v3. It is not ok, and
// reported, if the endpoint does not take the credentials.
//
//	identity_endpoint … | is one of
//	--------------------+-----------------------------------------------------------
//	ends with /v3       | Keystone v3
//	has another version | the Identity API v2.0
//	has no version      | Keystone v3 if it comes from clouds.yaml, or if something
//	                    | is set that only Keystone knows; else v2.0
//	is not set          | the Identity API v2.0, that of Rackspace's public cloud
func (s *settings) isKeystone(proof setting) (keystone, ok bool) {
	endpoint := s.get(argIdentityEndpoint)
	_, version, _ := cloudservers.SplitVersion(endpoint.value) // endpoint reports what is wrong with it
	special := s.first(argUserID, argUserDomainID, argUserDomainName, argProjectDomainID, argProjectDomainName)
	switch proof.argument {
	case argApplicationCredentialSecret:
		special = proof
	case argAPIKey: // which only the Identity API v2.0 knows
		special = setting{}
	}
	// The environment may have been made for another cloud.
	stray := special.variable != "" && special.argument != argApplicationCredentialSecret
	switch {
	case strings.HasPrefix(version, cloudservers.IdentityV3) && proof.argument == argAPIKey:
		s.contradiction(proof, endpoint, "Keystone v3, which takes no API key. Use a password or an application credential. For Rackspace's public cloud, the address ends with /v2.0.")
		return true, false
	case strings.HasPrefix(version, cloudservers.IdentityV3):
		return true, true
	case !endpoint.set() && special.set() && !stray:
		s.incomplete(special, argIdentityEndpoint)
		return true, false
	case !endpoint.set() && s.cloud != nil:
		s.incomplete(s.get(argCloud), argIdentityEndpoint)
		return true, false
	case version != "" && special.set() && !stray:
		s.contradiction(special, endpoint, "the Identity API "+version+", which does not know "+special.argument+". For Keystone v3, the address ends with /v3.")
		return false, false
	}
	return endpoint.set() && version == "" && proof.argument != argAPIKey && (special.set() || endpoint.entry != ""), true
}

// contradiction reports a setting that the identity endpoint does not take; is goes on
// from what the endpoint is.
func (s *settings) contradiction(from, endpoint setting, is string) {
	s.diags.AddAttributeError(path.Root(from.argument), "Credentials of another cloud", fmt.Sprintf(
		"There is %s. But %s is that of %s", from.origin(), endpoint.origin(), is))
}

// keystone reads credentials for Keystone v3.
func (s *settings) keystone(proof setting) cloudservers.Credentials {
	options := &gophercloud.AuthOptions{}
	credentials := cloudservers.Credentials{Keystone: options, Origin: proof.origin()}
	switch proof.argument {
	case argToken:
		options.TokenID = proof.value
	case argPassword:
		options.Password = proof.value
		credentials.Origin = s.user(proof, options).origin() + " and " + proof.origin()
	case argApplicationCredentialSecret:
		options.ApplicationCredentialSecret = proof.value
		name := s.first(argApplicationCredentialID, argApplicationCredentialName)
		switch {
		case !name.set():
			s.incomplete(proof, argApplicationCredentialID)
		case name.argument == argApplicationCredentialID:
			options.ApplicationCredentialID = name.value
		default:
			options.ApplicationCredentialName = name.value
			s.user(proof, options)
		}
		credentials.Origin = name.origin() + " and " + proof.origin()
		return credentials // which name their project
	}
	options.Scope = s.project(proof)
	credentials.TenantID = options.Scope.ProjectID
	return credentials
}

// user reads whose password or application credential it is.
func (s *settings) user(proof setting, options *gophercloud.AuthOptions) setting {
	user, domain := s.first(argUserID, argUsername), s.first(argUserDomainID, argUserDomainName)
	switch {
	case !user.set():
		s.incomplete(proof, argUsername)
	case user.argument == argUserID:
		options.UserID = user.value
	case !domain.set():
		s.incomplete(user, argUserDomainName)
	case domain.argument == argUserDomainID:
		options.Username, options.DomainID = user.value, domain.value
	default:
		options.Username, options.DomainName = user.value, domain.value
	}
	return user
}

// project reads the project that the servers belong to. Without one, Keystone takes the
// user's default one.
func (s *settings) project(proof setting) *gophercloud.AuthScope {
	project := s.first(argTenantID, argTenantName)
	switch {
	case !project.set():
		if proof.argument == argToken {
			s.incomplete(proof, argTenantID)
		}
		return &gophercloud.AuthScope{}
	case project.argument == argTenantID:
		return &gophercloud.AuthScope{ProjectID: project.value}
	}
	domain := s.first(argProjectDomainID, argProjectDomainName)
	if !domain.set() {
		domain = s.first(argUserDomainID, argUserDomainName)
	}
	scope := &gophercloud.AuthScope{ProjectName: project.value}
	switch domain.argument {
	case argProjectDomainID, argUserDomainID:
		scope.DomainID = domain.value
	default:
		scope.DomainName = domain.value
	}
	if !domain.set() {
		s.incomplete(project, argProjectDomainName)
	}
	return scope
}

func (s *settings) incomplete(proof setting, missing string) {
	s.diags.AddAttributeError(path.Root(missing), "Incomplete credentials", fmt.Sprintf(
		"There is %s, but no %s to go with it. Set %s in the provider block, or set %s.",
		proof.origin(), missing, missing, oneOf(environment[missing])))
}
