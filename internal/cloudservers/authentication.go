package cloudservers

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"sync/atomic"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v2/tokens"
	keystone "github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
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

// tokenRequest is the body of a token request: Keystone v3's POST /auth/tokens, or
// Identity v2.0's POST /tokens with Rackspace's API key extension. The error says what
// the credentials lack.
func (c Credentials) tokenRequest() (map[string]any, error) {
	if c.Keystone != nil {
		options := *c.Keystone // ToTokenV3ScopeMap changes it
		scope, err := options.ToTokenV3ScopeMap()
		if err != nil {
			return nil, err
		}
		return options.ToTokenV3CreateMap(scope)
	}
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
	return map[string]any{"auth": auth}, nil
}

// versioned is the path of an address with a version, the last one where it has several.
var versioned = regexp.MustCompile(`(?s)^(.*/)?(v[0-9.]+)(?:/.*)?$`)

// SplitVersion splits an address of the Identity API into what comes before its
// version, and the version, such as IdentityV3; nothing where it has none.
func SplitVersion(endpoint string) (base, version string, err error) {
	parsed, err := url.Parse(endpoint)
	if err != nil {
		return "", "", err
	}
	parsed.RawQuery, parsed.Fragment = "", ""
	if parts := versioned.FindStringSubmatch(parsed.Path); parts != nil {
		parsed.Path, version = parts[1], parts[2]
	}
	return gophercloud.NormalizeURL(parsed.String()), version, nil
}

// session is a token, and what the answer to the token request says about it.
type session struct {
	token     string
	tenantID  string // empty where the answer does not tell
	userID    string
	region    string              // the user's default one, or empty
	endpoints []keystone.Endpoint // of Cloud Servers v2, or of Nova

	refused atomic.Bool // Cloud Servers refused the token
}

func (s *session) isUsable() bool { return s.token != "" && !s.refused.Load() }

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
	version, path, body := IdentityV2, "/tokens", tokenAnswer(&identityAnswer{})
	if c.config.Credentials.Keystone != nil {
		version, path, body = IdentityV3, "/auth/tokens", &keystoneAnswer{}
	}
	what := call{
		op: opToken, method: http.MethodPost, url: c.identityBase + version + path, body: c.tokenRequest, answer: body,
		version: version, origin: c.config.IdentityOrigin,
	}
	answer, err := c.retry(ctx, what, c.tokens)
	if err != nil {
		return err
	}
	renewed, err := body.session(answer.header)
	if err != nil {
		return what.unusable(answer, err.Error())
	}
	c.session.Store(renewed)
	return nil
}

// tokenAnswer is the answer of a version of the Identity API to a token request.
type tokenAnswer interface {
	// session is what the answer says. The error says what it lacks.
	session(header http.Header) (*session, error)
}

// identityAnswer is that of v2.0 (POST /v2.0/tokens). gophercloud's own type fails on
// the offset in a Rackspace token's expiry.
type identityAnswer struct {
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

func (a *identityAnswer) session(http.Header) (*session, error) {
	token, user := a.Access.Token, a.Access.User
	if token.ID == "" {
		return nil, errors.New("it has no access.token.id")
	}
	return &session{
		token: token.ID, tenantID: string(token.Tenant.ID), userID: string(user.ID), region: user.DefaultRegion,
		endpoints: endpointsOf(a.Access.Catalog),
	}, nil
}

// keystoneAnswer is that of Keystone v3 (POST /v3/auth/tokens).
type keystoneAnswer struct {
	Token struct {
		User    keystone.User           `json:"user"`
		Project keystone.Project        `json:"project"`
		Catalog []keystone.CatalogEntry `json:"catalog"`
	} `json:"token"`
}

func (a *keystoneAnswer) session(header http.Header) (*session, error) {
	token, told := header.Get("X-Subject-Token"), a.Token
	if token == "" || told.User.ID == "" {
		return nil, errors.New("it has no token in its header X-Subject-Token, or no token.user.id")
	}
	return &session{token: token, tenantID: told.Project.ID, userID: told.User.ID, endpoints: endpointsOfNova(told.Catalog)}, nil
}

// identifier is an id that some deployments write as a JSON number.
type identifier string

// UnmarshalJSON takes a JSON string, number or null.
func (i *identifier) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, (*string)(i)) != nil && json.Unmarshal(data, (*json.Number)(i)) != nil {
		return &answerError{errors.New("an id in it is neither a string nor a number")}
	}
	return nil
}
