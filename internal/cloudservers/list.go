package cloudservers

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// Servers lists the servers of the region, or those of a status
// (GET /servers/detail), following its pages. Their SeenAt is that of their
// page.
func (r *Region) Servers(ctx context.Context, status string) ([]*Server, error) {
	query := url.Values{}
	if status != "" {
		query.Set("status", status)
	}
	var servers []*Server
	begins := map[string]bool{}
	for {
		var page struct {
			Servers *[]*Server `json:"servers"`
			Links   []struct {
				Rel string `json:"rel"`
			} `json:"servers_links"`
		}
		what := call{op: opServers, method: http.MethodGet, url: strings.TrimSuffix(r.compute.ServiceURL("servers", "detail")+"?"+query.Encode(), "?"), answer: &page}
		header, err := r.client.do(ctx, what)
		if err != nil {
			return nil, err
		}
		if page.Servers == nil {
			return nil, missing(what, header, "servers")
		}
		for _, server := range *page.Servers {
			if server == nil {
				return nil, missing(what, header, "server where there should be one")
			}
			server.receive(header)
		}
		servers = append(servers, *page.Servers...)
		if len(page.Links) == 0 || len(*page.Servers) == 0 {
			return servers, nil
		}
		// The link itself is not followed: it may lead elsewhere, with the token.
		marker := servers[len(servers)-1].ID
		if begins[marker] {
			return nil, missing(what, header, "end: its pages repeat")
		}
		begins[marker] = true
		query.Set("marker", marker)
	}
}
