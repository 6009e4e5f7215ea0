package stub_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

const (
	toProject    = `,"scope":{"project":{"name":"demo-project","domain":{"name":"Default"}}}`
	novaAccount  = "/ORD/v2.1/123456"
	byCredential = `{"auth":{"identity":{"methods":["application_credential"],"application_credential":
		{"id":"5f3a1c047d2e4b6a9c112a8e0f6d4bac","secret":"stub-credential-secret"}}}}`

	noAuthentication = "The request you have made requires authentication."
	incorrect        = " The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error."
)

// byPassword is a login at Identity v3, followed by its scope.
func byPassword(scope string) string {
	return byUser(`"name":"demo","domain":{"id":"default"},"password":"stub-password"`, scope)
}

func byUser(user, scope string) string {
	return `{"auth":{"identity":{"methods":["password"],"password":{"user":{` + user + `}}}` + scope + `}}`
}

func byToken(id, scope string) string {
	return fmt.Sprintf(`{"auth":{"identity":{"methods":["token"],"token":{"id":%q}}%s}}`, id, scope)
}

func byCredentialOf(credential, scope string) string {
	return `{"auth":{"identity":{"methods":["application_credential"],"application_credential":{` + credential + `}}` + scope + `}}`
}

// loginV3 logs in at Identity v3 and returns the token.
func (c *client) loginV3(body string) string {
	c.t.Helper()
	got := c.do(http.MethodPost, "/v3/auth/tokens", body)
	if got.status != http.StatusCreated {
		c.t.Fatalf("got %d %s, want a token", got.status, got.body)
	}
	return got.header.Get("X-Subject-Token")
}

// askAbout asks Identity v3 about a token.
func (c *client) askAbout(subject string) answer {
	c.t.Helper()
	plain := c.http
	defer func() { c.http = plain }()
	c.http = &http.Client{Transport: withHeader{plain.Transport, http.Header{"X-Subject-Token": {subject}}}}
	return c.do(http.MethodGet, "/v3/auth/tokens", "")
}

// withHeader is a transport that adds headers to requests.
type withHeader struct {
	http.RoundTripper
	header http.Header
}

func (w withHeader) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name, values := range w.header {
		r.Header[name] = values
	}
	return w.RoundTripper.RoundTrip(r)
}

func (a answer) wantKeystoneError(t *testing.T, status int, message string) {
	t.Helper()
	want := object{"error": object{"code": float64(status), "message": message, "title": http.StatusText(status)}}
	if diff := cmp.Diff(want, a.json); a.status != status || diff != "" {
		t.Errorf("got status %d, want %d; body (-want +got):\n%s", a.status, status, diff)
	}
}

func TestKeystone_authenticates(t *testing.T) {
	s := stub.New(stub.Config{})
	c := newClient(t, s)
	issued := s.IssueToken(stub.DefaultUser)
	tests := []struct {
		name    string
		body    string
		methods []any
		scoped  bool
	}{
		{"a password and a project by name", byPassword(toProject), []any{"password"}, true},
		{"a project by id", byPassword(`,"scope":{"project":{"id":"123456"}}`), []any{"password"}, true},
		{"a user by id", byUser(`"id":"user-1","password":"stub-password"`, toProject), []any{"password"}, true},
		{"a user's domain by name", byUser(`"name":"demo","domain":{"name":"Default"},"password":"stub-password"`, toProject), []any{"password"}, true},
		{"a token of Identity v2.0", byToken(issued, toProject), []any{"token", "password"}, true},
		{"two methods", `{"auth":{"identity":{"methods":["password","token"],"password":{"user":{"id":"user-1","password":"stub-password"}},"token":{"id":"` + issued + `"}}}}`, []any{"password", "token"}, false},
		{"an application credential by id", byCredential, []any{"application_credential"}, true},
		{"an application credential by name", byCredentialOf(`"name":"demo-credential","secret":"stub-credential-secret","user":{"name":"demo","domain":{"id":"default"}}`, ""), []any{"application_credential"}, true},
		{"no scope", byPassword(""), []any{"password"}, false},
		{"the scope unscoped", byPassword(`,"scope":"unscoped"`), []any{"password"}, false},
		{"the scope unscoped as an object", byPassword(`,"scope":{"unscoped":{}}`), []any{"password"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := c.do(http.MethodPost, "/v3/auth/tokens", test.body)
			if got.status != http.StatusCreated {
				t.Fatalf("got %d %s, want 201", got.status, got.body)
			}
			token, _ := got.json["token"].(object)
			if diff := cmp.Diff(test.methods, token["methods"]); diff != "" {
				t.Errorf("methods (-want +got):\n%s", diff)
			}
			wantProject := any(nil)
			if test.scoped {
				wantProject = object{"id": "123456", "name": "demo-project", "domain": object{"id": "default", "name": "Default"}}
			}
			if diff := cmp.Diff(wantProject, token["project"]); diff != "" {
				t.Errorf("project (-want +got):\n%s", diff)
			}
			if hasCatalog := token["catalog"] != nil; hasCatalog != test.scoped {
				t.Errorf("got a catalog: %t, want it: %t", hasCatalog, test.scoped)
			}
			if at(token, "user", "name") != "demo" || !strings.HasPrefix(got.header.Get("X-Openstack-Request-Id"), "req-") {
				t.Errorf("got user %v in request %q", token["user"], got.header.Get("X-Openstack-Request-Id"))
			}
			requests := s.Requests()
			if last := requests[len(requests)-1]; last.Call != stub.CallToken || last.User != "user-1" {
				t.Errorf("got record %+v, want a login of the user", last)
			}
			c.token = got.header.Get("X-Subject-Token")
			want := http.StatusBadRequest // Nova: the project in the path is not that of the token
			if test.scoped {
				want = http.StatusOK
			}
			if got := c.do(http.MethodGet, novaAccount+"/servers", ""); got.status != want {
				t.Errorf("got %d %s of Nova, want %d", got.status, got.body, want)
			}
		})
	}
}

