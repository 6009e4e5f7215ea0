package provider

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/config/clouds"
)

// readCloud reads the entry of clouds.yaml that the argument cloud names, if it is set.
// It returns how the entry wants certificates to be checked.
func (s *settings) readCloud() *tls.Config {
	from := s.get(argCloud)
	if !from.set() {
		return &tls.Config{}
	}
	// An empty option keeps the environment from winning over the file.
	options, endpoint, trust, err := parseCloud(clouds.WithCloudName(from.value), clouds.WithRegion(""), clouds.WithEndpointType(""), clouds.WithCACertPath(s.get(argCACertFile).value))
	switch {
	case err != nil:
		s.invalid(from, fmt.Sprintf("names the entry %q of clouds.yaml, which cannot be used: %s. "+
			"The file is the one that OS_CLIENT_CONFIG_FILE names. Otherwise it is the first clouds.yaml in the current directory, in ~/.config/openstack and in /etc/openstack, with secure.yaml beside it.",
			from.value, reasonOf(err)))
		return nil
	case options.Scope != nil && (options.Scope.TrustID != "" || options.Scope.System):
		s.invalid(from, fmt.Sprintf("names the entry %q of clouds.yaml, which has trust_id or system_scope. The provider needs an entry for a project.", from.value))
		return nil
	}
	s.cloud = map[string]setting{}
	for argument, value := range map[string]string{
		argIdentityEndpoint: options.IdentityEndpoint, argUsername: options.Username, argUserID: options.UserID,
		argPassword: options.Password, argToken: options.TokenID, argTenantID: options.TenantID, argTenantName: options.TenantName,
		argUserDomainID: options.DomainID, argUserDomainName: options.DomainName,
		argApplicationCredentialID: options.ApplicationCredentialID, argApplicationCredentialName: options.ApplicationCredentialName,
		argApplicationCredentialSecret: options.ApplicationCredentialSecret,
		argRegion:                      endpoint.Region, argEndpointType: string(endpoint.Availability),
	} {
		s.cloud[argument] = setting{argument: argument, value: value, entry: from.value}
	}
	if scope := options.Scope; scope != nil && scope.ProjectName != "" {
		s.cloud[argProjectDomainID] = setting{argument: argProjectDomainID, value: scope.DomainID, entry: from.value}
		s.cloud[argProjectDomainName] = setting{argument: argProjectDomainName, value: scope.DomainName, entry: from.value}
	}
	return trust
}

// parseCloud is clouds.Parse, which panics at an entry without auth.
func parseCloud(options ...clouds.ParseOption) (_ gophercloud.AuthOptions, _ gophercloud.EndpointOpts, trust *tls.Config, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("it has no auth")
		}
	}()
	return clouds.Parse(options...)
}

// reasonOf is why clouds.yaml or secure.yaml could not be read. What a YAML parser says
// may quote a secret.
func reasonOf(err error) string {
	if strings.Contains(err.Error(), "yaml: ") {
		return "clouds.yaml or secure.yaml is not valid YAML, or not of the form that OpenStack documents"
	}
	return strings.TrimSuffix(err.Error(), ".")
}

// tls reads how the certificates of the cloud are checked, on top of what the entry of
// clouds.yaml says; nil means as always.
func (s *settings) tls(trust *tls.Config) *tls.Config {
	if trust == nil { // the entry cannot be used
		return nil
	}
	if from := s.get(argCACertFile); from.set() {
		trust.RootCAs = s.certificates(from)
	}
	insecure := s.get(argInsecure)
	if insecure.set() {
		trust.InsecureSkipVerify = s.flag(argInsecure)
	}
	if trust.InsecureSkipVerify {
		origin := insecure.origin()
		if !insecure.set() {
			origin = "verify from the " + setting{entry: s.get(argCloud).value}.place()
		}
		s.diags.AddWarning("The certificates of the cloud are not checked", "Because of "+origin+", whoever can change the network traffic "+
			"can read the credentials and answer in place of the cloud. Set cacert_file to the certificate of the cloud's own authority instead.")
	}
	if trust.RootCAs == nil && !trust.InsecureSkipVerify && trust.Certificates == nil {
		return nil
	}
	return trust
}

// certificates reads a file of certificates.
func (s *settings) certificates(from setting) *x509.CertPool {
	pool := x509.NewCertPool()
	text, err := os.ReadFile(from.value)
	switch {
	case err != nil:
		s.invalid(from, fmt.Sprintf("names the file %q, which cannot be read: %v.", from.value, errors.Unwrap(err)))
	case !pool.AppendCertsFromPEM(text):
		s.invalid(from, fmt.Sprintf("names the file %q, which has no certificate in PEM form. Such a certificate begins with -----BEGIN CERTIFICATE-----.", from.value))
	}
	return pool
}
