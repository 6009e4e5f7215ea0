package cloudservers

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
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

// ToTokenV2CreateMap implements tokens.AuthOptionsBuilder with the body of
// Identity v2.0's POST /tokens, Rackspace's API key extension included.
func (c Credentials) ToTokenV2CreateMap() (map[string]any, error) {
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
	return map[string]any{"auth": auth}, nil
}

// CanReauth implements tokens.AuthOptionsBuilder. The session renews tokens
// itself, so that concurrent calls share one renewal.
func (c Credentials) CanReauth() bool { return false }

// authenticationTimeout bounds a token request with all its repetitions, since
// nobody's cancellation does.
const authenticationTimeout = 5 * time.Minute

// grant is what a token request was answered with.
type grant struct {
	token         string
	userID        string
	defaultRegion string
	catalog       []tokens.CatalogEntry
}

// session holds the account's current token.
type session struct {
	client   *Client
	identity *gophercloud.ServiceClient
	renewal  singleflight.Group

	mu      sync.Mutex
	current *grant
}

func newSession(client *Client) (*session, error) {
	identity, err := openstack.NewIdentityV2(client.http, gophercloud.EndpointOpts{})
	return &session{client: client, identity: identity}, err
}

func (s *session) userID() string {
	if g := s.cached(""); g != nil {
		return g.userID
	}
	return ""
}

func (s *session) cached(stale string) *grant {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil && s.current.token != stale {
		return s.current
	}
	return nil
}

// grant returns the current grant, or asks for a new one if there is none or
// its token is the stale one. Callers that need a new one at the same time
// share one request, and none of them can spoil it for the others by giving up.
func (s *session) grant(ctx context.Context, stale string) (*grant, error) {
	if g := s.cached(stale); g != nil {
		return g, nil
	}
	flight := s.renewal.DoChan("", func() (any, error) { //nolint:contextcheck // see Config.Context
		if g := s.cached(stale); g != nil {
			return g, nil
		}
		ctx, cancel := context.WithTimeout(s.client.config.Context, authenticationTimeout)
		defer cancel()
		g, err := s.authenticate(ctx)
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.current = g
		return g, nil
	})
	select {
	case result := <-flight:
		if result.Err != nil {
			return nil, result.Err
		}
		return result.Val.(*grant), nil
	case <-ctx.Done():
		return nil, &Error{Op: opToken, Err: context.Cause(ctx)}
	}
}

func (s *session) authenticate(ctx context.Context) (*grant, error) {
	var result tokens.CreateResult
	_, err := s.client.retry(ctx, call{op: opToken, method: http.MethodPost, url: tokens.CreateURL(s.identity)}, func() (int, http.Header, error) {
		result = tokens.Create(ctx, s.identity, s.client.config.Credentials)
		return http.StatusOK, result.Header, result.Err
	})
	if err != nil {
		return nil, err
	}
	var answer tokenAnswer
	if err := result.ExtractInto(&answer); err != nil {
		return nil, s.unusable(err)
	}
	if answer.Access.Token.ID == "" {
		return nil, s.unusable(errors.New("it has no access.token.id"))
	}
	return &grant{
		token:         answer.Access.Token.ID,
		userID:        string(answer.Access.User.ID),
		defaultRegion: answer.Access.User.DefaultRegion,
		catalog:       answer.Access.Catalog,
	}, nil
}

// unusable reports an answer of the right status whose body is no grant.
func (s *session) unusable(err error) error {
	return &Error{
		Op: opToken, Method: http.MethodPost, URL: tokens.CreateURL(s.identity),
		StatusCode: http.StatusOK, Err: &answerError{err},
	}
}

// tokenAnswer is the part of an answer to POST /tokens that is used.
// gophercloud's own type fails on the offset in a Rackspace token's expiry.
type tokenAnswer struct {
	Access struct {
		Token struct {
			ID string `json:"id"`
		} `json:"token"`
		User struct {
			ID            identifier `json:"id"`
			DefaultRegion string     `json:"RAX-AUTH:defaultRegion"`
		} `json:"user"`
		Catalog []tokens.CatalogEntry `json:"serviceCatalog"`
	} `json:"access"`
}

// identifier is an id that some deployments write as a JSON number.
type identifier string

// UnmarshalJSON takes a JSON string, number or null.
func (i *identifier) UnmarshalJSON(data []byte) error {
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return err
	}
	switch value := value.(type) {
	case nil:
		*i = ""
	case string:
		*i = identifier(value)
	case float64:
		*i = identifier(data)
	default:
		return &answerError{errors.New("an id in it is neither a string nor a number")}
	}
	return nil
}
