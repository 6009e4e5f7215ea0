package cloudservers

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Servers lists the servers of the region, or those of a status
// (GET /servers/detail), following its pages. Their SeenAt is that of their
// page.
func (r *Region) Servers(ctx context.Context, status string) ([]*Server, error) {
	servers, _, err := r.list(ctx, status, time.Time{})
	return servers, err
}

// list lists servers of a status, and of those what changed since a time by the
// API's clock, deleted ones included (changes-since). Where the status or the
// time is zero, it does not matter. It returns when the list was begun by the
// API's clock, or zero if that does not tell its time.
func (r *Region) list(ctx context.Context, status string, since time.Time) (servers []*Server, at time.Time, err error) {
	query := url.Values{}
	if status != "" {
		query.Set("status", status)
	}
	if !since.IsZero() {
		query.Set("changes-since", since.Add(-overlap).UTC().Format(time.RFC3339))
	}
	begins := map[string]bool{}
	for page := 0; ; page++ {
		header, found, more, err := r.page(ctx, query)
		if err != nil {
			return nil, time.Time{}, err
		}
		if _, err := http.ParseTime(header.Get("Date")); page == 0 && err == nil {
			at = clock(header)
		}
		servers = append(servers, found...)
		if !more {
			return servers, at, nil
		}
		// The link itself is not followed: it may lead elsewhere, with the token.
		marker := servers[len(servers)-1].ID
		if begins[marker] {
			return nil, time.Time{}, missing(call{op: opServers, method: http.MethodGet}, header, "end: its pages repeat")
		}
		begins[marker] = true
		query.Set("marker", marker)
	}
}

// page reads one page of a list, and whether there is another one.
func (r *Region) page(ctx context.Context, query url.Values) (http.Header, []*Server, bool, error) {
	var answer struct {
		Servers *[]*Server `json:"servers"`
		Links   []struct {
			Rel string `json:"rel"`
		} `json:"servers_links"`
	}
	what := call{op: opServers, method: http.MethodGet, url: strings.TrimSuffix(r.compute.ServiceURL("servers", "detail")+"?"+query.Encode(), "?"), answer: &answer}
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
		server.receive(header)
	}
	return header, *answer.Servers, len(answer.Links) > 0 && len(*answer.Servers) > 0, nil
}
