package cloudservers_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/hashicorp/terraform-plugin-log/tflogtest"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

const (
	keystoneServer = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
	keystoneUser   = "u-1"
)

// keystone is a cloud with Keystone v3, a Nova and one server. It gives out the
// tokens token-1, token-2 and so on, of which the last one is valid.
type keystone struct {
	refusal  int    // the status of the answer to a token request; 0: a token
	answer   string // in place of the documented one, or empty
	catalog  string // in place of one with a Nova in RegionOne, or empty
	revoked  bool
	tokens   int
	requests []*http.Request
	bodies   []string
}

func (k *keystone) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	k.requests, k.bodies = append(k.requests, r), append(k.bodies, string(body))
	valid := fmt.Sprintf("token-%d", k.tokens)
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/identity/v3/auth/tokens" && k.refusal != 0:
		w.WriteHeader(k.refusal)
		_, _ = fmt.Fprintf(w, `{"error":{"code":%d,"message":"The request you have made requires authentication.","title":"Unauthorized"}}`, k.refusal)
	case r.Method == http.MethodPost && r.URL.Path == "/identity/v3/auth/tokens":
		k.tokens, k.revoked = k.tokens+1, false
		w.Header().Set("X-Subject-Token", fmt.Sprintf("token-%d", k.tokens))
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, cmp.Or(k.answer, `{"token":{"methods":["password"],"expires_at":"2026-11-30T12:00:00.000000Z",
			"user":{"id":"`+keystoneUser+`","name":"alice","domain":{"id":"default","name":"Default"}},
			"project":{"id":"p-1","name":"web","domain":{"id":"default","name":"Default"}},
			"catalog":`+cmp.Or(k.catalog, `[{"id":"c","name":"nova","type":"compute","endpoints":[
				{"id":"e","interface":"public","region":"RegionOne","region_id":"RegionOne","url":"https://nova.example/v2.1"}]}]`)+`}}`))
	case r.Header.Get("X-Auth-Token") != valid || k.revoked:
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}}`)
	case r.URL.Path == "/v2.1/servers/"+keystoneServer:
		_, _ = io.WriteString(w, `{"server":{"id":"`+keystoneServer+`","status":"ACTIVE","tenant_id":"p-1"}}`)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// RoundTrip answers in process.
func (k *keystone) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r = r.Clone(r.Context())
		r.Body = http.NoBody
	}
	answer := httptest.NewRecorder()
	k.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// client returns a client of the cloud.
func (k *keystone) client(ctx context.Context, t *testing.T, options gophercloud.AuthOptions) *cloudservers.Client {
	t.Helper()
	client, err := cloudservers.New(cloudservers.Config{
		Context:          ctx,
		IdentityEndpoint: "https://cloud.example/identity/v3", Transport: k,
		Credentials: cloudservers.Credentials{Keystone: &options, Origin: "the test"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// byPassword are credentials whose secrets are easy to find.
var byPassword = gophercloud.AuthOptions{
	Username: "alice", Password: "s3cret", DomainName: "Default", Scope: &gophercloud.AuthScope{ProjectID: "p-1"},
}

func TestKeystone_sendsWhatItDocuments(t *testing.T) {
	tests := []struct {
		name    string
		options gophercloud.AuthOptions
		want    string
	}{
		{"a password, by names", gophercloud.AuthOptions{
			Username: "alice", Password: "s3cret", DomainName: "Default",
			Scope: &gophercloud.AuthScope{ProjectName: "web", DomainName: "Default"},
		}, `{"auth":{"identity":{"methods":["password"],"password":{"user":{"domain":{"name":"Default"},"name":"alice","password":"s3cret"}}},
			"scope":{"project":{"domain":{"name":"Default"},"name":"web"}}}}`},
		{"a password, by ids", gophercloud.AuthOptions{
			UserID: "u-1", Password: "s3cret", Scope: &gophercloud.AuthScope{ProjectID: "p-1"},
		}, `{"auth":{"identity":{"methods":["password"],"password":{"user":{"id":"u-1","password":"s3cret"}}},"scope":{"project":{"id":"p-1"}}}}`},
		{"an application credential", gophercloud.AuthOptions{ApplicationCredentialID: "a-1", ApplicationCredentialSecret: "s3cret"},
			`{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"id":"a-1","secret":"s3cret"}}}}`},
		{"an application credential, by name", gophercloud.AuthOptions{
			ApplicationCredentialName: "ci", ApplicationCredentialSecret: "s3cret", Username: "alice", DomainID: "default",
		}, `{"auth":{"identity":{"methods":["application_credential"],"application_credential":
			{"name":"ci","secret":"s3cret","user":{"domain":{"id":"default"},"name":"alice"}}}}}`},
		{"a token", gophercloud.AuthOptions{TokenID: "t-1", Scope: &gophercloud.AuthScope{ProjectID: "p-1"}},
			`{"auth":{"identity":{"methods":["token"],"token":{"id":"t-1"}},"scope":{"project":{"id":"p-1"}}}}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cloud := &keystone{}
			client := cloud.client(t.Context(), t, test.options)
			server, err := region(t, client).Server(t.Context(), keystoneServer)
			if err != nil || server.Status != cloudservers.StatusActive {
				t.Fatalf("got %v (%v), want the server", server, err)
			}
			var got, want any
			if json.Unmarshal([]byte(cloud.bodies[0]), &got) != nil || json.Unmarshal([]byte(test.want), &want) != nil {
				t.Fatalf("got %s, want JSON", cloud.bodies[0])
			}
			if got, want := fmt.Sprint(got), fmt.Sprint(want); got != want {
				t.Errorf("got the body %s, want %s", got, want)
			}
			token, read := cloud.requests[0], cloud.requests[1]
			if token.URL.String() != "https://cloud.example/identity/v3/auth/tokens" || token.Header.Get("Content-Type") != "application/json" || token.Header.Get("X-Auth-Token") != "" {
				t.Errorf("got %s with %v", token.URL, token.Header)
			}
			if got := read.Header.Get("X-Auth-Token"); got != "token-1" {
				t.Errorf("got the token %q, want that of the answer's header", got)
			}
			for header := range read.Header {
				if strings.Contains(strings.ToLower(header), "api-version") {
					t.Errorf("got the header %s, want no microversion", header)
				}
			}
			if got := client.UserID(); got != keystoneUser {
				t.Errorf("got the user %q, want %q", got, keystoneUser)
			}
		})
	}
}

