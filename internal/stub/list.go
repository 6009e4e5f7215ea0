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
	keep, refusal := s.filter(c.query)
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
		server := s.servers[id]
		server.advance(s.now())
		if server.Region != c.region || !keep(server) {
			continue
		}
		if len(documents) == size {
			return reply(http.StatusOK, object{"servers": documents, "servers_links": []object{{"rel": "next", "href": next(c, last)}}})
		}
		document := server.document(c)
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

// filter reads a list's filters.
func (s *Stub) filter(query url.Values) (func(*server) bool, *answer) {
	var since time.Time
	if text := query.Get("changes-since"); text != "" {
		var ok bool
		if since, ok = parseTime(text); !ok {
			return nil, refuse(http.StatusBadRequest, "Invalid changes-since value")
		}
	}
	name, err := regexp.Compile(query.Get("name"))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "Invalid name filter")
	}
	forgotten := s.now().Add(-deletedShownFor)
	return func(v *server) bool {
		switch {
		case v.deleted && v.updated.Before(forgotten):
			return false
		case since.IsZero() && v.deleted:
			return false
		case !since.IsZero() && v.updated.Truncate(time.Second).Before(since.Truncate(time.Second)):
			return false
		}
		for filter, value := range map[string]string{"status": v.Status, "flavor": v.FlavorID, "image": v.imageID} {
			is := func(wanted string) bool { return strings.EqualFold(wanted, value) }
			if query.Has(filter) && !slices.ContainsFunc(query[filter], is) {
				return false
			}
		}
		return name.MatchString(v.Name)
	}, nil
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
