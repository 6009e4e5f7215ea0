package cloudservers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Servers lists the servers of the region, or those of a status
// (GET /servers/detail), following its pages. Their SeenAt is that of their
// page.
func (r *Region) Servers(ctx context.Context, status string) ([]*Server, error) {
	servers, _, err := r.list(ctx, status, time.Time{}, false)
	return servers, err
}

// list lists servers of a status, and of those what changed since a time by the
// API's clock, deleted ones included (changes-since). Where the status or the
// time is zero, it does not matter. It also returns an empty server, seen when
// the first page was.
func (r *Region) list(ctx context.Context, status string, since time.Time, urgent bool) (servers []*Server, first Server, err error) {
	defer func() { r.refusals.note(err) }()
	query := url.Values{}
	if status != "" {
		query.Set("status", status)
	}
	if !since.IsZero() {
		query.Set("changes-since", since.Add(-overlap).UTC().Format(time.RFC3339))
	}
	begins := map[string]bool{}
	for page := 0; ; page++ {
		asked := time.Now()
		header, found, more, err := r.page(ctx, query, urgent)
		if err != nil {
			return nil, first, err
		}
		for _, server := range found {
			server.receive(header, asked)
		}
		if page == 0 {
			first.receive(header, asked)
		}
		servers = append(servers, found...)
		if !more {
			return servers, first, nil
		}
		// The link itself is not followed: it may lead elsewhere, with the token.
		marker := servers[len(servers)-1].ID
		if begins[marker] {
			return nil, first, missing(call{op: opServers, method: http.MethodGet}, header, "end: its pages repeat")
		}
		begins[marker] = true
		query.Set("marker", marker)
	}
}

// page reads one page of a list, and whether there is another one.
func (r *Region) page(ctx context.Context, query url.Values, urgent bool) (http.Header, []*Server, bool, error) {
	var answer struct {
		Servers *[]*Server `json:"servers"`
		Links   []struct {
			Rel string `json:"rel"`
		} `json:"servers_links"`
	}
	what := call{op: opServers, method: http.MethodGet, url: strings.TrimSuffix(r.compute.ServiceURL("servers", "detail")+"?"+query.Encode(), "?"), answer: &answer, urgent: urgent}
	header, err := r.client.do(ctx, what)
	if err != nil {
		return header, nil, false, err
	}
	if answer.Servers == nil {
		return header, nil, false, missing(what, header, "servers")
	}
	for _, server := range *answer.Servers {
		if server == nil {
			return header, nil, false, missing(what, header, "server where there should be one")
		}
	}
	return header, *answer.Servers, len(answer.Links) > 0 && len(*answer.Servers) > 0, nil
}

const (
	// believedRefusals is how many lists in a row the API has to refuse before
	// that is believed: one may be somebody's on the way.
	believedRefusals = 3
	// withoutLists is how long no list is asked for then.
	withoutLists = time.Minute
)

// refusals is how the API answers lists.
type refusals struct {
	mu    sync.Mutex
	inRow int
	until time.Time
}

func (r *refusals) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.inRow = 0
	case refusesLists(err):
		if r.inRow++; r.inRow >= believedRefusals {
			r.until = time.Now().Add(withoutLists)
		}
	}
}

// believed tells whether servers have to be read one by one.
func (r *refusals) believed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Before(r.until)
}

// refusesLists tells whether a list fails because of what it is.
func refusesLists(err error) bool {
	var failure *Error
	if !errors.As(err, &failure) {
		return false
	}
	switch failure.StatusCode {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	}
	return false
}
