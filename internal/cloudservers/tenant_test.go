package cloudservers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// rewriting changes the JSON objects that the API answers.
type rewriting struct {
	http.RoundTripper
	change func(r *http.Request, document map[string]any)
}

func (t rewriting) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	var document map[string]any
	if json.Unmarshal(body, &document) == nil {
		t.change(r, document)
		if body, err = json.Marshal(document); err != nil {
			return nil, err
		}
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// asAdministrator shows some servers as an administrator sees those of another
// tenant: with a GET, but in no list.
func asAdministrator(transport http.RoundTripper, others *[]string) http.RoundTripper {
	return rewriting{transport, func(_ *http.Request, document map[string]any) {
		toOtherTenant(document["server"], *others)
		if servers, ok := document["servers"].([]any); ok {
			document["servers"] = slices.DeleteFunc(servers, func(server any) bool {
				return slices.Contains(*others, server.(map[string]any)["id"].(string))
			})
		}
	}}
}

// toOtherTenant gives a server to another tenant, if it is one of these.
func toOtherTenant(document any, others []string) {
	if server, ok := document.(map[string]any); ok && slices.Contains(others, server["id"].(string)) {
		server["tenant_id"] = "654321"
	}
}

// asAdministratorOfAll shows some servers as those of another tenant, also in lists
// that ask for all tenants.
func asAdministratorOfAll(transport http.RoundTripper, others *[]string) http.RoundTripper {
	limited := asAdministrator(transport, others)
	all := rewriting{transport, func(_ *http.Request, document map[string]any) {
		for _, server := range append(list(document["servers"]), document["server"]) {
			toOtherTenant(server, *others)
		}
	}}
	return choosing(func(r *http.Request) http.RoundTripper {
		query := r.URL.Query()
		if !query.Has("all_tenants") {
			return limited
		}
		query.Del("all_tenants") // which the stub does not know
		r.URL.RawQuery = query.Encode()
		return all
	})
}

// choosing sends each request by a transport of its own.
type choosing func(*http.Request) http.RoundTripper

func (c choosing) RoundTrip(r *http.Request) (*http.Response, error) { return c(r).RoundTrip(r) }

// list is a JSON array, or empty.
func list(value any) []any {
	array, _ := value.([]any)
	return array
}

// withoutTenant takes the tenant out of the answer to a token request.
func withoutTenant(transport http.RoundTripper) http.RoundTripper {
	return rewriting{transport, func(r *http.Request, document map[string]any) {
		if access, ok := document["access"].(map[string]any); ok && strings.HasSuffix(r.URL.Path, "/tokens") {
			delete(access["token"].(map[string]any), "tenant")
		}
	}}
}

// withoutAllTenants is a cloud that does not know all_tenants.
func withoutAllTenants(transport http.RoundTripper) http.RoundTripper {
	return choosing(func(r *http.Request) http.RoundTripper {
		query := r.URL.Query()
		query.Del("all_tenants")
		r.URL.RawQuery = query.Encode()
		return transport
	})
}

// A list of changes lacks a server of another tenant, whatever happened to it.
func TestWatch_readsServersByThemselvesThatListsMayLeaveOut(t *testing.T) {
	const polls = 15
	tests := []struct {
		name   string
		change func(*cloudservers.Config)
		reads  int // GETs of servers
	}{
		// Servers of the other tenant are missed by the first list, and read by themselves from then on.
		{"the token tells its tenant", func(*cloudservers.Config) {}, 2 * polls},
		{"the configuration tells the tenant", func(c *cloudservers.Config) {
			c.Transport, c.Credentials.TenantID = withoutTenant(c.Transport), "123456"
		}, 2 * polls},
		{"lists have all tenants", func(c *cloudservers.Config) { c.AllTenants = true }, 0},
		{"lists lack other tenants although they were asked for all", func(c *cloudservers.Config) {
			c.AllTenants, c.Transport = true, withoutAllTenants(c.Transport)
		}, 2 * polls},
		// The first poll lists all servers, and the others read each by itself.
		{"nobody tells the tenant", func(c *cloudservers.Config) { c.Transport = withoutTenant(c.Transport) }, 2 + 7*(polls-1)},
		{"nobody tells the tenant, and no server does", func(c *cloudservers.Config) {
			c.Transport = rewriting{withoutTenant(c.Transport), func(_ *http.Request, document map[string]any) {
				for _, server := range append(list(document["servers"]), document["server"]) {
					if server, ok := server.(map[string]any); ok {
						delete(server, "tenant_id")
					}
				}
			}}
		}, 2 + 7*(polls-1)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var others []string
				f := newFleet(t, stub.Config{}, 7, func(c *cloudservers.Config) {
					c.Transport = asAdministratorOfAll(c.Transport, &others)
					test.change(c)
				})
				others = f.ids[:2]
				ctx, cancel := context.WithTimeout(t.Context(), polls*2*time.Second+time.Second)
				defer cancel()
				changed := time.Now().Add(9 * time.Second)
				time.AfterFunc(9*time.Second, func() {
					for _, id := range f.ids {
						f.SetServer(id, func(s *stub.Server) { s.Name = "changed" })
					}
				})
				var all sync.WaitGroup
				for _, id := range f.ids {
					all.Go(func() {
						polled := 0
						_ = f.region.Watch(ctx, id, func(s *cloudservers.Server) (bool, error) {
							if polled++; (s.Name == "changed") != s.AskedAt.After(changed) {
								t.Errorf("got %q, asked for %s after the change", s.Name, s.AskedAt.Sub(changed))
							}
							return false, nil
						})
						if polled != polls {
							t.Errorf("got %d calls, want one at each poll", polled)
						}
					})
				}
				all.Wait()
				f.wantSent(t, stub.CallServer, test.reads)
			})
		})
	}
}

func TestSharedServer_readsServersByThemselvesThatTheListLeavesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var others []string
		f := newFleet(t, stub.Config{}, 7, func(c *cloudservers.Config) { c.Transport = asAdministrator(c.Transport, &others) })
		others = f.ids[5:]
		readAll(t, f.region, f.ids, 1)
		f.wantSent(t, stub.CallList, 1)
		f.wantSent(t, stub.CallServer, 1+2)
	})
}
