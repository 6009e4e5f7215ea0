package servermigration_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// openStack is a cloud with Keystone v3 and one region.
var openStack = stub.Config{Regions: []string{"RegionOne"}}

// keystoneProvider is a provider block for the Keystone of the cloud.
func (s *cloudTest) keystoneProvider(arguments string) string {
	return fmt.Sprintf("provider \"rackspace\" {\n  identity_endpoint = %q\n  poll_interval = %q\n  %s\n}\n",
		stub.KeystoneEndpoint(s.URL), acctest.PollInterval, arguments)
}

// byCredential are the arguments of a provider block that give an application credential.
var byCredential = fmt.Sprintf("application_credential_id = %q\n  application_credential_secret = %q\n",
	stub.DefaultUser.Credential.ID, stub.DefaultUser.Credential.Secret)

// checkOpenStackRequests checks that all requests were those of an OpenStack client.
func (s *cloudTest) checkOpenStackRequests(*terraform.State) error {
	for _, request := range s.Requests() {
		switch {
		case request.Call == stub.CallToken && request.Path != "/v3/auth/tokens":
			return fmt.Errorf("got a token request to %s", request.Path)
		case request.Call != stub.CallToken && !strings.HasPrefix(request.Path, "/RegionOne/v2.1/"):
			return fmt.Errorf("got a request to %s, want one to Nova v2.1", request.Path)
		case request.Status == http.StatusUnauthorized:
			return fmt.Errorf("got a request to %s that was refused", request.Path)
		}
		for name := range request.Header {
			if strings.Contains(strings.ToLower(name), "api-version") {
				return fmt.Errorf("got the header %s, want no microversion", name)
			}
		}
	}
	return nil
}

func TestAccServerMigration_migratesByAnApplicationCredential(t *testing.T) {
	s := newCloudTest(t, openStack, stub.Server{})
	s.run(
		resource.TestStep{
			Config:            s.keystoneProvider(byCredential) + migrationBlock(""),
			ConfigStateChecks: []statecheck.StateCheck{is("region", "RegionOne"), is("status", awaiting), isNull("confirm_by"), isTime("requested_at")},
			Check:             resource.ComposeTestCheckFunc(s.checkOpenStackRequests, s.sent(stub.CallMigrate, 1)),
		},
		resource.TestStep{ // with a confirm_window
			Config:            s.keystoneProvider(byCredential+"confirm_window = \"48h\"") + migrationBlock(""),
			ConfigPlanChecks:  unchanged,
			ConfigStateChecks: []statecheck.StateCheck{isTime("confirm_by")},
		},
		resource.TestStep{
			Config:            s.keystoneProvider(byCredential) + migrationBlock("region = \"regionone\"\n"+autoConfirm),
			ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed"), isNull("confirm_by")},
			Check:             resource.ComposeTestCheckFunc(s.checkOpenStackRequests, s.sent(stub.CallMigrate, 1), s.sent(stub.CallConfirm, 1)),
		},
	)
}

func TestAccServerMigration_migratesInACloudOfCloudsYAML(t *testing.T) {
	s := newCloudTest(t, openStack, stub.Server{})
	dir := t.TempDir()
	for name, text := range map[string]string{
		"clouds.yaml": fmt.Sprintf("clouds:\n  stub:\n    auth:\n      auth_url: %s\n      username: %s\n      project_name: %s\n      user_domain_name: %s\n      project_domain_id: %s\n",
			stub.KeystoneEndpoint(s.URL), stub.DefaultUser.Name, stub.DefaultProject, stub.DomainName, stub.DomainID),
		"secure.yaml": "clouds:\n  stub:\n    auth:\n      password: " + stub.DefaultUser.Password + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("OS_CLIENT_CONFIG_FILE", filepath.Join(dir, "clouds.yaml"))
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Providers,
		Steps: []resource.TestStep{{
			Config:            fmt.Sprintf("provider \"rackspace\" {\n  cloud = \"stub\"\n  poll_interval = %q\n}\n", acctest.PollInterval) + migrationBlock(autoConfirm),
			ConfigStateChecks: []statecheck.StateCheck{is("region", "RegionOne"), is("status", "confirmed")},
			Check:             resource.ComposeTestCheckFunc(s.checkOpenStackRequests, s.sent(stub.CallMigrate, 1), s.sent(stub.CallConfirm, 1)),
		}},
	})
}

// keystoneArguments are the arguments of a provider block for the Keystone of the cloud.
func (s *cloudTest) keystoneArguments(more object) object {
	block := object{"identity_endpoint": stub.KeystoneEndpoint(s.URL), "poll_interval": acctest.PollInterval.String()}
	for name, value := range more {
		block[name] = value
	}
	return block
}

