package provider

import (
	"crypto/tls"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

const keystoneURL = "https://keystone.example:5000/v3"

// resolveIn reads a provider block in an environment of these variables alone.
func resolveIn(t *testing.T, block model, env map[string]string) (resolved, diag.Diagnostics) {
	t.Helper()
	clearEnvironment(t)
	for variable, value := range env {
		t.Setenv(variable, value)
	}
	return block.resolve()
}

// wantOne checks that there is one diagnostic, with these texts in it.
func wantOne(t *testing.T, diags diag.Diagnostics, want ...string) {
	t.Helper()
	if len(diags) != 1 {
		t.Fatalf("got %d diagnostics, want 1: %v", len(diags), diags)
	}
	text := diags[0].Summary() + ": " + diags[0].Detail()
	for _, want := range want {
		if !strings.Contains(text, want) {
			t.Errorf("got %q, want %q in it", text, want)
		}
	}
}

func TestResolve_picksTheCredentialsOfKeystone(t *testing.T) {
	byID := func(m model) model {
		m.ApplicationCredentialID, m.ApplicationCredentialSecret = str("a-1"), str("s")
		return m
	}
	project := &gophercloud.AuthScope{ProjectID: "p-1"}
	tests := []struct {
		name  string
		block model
		env   map[string]string
		want  *gophercloud.AuthOptions // nil: the Identity API v2.0
	}{
		{
			"a password and an openrc file", model{},
			map[string]string{
				"OS_AUTH_URL": keystoneURL, "OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_USER_DOMAIN_NAME": "Default",
				"OS_PROJECT_ID": "p-1", "OS_PROJECT_NAME": "web", "OS_PROJECT_DOMAIN_ID": "default",
			},
			&gophercloud.AuthOptions{Username: "u", Password: "p", DomainName: "Default", Scope: project},
		},
		{
			"a project by name, in a domain of its own", model{
				IdentityEndpoint: str(keystoneURL), Username: str("u"), Password: str("p"), UserDomainID: str("d-1"),
				TenantName: str("web"), ProjectDomainName: str("Projects"),
			}, map[string]string{"OS_PROJECT_ID": "p-1"},
			&gophercloud.AuthOptions{Username: "u", Password: "p", DomainID: "d-1", Scope: &gophercloud.AuthScope{ProjectName: "web", DomainName: "Projects"}},
		},
		{
			"a project by name, in the user's domain", model{
				IdentityEndpoint: str(keystoneURL + "/"), Username: str("u"), Password: str("p"), TenantName: str("web"),
			}, map[string]string{"OS_DOMAIN_NAME": "Default"},
			&gophercloud.AuthOptions{Username: "u", Password: "p", DomainName: "Default", Scope: &gophercloud.AuthScope{ProjectName: "web", DomainName: "Default"}},
		},
		{
			"a user by id, without a project", model{IdentityEndpoint: str(keystoneURL), UserID: str("u-1"), Password: str("p")}, nil,
			&gophercloud.AuthOptions{UserID: "u-1", Password: "p", Scope: &gophercloud.AuthScope{}},
		},
		{
			"an application credential before a password", model{IdentityEndpoint: str(keystoneURL)},
			map[string]string{
				"OS_APPLICATION_CREDENTIAL_ID": "a-1", "OS_APPLICATION_CREDENTIAL_SECRET": "s",
				"OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_PROJECT_ID": "p-1",
			},
			&gophercloud.AuthOptions{ApplicationCredentialID: "a-1", ApplicationCredentialSecret: "s"},
		},
		{
			"the secret of the application credential in the block", model{IdentityEndpoint: str(keystoneURL), ApplicationCredentialID: str("a-1")},
			map[string]string{"RACKSPACE_API_KEY": "k", "OS_APPLICATION_CREDENTIAL_SECRET": "s"},
			&gophercloud.AuthOptions{ApplicationCredentialID: "a-1", ApplicationCredentialSecret: "s"},
		},
		{
			"an application credential by name", model{
				IdentityEndpoint: str(keystoneURL), ApplicationCredentialName: str("ci"), ApplicationCredentialSecret: str("s"),
				Username: str("u"), UserDomainName: str("Default"),
			}, nil,
			&gophercloud.AuthOptions{ApplicationCredentialName: "ci", ApplicationCredentialSecret: "s", Username: "u", DomainName: "Default"},
		},
		{
			"a token", model{IdentityEndpoint: str(keystoneURL), Token: str("t")},
			map[string]string{"OS_PROJECT_ID": "p-1", "OS_USERNAME": "u", "OS_USER_DOMAIN_NAME": "Default"},
			&gophercloud.AuthOptions{TokenID: "t", Scope: project},
		},
		{"an endpoint without a version", byID(model{IdentityEndpoint: str("https://keystone.example")}), nil,
			&gophercloud.AuthOptions{ApplicationCredentialID: "a-1", ApplicationCredentialSecret: "s"}},
		{
			"an endpoint without a version, and a domain", model{IdentityEndpoint: str("https://keystone.example"), Token: str("t"), TenantID: str("p-1")},
			map[string]string{"OS_PROJECT_DOMAIN_ID": "default"},
			&gophercloud.AuthOptions{TokenID: "t", Scope: project},
		},
		{"an endpoint without a version, and nothing of Keystone", model{IdentityEndpoint: str("https://identity.example"), Token: str("t"), TenantID: str("1")}, nil, nil},
		{"an API key, and a domain of the environment", model{Username: str("u"), APIKey: str("k")}, map[string]string{"OS_USER_DOMAIN_NAME": "Default"}, nil},
		{"an API key at an endpoint without a version, and a domain", model{IdentityEndpoint: str("https://identity.example"), Username: str("u"), APIKey: str("k")}, map[string]string{"OS_USER_DOMAIN_NAME": "Default"}, nil},
		{"a password at v2.0, and a domain of the environment", model{IdentityEndpoint: str("https://identity.example/v2.0"), Username: str("u"), Password: str("p")}, map[string]string{"OS_USER_DOMAIN_NAME": "Default"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, diags := resolveIn(t, test.block, test.env)
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(test.want, got.client.Credentials.Keystone); diff != "" {
				t.Errorf("credentials (-want +got):\n%s", diff)
			}
			if got := got.client.Credentials; got.Origin == "" || strings.Contains(got.Origin, `"s"`) {
				t.Errorf("got the origin %q", got.Origin)
			}
			if _, err := cloudservers.New(got.client); err != nil {
				t.Errorf("got credentials that are refused: %v", err)
			}
			// What every cloud sets for itself is known of Rackspace's alone.
			if want := test.want == nil; (got.confirmWindow == migration.ConfirmationWindow) != want || (got.confirmWindow == 0) == want {
				t.Errorf("got the window %s", got.confirmWindow)
			}
		})
	}
}

func TestResolve_takesTheNameOfATenant(t *testing.T) {
	got, diags := resolveIn(t, model{Token: str("t"), TenantName: str("web")}, map[string]string{"OS_TENANT_ID": "1"})
	want := cloudservers.Credentials{Token: "t", TenantName: "web", Origin: "token from the provider block"}
	if diff := cmp.Diff(want, got.client.Credentials); diff != "" || len(diags) > 0 {
		t.Errorf("credentials (-want +got):\n%s%v", diff, diags)
	}
}

func TestResolve_readsTheWindowAndAllTenants(t *testing.T) {
	for value, want := range map[string]time.Duration{"0": 0, "0s": 0, "48h": 48 * time.Hour} {
		got, diags := resolveIn(t, model{Username: str("u"), APIKey: str("k"), ConfirmWindow: str(value)}, map[string]string{"RACKSPACE_ALL_TENANTS": "true"})
		if got.confirmWindow != want || !got.client.AllTenants || len(diags) > 0 {
			t.Errorf("%s: got %s, all tenants %t (%v)", value, got.confirmWindow, got.client.AllTenants, diags)
		}
	}
	_, diags := resolveIn(t, model{Username: str("u"), APIKey: str("k"), ConfirmWindow: str("24")}, nil)
	wantOne(t, diags, "confirm_window", `write "24s"`)
	_, diags = resolveIn(t, model{Username: str("u"), APIKey: str("k")}, map[string]string{"RACKSPACE_ALL_TENANTS": "yes"})
	wantOne(t, diags, "RACKSPACE_ALL_TENANTS", "all_tenants", `must be true or false, not "yes"`)
}

func TestResolve_saysWhatCredentialsOfKeystoneLack(t *testing.T) {
	tests := []struct {
		name  string
		block model
		env   map[string]string
		want  []string
	}{
		{"a password without a user", model{Password: str("p")}, nil, []string{"password from the provider block", "no username"}},
		{"a user without a domain", model{Username: str("u"), Password: str("p"), TenantID: str("p-1")}, nil, []string{"username from the provider block", "no user_domain_name", "OS_USER_DOMAIN_NAME"}},
		{"a project without a domain", model{UserID: str("u-1"), Password: str("p"), TenantName: str("web")}, nil, []string{"tenant_name from the provider block", "no project_domain_name", "OS_PROJECT_DOMAIN_NAME"}},
		{"a token without a project", model{}, map[string]string{"OS_TOKEN": "t"}, []string{"OS_TOKEN", "no tenant_id"}},
		{"a secret without its credential", model{ApplicationCredentialSecret: str("s")}, nil, []string{"application_credential_secret from the provider block", "no application_credential_id"}},
		{"a credential without its secret", model{ApplicationCredentialID: str("a-1")}, map[string]string{"OS_USER_ID": "u-1", "OS_PASSWORD": "p"}, []string{"application_credential_id from the provider block", "no application_credential_secret"}},
		{"a credential without its secret, and a password", model{ApplicationCredentialName: str("ci"), Password: str("p")}, nil, []string{"application_credential_name from the provider block", "no application_credential_secret"}},
		{"a credential by name without a user", model{ApplicationCredentialSecret: str("s"), ApplicationCredentialName: str("ci")}, nil, []string{"application_credential_secret", "no username"}},
		{"a credential by name without a domain", model{ApplicationCredentialSecret: str("s"), ApplicationCredentialName: str("ci"), Username: str("u")}, nil, []string{"username", "no user_domain_name"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.block.IdentityEndpoint = str(keystoneURL)
			_, diags := resolveIn(t, test.block, test.env)
			wantOne(t, diags, append(test.want, "Incomplete credentials")...)
		})
	}
}

func TestResolve_namesBothOfCredentialsAndEndpointThatDoNotFit(t *testing.T) {
	tests := []struct {
		name  string
		block model
		env   map[string]string
		want  []string
	}{
		{"an API key for Keystone", model{Username: str("u"), APIKey: str("k")}, map[string]string{"OS_AUTH_URL": keystoneURL}, []string{"api_key from the provider block", "identity_endpoint from the environment variable OS_AUTH_URL", "takes no API key"}},
		{"an application credential for v2.0", model{IdentityEndpoint: str("https://identity.example/v2.0")}, map[string]string{"OS_APPLICATION_CREDENTIAL_SECRET": "s"}, []string{"OS_APPLICATION_CREDENTIAL_SECRET", "identity_endpoint from the provider block", "v2.0"}},
		{"a domain for v2.0", model{IdentityEndpoint: str("https://identity.example/v2.0"), Username: str("u"), Password: str("p"), UserDomainName: str("Default")}, nil, []string{"user_domain_name from the provider block", "identity_endpoint from the provider block"}},
		{"an application credential without an endpoint", model{ApplicationCredentialID: str("a-1"), ApplicationCredentialSecret: str("s")}, nil, []string{"application_credential_secret from the provider block", "no identity_endpoint", "OS_AUTH_URL"}},
		{"a domain without an endpoint", model{Username: str("u"), Password: str("p"), UserDomainID: str("default")}, nil, []string{"user_domain_id from the provider block", "no identity_endpoint"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, diags := resolveIn(t, test.block, test.env)
			wantOne(t, diags, test.want...)
		})
	}
}

// inDirectory makes a directory with these files the current one.
func inDirectory(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	t.Setenv("XDG_CONFIG_HOME", dir)
	t.Setenv("OS_CLIENT_CONFIG_FILE", "")
	return dir
}

const cloudsYAML = `
clouds:
  flex:
    auth:
      auth_url: https://keystone.example:5000/v3
      username: alice
      project_name: web
      user_domain_name: Default
      project_domain_name: Projects
    region_name: RegionOne
    interface: internal
    verify: false
  unversioned:
    auth: {auth_url: "https://keystone.example", application_credential_id: a-1, application_credential_secret: s3cret}
  old:
    auth: {auth_url: "https://identity.example/v2.0", username: demo, password: s3cret, project_name: web}
  trust:
    auth: {auth_url: "https://keystone.example/v3", username: alice, password: s3cret, user_domain_name: Default, trust_id: t-1}
  admin:
    auth: {auth_url: "https://keystone.example/v3", application_credential_id: a-1, application_credential_secret: s3cret}
    endpoint_type: admin
  plain:
    auth: {auth_url: "http://keystone.example:5000/v3", application_credential_id: a-1, application_credential_secret: s3cret}
  nowhere:
    auth: {application_credential_id: a-1, application_credential_secret: s3cret}
  empty: {}
`

func TestResolve_readsCloudsYAML(t *testing.T) {
	const named = " (named by the environment variable OS_CLOUD)"
	entry := func(name string) string { return ` from the entry "` + name + `" of clouds.yaml` }
	flex := cloudservers.Config{
		Credentials: cloudservers.Credentials{
			Keystone: &gophercloud.AuthOptions{Username: "alice", Password: "s3cret", DomainName: "Default", Scope: &gophercloud.AuthScope{ProjectName: "web", DomainName: "Projects"}},
			Origin:   "username" + entry("flex") + " and password" + entry("flex"),
		},
		Region: "RegionOne", EndpointType: gophercloud.AvailabilityInternal,
		IdentityEndpoint: keystoneURL, IdentityOrigin: `the entry "flex" of clouds.yaml, which identity_endpoint in the provider block would override`,
	}
	tests := []struct {
		name   string
		block  model
		env    map[string]string
		want   func(*cloudservers.Config)
		unsafe bool // certificates are not checked
	}{
		// The environment is that of another cloud.
		{"all of an entry", model{Cloud: str("flex")}, map[string]string{
			"OS_AUTH_URL": "https://other.example/v3", "OS_USER_ID": "u-2", "OS_USERNAME": "bob", "OS_PASSWORD": "other", "OS_PROJECT_ID": "p-2",
			"OS_REGION_NAME": "RegionTwo", "OS_INTERFACE": "public", "OS_USER_DOMAIN_ID": "d-2", "OS_APPLICATION_CREDENTIAL_SECRET": "other",
		}, func(*cloudservers.Config) {}, true},
		{"the block wins", model{Cloud: str("flex"), Region: str("RegionTwo"), EndpointType: str("public"), TenantID: str("p-2"), Insecure: types.BoolValue(false)}, nil, func(c *cloudservers.Config) {
			c.Region, c.EndpointType, c.Credentials.TenantID = "RegionTwo", gophercloud.AvailabilityPublic, "p-2"
			c.Credentials.Keystone.Scope = &gophercloud.AuthScope{ProjectID: "p-2"}
		}, false},
		{"the block wins with credentials of another kind", model{
			Cloud: str("flex"), ApplicationCredentialID: str("a-2"), ApplicationCredentialSecret: str("s"), Insecure: types.BoolValue(false),
		}, nil, func(c *cloudservers.Config) {
			c.Credentials.Keystone = &gophercloud.AuthOptions{ApplicationCredentialID: "a-2", ApplicationCredentialSecret: "s"}
			c.Credentials.Origin = "application_credential_id from the provider block and application_credential_secret from the provider block"
		}, false},
		{"from a variable, without a version", model{}, map[string]string{"OS_CLOUD": "unversioned", "OS_REGION_NAME": "RegionTwo"}, func(c *cloudservers.Config) {
			c.Credentials = cloudservers.Credentials{
				Keystone: &gophercloud.AuthOptions{ApplicationCredentialID: "a-1", ApplicationCredentialSecret: "s3cret"},
				Origin:   "application_credential_id" + entry("unversioned") + named + " and application_credential_secret" + entry("unversioned") + named,
			}
			c.IdentityEndpoint, c.IdentityOrigin = "https://keystone.example", strings.Replace(c.IdentityOrigin, `"flex" of clouds.yaml`, `"unversioned" of clouds.yaml`+named, 1)
			c.Region, c.EndpointType = "RegionTwo", gophercloud.AvailabilityPublic
		}, false},
		{"of the Identity API v2.0", model{Cloud: str("old")}, nil, func(c *cloudservers.Config) {
			c.Credentials = cloudservers.Credentials{Username: "demo", Password: "s3cret", TenantName: "web", Origin: "username" + entry("old") + " and password" + entry("old")}
			c.IdentityEndpoint, c.IdentityOrigin = "https://identity.example/v2.0", strings.Replace(c.IdentityOrigin, "flex", "old", 1)
			c.Region, c.EndpointType = "", gophercloud.AvailabilityPublic
		}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inDirectory(t, map[string]string{"clouds.yaml": cloudsYAML, "secure.yaml": "clouds: {flex: {auth: {password: s3cret}}}"})
			got, diags := resolveIn(t, test.block, test.env)
			if diags.HasError() {
				t.Fatal(diags)
			}
			want := flex
			options := *flex.Credentials.Keystone
			want.Credentials.Keystone = &options
			want.PollInterval, want.RequestTimeout, want.MaxRetries = defaultPollInterval, defaultRequestTimeout, defaultMaxRetries
			if test.unsafe {
				want.TLS = &tls.Config{InsecureSkipVerify: true}
			}
			test.want(&want)
			if got, want := got.client.TLS != nil && got.client.TLS.InsecureSkipVerify, test.unsafe; got != want || len(diags) > 0 != want {
				t.Errorf("got unchecked certificates: %t (%v), want %t", got, diags, want)
			}
			got.client.TLS, want.TLS = nil, nil
			if diff := cmp.Diff(want, got.client); diff != "" {
				t.Errorf("configuration (-want +got):\n%s", diff)
			}
		})
	}
}

