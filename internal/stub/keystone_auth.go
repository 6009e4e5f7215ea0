package stub

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// The methods by which a user logs in at Identity v3.
const (
	methodPassword   = "password"
	methodToken      = "token"
	methodCredential = "application_credential"
)

// keystoneRequest is the body of POST /v3/auth/tokens.
type keystoneRequest struct {
	Auth *struct {
		Identity *keystoneIdentity `json:"identity"`
		Scope    json.RawMessage   `json:"scope"` // an object, or the word unscoped
	} `json:"auth"`
}

type keystoneIdentity struct {
	Methods  []string `json:"methods"`
	Password *struct {
		User *keystoneUser `json:"user"`
	} `json:"password"`
	Token *struct {
		ID *string `json:"id"`
	} `json:"token"`
	Credential *struct {
		ID     string        `json:"id"`
		Name   string        `json:"name"`
		Secret string        `json:"secret"`
		User   *keystoneUser `json:"user"`
	} `json:"application_credential"`
}

// keystoneName names an object by its id, or by its name in a domain.
type keystoneName struct {
	ID     string        `json:"id"`
	Name   string        `json:"name"`
	Domain *keystoneName `json:"domain"`
}

type keystoneUser struct {
	keystoneName
	Password string `json:"password"`
}

// issueKeystoneToken is POST /v3/auth/tokens.
func (s *Stub) issueKeystoneToken(c *call) *answer {
	var request keystoneRequest
	if json.Unmarshal(c.body, &request) != nil {
		return expecting("valid JSON", "request body")
	}
	auth := request.Auth
	switch {
	case auth == nil:
		return expecting("auth", "request body")
	case auth.Identity == nil:
		return refuseAsKeystone(http.StatusBadRequest, "'identity' is a required property")
	case auth.Identity.Methods == nil:
		return invalidInput("'identity'", "'methods' is a required property")
	}
	scoped, refusal := s.scope(auth.Scope)
	if refusal != nil {
		return refusal
	}
	issued := token{issued: s.now(), expires: s.now().Add(s.config.TokenLifetime), scoped: scoped}
	for _, method := range auth.Identity.Methods {
		user, refusal := s.authenticate(method, auth.Identity, auth.Scope != nil, &issued)
		switch {
		case refusal != nil:
			return refusal
		case issued.user.ID != "" && issued.user.ID != user.ID:
			return refuseAsKeystone(http.StatusUnauthorized, "")
		}
		issued.user = user
	}
	if len(issued.methods) == 0 {
		return refuseAsKeystone(http.StatusUnauthorized, "")
	}
	id := newKeystoneTokenID()
	s.tokens[id], c.user = issued, issued.user
	return s.showToken(http.StatusCreated, id, issued, c)
}

// scope tells whether a token is asked for the project of the stub. Without a scope
// it is for none, because the users have no default project.
func (s *Stub) scope(text json.RawMessage) (scoped bool, refusal *answer) {
	var word string
	if text == nil || json.Unmarshal(text, &word) == nil {
		return false, nil
	}
	var scopes map[string]json.RawMessage
	if json.Unmarshal(text, &scopes) != nil {
		return false, invalidInput("'scope'", "it is not of type 'object', 'string'")
	}
	if len(scopes) != 1 {
		return false, expecting("project, domain, OS-TRUST:trust or unscoped", "scope")
	}
	if scopes["unscoped"] != nil {
		return false, nil
	}
	var project *keystoneName
	if json.Unmarshal(scopes["project"], &project) != nil || project == nil {
		return false, refuseAsKeystone(http.StatusUnauthorized, "") // nobody has a role in anything but the project
	}
	switch {
	case project.ID == "" && project.Name == "":
		return false, invalidInput("scope/project", "id or name must be present.")
	case project.Name != "" && project.Domain == nil:
		return false, expecting("domain", "project")
	case project.Name != "" && !project.isIn(s.config.ProjectName), project.Name == "" && project.ID != s.config.TenantID:
		return false, refuseAsKeystone(http.StatusUnauthorized, "")
	}
	return true, nil
}

