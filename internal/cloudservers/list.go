package cloudservers

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Servers lists the servers of the region that pass a filter of the API, following its
// pages (GET /servers/detail). Filters are status, and name: a regular expression,
// which the cloud's database evaluates. It may ignore the letter case, so the caller
// has to compare the names. The times of the servers are those of their page.
func (r *Region) Servers(ctx context.Context, filter url.Values) ([]*Server, error) {
	servers, _, err := r.list(ctx, filter, false)
	return servers, err
}

// list lists the servers that pass a filter. It also returns the answer of the
// first page: what happened after that was asked for may be missing in the list.
func (r *Region) list(ctx context.Context, filter url.Values, isPoll bool) (servers []*Server, first response, err error) {
	defer func() { r.noteList(err) }()
	query := url.Values{}
	maps.Copy(query, filter)
	if r.client.config.AllTenants {
		query.Set("all_tenants", "1")
	}
	markers := map[string]bool{}
	for {
		var body struct {
			Servers []*Server  `json:"servers"`
			Links   []struct{} `json:"servers_links"` // to the next page, or none
		}
		address := strings.TrimSuffix(r.url("servers", "detail")+"?"+query.Encode(), "?")
		what := call{op: opServers, method: http.MethodGet, url: address, answer: &body, priority: isPoll}
		answer, err := r.client.read(ctx, what)
		if err != nil {
			return nil, first, err
		}
		if body.Servers == nil || slices.Contains(body.Servers, nil) {
			return nil, first, what.unusable(answer, "it has no list of servers")
		}
		for _, server := range body.Servers {
			server.receive(answer)
		}
		if len(markers) == 0 {
			first = answer
		}
		r.noteTenants(body.Servers)
		servers = append(servers, body.Servers...)
		if len(body.Links) == 0 || len(body.Servers) == 0 {
			return servers, first, nil
		}
		// The link itself is not followed: it may lead elsewhere, with the token.
		marker := servers[len(servers)-1].ID
		if markers[marker] {
			return nil, first, what.unusable(answer, "its pages repeat")
		}
		markers[marker] = true
		query.Set("marker", marker)
	}
}

// noteTenants notes that lists have servers of other tenants, where those were asked
// for. A list that has none proves nothing: there may be none, or the cloud may hide
// them.
func (r *Region) noteTenants(servers []*Server) {
	tenant := identifier(r.client.tenantID())
	isOther := func(s *Server) bool { return s.TenantID != "" && s.TenantID != tenant }
	if r.client.config.AllTenants && tenant != "" && slices.ContainsFunc(servers, isOther) {
		r.listsAllTenants.Store(true)
	}
}

const (
	// believedRefusals is how many lists in a row have to be refused until servers
	// are read one by one. A proxy on the way may refuse a single list.
	believedRefusals = 3
	// withoutLists is for how long they are read one by one. Then a list is asked
	// for again.
	withoutLists = time.Minute
)

// noteList notes whether the API answered a list or refused it.
func (r *Region) noteList(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.refusedLists = 0
	case isListRefusal(err):
		r.refusedLists++
		r.refusedAt = time.Now()
	}
}

// refusesLists tells whether servers have to be read one by one, because the API
// refuses lists.
func (r *Region) refusesLists() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refusedLists >= believedRefusals && time.Since(r.refusedAt) < withoutLists
}

// isListRefusal tells whether the API refused a list, as it may do with lists only.
func isListRefusal(err error) bool {
	var failure *Error
	return errors.As(err, &failure) && !failure.OfIdentity() && slices.Contains(refusals, failure.StatusCode)
}

// refusals are the statuses of an answer that refuses a list.
var refusals = []int{
	http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented,
}
