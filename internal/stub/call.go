package stub

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Call is a kind of API call.
type Call string

// The kinds of calls.
const (
	CallToken     Call = "token"      // POST /v2.0/tokens and POST /v3/auth/tokens
	CallServer    Call = "server"     // GET …/servers/{id}
	CallList      Call = "list"       // GET …/servers and …/servers/detail
	CallActionLog Call = "action log" // GET …/servers/{id}/os-instance-actions
	CallMigrate   Call = "migrate"    // POST …/servers/{id}/action, as are the next two
	CallConfirm   Call = "confirm"
	CallRevert    Call = "revert"
	CallDelete    Call = "delete" // DELETE …/servers/{id}
	CallLimits    Call = "limits" // GET …/limits
	CallOther     Call = "other"
)

// Calls are all kinds of calls.
var Calls = []Call{
	CallToken, CallServer, CallList, CallActionLog, CallMigrate, CallConfirm, CallRevert, CallDelete, CallLimits, CallOther,
}

// call is a request, taken apart.
type call struct {
	api       api
	kind      Call
	index     int    // in the record
	acts      bool   // it is POST …/servers/{id}/action
	action    string // the only key of such a body; empty when the body is malformed
	method    string
	base      string // what links begin with
	path      string
	region    string
	version   string // of the Cloud Servers API, as its path has it
	tenant    string
	rest      []string // the path below the tenant
	server    string
	rawQuery  string
	query     url.Values
	header    http.Header
	body      []byte
	token     string
	user      User
	requestID string        // empty outside of the Cloud Servers API
	lag       time.Duration // a read is answered as the servers were that long ago
}

