package cloudservers

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v2/tokens"
)

// The versions of the Identity API.
const (
	IdentityV2 = "v2.0" // Rackspace's
	IdentityV3 = "v3"   // OpenStack's Keystone
)

// Credentials are what tokens are asked for with. Where Keystone is set, it holds all
// of them. Otherwise they are for the Identity API v2.0: an API key or a password, each
// with a username, or a token with its tenant. Origin says in words where they came
// from. It is shown when they are refused, and must not hold a secret.
type Credentials struct {
	Username   string
	APIKey     string
	Password   string
	Token      string
	TenantID   string // optional but for a token
	TenantName string // in place of TenantID
	Keystone   *gophercloud.AuthOptions
	Origin     string
}

// Renewable tells whether a new token can be had when the current one expires.
func (c Credentials) Renewable() bool {
	return c.Token == "" && (c.Keystone == nil || c.Keystone.TokenID == "")
}

// tokenRequest is the body of a token request. The error says what the credentials
// lack.
func (c Credentials) tokenRequest() (map[string]any, error) {
	if c.Keystone != nil {
		return c.keystoneRequest()
	}
	return c.identityRequest(), nil
}

// identityRequest is the body of Identity v2.0's POST /tokens, Rackspace's API key
// extension included.
func (c Credentials) identityRequest() map[string]any {
	auth := map[string]any{}
	switch {
	case c.Token != "":
		auth["token"] = map[string]any{"id": c.Token}
	case c.APIKey != "":
		auth["RAX-KSKEY:apiKeyCredentials"] = map[string]any{"username": c.Username, "apiKey": c.APIKey}
	default:
		auth["passwordCredentials"] = map[string]any{"username": c.Username, "password": c.Password}
	}
	switch {
	case c.TenantID != "":
		auth["tenantId"] = c.TenantID
	case c.TenantName != "":
		auth["tenantName"] = c.TenantName
	}
	return map[string]any{"auth": auth}
}

// session is a token, and what the answer to the token request says about it.
type session struct {
	token     string
	tenantID  string // empty where the answer does not tell
	userID    string
	region    string // the user's default one, or empty
	endpoints []endpoint

	refused atomic.Bool // Cloud Servers refused the token
}

func (s *session) isUsable() bool { return s.token != "" && !s.refused.Load() }

// access is the answer of the Identity API v2.0. gophercloud's own type fails on the
// offset in a Rackspace token's expiry.
type access struct {
	Access struct {
		Token struct {
			ID     string `json:"id"`
			Tenant struct {
				ID identifier `json:"id"`
			} `json:"tenant"`
		} `json:"token"`
		User struct {
			ID            identifier `json:"id"`
			DefaultRegion string     `json:"RAX-AUTH:defaultRegion"`
		} `json:"user"`
		Catalog []tokens.CatalogEntry `json:"serviceCatalog"`
	} `json:"access"`
}

// authenticated returns the current session. It asks for a new one if the current one
// cannot be used. Callers that need a new one at the same time share a request.
func (c *Client) authenticated(ctx context.Context) (*session, error) {
	if s := c.session.Load(); s.isUsable() {
		return s, nil
	}
	if err := c.share(ctx, &c.renewal, opToken, c.authenticate); err != nil {
		return nil, err
	}
	return c.session.Load(), nil
}

// authenticate asks for a token, unless another caller got one meanwhile.
func (c *Client) authenticate(ctx context.Context) error {
	if c.session.Load().isUsable() {
		return nil
	}
	ask := c.askIdentity
	if c.config.Credentials.Keystone != nil {
		ask = c.askKeystone
	}
	renewed, err := ask(ctx)
	if err != nil {
		return err
	}
	c.session.Store(renewed)
	return nil
}

// tokenCall is the call that gets a token from a version of the Identity API.
func (c *Client) tokenCall(version, path string, answer any) call {
	return call{
		op: opToken, method: http.MethodPost, url: c.identityBase + version + path, body: c.tokenRequest, answer: answer,
		version: version, origin: c.config.IdentityOrigin,
	}
}

// askIdentity gets a token from the Identity API v2.0 (POST /v2.0/tokens).
func (c *Client) askIdentity(ctx context.Context) (*session, error) {
	var body access
	what := c.tokenCall(IdentityV2, "/tokens", &body)
	answer, err := c.retry(ctx, what, c.tokens)
	if err != nil {
		return nil, err
	}
	told := body.Access
	if told.Token.ID == "" {
		return nil, what.unusable(answer, "it has no access.token.id")
	}
	return &session{
		token: told.Token.ID, tenantID: string(told.Token.Tenant.ID), userID: string(told.User.ID),
		region: told.User.DefaultRegion, endpoints: endpointsOf(told.Catalog),
	}, nil
}

// identifier is an id that some deployments write as a JSON number.
type identifier string

// UnmarshalJSON takes a JSON string, number or null.
func (i *identifier) UnmarshalJSON(data []byte) error {
	var number json.Number
	if json.Unmarshal(data, (*string)(i)) == nil {
		return nil
	}
	if json.Unmarshal(data, &number) != nil {
		return &answerError{errors.New("an id in it is neither a string nor a number")}
	}
	*i = identifier(number)
	return nil
}