func TestResolve_findsCloudsYAMLWhereAVariableSaysSo(t *testing.T) {
	dir := inDirectory(t, map[string]string{"other.yaml": cloudsYAML})
	got, diags := resolveIn(t, model{Cloud: str("unversioned")}, map[string]string{"OS_CLIENT_CONFIG_FILE": filepath.Join(dir, "other.yaml")})
	if len(diags) > 0 || got.client.IdentityEndpoint != "https://keystone.example" {
		t.Errorf("got %q (%v)", got.client.IdentityEndpoint, diags)
	}
}

func TestResolve_saysWhyAnEntryOfCloudsYAMLCannotBeUsed(t *testing.T) {
	const places = "OS_CLIENT_CONFIG_FILE names"
	tests := []struct {
		name  string
		file  string // empty: there is none
		block model
		env   map[string]string
		want  []string
	}{
		{"an empty file", " ", model{Cloud: str("flex")}, nil, []string{"clouds.yaml or secure.yaml is empty", places}},
		{"a profile", "clouds: {flex: {profile: ovh, auth: {password: s3cret}}}", model{Cloud: str("flex")}, nil, []string{"it refers to a profile", "Write what the profile has into the entry"}},
		{"a key in the place of its file", "clouds: {flex: {cert: clouds.yaml, key: s3cret, auth: {username: alice}}}", model{Cloud: str("flex")}, nil, []string{"client cert key file: no such file or directory"}},
		{"no secret", cloudsYAML, model{Cloud: str("flex"), Insecure: types.BoolValue(false)}, nil, []string{"Invalid cloud", "no password, token or application_credential_secret", "secure.yaml"}},
		{"no file of certificates", cloudsYAML, model{Cloud: str("flex"), CACertFile: str("none.pem")}, nil, []string{"Invalid cacert file", `"none.pem"`}},
		{"the entry of a variable, and an API key", cloudsYAML, model{Username: str("u"), APIKey: str("k"), Insecure: types.BoolValue(false)}, map[string]string{"OS_CLOUD": "flex"}, []string{"api_key from the provider block", `the entry "flex" of clouds.yaml (named by the environment variable OS_CLOUD)`}},
		{"no file", "", model{Cloud: str("flex")}, nil, []string{"Invalid cloud", `the entry "flex"`, "clouds file not found", places}},
		{"no entry", cloudsYAML, model{}, map[string]string{"OS_CLOUD": "flax"}, []string{"OS_CLOUD", `"cloud"`, `the entry "flax"`, "not found in clouds.yaml", places}},
		{"no YAML", "clouds: {flex: {auth: {password: *s3cret}}}", model{Cloud: str("flex")}, nil, []string{"not valid YAML", places}},
		{"YAML of another form", "clouds: {flex: {auth: s3cret}}", model{Cloud: str("flex")}, nil, []string{"not valid YAML, or not of the form", places}},
		{"no auth", cloudsYAML, model{Cloud: str("empty")}, nil, []string{"it has no auth", places}},
		{"a trust", cloudsYAML, model{Cloud: str("trust")}, nil, []string{`the entry "trust"`, "trust_id", "for a project"}},
		{"an endpoint type that the provider does not know", cloudsYAML, model{Cloud: str("admin")}, nil, []string{`The entry "admin" of clouds.yaml`, "endpoint_type", `not "admin"`}},
		{"plain http", cloudsYAML, model{Cloud: str("plain")}, nil, []string{`The entry "plain" of clouds.yaml`, "identity_endpoint", "https://"}},
		{"no endpoint", cloudsYAML, model{Cloud: str("nowhere")}, nil, []string{"no identity_endpoint to go with it"}},
		{"an API key for Keystone", cloudsYAML, model{Cloud: str("flex"), APIKey: str("k"), Insecure: types.BoolValue(false)}, nil, []string{"api_key from the provider block", `identity_endpoint from the entry "flex" of clouds.yaml`}},
		{"not known yet", cloudsYAML, model{Cloud: types.StringUnknown()}, nil, []string{"not known yet", "cloud", "OS_CLOUD"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			files := map[string]string{}
			if test.file != "" {
				files["clouds.yaml"] = test.file
			}
			inDirectory(t, files)
			_, diags := resolveIn(t, test.block, test.env)
			wantOne(t, diags, test.want...)
			if text := diags[0].Summary() + diags[0].Detail(); strings.Contains(text, "s3cret") {
				t.Errorf("got the secret in %q", text)
			}
		})
	}
}

