package stub_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestServeHTTP2_answersAsTheStubDoesInProcess(t *testing.T) {
	s := stub.New(stub.Config{})
	for range 200 { // an answer of many frames
		s.AddServer(stub.Server{Name: "web"})
	}
	server := s.ServeHTTP2()
	t.Cleanup(server.Close)
	c := &client{t: t, http: server.Client(), base: server.URL}
	c.token = c.login(keyFor(stub.DefaultUser))
	response, err := c.send(t.Context(), http.MethodGet, account+"/servers?limit=1", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.ProtoMajor != 2 {
		t.Errorf("got %s, want HTTP/2", response.Proto)
	}
	got := c.get("/servers/detail")
	if want := len(at(got.json, "servers").([]any)); want != 200 {
		t.Errorf("got %d servers, want 200", want)
	}
	if href := at(got.json, "servers", 0, "links", 0, "href").(string); href[:len(server.URL)] != server.URL {
		t.Errorf("got link %s, want one below %s", href, server.URL)
	}
}

// TestServeHTTP2_resetsStreamsSoThatNetHTTPSendsAgain shows that net/http sends a POST
// again by itself when the request has a GetBody. A client must prevent that.
func TestServeHTTP2_resetsStreamsSoThatNetHTTPSendsAgain(t *testing.T) {
	s := stub.New(stub.Config{})
	server := s.ServeHTTP2()
	t.Cleanup(server.Close)
	c := &client{t: t, http: server.Client(), base: server.URL}
	c.token = c.login(keyFor(stub.DefaultUser))
	var sent []int
	for _, again := range []bool{true, false} {
		id := s.AddServer(stub.Server{})
		before := s.Count(stub.CallMigrate)
		s.Inject(stub.Fault{Call: stub.CallMigrate, Reset: true, Count: 2})
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+account+"/servers/"+id+"/action", strings.NewReader(`{"migrate":{}}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Auth-Token", c.token)
		if !again {
			request.GetBody = nil
		}
		response, err := server.Client().Do(request)
		if err == nil {
			_ = response.Body.Close()
		}
		if (err == nil) != again {
			t.Errorf("with GetBody %t: got %v", again, err)
		}
		sent = append(sent, s.Count(stub.CallMigrate)-before)
		s.ClearFaults()
	}
	if diff := cmp.Diff([]int{3, 1}, sent); diff != "" {
		t.Errorf("migrates sent with GetBody and without (-want +got):\n%s", diff)
	}
}
