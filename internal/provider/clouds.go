package provider

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/config/clouds"
)

// readCloud reads the entry of clouds.yaml that the argument cloud names, if it is set.
// It returns how the entry wants certificates to be checked. That is nil if the entry
// cannot be used.
func (s *settings) readCloud() *tls.Config {
	from := s.get(argCloud)
	if !from.set() {
		return &tls.Config{}
	}
	// gophercloud would take the region and the endpoint type from the environment.
	// The empty options prevent that.
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
	place := fmt.Sprintf("entry %q of clouds.yaml", from.value)
	if from.variable != "" {
		place += " (named by the environment variable " + from.variable + ")"
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
		s.cloud[argument] = setting{argument: argument, value: value, entry: place}
	}
	if scope := options.Scope; scope != nil && scope.ProjectName != "" {
		s.cloud[argProjectDomainID] = setting{argument: argProjectDomainID, value: scope.DomainID, entry: place}
		s.cloud[argProjectDomainName] = setting{argument: argProjectDomainName, value: scope.DomainName, entry: place}
	}
	s.cloudPlace = place
	return trust
}

// parseCloud is clouds.Parse, but returns an error for an entry without auth, at which
// clouds.Parse panics.
func parseCloud(options ...clouds.ParseOption) (_ gophercloud.AuthOptions, _ gophercloud.EndpointOpts, trust *tls.Config, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("it has no auth")
		}
	}()
	return clouds.Parse(options...)
}

// reasonOf says why clouds.yaml or secure.yaml could not be read, without a secret. What
// a YAML parser says may quote one. So may the path of a file: somebody may have written
// the key itself in its place.
func reasonOf(err error) string {
	var file *fs.PathError
	text := err.Error()
	switch {
	case strings.Contains(text, "yaml: "):
		return "clouds.yaml or secure.yaml is not valid YAML, or not of the form that OpenStack documents"
	case errors.Is(err, io.EOF):
		return "clouds.yaml or secure.yaml is empty"
	case strings.Contains(text, "clouds-public.yaml"):
		return "it refers to a profile, and there is no clouds-public.yaml that describes profiles. Write what the profile has into the entry instead"
	case errors.As(err, &file):
		text = strings.ReplaceAll(text, file.Error(), file.Err.Error())
	}
	return strings.TrimSuffix(text, ".")
}

// tls is how the certificates of the cloud are checked. entry is what the entry of
// clouds.yaml says about it, and roots are the certificates of cacert_file, if it is set.
// Without any of these it is nil, and the system's certificates are trusted.
func (s *settings) tls(entry *tls.Config, roots *x509.CertPool) *tls.Config {
	if entry == nil { // the entry cannot be used
		return nil
	}
	config := entry
	if roots != nil {
		config.RootCAs = roots
	}
	insecure := s.get(argInsecure)
	if insecure.set() {
		config.InsecureSkipVerify = s.flag(argInsecure)
	}
	if config.InsecureSkipVerify {
		origin := insecure.origin()
		if !insecure.set() {
			origin = "verify from the " + s.cloudPlace
		}
		s.diags.AddWarning("The certificates of the cloud are not checked", "Because of "+origin+", whoever can change the network traffic "+
			"can read the credentials and answer in place of the cloud. Set cacert_file to the certificate of the cloud's own authority instead.")
	}
	if config.RootCAs == nil && !config.InsecureSkipVerify && config.Certificates == nil {
		return nil
	}
	return config
}

// certificates reads the file that cacert_file names, if it is set.
func (s *settings) certificates() *x509.CertPool {
	from := s.get(argCACertFile)
	if !from.set() {
		return nil
	}
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