// ofServer is the certificate of a server, as a file has it.
func ofServer(t *testing.T) string {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	server.Close()
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

func TestResolve_checksTheFileOfCertificates(t *testing.T) {
	inDirectory(t, map[string]string{"ca.pem": ofServer(t), "empty.pem": "-----", "clouds.yaml": cloudsYAML})
	valid := model{Username: str("u"), APIKey: str("k")}
	for _, env := range []map[string]string{{"OS_CACERT": "ca.pem"}, {"OS_CACERT": "ca.pem", "OS_CLOUD": "unversioned"}} {
		block := valid
		if env["OS_CLOUD"] != "" {
			block = model{}
		}
		got, diags := resolveIn(t, block, env)
		if got.client.TLS == nil || got.client.TLS.RootCAs == nil || got.client.TLS.InsecureSkipVerify || len(diags) > 0 {
			t.Errorf("got %+v (%v) for %v, want the certificates of the file", got.client.TLS, diags, env)
		}
	}
	valid.CACertFile = str("none.pem")
	_, diags := resolveIn(t, valid, map[string]string{"OS_CACERT": "ca.pem"})
	wantOne(t, diags, "Invalid cacert file", `"cacert_file" names the file "none.pem", which cannot be read: no such file`)
	valid.CACertFile = types.StringNull()
	_, diags = resolveIn(t, valid, map[string]string{"OS_CACERT": "empty.pem"})
	wantOne(t, diags, "OS_CACERT", "has no certificate in PEM form")
}

func TestResolve_warnsOfCertificatesThatAreNotChecked(t *testing.T) {
	inDirectory(t, map[string]string{"clouds.yaml": cloudsYAML, "secure.yaml": "clouds: {flex: {auth: {password: s3cret}}}"})
	valid := model{Username: str("u"), APIKey: str("k")}
	for _, test := range []struct {
		block model
		env   map[string]string
		want  string
	}{
		{model{Username: str("u"), APIKey: str("k"), Insecure: types.BoolValue(true)}, nil, "insecure from the provider block"},
		{valid, map[string]string{"OS_INSECURE": "1"}, "insecure from the environment variable OS_INSECURE"},
		{model{Cloud: str("flex")}, nil, `verify from the entry "flex" of clouds.yaml`},
	} {
		got, diags := resolveIn(t, test.block, test.env)
		wantOne(t, diags, "The certificates of the cloud are not checked", test.want, "cacert_file")
		if diags.HasError() || got.client.TLS == nil || !got.client.TLS.InsecureSkipVerify {
			t.Errorf("got %+v, want a warning and no checks", got.client.TLS)
		}
	}
	if got, diags := resolveIn(t, valid, map[string]string{"OS_INSECURE": "false"}); got.client.TLS != nil || len(diags) > 0 {
		t.Errorf("got %+v (%v), want the checks of the system", got.client.TLS, diags)
	}
}