func TestKeystone_refuses(t *testing.T) {
	const malformed = 400
	other := stub.User{ID: "user-2", Name: "second", Password: "p"}
	s := stub.New(stub.Config{Users: []stub.User{stub.DefaultUser, other}})
	c := newClient(t, s)
	ofOther := s.IssueToken(other)
	tests := []struct {
		name    string
		body    string
		status  int
		message string
	}{
		{"no JSON", `auth`, malformed, "Expecting to find valid JSON in request body." + incorrect},
		{"nothing", `{}`, malformed, "Expecting to find auth in request body." + incorrect},
		{"no identity", `{"auth":{}}`, malformed, "'identity' is a required property"},
		{"no methods", `{"auth":{"identity":{}}}`, malformed, "Invalid input for field 'identity': 'methods' is a required property"},
		{"no method", `{"auth":{"identity":{"methods":[]}}}`, 401, noAuthentication},
		{"an unknown method", `{"auth":{"identity":{"methods":["totp"]}}}`, 401, "Attempted to authenticate with an unsupported method."},
		{"a method without its data", `{"auth":{"identity":{"methods":["password"]}}}`, malformed, "Expecting to find password in identity." + incorrect},
		{"no user", `{"auth":{"identity":{"methods":["password"],"password":{}}}}`, malformed, "Expecting to find user in password." + incorrect},
		{"a user without a name", byUser(`"password":"x"`, ""), malformed, "Invalid input for field identity/password/user: id or name must be present."},
		{"a user's name without a domain", byUser(`"name":"demo","password":"stub-password"`, ""), malformed, "Expecting to find domain in user." + incorrect},
		{"another domain", byUser(`"name":"demo","domain":{"id":"other"},"password":"stub-password"`, ""), 401, noAuthentication},
		{"another user", byUser(`"name":"other","domain":{"id":"default"},"password":"stub-password"`, ""), 401, noAuthentication},
		{"a wrong password", byUser(`"id":"user-1","password":"x"`, ""), 401, noAuthentication},
		{"no password", byUser(`"id":"user-1"`, ""), 401, noAuthentication},
		{"the API key for a password", byUser(`"id":"user-1","password":"stub-api-key"`, ""), 401, noAuthentication},
		{"another project", byPassword(`,"scope":{"project":{"id":"1"}}`), 401, noAuthentication},
		{"another project by name", byPassword(`,"scope":{"project":{"name":"other","domain":{"id":"default"}}}`), 401, noAuthentication},
		{"a project in another domain", byPassword(`,"scope":{"project":{"name":"demo-project","domain":{"id":"other"}}}`), 401, noAuthentication},
		{"a project's name without a domain", byPassword(`,"scope":{"project":{"name":"demo-project"}}`), malformed, "Expecting to find domain in project." + incorrect},
		{"a project without a name", byPassword(`,"scope":{"project":{}}`), malformed, "Invalid input for field scope/project: id or name must be present."},
		{"a domain as the scope", byPassword(`,"scope":{"domain":{"id":"default"}}`), 401, noAuthentication},
		{"two scopes", byPassword(`,"scope":{"domain":{"id":"default"},"project":{"id":"123456"}}`), malformed, "Expecting to find project, domain, OS-TRUST:trust or unscoped in scope." + incorrect},
		{"two users", `{"auth":{"identity":{"methods":["password","token"],"password":{"user":{"id":"user-1","password":"stub-password"}},"token":{"id":"` + ofOther + `"}}}}`, 401, noAuthentication},
		{"an unknown token", byToken("x", toProject), 404, "Could not find token."},
		{"a token without an id", `{"auth":{"identity":{"methods":["token"],"token":{}}}}`, malformed, "Invalid input for field 'identity/token': 'id' is a required property"},
		{"an unknown credential", byCredentialOf(`"id":"x","secret":"x"`, ""), 404, "Could not find Application Credential: x."},
		{"a wrong secret", byCredentialOf(`"id":"5f3a1c047d2e4b6a9c112a8e0f6d4bac","secret":"x"`, ""), 401, noAuthentication},
		{"an unknown credential by name", byCredentialOf(`"name":"x","secret":"stub-credential-secret","user":{"id":"user-1"}`, ""), 500,
			"An unexpected error prevented the server from fulfilling your request."},
		{"a credential's name without a user", byCredentialOf(`"name":"demo-credential","secret":"x"`, ""), malformed, "Expecting to find user in application_credential." + incorrect},
		{"a credential without a name", byCredentialOf(`"secret":"x"`, ""), malformed, "Expecting to find id or name in application credential." + incorrect},
		{"a credential and a scope", byCredentialOf(`"id":"5f3a1c047d2e4b6a9c112a8e0f6d4bac","secret":"stub-credential-secret"`, toProject), 401,
			"Error authenticating with application credential: Application credentials cannot request a scope."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := c.do(http.MethodPost, "/v3/auth/tokens", test.body)
			got.wantKeystoneError(t, test.status, test.message)
			if token := got.header.Get("X-Subject-Token"); token != "" {
				t.Errorf("got the token %s", token)
			}
		})
	}
}

