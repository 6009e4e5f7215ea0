package stub_test

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestStub_issuesTokensInTheDocumentedForm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{})
		c := newClient(t, s)
		got := c.do(http.MethodPost, "/v2.0/tokens", keyFor(stub.DefaultUser))
		expires := at(got.json, "access", "token", "expires").(string)
		if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}-06:00$`).MatchString(expires) {
			t.Errorf("got expires %q, want milliseconds and an offset", expires)
		}
		if parsed, err := time.Parse(time.RFC3339, expires); err != nil || time.Until(parsed).Round(time.Second) != 24*time.Hour {
			t.Errorf("got expires %s (%v), want in 24 hours", expires, err)
		}
		if got := at(got.json, "access", "user", "RAX-AUTH:defaultRegion"); got != "ORD" {
			t.Errorf("got default region %v, want ORD", got)
		}
		var computes []string
		for _, entry := range at(got.json, "access", "serviceCatalog").([]any) {
			if at(entry, "type") == "compute" {
				computes = append(computes, at(entry, "name").(string))
			}
		}
		if diff := cmp.Diff([]string{"cloudServers", "cloudServersOpenStack"}, computes); diff != "" {
			t.Errorf("entries of type compute (-want +got):\n%s", diff)
		}
	})
}

func TestStub_authenticatesByKeyPasswordAndToken(t *testing.T) {
	s := stub.New(stub.Config{})
	c := newClient(t, s)
	issued := s.IssueToken(stub.DefaultUser)
	tests := []struct {
		name   string
		body   string
		status int
	}{
		{"key", keyFor(stub.DefaultUser), 200},
		{"password", `{"auth":{"passwordCredentials":{"username":"demo","password":"stub-password"}}}`, 200},
		{"token", fmt.Sprintf(`{"auth":{"tenantId":"123456","token":{"id":%q}}}`, issued), 200},
		{"wrong key", `{"auth":{"RAX-KSKEY:apiKeyCredentials":{"username":"demo","apiKey":"x"}}}`, 401},
		{"wrong tenant", `{"auth":{"tenantId":"1","passwordCredentials":{"username":"demo","password":"stub-password"}}}`, 401},
		{"token without a tenant", fmt.Sprintf(`{"auth":{"token":{"id":%q}}}`, issued), 401},
		{"unknown token", `{"auth":{"tenantId":"123456","token":{"id":"x"}}}`, 401},
		{"nothing", `{}`, 400},
		{"no credentials", `{"auth":{}}`, 400},
		{"no JSON", `auth`, 400},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := c.do(http.MethodPost, "/v2.0/tokens", test.body)
			if got.status != test.status {
				t.Errorf("got %d, want %d", got.status, test.status)
			}
			if test.status == http.StatusUnauthorized {
				got.wantFault(t, 401, "unauthorized", "Unable to authenticate user with credentials provided.")
			}
		})
	}
}

func TestStub_refusesTokensOfAnotherTenantAndExpiredOrRevokedTokens(t *testing.T) {
	s := stub.New(stub.Config{TokenLifetime: time.Hour})
	c := newClient(t, s)
	if got := c.get("/servers").status; got != http.StatusOK {
		t.Fatalf("got %d, want 200", got)
	}
	if got := c.do(http.MethodGet, "/ORD/v2/654321/servers", "").status; got != http.StatusUnauthorized {
		t.Errorf("got %d for another tenant, want 401", got)
	}
	s.Advance(time.Hour)
	if got := c.get("/servers").status; got != http.StatusUnauthorized {
		t.Errorf("got %d with an expired token, want 401", got)
	}
	c.token = c.login(keyFor(stub.DefaultUser))
	s.RevokeTokens()
	if got := c.get("/servers").status; got != http.StatusUnauthorized {
		t.Errorf("got %d with a revoked token, want 401", got)
	}
}

func TestStub_describesTheVersionAtItsOwnPathOnly(t *testing.T) {
	c := newClient(t, stub.New(stub.Config{}))
	for path, want := range map[string]int{"/ORD/v2/": 200, "/ORD/v2/123456": 404, "/ORD/v2/123456/nothing": 404, "/nothing": 404} {
		if got := c.do(http.MethodGet, path, "").status; got != want {
			t.Errorf("%s: got %d, want %d", path, got, want)
		}
	}
}

func TestStub_listsInPagesAndFilters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{PageSize: 2})
		for _, name := range []string{"web-1", "web-2", "db-1", "web-3"} {
			s.AddServer(stub.Server{Name: name})
		}
		s.AddServer(stub.Server{Name: "elsewhere", Region: "DFW"})
		stopped := s.AddServer(stub.Server{Name: "batch", Status: "SHUTOFF", FlavorID: "general1-2"})
		c := newClient(t, s)
		list := func(query string) []string {
			names := []string{}
			for path := account + "/servers/detail?" + query; path != ""; {
				got := c.do(http.MethodGet, path, "")
				if got.status != http.StatusOK {
					t.Fatalf("%s: got %d %s", path, got.status, got.body)
				}
				path = ""
				for _, server := range got.json["servers"].([]any) {
					names = append(names, at(server, "name").(string))
				}
				if links, more := got.json["servers_links"].([]any); more {
					if at(links[0], "rel") != "next" {
						t.Errorf("got link %v, want rel next", links[0])
					}
					path = strings.TrimPrefix(at(links[0], "href").(string), stub.URL)
				}
			}
			return names
		}
		image := at(c.get("/servers/"+stopped).json, "server", "image", "id").(string)
		tests := map[string][]string{
			"":                                   {"web-1", "web-2", "db-1", "web-3", "batch"},
			"limit=1":                            {"web-1", "web-2", "db-1", "web-3", "batch"},
			"limit=1000":                         {"web-1", "web-2", "db-1", "web-3", "batch"},
			"name=" + url.QueryEscape("b-[12]"):  {"web-1", "web-2", "db-1"},
			"status=SHUTOFF":                     {"batch"},
			"flavor=general1-2":                  {"batch"},
			"image=" + image:                     {"batch"},
			"changes-since=2999-01-01T00:00:00Z": {},
		}
		for query, want := range tests {
			if diff := cmp.Diff(want, list(query)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", query, diff)
			}
		}
		time.Sleep(time.Minute)
		since := s.Now().Format(time.RFC3339)
		if err := s.Migrate(stopped, "somebody"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"batch"}, list("changes-since="+url.QueryEscape(since))); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{}, list("status=ACTIVE&changes-since="+url.QueryEscape(since))); diff != "" {
			t.Errorf("changes by status (-want +got):\n%s", diff)
		}
		for _, query := range []string{"changes-since=garbage", "limit=many", "marker=nobody", "name=("} {
			if got := c.get("/servers?" + query).status; got != http.StatusBadRequest {
				t.Errorf("%s: got %d, want 400", query, got)
			}
		}
		if got := at(c.get("/servers").json, "servers", 0).(object); len(got) != 3 {
			t.Errorf("got %v, want id, name and links alone", got)
		}
	})
}

func TestStub_limitsReadsAndWritesEachByTheMinute(t *testing.T) {
	for _, status := range []int{http.StatusRequestEntityTooLarge, http.StatusTooManyRequests} {
		synctest.Test(t, func(t *testing.T) {
			s := stub.New(stub.Config{ReadsPerMinute: 3, WritesPerMinute: 1, RateLimitStatus: status})
			id := s.AddServer(stub.Server{})
			c := newClient(t, s)
			for range 3 {
				if got := c.get("/servers/" + id).status; got != http.StatusOK {
					t.Fatalf("got %d, want 200", got)
				}
				time.Sleep(10 * time.Second)
			}
			got := c.get("/servers/" + id)
			if got.status != status || at(got.json, "overLimit", "message") != "OverLimit Retry..." {
				t.Fatalf("got %d %s, want over limit with %d", got.status, got.body, status)
			}
			if _, err := time.Parse(time.RFC3339, at(got.json, "overLimit", "retryAt").(string)); err != nil {
				t.Error(err)
			}
			if got := c.act(id, `{"migrate":{}}`).status; got != http.StatusAccepted {
				t.Errorf("got %d for a write, want 202", got)
			}
			if got := c.act(id, `{"migrate":{}}`).status; got != status {
				t.Errorf("got %d for the second write, want %d", got, status)
			}
			wait, err := strconv.Atoi(got.header.Get("Retry-After"))
			if err != nil || wait != 30 {
				t.Errorf("got Retry-After %d (%v), want 30", wait, err)
			}
			time.Sleep(time.Duration(wait) * time.Second)
			time.Sleep(10 * time.Second)
			limits := c.get("/limits")
			if limits.status != http.StatusOK || len(at(limits.json, "limits", "rate").([]any)) != 2 {
				t.Fatalf("got %d %s after the wait, want both rates", limits.status, limits.body)
			}
			// The third read was 50 s ago, and this read is now. The only write was 40 s ago.
			for i, want := range []object{
				{"remaining": 1.0, "next-available": s.Now().Format(time.RFC3339)},
				{"remaining": 0.0, "next-available": s.Now().Add(20 * time.Second).Format(time.RFC3339)},
			} {
				limit := at(limits.json, "limits", "rate", i, "limit", 0)
				if got, next := at(limit, "remaining"), at(limit, "next-available"); got != want["remaining"] || next != want["next-available"] {
					t.Errorf("got %v, want %v", limit, want)
				}
			}
		})
	}
}

func TestStub_recordsWhatItSaw(t *testing.T) {
	s := stub.New(stub.Config{})
	id := s.AddServer(stub.Server{Name: "web-1"})
	c := newClient(t, s)
	c.act(id, `{"migrate":{}}`)
	s.Inject(stub.Fault{Call: stub.CallServer, ServerID: "another", Status: 500})
	s.Inject(stub.Fault{Call: stub.CallServer, Skip: 1, Count: 2, Status: 503, Header: http.Header{"X-Extra": {"1"}}})
	var statuses []int
	for range 4 {
		statuses = append(statuses, c.get("/servers/"+id).status)
	}
	if diff := cmp.Diff([]int{200, 503, 503, 200}, statuses); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	s.Inject(stub.Fault{Call: stub.CallConfirm, Status: http.StatusInternalServerError, Effect: true})
	s.SetServer(id, func(server *stub.Server) { server.Status = "VERIFY_RESIZE" })
	if got := c.act(id, `{"confirmResize":null}`).status; got != 500 {
		t.Errorf("got %d, want 500", got)
	}
	if got := s.ActionLog(id)[0].Action; got != "confirmResize" {
		t.Errorf("got %s as the newest action, want the confirm, which took effect", got)
	}
	s.ClearFaults()
	page := stub.HTML(http.StatusBadGateway)
	s.Inject(page)
	if got := c.get("/servers"); got.status != 502 || got.header.Get("Content-Type") != "text/html" {
		t.Errorf("got %d %s, want a proxy's page", got.status, got.header.Get("Content-Type"))
	}
	record := s.Requests()
	migrate := record[1]
	if migrate.Call != stub.CallMigrate || migrate.ServerID != id || migrate.Region != "ORD" || migrate.User != stub.DefaultUser.ID ||
		migrate.Status != 202 || string(migrate.Body) != `{"migrate":{}}` || migrate.RequestID != s.ActionLog(id)[1].RequestID {
		t.Errorf("got record %+v", migrate)
	}
	if got := s.Count(stub.CallServer); got != 4 {
		t.Errorf("got %d server requests, want 4", got)
	}
	if got := s.Migrations(id); got != 1 {
		t.Errorf("got %d migrations, want 1", got)
	}
}

func TestSamples_areDifferentServersWithTheirHealth(t *testing.T) {
	s := stub.New(stub.Config{})
	seen := map[string]bool{}
	for _, sample := range stub.Samples() {
		if seen[sample.ID] || seen[sample.Name] {
			t.Errorf("got two servers named %s, want one", sample.Name)
		}
		seen[sample.ID], seen[sample.Name] = true, true
		s.AddServer(sample)
	}
	for id, want := range map[string]string{stub.SampleLicensed1: "200 ok", stub.SampleUnhealthy1: "503 starting"} {
		sample, _ := s.Server(id)
		dial := func(address string) (net.Conn, error) { return s.Dial(t.Context(), "tcp", address) }
		if got := ask(t, dial, sample.AccessIPv4+":8080", true); got != want {
			t.Errorf("got %q of %s before it is moved, want %q", got, sample.Name, want)
		}
	}
	if got, ok := s.Server(stub.SampleBatch1); !ok || got.VMState != "stopped" {
		t.Errorf("got %+v, want a stopped server", got)
	}
}
