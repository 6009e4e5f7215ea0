package cloudservers_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// listAll lists all servers, and wants so many.
func listAll(t *testing.T, r *cloudservers.Region, want int) []*cloudservers.Server {
	t.Helper()
	servers, err := r.SharedServers(t.Context())
	if err != nil || len(servers) != want {
		t.Fatalf("got %d servers (%v), want %d", len(servers), err, want)
	}
	return servers
}

func TestSharedServers_shareTheListOfAPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{PageSize: 10}, 25, nil)
		f.Inject(stub.Fault{Call: stub.CallList, Delay: time.Second, Effect: true})
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() { listAll(t, f.region, 25) })
		}
		all.Wait()
		f.wantSent(t, stub.CallList, 3)
		readAll(t, f.region, f.ids, 10)
		listAll(t, f.region, 25)
		f.wantSent(t, stub.CallList, 3)
		f.wantSent(t, stub.CallServer, 0)

		time.Sleep(2*time.Second + time.Millisecond)
		f.AddServer(stub.Server{})
		listAll(t, f.region, 26)
		f.wantSent(t, stub.CallList, 6)
	})
}

func TestSharedServers_takeTheListThatARefreshHasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{PageSize: 10}, 25, nil)
		readAll(t, f.region, f.ids, 10)
		listAll(t, f.region, 25)
		f.wantSent(t, stub.CallList, 3)
	})
}

func TestSharedServers_areListedAgainAfterAnAction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 3, nil)
		listAll(t, f.region, 3)
		time.Sleep(time.Second)
		if _, err := migrate(t.Context(), f.region, f.ids[1]); err != nil {
			t.Fatal(err)
		}
		if got := listAll(t, f.region, 3)[1]; got.ID != f.ids[1] || got.Status != cloudservers.StatusResize {
			t.Errorf("got %+v, want the server in RESIZE", got)
		}
		f.wantSent(t, stub.CallList, 2)
	})
}

func TestSharedServers_endAlthoughActionsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 30, nil)
		f.Inject(stub.Fault{Call: stub.CallList, Delay: 5 * time.Second, Effect: true})
		var all sync.WaitGroup
		all.Go(func() {
			for _, id := range f.ids {
				if _, err := migrate(t.Context(), f.region, id); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Second)
			}
		})
		time.Sleep(1500 * time.Millisecond)
		began := time.Now()
		listAll(t, f.region, 30)
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("took %s, want one list of 5s", took)
		}
		all.Wait()
	})
}

func TestSharedServers_areNoOlderThanWhatWasReturnedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 3, nil)
		f.Inject(stub.Fault{Call: stub.CallList, Delay: time.Second, Effect: true}) // it shows what was at its beginning
		var all sync.WaitGroup
		all.Go(func() {
			if got := listAll(t, f.region, 3)[0]; got.Name != "changed" {
				t.Errorf("got %+v, want the change", got)
			}
		})
		time.Sleep(500 * time.Millisecond)
		f.SetServer(f.ids[0], func(s *stub.Server) { s.Name = "changed" })
		readAll(t, f.region, f.ids[:1], 1)
		f.wantSent(t, stub.CallServer, 1)
		all.Wait()
	})
}

func TestSharedServers_reportARefusalAndAreCancelledAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 3, nil)
		f.Inject(stub.Fault{Call: stub.CallList, Status: http.StatusForbidden, Delay: time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 5 { // also when the client has given up lists for a while
			if _, err := f.region.SharedServers(t.Context()); wantError(t, err).StatusCode != http.StatusForbidden {
				t.Errorf("got %v, want a 403", err)
			}
			if _, err := f.region.SharedServers(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want it cancelled", err)
			}
			time.Sleep(time.Minute) // in which the list of the cancelled call ends
		}
	})
}

func TestServers_asksForTheName(t *testing.T) {
	cloud := stub.New(stub.Config{PageSize: 2})
	for i := range 7 {
		cloud.AddServer(stub.Server{Name: fmt.Sprintf("web-%d", i)})
	}
	cloud.AddServer(stub.Server{Name: "db-1"})
	r := region(t, newClient(t, cloud, nil))
	for pattern, want := range map[string]int{"^web-1$": 1, "^web": 7, "web-7": 0} {
		if servers, err := r.Servers(t.Context(), url.Values{"name": {pattern}}); err != nil || len(servers) != want {
			t.Errorf("got %d servers for %q (%v), want %d", len(servers), pattern, err, want)
		}
	}
	if got := cloud.Count(stub.CallList); got != 1+4+1 {
		t.Errorf("got %d lists, want one for each page", got)
	}
}