func TestKeystone_returnsTheServiceCatalog(t *testing.T) {
	c := newClient(t, stub.New(stub.Config{BaseURL: "https://cloud.example/", Regions: []string{"SYD", "HKG"}}))
	got := c.do(http.MethodPost, "/v3/auth/tokens", byPassword(toProject))
	endpoints := map[string]string{}
	for _, service := range at(got.json, "token", "catalog").([]any) {
		for _, endpoint := range at(service, "endpoints").([]any) {
			if at(endpoint, "region") != at(endpoint, "region_id") {
				t.Errorf("got endpoint %v in two regions", endpoint)
			}
			key := fmt.Sprint(at(service, "type"), " ", at(endpoint, "region"), " ", at(endpoint, "interface"))
			endpoints[key] = at(endpoint, "url").(string)
		}
	}
	want := map[string]string{}
	for _, region := range []string{"SYD", "HKG"} {
		for _, access := range []string{"public", "internal", "admin"} {
			if region == "HKG" && access == "internal" {
				continue // the last region has no internal network
			}
			want["compute "+region+" "+access] = "https://cloud.example/" + region + "/v2.1/123456"
			want["image "+region+" "+access] = "https://cloud.example/" + region + "/image"
			want["identity "+region+" "+access] = "https://cloud.example/v3/"
		}
	}
	if diff := cmp.Diff(want, endpoints); diff != "" {
		t.Errorf("endpoints (-want +got):\n%s", diff)
	}
	if got := c.do(http.MethodPost, "/v3/auth/tokens?nocatalog", byPassword(toProject)); at(got.json, "token", "catalog") != nil {
		t.Error("got a catalog that was not wanted")
	}
}

