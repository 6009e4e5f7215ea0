package stub_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestStub_logsEachRequestOnceWithItsStatusAndItsFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged []string
		s := stub.New(stub.Config{Log: func(r stub.Request) {
			logged = append(logged, fmt.Sprintf("%s %d %s", r.Call, r.Status, r.Fault))
		}})
		id := s.AddServer(stub.Server{})
		c := newClient(t, s)
		for _, fault := range []stub.Fault{
			{Name: "busy", Call: stub.CallMigrate, Count: 1, Status: 503},
			{Name: "lost", Call: stub.CallServer, Count: 1, Reset: true},
			{Name: "half", Call: stub.CallServer, Count: 1, Truncate: true},
			{Name: "silence", Call: stub.CallServer, Count: 1, Hang: true},
			{Call: stub.CallServer, Count: 1, Status: 500},
			{Call: stub.CallServer, Count: 1, Refuse: true},
		} {
			s.Inject(fault)
		}
		c.act(id, `{"migrate":{}}`)
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if response, err := c.send(ctx, http.MethodGet, account+"/servers/"+id, ""); err == nil {
				_ = response.Body.Close()
			}
			cancel()
			synctest.Wait()
		}
		want := []string{
			"token 200 ", "migrate 503 busy", "server 0 lost", "server 200 half", "server 0 silence", "server 500 ",
			"server 200 ",
		}
		// What is refused never arrives. So the request after it is the last one.
		c.get("/servers/" + id)
		if diff := cmp.Diff(want, logged); diff != "" {
			t.Errorf("the log (-want +got):\n%s", diff)
		}
	})
}

func TestStub_logsARequestBeforeItsClientHasTheAnswer(t *testing.T) {
	logged := 0
	s := stub.New(stub.Config{Log: func(stub.Request) { logged++ }})
	c := newClient(t, s)
	for want := 2; want < 5; want++ { // the login is the first
		if c.get("/servers"); logged != want {
			t.Errorf("got %d requests in the log, want %d", logged, want)
		}
	}
}
