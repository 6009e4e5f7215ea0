package stub

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Call is a kind of API call.
type Call string

// The kinds of calls.
const (
	CallToken     Call = "token"      // POST /v2.0/tokens
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

// call is a request, taken apart.
type call struct {
	kind      Call
	index     int // in the record
	method    string
	base      string // what links begin with
	path      string
	region    string
	tenant    string
	rest      []string // the path below the tenant
	server    string
	rawQuery  string
	query     url.Values
	header    http.Header
	body      []byte
	token     string
	user      User
	requestID string // empty outside of the Cloud Servers API
}

func (s *Stub) parse(r *http.Request, body []byte) *call {
	c := &call{
		kind: CallOther, method: r.Method, path: r.URL.Path, rawQuery: r.URL.RawQuery, query: r.URL.Query(),
		header: r.Header.Clone(), body: body, token: r.Header.Get("X-Auth-Token"),
	}
	if c.base = strings.TrimSuffix(s.config.BaseURL, "/"); c.base == "" {
		c.base = "http://" + r.Host
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if r.Method == http.MethodPost && r.URL.Path == "/v2.0/tokens" {
		c.kind = CallToken
		return c
	}
	if len(parts) < 2 || parts[1] != "v2" {
		return c
	}
	c.region, c.requestID = parts[0], newRequestID()
	if len(parts) > 2 {
		c.tenant, c.rest = parts[2], parts[3:]
	}
	if len(c.rest) > 1 && c.rest[0] == "servers" && c.rest[1] != "detail" {
		c.server = c.rest[1]
	}
	c.kind = c.classify()
	return c
}

var actionKey = regexp.MustCompile(`^\s*\{\s*"(migrate|confirmResize|revertResize)"\s*:`)

func (c *call) classify() Call {
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
		if match := actionKey.FindSubmatch(c.body); match != nil {
			return map[string]Call{
				actionMigrate: CallMigrate, actionConfirm: CallConfirm, actionRevert: CallRevert,
			}[string(match[1])]
		}
	}
	if c.method == http.MethodGet && len(c.rest) >= 3 && c.rest[2] == "os-instance-actions" {
		return CallActionLog
	}
	return CallOther
}

// route answers a request as the cloud does.
func (s *Stub) route(c *call) *answer {
	if c.kind == CallToken {
		return s.issueToken(c)
	}
	if refusal := s.overLimit(c); refusal != nil {
		return refusal
	}
	switch {
	case !slices.Contains(s.config.Regions, c.region):
		return refuse(http.StatusNotFound, "The resource could not be found.")
	case c.tenant == "" && c.method == http.MethodGet:
		return reply(http.StatusOK, object{"version": object{"id": "v2.0", "status": "SUPPORTED"}})
	case len(c.rest) == 0:
		return refuse(http.StatusNotFound, "The resource could not be found.")
	case !s.authorized(c):
		return refuse(http.StatusUnauthorized, "Unauthorized")
	case c.kind == CallList:
		return s.list(c)
	case c.kind == CallLimits:
		return s.limits()
	case c.server == "":
		return refuse(http.StatusNotFound, "The resource could not be found.")
	}
	server := s.find(c.server, c.region)
	if server == nil {
		return refuse(http.StatusNotFound, "Instance "+c.server+" could not be found.")
	}
	switch {
	case c.kind == CallServer:
		return reply(http.StatusOK, object{"server": server.document(c)})
	case c.kind == CallActionLog:
		return server.actionLog(c)
	case c.kind == CallDelete:
		return s.delete(server, c)
	case c.method == http.MethodPost && len(c.rest) == 3 && c.rest[2] == "action":
		return s.action(server, c)
	}
	return refuse(http.StatusNotFound, "The resource could not be found.")
}
