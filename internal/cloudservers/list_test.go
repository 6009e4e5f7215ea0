package cloudservers_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestServers_followsEveryPage(t *testing.T) {
	cloud := stub.New(stub.Config{PageSize: 10})
	for range 25 {
		cloud.AddServer(stub.Server{})
	}
	cloud.AddServer(stub.Server{Status: cloudservers.StatusShutoff})
	r := region(t, newClient(t, cloud, nil))
	for status, want := range map[string]int{"": 26, cloudservers.StatusShutoff: 1, cloudservers.StatusError: 0} {
		servers, err := r.Servers(t.Context(), status)
		if err != nil || len(servers) != want {
			t.Errorf("got %d servers of status %q (%v), want %d", len(servers), status, err, want)
		}
	}
	if got := cloud.Count(stub.CallList); got != 3+1+1 {
		t.Errorf("got %d list requests, want 5", got)
	}
}

func TestServers_areListedAgainAfterRefusalsThatPass(t *testing.T) {
	cloud := stub.New(stub.Config{})
	r := region(t, newClient(t, cloud, nil))
	for _, refused := range []bool{true, true, false, true, true} {
		if refused {
			cloud.Inject(stub.Fault{Call: stub.CallList, Status: http.StatusNotFound, Count: 1})
		}
		if _, err := r.Servers(t.Context(), ""); (err != nil) != refused {
			t.Errorf("got %v, want a refusal: %t", err, refused)
		}
	}
	peekAll(t, r, []string{cloud.AddServer(stub.Server{}), cloud.AddServer(stub.Server{})}, 2)
	if got := cloud.Count(stub.CallList); got != 5+1 {
		t.Errorf("got %d lists, want another one, since no three in a row were refused", got)
	}
}

func TestServers_reportsAnAnswerThatIsNoList(t *testing.T) {
	cloud := stub.New(stub.Config{})
	cloud.Inject(stub.Fault{Call: stub.CallList, Status: http.StatusOK, Body: `{"server":{}}`})
	if _, err := region(t, newClient(t, cloud, nil)).Servers(t.Context(), ""); !wantError(t, err).Temporary() {
		t.Errorf("got %v, want a failure that may pass", err)
	}
}

// peekAll peeks at servers as Terraform refreshes, so many at a time.
func peekAll(t *testing.T, r *cloudservers.Region, ids []string, parallelism int) {
	t.Helper()
	var group sync.WaitGroup
	turns := make(chan struct{}, parallelism)
	for _, id := range ids {
		turns <- struct{}{}
		group.Go(func() {
			defer func() { <-turns }()
			if got, err := r.Peek(t.Context(), id); err != nil || got.ID != id {
				t.Errorf("got %+v (%v), want %s", got, err, id)
			}
		})
	}
	group.Wait()
}

func TestPeek_costsOneRequestForOneServerAndOneListForMany(t *testing.T) {
	tests := []struct {
		servers, pages       int
		wantReads, wantLists int
	}{
		{servers: 1, pages: 1, wantReads: 1},
		{servers: 2, pages: 1, wantReads: 1, wantLists: 1},
		{servers: 200, pages: 1, wantReads: 1, wantLists: 1},
		{servers: 1000, pages: 10, wantReads: 1, wantLists: 10},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			cloud := stub.New(stub.Config{PageSize: max(test.servers/test.pages, 1)})
			var ids []string
			for range test.servers {
				ids = append(ids, cloud.AddServer(stub.Server{}))
			}
			peekAll(t, region(t, newClient(t, cloud, nil)), ids, 10)
			if reads, lists := cloud.Count(stub.CallServer), cloud.Count(stub.CallList); reads != test.wantReads || lists != test.wantLists {
				t.Errorf("%d servers: got %d reads and %d lists, want %d and %d", test.servers, reads, lists, test.wantReads, test.wantLists)
			}
		})
	}
}

// Terraform takes its time, and so does the API.
func TestPeek_costsOneShortListForEachFurtherInterval(t *testing.T) {
	tests := []struct {
		name             string
		list, between    time.Duration // what a list takes, and the time from ten peeks to the next ten
		took             time.Duration
		wantReads, pages int // requests for single servers, and for pages of lists
	}{
		{"the list is slow", 3 * time.Second, 0, 30 * time.Second, 1, 10},
		{"Terraform is slow", 0, 50 * time.Millisecond, 5 * time.Second, 1, 10 + 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := stub.New(stub.Config{PageSize: 100})
				var ids []string
				for range 1000 {
					ids = append(ids, cloud.AddServer(stub.Server{}))
				}
				r := region(t, newClient(t, cloud, nil))
				cloud.Inject(stub.Fault{Call: stub.CallList, Delay: test.list, Effect: true})
				began := time.Now()
				for i := 0; i < len(ids); i += 10 {
					peekAll(t, r, ids[i:i+10], 10)
					time.Sleep(test.between)
				}
				if reads, pages, took := cloud.Count(stub.CallServer), cloud.Count(stub.CallList), time.Since(began); reads != test.wantReads || pages != test.pages || took != test.took {
					t.Errorf("got %d reads and %d pages in %s, want %d and %d in %s", reads, pages, took, test.wantReads, test.pages, test.took)
				}
			})
		})
	}
}

