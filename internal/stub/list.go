package stub

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// deletedShownFor is how long changes-since shows deleted servers.
const deletedShownFor = 30 * 24 * time.Hour

// list is GET …/servers and …/servers/detail.
func (s *Stub) list(c *call) *answer {
	keep, refusal := s.filter(c)
	if refusal != nil {
		return refusal
	}
	size := s.config.PageSize
	if limit := c.query.Get("limit"); limit != "" {
		n, err := strconv.Atoi(limit)
		if err != nil || n < 0 {
			return refuse(http.StatusBadRequest, "limit param must be an integer")
		}
		if n > 0 {
			size = min(size, n)
		}
	}
	ids := s.order
	if marker := c.query.Get("marker"); marker != "" {
		at := slices.Index(ids, marker)
		if at < 0 {
			return refuse(http.StatusBadRequest, "marker ["+marker+"] not found")
		}
		ids = ids[at+1:]
	}
	documents := []object{}
	var last string
	for _, id := range ids {
		server := s.current(s.servers[id], c)
		if server == nil || server.Region != c.region || !keep(server) {
			continue
		}
		if len(documents) == size {
			return reply(http.StatusOK, object{"servers": documents, "servers_links": []object{{"rel": "next", "href": next(c, last)}}})
		}
		document := s.document(server, c)
		if len(c.rest) == 1 {
			document = object{"id": document["id"], "name": document["name"], "links": document["links"]}
		}
		documents, last = append(documents, document), id
	}
	return reply(http.StatusOK, object{"servers": documents})
}

func next(c *call, marker string) string {
	query := url.Values{}
	for name, values := range c.query {
		query[name] = values
	}
	query.Set("marker", marker)
	return c.base + c.path + "?" + query.Encode()
}

// filter reads the filters of a list request. It returns a function that tells whether
// the list has a server.
func (s *Stub) filter(c *call) (func(*server) bool, *answer) {
	var since time.Time
	if text := c.query.Get("changes-since"); text != "" {
		var ok bool
		if since, ok = parseTime(text); !ok {
			return nil, refuse(http.StatusBadRequest, "Invalid changes-since value")
		}
	}
	name, err := regexp.Compile(c.query.Get("name"))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "Invalid name filter")
	}
	allTenants := slices.Contains([]string{"1", "true", "True"}, c.query.Get("all_tenants"))
	if allTenants && !c.user.Admin {
		return nil, refuse(http.StatusForbidden, "Policy doesn't allow os_compute_api:servers:detail:get_all_tenants to be performed.")
	}
	forgotten := s.now().Add(-deletedShownFor)
	return func(v *server) bool {
		switch gone := v.deleted || v.VMState == vmSoftDeleted; {
		case v.TenantID != c.tenant && !allTenants:
			return false
		case v.deleted && v.updated.Before(forgotten):
			return false
		case since.IsZero() && gone:
			return false
		case !since.IsZero() && v.updated.Truncate(time.Second).Before(since.Truncate(time.Second)):
			return false
		case c.query.Has("status") && !slices.ContainsFunc(c.query["status"], v.hasStatus):
			return false
		}
		for filter, value := range map[string]string{"flavor": v.FlavorID, "image": v.imageID} {
			if c.query.Has(filter) && !slices.Contains(c.query[filter], value) {
				return false
			}
		}
		return name.MatchString(v.Name)
	}, nil
}

// hasStatus tells whether a list that is filtered by a status has a server. Nova compares
// only the vm_state where the status is one of an idle server. So a list of VERIFY_RESIZE
// also has servers in REVERT_RESIZE, and a list of ACTIVE also has servers that are being
// migrated.
func (v *server) hasStatus(status string) bool {
	if strings.EqualFold(status, v.Status) {
		return true
	}
	state, known := states[strings.ToUpper(status)]
	return known && state.task == "" && state.vm == v.VMState
}

// parseTime reads a time of ISO 8601; one without a zone is UTC.
func parseTime(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
