package stub

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

type token struct {
	user    User
	expires time.Time
}

// expiryFormat is RFC 3339 with milliseconds; Rackspace adds an offset.
const expiryFormat = "2006-01-02T15:04:05.000-07:00"

var centralTime = time.FixedZone("", -6*60*60)

// RevokeTokens makes every token that was issued so far invalid.
func (s *Stub) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// authorized tells whether a call has a valid token, for the tenant in its path.
func (s *Stub) authorized(c *call) bool {
	held, ok := s.tokens[c.token]
	if !ok || !s.now().Before(held.expires) {
		c.user = User{} // the token may have been revoked since the request arrived
		return false
	}
	return c.tenant == s.config.TenantID
}

type authRequest struct {
	Auth *struct {
		APIKey *struct {
			Username string `json:"username"`
			APIKey   string `json:"apiKey"`
		} `json:"RAX-KSKEY:apiKeyCredentials"`
		Password *struct {
			Username string `json:"username"`
			Password string `json:"password"`
		} `json:"passwordCredentials"`
		Token *struct {
			ID string `json:"id"`
		} `json:"token"`
		TenantID string `json:"tenantId"`
	} `json:"auth"`
}

// issueToken is POST /v2.0/tokens.
func (s *Stub) issueToken(c *call) *answer {
	var request authRequest
	if json.Unmarshal(c.body, &request) != nil || request.Auth == nil {
		return refuse(http.StatusBadRequest, "Invalid json request body")
	}
	auth := request.Auth
	var (
		user  User
		known bool
		id    = strings.ReplaceAll(newID(), "-", "")
		until = s.now().Add(s.config.TokenLifetime)
	)
	switch {
	case auth.APIKey != nil:
		user, known = s.user(func(u User) bool { return u.Name == auth.APIKey.Username && u.APIKey == auth.APIKey.APIKey })
	case auth.Password != nil:
		user, known = s.user(func(u User) bool { return u.Name == auth.Password.Username && u.Password == auth.Password.Password })
	case auth.Token != nil:
		held, ok := s.tokens[auth.Token.ID]
		user, known = held.user, ok && s.now().Before(held.expires) && auth.TenantID != ""
		id, until = auth.Token.ID, held.expires
	default:
		return refuse(http.StatusBadRequest, "Invalid json request body")
	}
	if !known || auth.TenantID != "" && auth.TenantID != s.config.TenantID {
		return refuse(http.StatusUnauthorized, "Unable to authenticate user with credentials provided.")
	}
	s.tokens[id] = token{user: user, expires: until}
	c.user = user
	return reply(http.StatusOK, object{"access": object{
		"token": object{
			"id": id, "expires": until.In(centralTime).Format(expiryFormat),
			"tenant": object{"id": s.config.TenantID, "name": s.config.TenantID},
		},
		"user":           s.userDocument(user),
		"serviceCatalog": s.catalog(c.base),
	}})
}

// IssueToken returns a token as a user would get it by logging in elsewhere.
func (s *Stub) IssueToken(user User) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := newID()
	s.tokens[id] = token{user: user, expires: s.now().Add(s.config.TokenLifetime)}
	return id
}

func (s *Stub) user(is func(User) bool) (User, bool) {
	for _, user := range s.config.Users {
		if is(user) {
			return user, true
		}
	}
	return User{}, false
}

func (s *Stub) userDocument(user User) object {
	role := "nova:admin"
	switch {
	case user.Observer:
		role = "nova:observer"
	case user.Admin:
		role = "admin"
	}
	document := object{"id": user.ID, "name": user.Name, "roles": []object{{"name": role}}}
	if !s.config.NoDefaultRegion {
		document["RAX-AUTH:defaultRegion"] = s.config.DefaultRegion
	}
	return document
}

// catalog has two entries of type compute, as Rackspace's has. The last region
// has no ServiceNet.
func (s *Stub) catalog(base string) []object {
	var endpoints []object
	for i, region := range s.config.Regions {
		url := base + "/" + region + "/v2/" + s.config.TenantID
		endpoint := object{"region": region, "tenantId": s.config.TenantID, "publicURL": url, "versionId": "2"}
		if i < len(s.config.Regions)-1 || i == 0 {
			endpoint["internalURL"] = url
		}
		endpoints = append(endpoints, endpoint)
	}
	return []object{
		{"name": "cloudServers", "type": "compute", "endpoints": []object{
			{"tenantId": s.config.TenantID, "publicURL": base + "/v1.0/" + s.config.TenantID, "versionId": "1.0"},
		}},
		{"name": "cloudFiles", "type": "object-store", "endpoints": []object{
			{"region": s.config.Regions[0], "tenantId": s.config.TenantID, "publicURL": base + "/files/v1/" + s.config.TenantID},
		}},
		{"name": "cloudServersOpenStack", "type": "compute", "endpoints": endpoints},
	}
}