// isIn tells whether this is a name in the one domain.
func (n *keystoneName) isIn(name string) bool {
	domain := n.Domain
	return n.Name == name && (domain.Name == DomainName || domain.Name == "" && domain.ID == DomainID)
}

// authenticate finds the user who logs in by a method, and notes in the new token
// what follows from the method.
func (s *Stub) authenticate(method string, identity *keystoneIdentity, withScope bool, issued *token) (User, *answer) {
	switch {
	case method == methodPassword && identity.Password != nil:
		return s.byPassword(identity.Password.User, issued)
	case method == methodToken && identity.Token != nil:
		return s.byToken(identity.Token.ID, issued)
	case method == methodCredential && identity.Credential != nil && withScope:
		return User{}, refuseAsKeystone(http.StatusUnauthorized,
			"Error authenticating with application credential: Application credentials cannot request a scope.")
	case method == methodCredential && identity.Credential != nil:
		return s.byCredential(identity, issued)
	case slices.Contains([]string{methodPassword, methodToken, methodCredential}, method):
		return User{}, expecting(method, "identity")
	}
	return User{}, refuseAsKeystone(http.StatusUnauthorized, "Attempted to authenticate with an unsupported method.")
}

func (s *Stub) byPassword(named *keystoneUser, issued *token) (User, *answer) {
	user, refusal := s.named(named, methodPassword)
	if refusal == nil && (user.Password == "" || user.Password != named.Password) {
		refusal = refuseAsKeystone(http.StatusUnauthorized, "")
	}
	issued.note(methodPassword)
	return user, refusal
}

// byToken continues a token with another scope. The new token ends when the old one does.
func (s *Stub) byToken(id *string, issued *token) (User, *answer) {
	if id == nil {
		return User{}, invalidInput("'identity/token'", "'id' is a required property")
	}
	held, ok := s.valid(*id)
	if !ok {
		return User{}, refuseAsKeystone(http.StatusNotFound, "Could not find token.")
	}
	issued.expires = earlier(issued.expires, held.expires)
	issued.note(methodToken)
	for _, method := range held.methods {
		issued.note(method)
	}
	return held.user, nil
}

// byCredential logs in by an application credential, which is given by its id, or by its
// name and its user. The new token is for the project of the credential.
func (s *Stub) byCredential(identity *keystoneIdentity, issued *token) (User, *answer) {
	given := identity.Credential
	var (
		user    User
		refusal *answer
	)
	switch {
	case given.ID != "":
		var known bool
		if user, known = s.user(func(u User) bool { return u.Credential.ID == given.ID }); !known {
			return User{}, refuseAsKeystone(http.StatusNotFound, "Could not find Application Credential: "+given.ID+".")
		}
	case given.Name != "":
		if user, refusal = s.named(given.User, methodCredential); refusal != nil {
			return User{}, refusal
		}
		if user.Credential.Name != given.Name {
			return User{}, refuseAsKeystone(http.StatusInternalServerError, "") // as Keystone does
		}
	default:
		return User{}, expecting("id or name", "application credential")
	}
	if user.Credential.Secret != given.Secret {
		return User{}, refuseAsKeystone(http.StatusUnauthorized, "")
	}
	issued.scoped = true
	issued.note(methodCredential)
	return user, nil
}

// named finds a user by name in a domain, or by id when no name is given.
func (s *Stub) named(given *keystoneUser, method string) (User, *answer) {
	switch {
	case given == nil:
		return User{}, expecting("user", method)
	case given.ID == "" && given.Name == "":
		return User{}, invalidInput("identity/"+method+"/user", "id or name must be present.")
	case given.Name != "" && given.Domain == nil:
		return User{}, expecting("domain", "user")
	}
	user, known := s.user(func(u User) bool {
		return given.Name != "" && given.isIn(u.Name) || given.Name == "" && given.ID == u.ID
	})
	if !known {
		return User{}, refuseAsKeystone(http.StatusUnauthorized, "")
	}
	return user, nil
}

// note adds a method to those that a token was obtained by.
func (t *token) note(method string) {
	if !slices.Contains(t.methods, method) {
		t.methods = append(t.methods, method)
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
