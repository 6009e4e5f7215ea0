package stub

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// pathTokens is where Identity v2.0 issues tokens.
const pathTokens = "/v2.0/tokens"

type token struct {
	user            User
	methods         []string // how the user logged in
	issued, expires time.Time
	scoped          bool // it is for the project of the stub, which Identity v2.0 calls its tenant
}

// expiryFormat is how Rackspace writes the expiry of a token: RFC 3339 with milliseconds
// and an offset.
const expiryFormat = "2006-01-02T15:04:05.000-07:00"

// centralTime has the offset of that expiry.
var centralTime = time.FixedZone("", -6*60*60)

// RevokeTokens makes every token that was issued so far invalid.
func (s *Stub) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// valid returns the token with an id; false when it is unknown or has expired.
func (s *Stub) valid(id string) (token, bool) {
	held, known := s.tokens[id]
	return held, known && s.now().Before(held.expires)
}

// authenticated returns the token of a call; false when it is not valid. In that case
// the call has no user: the token may have been revoked since the request arrived.
func (s *Stub) authenticated(c *call) (token, bool) {
	held, ok := s.valid(c.token)
	if !ok {
		c.user = User{}
	}
	return held, ok
}

// unauthorized refuses a call whose token is not valid, or is for another project than
// that of its path; nil when it may pass. For another project, Rackspace's API answers
// with 401, and Nova with 400.
func (s *Stub) unauthorized(c *call) *answer {
	held, ok := s.authenticated(c)
	if !ok {
		return refuse(http.StatusUnauthorized, "Unauthorized")
	}
	switch {
	case held.scoped && c.tenant == s.config.TenantID:
		return nil
	case c.version != versionNova:
		return refuse(http.StatusUnauthorized, "Unauthorized")
	}
	project := "None"
	if held.scoped {
		project = s.config.TenantID
	}
	return refuse(http.StatusBadRequest,
		"Malformed request URL: URL's project_id '"+c.tenant+"' doesn't match Context's project_id '"+project+"'")
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
		held, ok := s.valid(auth.Token.ID)
		user, known = held.user, ok && auth.TenantID != ""
		id, until = auth.Token.ID, held.expires
	default:
		return refuse(http.StatusBadRequest, "Invalid json request body")
	}
	if !known || auth.TenantID != "" && auth.TenantID != s.config.TenantID {
		return refuse(http.StatusUnauthorized, "Unable to authenticate user with credentials provided.")
	}
	s.tokens[id] = token{user: user, methods: []string{methodPassword}, issued: s.now(), expires: until, scoped: true}
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
	s.tokens[id] = token{
		user: user, methods: []string{methodPassword}, issued: s.now(), expires: s.now().Add(s.config.TokenLifetime), scoped: true,
	}
	return id
}

// user finds the first user that a function accepts; false when there is none.
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
	var endpoints, images []object
	for i, region := range s.config.Regions {
		url := base + "/" + region + "/v2/" + s.config.TenantID
		endpoint := object{"region": region, "tenantId": s.config.TenantID, "publicURL": url, "versionId": "2"}
		if i < len(s.config.Regions)-1 || i == 0 {
			endpoint["internalURL"] = url
		}
		endpoints = append(endpoints, endpoint)
		images = append(images, object{"region": region, "tenantId": s.config.TenantID, "publicURL": imageEndpoint(base, region)})
	}
	return []object{
		{"name": "cloudServers", "type": "compute", "endpoints": []object{
			{"tenantId": s.config.TenantID, "publicURL": base + "/v1.0/" + s.config.TenantID, "versionId": "1.0"},
		}},
		{"name": "cloudFiles", "type": "object-store", "endpoints": []object{
			{"region": s.config.Regions[0], "tenantId": s.config.TenantID, "publicURL": base + "/files/v1/" + s.config.TenantID},
		}},
		{"name": "cloudServersOpenStack", "type": "compute", "endpoints": endpoints},
		{"name": "cloudImages", "type": "image", "endpoints": images},
	}
}
