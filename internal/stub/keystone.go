package stub

import (
	"net/http"
	"strings"
)

// The paths of Identity v3.
const (
	pathKeystone       = "/v3"
	pathKeystoneTokens = "/v3/auth/tokens"
)

// headerSubjectToken names the token that a request or an answer of Identity v3 is about.
const headerSubjectToken = "X-Subject-Token"

// keystone answers a request of Identity v3, and one for the versions of Identity.
func (s *Stub) keystone(c *call) *answer {
	switch path := strings.TrimSuffix(c.path, "/"); {
	case c.kind == CallToken:
		return s.issueKeystoneToken(c)
	case c.method != http.MethodGet:
		return refuseAsKeystone(http.StatusNotFound, "")
	case path == "":
		versions := []object{keystoneVersion(c), {
			"id": "v2.0", "status": "deprecated", "updated": "2016-08-04T00:00:00Z",
			"links":       []object{{"rel": "self", "href": IdentityEndpoint(c.base)}},
			"media-types": []object{{"base": "application/json", "type": "application/vnd.openstack.identity-v2.0+json"}},
		}}
		return replyAsKeystone(http.StatusMultipleChoices, object{"versions": object{"values": versions}})
	case path == pathKeystone:
		return replyAsKeystone(http.StatusOK, object{"version": keystoneVersion(c)})
	case path == pathKeystoneTokens:
		return s.validateToken(c)
	}
	return refuseAsKeystone(http.StatusNotFound, "")
}

// keystoneVersion describes Identity v3.
func keystoneVersion(c *call) object {
	return object{
		"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
		"links":       []object{{"rel": "self", "href": KeystoneEndpoint(c.base) + "/"}},
		"media-types": []object{{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}},
	}
}

// validateToken is GET /v3/auth/tokens. A user may ask about their own tokens, and an
// administrator about all.
func (s *Stub) validateToken(c *call) *answer {
	asking, ok := s.authenticated(c)
	if !ok {
		return refuseAsKeystone(http.StatusUnauthorized, "")
	}
	id := c.header.Get(headerSubjectToken)
	subject, ok := s.valid(id)
	switch {
	case !ok:
		return refuseAsKeystone(http.StatusNotFound, "Could not find token.")
	case asking.user.ID != subject.user.ID && !asking.user.Admin:
		return refuseAsKeystone(http.StatusForbidden, "You are not authorized to perform the requested action: identity:validate_token.")
	}
	return s.showToken(http.StatusOK, id, subject, c)
}

// replyAsKeystone answers as Keystone does, with its own request id.
func replyAsKeystone(status int, body object) *answer {
	a := reply(status, body)
	a.header.Set(headerOpenStackRequestID, newRequestID())
	a.header.Set("Vary", "X-Auth-Token")
	return a
}

// keystoneMessages are what Keystone says with a status where it has no special message.
var keystoneMessages = map[int]string{
	http.StatusUnauthorized:        "The request you have made requires authentication.",
	http.StatusForbidden:           "You are not authorized to perform the requested action.",
	http.StatusNotFound:            "The resource could not be found.",
	http.StatusInternalServerError: "An unexpected error prevented the server from fulfilling your request.",
}

// refuseAsKeystone answers with an error of Keystone. Without a message it is the one
// that goes with the status.
func refuseAsKeystone(status int, message string) *answer {
	title := http.StatusText(status)
	if message == "" {
		message = keystoneMessages[status]
	}
	if message == "" {
		message = title
	}
	return replyAsKeystone(status, object{"error": object{"code": status, "message": message, "title": title}})
}

// expecting refuses a request that lacks something.
func expecting(what, where string) *answer {
	return refuseAsKeystone(http.StatusBadRequest, "Expecting to find "+what+" in "+where+". The server could not comply with the request "+
		"since it is either malformed or otherwise incorrect. The client is assumed to be in error.")
}

// invalidInput refuses a request with a field that does not have the form that
// Keystone asks for.
func invalidInput(field, problem string) *answer {
	return refuseAsKeystone(http.StatusBadRequest, "Invalid input for field "+field+": "+problem)
}