func TestServerMigration_authenticatesWithKeystone(t *testing.T) {
	user := stub.DefaultUser
	for name, arguments := range map[string]func(*cloudTest) object{
		"by password": func(*cloudTest) object {
			return object{"username": user.Name, "password": user.Password, "user_domain_name": stub.DomainName, "tenant_name": stub.DefaultProject}
		},
		"by the user's id": func(*cloudTest) object {
			return object{"user_id": user.ID, "password": user.Password, "tenant_id": "123456"}
		},
		"by the name of an application credential": func(*cloudTest) object {
			return object{
				"application_credential_name": user.Credential.Name, "application_credential_secret": user.Credential.Secret,
				"username": user.Name, "user_domain_id": stub.DomainID,
			}
		},
		"by token": func(s *cloudTest) object { return object{"token": s.IssueToken(user), "tenant_id": "123456"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud := newCloudTest(t, openStack, stub.Server{})
			s := cloud.overHTTP()
			block := cloud.keystoneArguments(arguments(cloud))
			s.open = func() *acctest.Session {
				session, diagnostics := acctest.NewSession(t, block)
				if diagnostics.HasError() {
					t.Fatal(diagnostics)
				}
				return session
			}
			s.mustApply(migrationOf(nil))
			s.want(map[string]string{"status": awaiting, "region": "RegionOne"})
			if err := cloud.checkOpenStackRequests(nil); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestServerMigration_explainsWhatKeystoneRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		config    stub.Config
		arguments object
		want      []string
	}{
		"a wrong secret": {openStack, object{"application_credential_id": stub.DefaultUser.Credential.ID, "application_credential_secret": "wrong-secret"},
			[]string{"Cannot authenticate with the cloud", "/v3/auth/tokens", "401", "credentials were refused (application_credential_id from the provider block and application_credential_secret from the provider block)", "project and the domains"}},
		"a project of another user": {openStack, object{"user_id": stub.DefaultUser.ID, "password": stub.DefaultUser.Password, "tenant_id": "654321"},
			[]string{"Cannot authenticate with the cloud", "401", "project"}},
		"several regions, and none is set": {stub.Config{}, object{"application_credential_id": stub.DefaultUser.Credential.ID, "application_credential_secret": stub.DefaultUser.Credential.Secret},
			[]string{"No region is set", "DFW, LON, ORD"}},
		"no project": {openStack, object{"user_id": stub.DefaultUser.ID, "password": stub.DefaultUser.Password},
			[]string{"The account has no compute service", "tenant_id or tenant_name"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud := newCloudTest(t, test.config, stub.Server{})
			session, diagnostics := acctest.NewSession(t, cloud.keystoneArguments(test.arguments))
			if diagnostics.HasError() {
				t.Fatal(diagnostics)
			}
			_, diagnostics = session.Plan(session.Absent(servermigration.ResourceType), migrationOf(nil))
			if got := diagnostics.Errors(); !says(test.want...).MatchString(got) || strings.Contains(got, "wrong-secret") {
				t.Errorf("got the error %q, want %q in it", got, test.want)
			}
		})
	}
}

// An administrator migrates a server of another project. Lists have that server only if the
// provider asks for all tenants.
func TestServerMigration_migratesAServerOfAnotherProject(t *testing.T) {
	admin := stub.DefaultUser
	admin.Admin = true
	for name, allTenants := range map[string]bool{"all_tenants is true": true, "all_tenants is false": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud := newCloudTest(t, stub.Config{Regions: openStack.Regions, Users: []stub.User{admin}}, stub.Server{TenantID: "654321"})
			s := cloud.overHTTP()
			s.open = func() *acctest.Session {
				session, diagnostics := acctest.NewSession(t, cloud.keystoneArguments(object{
					"application_credential_id": admin.Credential.ID, "application_credential_secret": admin.Credential.Secret, "all_tenants": allTenants,
				}))
				if diagnostics.HasError() {
					t.Fatal(diagnostics)
				}
				return session
			}
			s.mustApply(migrationOf(nil))
			found, diagnostics := s.open().List(s.state.Type, object{}, 10)
			if (len(found) == 1) != allTenants || diagnostics.HasError() {
				t.Errorf("got %d migrations in the list (%s), want it in the list: %t", len(found), diagnostics, allTenants)
			}
			if err := cloud.Revert(server, "user-7"); err != nil {
				t.Fatal(err)
			}
			cloud.Advance(time.Minute)
			s.wantPlan(migrationOf(nil), acctest.NoOp)
			s.want(map[string]string{"status": "reverted"})
		})
	}
}

func TestAccGuides_openStack(t *testing.T) {
	t.Parallel()
	admin := stub.DefaultUser
	admin.Admin = true
	for example, secret := range map[string]func(*cloudTest) string{
		"application-credential": func(*cloudTest) string { return "secret = \"" + admin.Credential.Secret + "\"" },
		"password":               func(*cloudTest) string { return "password = \"" + admin.Password + "\"" },
		"token":                  func(s *cloudTest) string { return "token = \"" + s.IssueToken(admin) + "\"" },
		"clouds-yaml":            func(*cloudTest) string { return "" },
		"administrator":          func(*cloudTest) string { return "" },
	} {
		t.Run(example, func(t *testing.T) {
			t.Parallel()
			s := newCloudTest(t, stub.Config{Regions: openStack.Regions, Users: []stub.User{admin}}, stub.Server{})
			here := strings.NewReplacer("https://keystone.example.com:5000/v3", stub.KeystoneEndpoint(s.URL))
			tf := s.UnattachedTerraform(t, map[string]string{
				"main.tf":            here.Replace(readExamples(t, "guides/openstack/"+example+"/main.tf")),
				"secret.auto.tfvars": secret(s),
				"clouds.yaml":        here.Replace(readExamples(t, "guides/openstack/clouds-yaml/clouds.yaml")),
				"secure.yaml":        readExamples(t, "guides/openstack/clouds-yaml/secure.yaml"),
			})
			if err := tf.Apply(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := s.checkOpenStackRequests(nil); err != nil {
				t.Error(err)
			}
			s.wantSent(t, server, sent{migrates: 1, confirms: 1})
		})
	}
}
