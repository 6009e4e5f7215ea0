package provider

import (
	"fmt"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// credentials picks what to authenticate with: a secret, and what goes with it. What the
// provider block sets wins over the entry of clouds.yaml, and the entry wins over the
// environment. This also decides between secrets of different kinds.
func (s *settings) credentials() cloudservers.Credentials {
	secret := s.secret()
	if !secret.set() {
		return cloudservers.Credentials{}
	}
	switch isKeystone, ok := s.isKeystone(secret); {
	case !ok:
		return cloudservers.Credentials{}
	case isKeystone:
		return s.keystone(secret)
	}
	tenant, username := s.first(argTenantID, argTenantName), s.get(argUsername)
	credentials := cloudservers.Credentials{Origin: secret.origin()}
	if tenant.argument == argTenantID {
		credentials.TenantID = tenant.value
	} else {
		credentials.TenantName = tenant.value
	}
	switch secret.argument {
	case argToken:
		if !tenant.set() {
			s.incomplete(secret, argTenantID)
		}
		credentials.Token = secret.value
		return credentials
	case argAPIKey:
		credentials.APIKey = secret.value
	case argPassword:
		credentials.Password = secret.value
	}
	if !username.set() {
		s.incomplete(secret, argUsername)
	}
	credentials.Username = username.value
	credentials.Origin = username.origin() + " and " + secret.origin()
	return credentials
}

// secret picks the key, secret, password or token to authenticate with. It reports where
// there is none.
func (s *settings) secret() setting {
	secret := s.first(argAPIKey, argApplicationCredentialSecret, argPassword, argToken)
	name := s.first(argApplicationCredentialID, argApplicationCredentialName)
	// The environment may have a secret of somebody else. It must not stand in for the
	// secret of the application credential that the block or the entry names.
	if name.set() && (name.place() == "" || name.entry != "" && (secret.variable != "" || !secret.set())) {
		if secret = s.get(argApplicationCredentialSecret); !secret.set() {
			s.incomplete(name, argApplicationCredentialSecret)
		}
		return secret
	}
	switch {
	case secret.set():
	case s.cloud != nil:
		s.invalid(s.get(argCloud), fmt.Sprintf("names an entry of clouds.yaml that has no password, token or application_credential_secret. "+
			"Add one to auth of the entry, in clouds.yaml or in secure.yaml beside it. Or set %s, %s or %s in the provider block.",
			argPassword, argToken, argApplicationCredentialSecret))
	default:
		s.diags.AddError("No credentials", fmt.Sprintf(
			"Set username and api_key in the provider block, or the environment variables %s and %s. "+
				"A password (password, %s) or a token with its tenant (token and tenant_id, %s) will do as well. "+
				"The API key is shown in the Rackspace control panel under My Profile & Settings. "+
				"For another OpenStack cloud, set cloud to an entry of clouds.yaml. Or set identity_endpoint, application_credential_id and application_credential_secret.",
			environment[argUsername][0], environment[argAPIKey][0], environment[argPassword][0], environment[argToken][0]))
	}
	return secret
}

// isKeystone tells whether the identity endpoint is one of Keystone v3. If the endpoint
// does not take the credentials, it reports that, and ok is false.
//
//	identity_endpoint … | is one of
//	--------------------+-----------------------------------------------------------
//	ends with /v3       | Keystone v3
//	has another version | the Identity API v2.0
//	has no version      | Keystone v3 if it comes from clouds.yaml, or if something
//	                    | is set that only Keystone knows; else v2.0
//	is not set          | the Identity API v2.0, that of Rackspace's public cloud
func (s *settings) isKeystone(secret setting) (keystone, ok bool) {
	endpoint := s.get(argIdentityEndpoint)
	_, version, _ := cloudservers.SplitVersion(endpoint.value) // an endpoint that is no URL is reported where it is read
	isV3 := strings.HasPrefix(version, cloudservers.IdentityV3)
	if secret.argument == argAPIKey {
		return false, s.takesAPIKey(secret, endpoint, isV3)
	}
	only := s.onlyOfKeystone(secret)
	// Variables of the environment may be set for another cloud. But an application
	// credential was picked, wherever it comes from.
	isDemanded := only.set() && (only.variable == "" || only == secret)
	switch {
	case isV3:
		return true, true
	case !endpoint.set() && isDemanded:
		s.incomplete(only, argIdentityEndpoint)
		return true, false
	case !endpoint.set() && s.cloud != nil:
		s.incomplete(s.get(argCloud), argIdentityEndpoint)
		return true, false
	case version != "" && isDemanded:
		s.contradiction(only, endpoint, "is that of the Identity API "+version+", which does not know "+only.argument+". For Keystone v3, the address ends with /v3.")
		return false, false
	}
	return endpoint.set() && version == "" && (only.set() || endpoint.entry != ""), true
}

// onlyOfKeystone is something that is set and that only Keystone knows.
func (s *settings) onlyOfKeystone(secret setting) setting {
	if secret.argument == argApplicationCredentialSecret {
		return secret
	}
	return s.first(argUserID, argUserDomainID, argUserDomainName, argProjectDomainID, argProjectDomainName)
}

// takesAPIKey tells whether an API key, which only the Identity API v2.0 knows, fits to
// the endpoint and to the provider block. It reports what does not fit.
func (s *settings) takesAPIKey(key, endpoint setting, isV3 bool) bool {
	only := s.onlyOfKeystone(key)
	switch {
	case isV3:
		s.contradiction(key, endpoint, "is that of Keystone v3, which takes no API key. Use a password or an application credential. For Rackspace's public cloud, the address ends with /v2.0.")
	case !endpoint.set() && s.cloud != nil:
		s.incomplete(s.get(argCloud), argIdentityEndpoint)
	case only.set() && only.place() == "":
		s.contradiction(only, key, "is for the Identity API v2.0, which does not know "+only.argument+". Remove one of the two. Keystone v3 takes a password or an application credential.")
	default:
		return true
	}
	return false
}

// contradiction reports a setting that does not fit to another one. problem goes on from
// the name of the other one.
func (s *settings) contradiction(from, other setting, problem string) {
	s.diags.AddAttributeError(path.Root(from.argument), "Credentials of another cloud", fmt.Sprintf(
		"There is %s. But %s %s", from.origin(), other.origin(), problem))
}

// keystone reads the credentials for Keystone v3.
func (s *settings) keystone(secret setting) cloudservers.Credentials {
	options := &gophercloud.AuthOptions{}
	credentials := cloudservers.Credentials{Keystone: options, Origin: secret.origin()}
	switch secret.argument {
	case argToken:
		options.TokenID = secret.value
	case argPassword:
		options.Password = secret.value
		credentials.Origin = s.user(secret, options).origin() + " and " + secret.origin()
	case argApplicationCredentialSecret:
		options.ApplicationCredentialSecret = secret.value
		name := s.first(argApplicationCredentialID, argApplicationCredentialName)
		switch {
		case !name.set():
			s.incomplete(secret, argApplicationCredentialID)
		case name.argument == argApplicationCredentialID:
			options.ApplicationCredentialID = name.value
		default:
			options.ApplicationCredentialName = name.value
			s.user(secret, options)
		}
		credentials.Origin = name.origin() + " and " + secret.origin()
		return credentials // an application credential belongs to one project
	}
	options.Scope = s.project(secret)
	credentials.TenantID = options.Scope.ProjectID
	return credentials
}

// user reads whose password or application credential it is. A user that is named needs
// a domain.
func (s *settings) user(secret setting, options *gophercloud.AuthOptions) setting {
	user, domain := s.first(argUserID, argUsername), s.first(argUserDomainID, argUserDomainName)
	switch {
	case !user.set():
		s.incomplete(secret, argUsername)
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

// project reads the project that the servers belong to. If none is set, Keystone uses the
// user's default project.
func (s *settings) project(secret setting) *gophercloud.AuthScope {
	project := s.first(argTenantID, argTenantName)
	switch {
	case !project.set():
		if secret.argument == argToken {
			s.incomplete(secret, argTenantID)
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

// incomplete reports a setting that needs another argument, which is not set.
func (s *settings) incomplete(from setting, missing string) {
	s.diags.AddAttributeError(path.Root(missing), "Incomplete credentials", fmt.Sprintf(
		"There is %s, but no %s to go with it. Set %s in the provider block, or set %s.",
		from.origin(), missing, missing, oneOf(environment[missing])))
}
