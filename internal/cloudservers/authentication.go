package cloudservers

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/gophercloud/gophercloud/v2/openstack/identity/v2/tokens"
	"golang.org/x/sync/singleflight"
)

// Credentials prove who asks: an API key or a password, each with a username,
// or a token with its tenant id. Origin says in words where they came from; it
// is shown when they are refused, and must not hold a secret.
type Credentials struct {
	Username string
	APIKey   string
	Password string
	Token    string
	TenantID string // optional but for a token
	Origin   string
}

// Renewable tells whether a new token can be had when the current one expires.
func (c Credentials) Renewable() bool { return c.Token == "" }

// tokenRequest is the body of Identity v2.0's POST /tokens, Rackspace's API key
// extension included.
func (c Credentials) tokenRequest() map[string]any {
	auth := map[string]any{}
	switch {
	case c.Token != "":
		auth["token"] = map[string]any{"id": c.Token}
	case c.APIKey != "":
		auth["RAX-KSKEY:apiKeyCredentials"] = map[string]any{"username": c.Username, "apiKey": c.APIKey}
	default:
		auth["passwordCredentials"] = map[string]any{"username": c.Username, "password": c.Password}
	}
	if c.TenantID != "" {
		auth["tenantId"] = c.TenantID
	}
	return map[string]any{"auth": auth}
}

// session is the part of the Identity API's answer to a token request that is
// used. gophercloud's own type fails on the offset in a Rackspace token's expiry.
type session struct {
	Token struct {
		ID     string `json:"id"`
		Tenant struct {
			ID identifier `json:"id"` // empty where the answer does not tell
		} `json:"tenant"`
	} `json:"token"`
	User struct {
		ID            identifier `json:"id"`
		DefaultRegion string     `json:"RAX-AUTH:defaultRegion"`
	} `json:"user"`
	Catalog []tokens.CatalogEntry `json:"serviceCatalog"`

	refused atomic.Bool // Cloud Servers refused the token
}

func (s *session) isUsable() bool { return s.Token.ID != "" && !s.refused.Load() }

// authentication holds the account's current session.
type authentication struct {
	client  *Client
	renewal singleflight.Group
	current atomic.Pointer[session] // empty until a call has authenticated
}

// session returns the current session, and asks for a new one if there is none
// that can be used. Callers that need one at the same time share a request.
func (a *authentication) session(ctx context.Context) (*session, error) {
	if s := a.current.Load(); s.isUsable() {
		return s, nil
	}
	if err := a.client.share(ctx, &a.renewal, opToken, a.authenticate); err != nil {
		return nil, err
	}
	return a.current.Load(), nil
}

// authenticate asks for a token (POST /tokens), unless another caller got one
// meanwhile.
func (a *authentication) authenticate(ctx context.Context) error {
	if a.current.Load().isUsable() {
		return nil
	}
	var body struct {
		Access session `json:"access"`
	}
	what := call{
		op: opToken, method: http.MethodPost, url: a.client.http.IdentityBase + "v2.0/tokens",
		body: a.client.config.Credentials.tokenRequest(), answer: &body, origin: a.client.config.IdentityOrigin,
	}
	answer, err := a.client.retry(ctx, what, a.client.tokens)
	if err != nil {
		return err
	}
	if body.Access.Token.ID == "" {
		return what.unusable(answer, "it has no access.token.id")
	}
	a.current.Store(&body.Access)
	return nil
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