func TestKeystone_refusesExpiredAndRevokedTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{TokenLifetime: time.Hour})
		c := newClient(t, s)
		issued := time.Now().UTC()
		c.token = c.loginV3(byPassword(toProject))
		time.Sleep(59 * time.Minute)
		second := c.do(http.MethodPost, "/v3/auth/tokens", byToken(c.token, toProject))
		if want := issued.Add(time.Hour).Format("2006-01-02T15:04:05.000000Z"); at(second.json, "token", "expires_at") != want {
			t.Errorf("got %s, want the end of the first token, %s", second.body, want)
		}
		time.Sleep(time.Minute)
		for _, token := range []string{c.token, second.header.Get("X-Subject-Token")} {
			c.token = token
			if got := c.do(http.MethodGet, novaAccount+"/servers", "").status; got != http.StatusUnauthorized {
				t.Errorf("got %d with an expired token, want 401", got)
			}
		}
		c.token = c.loginV3(byCredential)
		if got := c.do(http.MethodGet, novaAccount+"/servers", "").status; got != http.StatusOK {
			t.Errorf("got %d with a new token, want 200", got)
		}
		s.RevokeTokens()
		if got := c.do(http.MethodGet, novaAccount+"/servers", "").status; got != http.StatusUnauthorized {
			t.Errorf("got %d with a revoked token, want 401", got)
		}
	})
}

func TestKeystone_describesATokenAndItsRoles(t *testing.T) {
	other := stub.User{ID: "user-2", Name: "other", Password: "p"}
	admin := stub.User{ID: "admin-1", Name: "root", Password: "p", Admin: true}
	observer := stub.User{ID: "user-3", Name: "looker", Password: "p", Observer: true}
	s := stub.New(stub.Config{Users: []stub.User{stub.DefaultUser, other, admin, observer}})
	c := newClient(t, s)
	subject := c.loginV3(byCredential)
	c.token = subject
	got := c.askAbout(subject)
	if got.status != http.StatusOK || at(got.json, "token", "application_credential", "name") != "demo-credential" || got.header.Get("X-Subject-Token") != subject {
		t.Errorf("got %d %s, want the token's own description", got.status, got.body)
	}
	c.askAbout("unknown").wantKeystoneError(t, 404, "Could not find token.")
	for user, want := range map[string]struct {
		status int
		roles  []any
	}{
		"user-2":  {http.StatusForbidden, []any{"member", "reader"}},
		"user-3":  {http.StatusForbidden, []any{"reader"}},
		"admin-1": {http.StatusOK, []any{"admin", "member", "reader"}},
	} {
		login := c.do(http.MethodPost, "/v3/auth/tokens", byUser(`"id":"`+user+`","password":"p"`, toProject))
		var roles []any
		for _, role := range at(login.json, "token", "roles").([]any) {
			roles = append(roles, at(role, "name"))
		}
		if diff := cmp.Diff(want.roles, roles); diff != "" {
			t.Errorf("roles of %s (-want +got):\n%s", user, diff)
		}
		c.token = login.header.Get("X-Subject-Token")
		if got := c.askAbout(subject); got.status != want.status {
			t.Errorf("%s: got %d, want %d", user, got.status, want.status)
		}
	}
	c.token = "none"
	c.askAbout(subject).wantKeystoneError(t, 401, noAuthentication)
}

func TestKeystone_failsOnDemand(t *testing.T) {
	s := stub.New(stub.Config{})
	c := newClient(t, s)
	for status, message := range map[int]string{
		401: noAuthentication, 403: "You are not authorized to perform the requested action.", 404: "The resource could not be found.",
		500: "An unexpected error prevented the server from fulfilling your request.", 503: "Service Unavailable",
	} {
		s.Inject(stub.Fault{Call: stub.CallToken, Count: 1, Status: status})
		c.do(http.MethodPost, "/v3/auth/tokens", byCredential).wantKeystoneError(t, status, message)
	}
	c.loginV3(byCredential)
}

func TestKeystone_listsTheVersionsOfIdentity(t *testing.T) {
	c := newClient(t, stub.New(stub.Config{}))
	got := c.do(http.MethodGet, "/", "")
	versions := map[any]any{}
	for _, version := range at(got.json, "versions", "values").([]any) {
		versions[at(version, "id")] = at(version, "links", 0, "href")
	}
	want := map[any]any{"v3.14": stub.URL + "/v3/", "v2.0": stub.URL + "/v2.0/"}
	if diff := cmp.Diff(want, versions); got.status != http.StatusMultipleChoices || diff != "" {
		t.Errorf("got %d, want 300; versions (-want +got):\n%s", got.status, diff)
	}
	for _, path := range []string{"/v3", "/v3/"} {
		if got := c.do(http.MethodGet, path, ""); got.status != http.StatusOK || at(got.json, "version", "id") != "v3.14" {
			t.Errorf("%s: got %d %s, want the version", path, got.status, got.body)
		}
	}
	for _, path := range []string{"/v3/nothing", "/v3/auth"} {
		c.do(http.MethodGet, path, "").wantKeystoneError(t, 404, "The resource could not be found.")
	}
	c.do(http.MethodPost, "/v3/auth", "{}").wantKeystoneError(t, 404, "The resource could not be found.")
}