func TestPeek_seesWhatChangesBetweenItsLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		var ids []string
		for range 5 {
			ids = append(ids, cloud.AddServer(stub.Server{}))
		}
		r := region(t, newClient(t, cloud, nil))
		peekAll(t, r, ids, 5)
		for n := range 20 { // within the minute for which a list of all is kept up to date
			changed := ids[n%4]
			cloud.SetServer(changed, func(s *stub.Server) { s.Name = fmt.Sprint("change ", n) })
			time.Sleep(2300 * time.Millisecond)
			if got, err := r.Peek(t.Context(), changed); err != nil || got.Name != fmt.Sprint("change ", n) {
				t.Errorf("got %+v (%v), want change %d", got, err, n)
			}
		}
		if got := cloud.Count(stub.CallServer); got != 1 {
			t.Errorf("got %d reads, want lists", got)
		}
		if err := cloud.Delete(ids[4]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		if got, err := r.Peek(t.Context(), ids[4]); err != nil || got.Status != cloudservers.StatusDeleted {
			t.Errorf("got %+v (%v), want it deleted", got, err)
		}
		time.Sleep(2 * time.Minute) // the list of all servers has none that are deleted
		peekAll(t, r, ids[:4], 1)
		if got, err := r.Peek(t.Context(), ids[4]); !errors.Is(err, cloudservers.ErrNotFound) {
			t.Errorf("got %+v (%v), want it gone", got, err)
		}
	})
}

func TestPeek_isNeverOlderThanAPollInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		var ids []string
		for range 10 {
			ids = append(ids, cloud.AddServer(stub.Server{}))
		}
		r := region(t, newClient(t, cloud, nil))
		peekAll(t, r, ids, 10)
		cloud.SetServer(ids[9], func(s *stub.Server) { s.Status = cloudservers.StatusError })
		time.Sleep(2*time.Second + time.Millisecond)
		if got, err := r.Peek(t.Context(), ids[9]); err != nil || got.Status != cloudservers.StatusError {
			t.Errorf("got %+v (%v), want the server in ERROR", got, err)
		}
	})
}

func TestPeek_looksForAServerThatTheListMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		var ids []string
		for range 5 {
			ids = append(ids, cloud.AddServer(stub.Server{}))
		}
		r := region(t, newClient(t, cloud, nil))
		peekAll(t, r, ids, 5)
		young := cloud.AddServer(stub.Server{})
		if _, err := r.Peek(t.Context(), young); err != nil {
			t.Errorf("got %v for a server that is newer than the list", err)
		}
		if _, err := r.Peek(t.Context(), "nobody"); !errors.Is(err, cloudservers.ErrNotFound) {
			t.Errorf("got %v, want not found", err)
		}
	})
}

func TestPeek_reportsAFailedListToEachAndIsCancelledAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		id := cloud.AddServer(stub.Server{})
		r := region(t, newClient(t, cloud, nil))
		peekAll(t, r, []string{cloud.AddServer(stub.Server{})}, 1)
		cloud.Inject(stub.Fault{Call: stub.CallList, Delay: time.Second, Status: http.StatusServiceUnavailable})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := r.Peek(t.Context(), id); wantError(t, err).StatusCode != http.StatusServiceUnavailable {
				t.Errorf("got %v, want a 503", err)
			}
		})
		group.Go(func() {
			if _, err := r.Peek(ctx, id); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want it cancelled", err)
			}
		})
		group.Wait()
	})
}

func TestPeek_readsServersOneByOneWhereListsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		r := region(t, newClient(t, cloud, nil))
		cloud.Inject(stub.Fault{Call: stub.CallList, Status: http.StatusForbidden})
		var ids []string
		for range 10 {
			ids = append(ids, cloud.AddServer(stub.Server{}))
		}
		peekAll(t, r, ids, 10)
		for _, id := range ids {
			cloud.SetServer(id, func(s *stub.Server) { s.Name = "changed" })
		}
		time.Sleep(3 * time.Second)
		for _, id := range ids {
			if got, err := r.Peek(t.Context(), id); err != nil || got.Name != "changed" {
				t.Errorf("got %+v (%v), want it as it is now", got, err)
			}
		}
		if reads, lists := cloud.Count(stub.CallServer), cloud.Count(stub.CallList); reads != 20 || lists != 3 {
			t.Errorf("got %d reads and %d lists, want no list after three were refused", reads, lists)
		}
	})
}

func TestPeek_readsNothingThatWasReadAMomentAgoUnlessItWasActedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		id := cloud.AddServer(stub.Server{})
		r := region(t, newClient(t, cloud, nil))
		peekAll(t, r, []string{id, id, id, id, id}, 1)
		if got := cloud.Count(stub.CallServer); got != 1 {
			t.Errorf("got %d reads, want 1", got)
		}
		if _, err := r.Migrate(t.Context(), id, nil, nil); err != nil {
			t.Fatal(err)
		}
		if got, err := r.Peek(t.Context(), id); err != nil || got.Status != cloudservers.StatusResize {
			t.Errorf("got %+v (%v) after the migrate request, want RESIZE", got, err)
		}
	})
}