func TestKeystone_renewsATokenThatExpired(t *testing.T) {
	cloud := &keystone{}
	r := region(t, cloud.client(t.Context(), t, byPassword))
	cloud.revoked = true
	if _, err := r.Server(t.Context(), keystoneServer); err != nil || cloud.tokens != 2 {
		t.Errorf("got %v after %d tokens, want the server after 2", err, cloud.tokens)
	}
	// Where the user gave a token, nothing can get another one.
	cloud = &keystone{}
	r = region(t, cloud.client(t.Context(), t, gophercloud.AuthOptions{TokenID: "t-1"}))
	cloud.revoked = true
	_, err := r.Server(t.Context(), keystoneServer)
	failure := wantError(t, err)
	if failure.StatusCode != http.StatusUnauthorized || failure.Credentials.Renewable() || cloud.tokens != 1 {
		t.Errorf("got %v after %d tokens, want it refused after 1", err, cloud.tokens)
	}
}

func TestKeystone_explainsWhatIsWrong(t *testing.T) {
	tests := []struct {
		name    string
		cloud   *keystone
		options gophercloud.AuthOptions
		status  int
		want    string
	}{
		{"refused", &keystone{refusal: http.StatusUnauthorized}, byPassword, http.StatusUnauthorized, "401 Unauthorized: The request you have made requires authentication."},
		{"an answer of the Identity API v2.0", &keystone{answer: `{"access":{"token":{"id":"t"}}}`}, byPassword, http.StatusOK, "no token.user.id"},
		{"a list of versions", &keystone{answer: `{"versions":{"values":[]}}`}, byPassword, http.StatusOK, "no token.user.id"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.cloud.client(t.Context(), t, test.options).Region(t.Context(), "")
			failure := wantError(t, err)
			if failure.StatusCode != test.status || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
			if !failure.Authentication() || failure.IdentityVersion != cloudservers.IdentityV3 {
				t.Errorf("got %+v, want an error of the Identity API v3", failure)
			}
		})
	}
}

func TestNew_refusesCredentialsThatAreIncomplete(t *testing.T) {
	_, err := cloudservers.New(cloudservers.Config{Credentials: cloudservers.Credentials{
		Keystone: &gophercloud.AuthOptions{Username: "alice", Password: "s3cret"},
	}})
	if err == nil || !strings.Contains(err.Error(), "DomainID or DomainName") {
		t.Errorf("got %v, want that it names the user's domain", err)
	}
}

func TestKeystone_showsNoSecretInItsLog(t *testing.T) {
	for name, cloud := range map[string]*keystone{"taken": {}, "refused": {refusal: http.StatusUnauthorized}} {
		t.Run(name, func(t *testing.T) {
			for _, options := range []gophercloud.AuthOptions{
				byPassword, {ApplicationCredentialID: "a-1", ApplicationCredentialSecret: "s3cret"}, {TokenID: "s3cret"},
			} {
				var logged bytes.Buffer
				ctx := tflogtest.RootLogger(t.Context(), &logged)
				client := cloud.client(ctx, t, options)
				r, err := client.Region(ctx, "")
				if err == nil {
					_, err = r.Server(ctx, keystoneServer)
				}
				shown := logged.String()
				if !strings.Contains(shown, "Cloud Servers request") {
					t.Errorf("got the log %q, want the requests", shown)
				}
				if err != nil {
					shown += err.Error()
				}
				for _, secret := range []string{"s3cret", "token-"} {
					if strings.Contains(shown, secret) {
						t.Errorf("got %q in the log and the error:\n%s", secret, shown)
					}
				}
			}
		})
	}
}

// A certificate of the cloud's own is trusted where Config.TLS says so, and no other.
func TestClient_trustsTheCertificatesOfItsConfiguration(t *testing.T) {
	cloud := &keystone{}
	var server *httptest.Server
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cloud.catalog = `[{"type":"compute","endpoints":[{"interface":"public","region":"RegionOne","url":"` + server.URL + `/v2.1"}]}]`
		cloud.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that fail
	server.StartTLS()
	t.Cleanup(server.Close)
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	for name, test := range map[string]struct {
		config *tls.Config
		works  bool
	}{
		"of the configuration": {&tls.Config{RootCAs: trusted}, true},
		"of the system":        {nil, false},
		"of others":            {&tls.Config{RootCAs: x509.NewCertPool()}, false},
		"unchecked":            {&tls.Config{InsecureSkipVerify: true}, true},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := cloudservers.New(cloudservers.Config{
				IdentityEndpoint: server.URL + "/identity/v3", Credentials: cloudservers.Credentials{Keystone: &byPassword}, TLS: test.config,
			})
			if err != nil {
				t.Fatal(err)
			}
			r, err := client.Region(t.Context(), "")
			if err == nil {
				_, err = r.Server(t.Context(), keystoneServer)
			}
			if (err == nil) != test.works {
				t.Errorf("got %v", err)
			}
		})
	}
}
