package stub_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestStub_hasTheTimeOfItsOwnClockInEveryAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub.New(stub.Config{TokenLifetime: 1000 * time.Hour})
		c := newClient(t, s)
		s.Advance(100 * time.Hour)
		want := time.Now().Add(100 * time.Hour).UTC().Format(http.TimeFormat)
		s.Inject(stub.Fault{Call: stub.CallLimits, Status: 502})
		for name, got := range map[string]answer{
			"an answer": c.get("/servers"), "a refusal": c.get("/servers/nobody"), "a token": c.do(http.MethodPost, "/v2.0/tokens", "{}"),
			"a fault": c.get("/limits"), "nothing there": c.do(http.MethodGet, "/nothing", ""),
		} {
			if date := got.header.Get("Date"); date != want {
				t.Errorf("%s: got date %s, want %s", name, date, want)
			}
		}
	})
}

func TestStub_returnsRequestIDsOfCloudServersOnly(t *testing.T) {
	s := stub.New(stub.Config{})
	c := newClient(t, s)
	for path, named := range map[string]bool{
		account + "/servers": true, account + "/servers/nobody": true, account + "/limits": true, "/v2.0/": false, "/nothing": false,
	} {
		got := c.do(http.MethodGet, path, "")
		id := got.header.Get("X-Compute-Request-Id")
		if strings.HasPrefix(id, "req-") != named || got.header.Get("X-Openstack-Request-Id") != id {
			t.Errorf("%s: got request id %q, want one: %t", path, id, named)
		}
		if requests := s.Requests(); requests[len(requests)-1].RequestID != id {
			t.Errorf("%s: the record has another request id", path)
		}
	}
	c.do(http.MethodGet, account+"/servers?name=b&limit=1", "")
	requests := s.Requests()
	if login := requests[0]; login.Call != stub.CallToken || login.User != stub.DefaultUser.ID || login.RequestID != "" {
		t.Errorf("got record %+v of the login, want its user and no request id", login)
	}
	if last := requests[len(requests)-1]; last.RawQuery != "name=b&limit=1" || last.Path != account+"/servers" {
		t.Errorf("got %s?%s, want what was asked", last.Path, last.RawQuery)
	}
}

func TestStub_hasServiceNetInAllRegionsButOne(t *testing.T) {
	tests := []struct {
		name   string
		config stub.Config
		base   string
		want   []string
	}{
		{"by default", stub.Config{}, stub.URL, []string{"ORD internal", "DFW internal", "LON"}},
		{"elsewhere", stub.Config{Regions: []string{"SYD", "HKG"}, BaseURL: "https://cloud.example/"}, "https://cloud.example", []string{"SYD internal", "HKG"}},
		{"one region", stub.Config{Regions: []string{"IAD"}}, stub.URL, []string{"IAD internal"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newClient(t, stub.New(test.config))
			catalog := at(c.do(http.MethodPost, "/v2.0/tokens", keyFor(stub.DefaultUser)).json, "access", "serviceCatalog")
			if got := at(catalog, 0, "name"); got != "cloudServers" || at(catalog, 0, "endpoints", 0, "region") != nil {
				t.Errorf("got %v first, want the retired cloudServers, without a region", at(catalog, 0))
			}
			var got []string
			for _, endpoint := range at(catalog, 2, "endpoints").([]any) {
				region := at(endpoint, "region").(string)
				if url := at(endpoint, "publicURL"); url != test.base+"/"+region+"/v2/123456" {
					t.Errorf("got %s in region %s", url, region)
				}
				if at(endpoint, "internalURL") != nil {
					region += " internal"
				}
				got = append(got, region)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("endpoints (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStub_returnsTheUsersDefaultRegionAndRoles(t *testing.T) {
	observer := stub.User{ID: "user-2", Name: "looker", APIKey: "k", Observer: true}
	s := stub.New(stub.Config{Users: []stub.User{stub.DefaultUser, observer}, DefaultRegion: "LON"})
	c := newClient(t, s)
	user := at(c.do(http.MethodPost, "/v2.0/tokens", keyFor(observer)).json, "access", "user")
	if at(user, "id") != "user-2" || at(user, "RAX-AUTH:defaultRegion") != "LON" || !strings.Contains(at(user, "roles", 0, "name").(string), "observer") {
		t.Errorf("got user %v, want an observer in LON", user)
	}
	id := s.AddServer(stub.Server{})
	c.token = c.login(keyFor(observer))
	c.do(http.MethodDelete, account+"/servers/"+id, "").wantFault(t, 403, "forbidden", "Policy doesn't allow delete to be performed.")
	for _, name := range []string{"migrate", "confirmResize", "revertResize"} {
		c.act(id, `{"`+name+`":null}`).wantFault(t, 403, "forbidden", "Policy doesn't allow "+name+" to be performed.")
	}
	for _, path := range []string{"/servers", "/servers/" + id, "/servers/" + id + "/os-instance-actions", "/limits"} {
		if got := c.get(path).status; got != http.StatusOK {
			t.Errorf("%s: got %d for an observer, want 200", path, got)
		}
	}
	c = newClient(t, stub.New(stub.Config{NoDefaultRegion: true}))
	if user := at(c.do(http.MethodPost, "/v2.0/tokens", keyFor(stub.DefaultUser)).json, "access", "user").(object); user["RAX-AUTH:defaultRegion"] != nil {
		t.Errorf("got user %v, want no default region", user)
	}
}

func TestStub_servesItsOwnRegionsOnly(t *testing.T) {
	s := stub.New(stub.Config{Regions: []string{"ORD", "DFW"}})
	id := s.AddServer(stub.Server{Region: "DFW"})
	c := newClient(t, s)
	for path, want := range map[string]int{
		"/DFW/v2/123456/servers/" + id: 200, "/ORD/v2/123456/servers/" + id: 404, "/LON/v2/123456/servers": 404, "/LON/v2/": 404,
		"/ORD/v2/123456/servers/" + id + "/ips": 404, "/v1.0/123456/servers": 404,
	} {
		if got := c.do(http.MethodGet, path, "").status; got != want {
			t.Errorf("%s: got %d, want %d", path, got, want)
		}
	}
}

func TestStub_filtersByStatusInAnyCaseAndBySeveral(t *testing.T) {
	s := stub.New(stub.Config{})
	s.AddServer(stub.Server{Name: "a"})
	s.AddServer(stub.Server{Name: "b", Status: "SHUTOFF"})
	s.AddServer(stub.Server{Name: "c", Status: "ERROR"})
	c := newClient(t, s)
	for query, want := range map[string]int{"status=active": 1, "status=ACTIVE&status=ERROR": 2, "status=NONSENSE": 0} {
		if got := c.get("/servers?" + query).json["servers"].([]any); len(got) != want {
			t.Errorf("%s: got %d servers, want %d", query, len(got), want)
		}
	}
}

func TestStub_refusesRequestsThatAreTooLarge(t *testing.T) {
	w := httptest.NewRecorder()
	stub.New(stub.Config{}).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v2.0/tokens", strings.NewReader(strings.Repeat(" ", 2<<20))))
	if w.Code != http.StatusBadRequest {
		t.Errorf("got %d, want 400", w.Code)
	}
}

func TestIdentityEndpoint_isBelowTheBaseURL(t *testing.T) {
	for _, base := range []string{"http://127.0.0.1:1", "http://127.0.0.1:1/"} {
		if got, want := stub.IdentityEndpoint(base), "http://127.0.0.1:1/v2.0/"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