func (s *Stub) parse(r *http.Request, body []byte) *call {
	c := &call{
		kind: CallOther, method: r.Method, path: r.URL.Path, rawQuery: r.URL.RawQuery, query: r.URL.Query(),
		header: r.Header.Clone(), body: body, token: r.Header.Get("X-Auth-Token"),
	}
	if c.base = strings.TrimSuffix(s.config.BaseURL, "/"); c.base == "" {
		c.base = "http://" + r.Host
		if r.TLS != nil {
			c.base = "https://" + r.Host
		}
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if c.api = apiOf(parts); c.api == apiImage {
		c.region, c.rest = parts[0], parts[2:]
	}
	if c.api == apiCompute {
		c.region, c.version, c.requestID = parts[0], parts[1], newRequestID()
		if len(parts) > 2 {
			c.tenant, c.rest = parts[2], parts[3:]
		}
		if len(c.rest) > 1 && c.rest[0] == "servers" && c.rest[1] != "detail" {
			c.server = c.rest[1]
		}
	}
	c.kind = c.classify()
	return c
}

// api is an API of the cloud.
type api int

const (
	apiUnknown  api = iota
	apiIdentity     // v2.0, /v2.0/…
	apiKeystone     // Identity v3, /v3/…, and the versions of both at /
	apiCompute      // /REGION/v2/… and /REGION/v2.1/…
	apiImage        // /REGION/image/…
)

// The versions of the Cloud Servers API.
const (
	versionRackspace = "v2"   // of Rackspace's public cloud; in the catalog of Identity v2.0
	versionNova      = "v2.1" // of Nova; in the catalog of Identity v3
)

// apiOf returns the API that a path belongs to, from the parts of the path.
func apiOf(parts []string) api {
	switch {
	case parts[0] == "v2.0":
		return apiIdentity
	case parts[0] == "v3", parts[0] == "":
		return apiKeystone
	case len(parts) == 1:
		return apiUnknown
	case parts[1] == versionRackspace, parts[1] == versionNova:
		return apiCompute
	case parts[1] == "image":
		return apiImage
	}
	return apiUnknown
}

// actionName is the only key of an action's body. It is empty when the body is not
// a JSON object with exactly one key.
func actionName(body []byte) string {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil || len(object) != 1 {
		return ""
	}
	for name := range object {
		return name
	}
	return ""
}

// actionCalls are the kinds of calls of the actions that the stub knows.
var actionCalls = map[string]Call{actionMigrate: CallMigrate, actionConfirm: CallConfirm, actionRevert: CallRevert}

// classify tells the kind of a call from its method, its path and, for an action,
// its body.
func (c *call) classify() Call {
	if c.method == http.MethodPost && (c.path == pathTokens || c.path == pathKeystoneTokens) {
		return CallToken
	}
	if c.api != apiCompute {
		return CallOther
	}
	shape := c.method + " " + strings.Join(c.rest, "/")
	if c.server != "" {
		shape = strings.Replace(shape, c.server, "ID", 1)
	}
	switch shape {
	case "GET servers", "GET servers/detail":
		return CallList
	case "GET servers/ID":
		return CallServer
	case "DELETE servers/ID":
		return CallDelete
	case "GET limits":
		return CallLimits
	case "POST servers/ID/action":
		c.acts, c.action = true, actionName(c.body)
		if kind, known := actionCalls[c.action]; known {
			return kind
		}
	}
	if c.method == http.MethodGet && len(c.rest) >= 3 && c.rest[2] == "os-instance-actions" {
		return CallActionLog
	}
	return CallOther
}

// route answers a request as the cloud does.
func (s *Stub) route(c *call) *answer {
	switch {
	case c.api == apiKeystone:
		return s.keystone(c)
	case c.kind == CallToken:
		return s.issueToken(c)
	}
	if refusal := s.overLimit(c); refusal != nil {
		return refusal
	}
	switch {
	case !slices.Contains(s.config.Regions, c.region):
		return notFound()
	case c.api == apiImage:
		return s.image(c)
	case c.tenant == "" && c.method == http.MethodGet:
		return reply(http.StatusOK, versionDocument(c))
	case len(c.rest) == 0:
		return notFound()
	}
	if refusal := s.unauthorized(c); refusal != nil {
		return refusal
	}
	if refusal := c.refuseMicroversion(); refusal != nil {
		return refusal
	}
	return s.routeServers(c)
}

// routeServers answers a request of the Cloud Servers API that has a valid token.
func (s *Stub) routeServers(c *call) *answer {
	switch {
	case c.rest[0] == "flavors" && c.method == http.MethodGet:
		return s.flavors(c)
	case c.kind == CallList:
		return s.list(c)
	case c.kind == CallLimits:
		return s.limits(c)
	case c.server == "":
		return notFound()
	case c.acts && c.action == "":
		return refuse(http.StatusBadRequest, "Malformed request body")
	case c.acts && actionCalls[c.action] == "":
		return refuse(http.StatusBadRequest, "There is no such action: "+c.action)
	}
	server := s.lookUp(c)
	if server == nil {
		return refuse(http.StatusNotFound, "Instance "+c.server+" could not be found.")
	}
	switch {
	case c.kind == CallServer:
		return reply(http.StatusOK, object{"server": s.document(server, c)})
	case c.kind == CallActionLog:
		return s.actionLog(server, c)
	case c.kind == CallDelete:
		return s.delete(server, c)
	case c.acts:
		return s.action(server, c)
	}
	return notFound()
}

// lookUp is the server that a call names, as the call reads it. It is nil when the region
// has no such server, or when the server is of another tenant and the user is no
// administrator.
func (s *Stub) lookUp(c *call) *server {
	server := s.servers[c.server]
	if server == nil || server.Region != c.region || server.TenantID != c.tenant && !c.user.Admin {
		return nil
	}
	if server = s.current(server, c); server == nil || server.deleted {
		return nil
	}
	return server
}

// current is a server as a call reads it: as it is now or, when a fault makes the
// read lag, as it was. It is nil when there was none at that time. Only reads lag.
func (s *Stub) current(v *server, c *call) *server {
	v.advance(s.now())
	if c.lag == 0 || c.method != http.MethodGet {
		return v
	}
	return v.asOf(s.now().Add(-c.lag))
}