func TestNova_answersInItsOneMicroversion(t *testing.T) {
	s := stub.New(stub.Config{})
	id := s.AddServer(stub.Server{})
	plain := newClient(t, s)
	tests := []struct {
		header, value string
		want          int
	}{
		{"X-Openstack-Nova-Api-Version", "2.1", 200},
		{"X-Openstack-Nova-Api-Version", "2.53", 406},
		{"Openstack-Api-Version", "compute 2.1", 200},
		{"Openstack-Api-Version", "compute latest", 200},
		{"Openstack-Api-Version", "compute 2.53", 406},
		{"Openstack-Api-Version", "image 2.53", 200},
	}
	for _, test := range tests {
		t.Run(test.header+" "+test.value, func(t *testing.T) {
			c := &client{t: t, base: plain.base, token: plain.token}
			c.http = &http.Client{Transport: withHeader{s.Transport(), http.Header{test.header: {test.value}}}}
			got := c.do(http.MethodGet, novaAccount+"/servers/"+id, "")
			if got.status != test.want || got.header.Get("Openstack-Api-Version") != "compute 2.1" {
				t.Errorf("got %d in %q, want %d", got.status, got.header.Get("Openstack-Api-Version"), test.want)
			}
			if got.status == http.StatusNotAcceptable {
				version := strings.TrimPrefix(test.value, "compute ")
				got.wantFault(t, 406, "computeFault", "Version "+version+" is not supported by the API. Minimum is 2.1 and maximum is 2.1.")
			}
			if got := c.get("/servers/" + id); got.status != http.StatusOK || got.header.Get("Openstack-Api-Version") != "" {
				t.Errorf("got %d from Rackspace's version, want 200: it has no microversions", got.status)
			}
		})
	}
	if got := plain.do(http.MethodGet, novaAccount+"/servers/"+id, ""); at(got.json, "server", "links", 0, "href") != stub.URL+novaAccount+"/servers/"+id {
		t.Errorf("got links %v, want them to name the version that was asked", at(got.json, "server", "links"))
	}
}

func TestStub_hasFlavorsAndNoImages(t *testing.T) {
	s := stub.New(stub.Config{})
	for _, flavor := range []string{"general1-1", "general1-2", "general1-1"} {
		s.AddServer(stub.Server{FlavorID: flavor})
	}
	s.AddServer(stub.Server{FlavorID: "elsewhere", Region: "DFW"})
	s.AddServer(stub.Server{FlavorID: "another-tenants", TenantID: "654321"})
	c := newClient(t, s)
	var flavors []any
	for _, flavor := range c.get("/flavors/detail").json["flavors"].([]any) {
		flavors = append(flavors, at(flavor, "id"))
	}
	if diff := cmp.Diff([]any{"general1-1", "general1-2"}, flavors); diff != "" {
		t.Errorf("flavors (-want +got):\n%s", diff)
	}
	c.get("/flavors/elsewhere").wantFault(t, 404, "itemNotFound", "Flavor elsewhere could not be found.")
	if got := c.do(http.MethodGet, "/ORD/image/v2/images", ""); got.status != http.StatusOK || len(at(got.json, "images").([]any)) != 0 {
		t.Errorf("got %d %s, want no images", got.status, got.body)
	}
	if got := c.do(http.MethodGet, "/ORD/image/", ""); got.status != http.StatusMultipleChoices || at(got.json, "versions", 0, "links", 0, "href") != stub.URL+"/ORD/image/v2/" {
		t.Errorf("got %d %s, want the versions", got.status, got.body)
	}
	for path, want := range map[string]int{"/ORD/image/v2/images/x": 404, "/LAX/image/v2/images": 404} {
		if got := c.do(http.MethodGet, path, "").status; got != want {
			t.Errorf("%s: got %d, want %d", path, got, want)
		}
	}
	c.token = "none"
	if got := c.do(http.MethodGet, "/ORD/image/v2/images", "").status; got != http.StatusUnauthorized {
		t.Errorf("got %d without a token, want 401", got)
	}
}
