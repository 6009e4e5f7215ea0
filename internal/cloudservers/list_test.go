package cloudservers_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
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
		filter := url.Values{}
		if status != "" {
			filter.Set("status", status)
		}
		servers, err := r.Servers(t.Context(), filter)
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
		if _, err := r.Servers(t.Context(), nil); (err != nil) != refused {
			t.Errorf("got %v, want a refusal: %t", err, refused)
		}
	}
	readAll(t, r, []string{cloud.AddServer(stub.Server{}), cloud.AddServer(stub.Server{})}, 2)
	if got := cloud.Count(stub.CallList); got != 5+1 {
		t.Errorf("got %d lists, want another one, since no three in a row were refused", got)
	}
}

func TestServers_reportsAnAnswerThatIsNoList(t *testing.T) {
	cloud := stub.New(stub.Config{})
	cloud.Inject(stub.Fault{Call: stub.CallList, Status: http.StatusOK, Body: `{"server":{}}`})
	if _, err := region(t, newClient(t, cloud, nil)).Servers(t.Context(), nil); !wantError(t, err).Temporary() {
		t.Errorf("got %v, want a failure that may pass", err)
	}
}

// readAll reads servers as Terraform refreshes them, so many at a time.
func readAll(t *testing.T, r *cloudservers.Region, ids []string, parallelism int) {
	t.Helper()
	var group sync.WaitGroup
	turns := make(chan struct{}, parallelism)
	for _, id := range ids {
		turns <- struct{}{}
		group.Go(func() {
			defer func() { <-turns }()
			if got, err := r.SharedServer(t.Context(), id); err != nil || got.ID != id {
				t.Errorf("got %+v (%v), want %s", got, err, id)
			}
		})
	}
	group.Wait()
}

func TestSharedServer_costsOneRequestForOneServerAndOneListForMany(t *testing.T) {
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
			readAll(t, region(t, newClient(t, cloud, nil)), ids, 10)
			if reads, lists := cloud.Count(stub.CallServer), cloud.Count(stub.CallList); reads != test.wantReads || lists != test.wantLists {
				t.Errorf("%d servers: got %d reads and %d lists, want %d and %d", test.servers, reads, lists, test.wantReads, test.wantLists)
			}
		})
	}
}

// Reads of many servers take longer than a poll interval, where Terraform or the API is
// slow.
func TestSharedServer_costsOneListForEachInterval(t *testing.T) {
	tests := []struct {
		name             string
		list, between    time.Duration // what a list takes, and the time from ten reads to the next ten
		took             time.Duration
		wantReads, pages int // requests for single servers, and for pages of lists
	}{
		{"the list is slow", 3 * time.Second, 0, 30 * time.Second, 1, 10},
		{"Terraform is slow", 0, 50 * time.Millisecond, 5 * time.Second, 1, 3 * 10},
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
					readAll(t, r, ids[i:i+10], 10)
					time.Sleep(test.between)
				}
				if reads, pages, took := cloud.Count(stub.CallServer), cloud.Count(stub.CallList), time.Since(began); reads != test.wantReads || pages != test.pages || took != test.took {
					t.Errorf("got %d reads and %d pages in %s, want %d and %d in %s", reads, pages, took, test.wantReads, test.pages, test.took)
				}
			})
		})
	}
}

func TestSharedServer_isNeverOlderThanAPollInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		var ids []string
		for range 10 {
			ids = append(ids, cloud.AddServer(stub.Server{}))
		}
		r := region(t, newClient(t, cloud, nil))
		readAll(t, r, ids, 10)
		cloud.SetServer(ids[9], func(s *stub.Server) { s.Status = cloudservers.StatusError })
		time.Sleep(2*time.Second + time.Millisecond)
		if got, err := r.SharedServer(t.Context(), ids[9]); err != nil || got.Status != cloudservers.StatusError {
			t.Errorf("got %+v (%v), want the server in ERROR", got, err)
		}
	})
}

func TestSharedServer_readsAServerByItselfThatTheListMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		var ids []string
		for range 5 {
			ids = append(ids, cloud.AddServer(stub.Server{}))
		}
		r := region(t, newClient(t, cloud, nil))
		readAll(t, r, ids, 5)
		young := cloud.AddServer(stub.Server{})
		if _, err := r.SharedServer(t.Context(), young); err != nil {
			t.Errorf("got %v for a server that is newer than the list", err)
		}
		if _, err := r.SharedServer(t.Context(), "nobody"); !errors.Is(err, cloudservers.ErrNotFound) {
			t.Errorf("got %v, want not found", err)
		}
	})
}

func TestSharedServer_reportsAFailedListToEachAndIsCancelledAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		id := cloud.AddServer(stub.Server{})
		r := region(t, newClient(t, cloud, nil))
		readAll(t, r, []string{cloud.AddServer(stub.Server{})}, 1)
		cloud.Inject(stub.Fault{Call: stub.CallList, Delay: time.Second, Status: http.StatusServiceUnavailable})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := r.SharedServer(t.Context(), id); wantError(t, err).StatusCode != http.StatusServiceUnavailable {
				t.Errorf("got %v, want a 503", err)
			}
		})
		group.Go(func() {
			if _, err := r.SharedServer(ctx, id); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want it cancelled", err)
			}
		})
		group.Wait()
	})
}

func TestSharedServer_readsServersOneByOneWhereListsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		r := region(t, newClient(t, cloud, nil))
		cloud.Inject(stub.Fault{Call: stub.CallList, Status: http.StatusForbidden})
		var ids []string
		for range 10 {
			ids = append(ids, cloud.AddServer(stub.Server{}))
		}
		readAll(t, r, ids, 10)
		for _, id := range ids {
			cloud.SetServer(id, func(s *stub.Server) { s.Name = "changed" })
		}
		time.Sleep(3 * time.Second)
		for _, id := range ids {
			if got, err := r.SharedServer(t.Context(), id); err != nil || got.Name != "changed" {
				t.Errorf("got %+v (%v), want it as it is now", got, err)
			}
		}
		if reads, lists := cloud.Count(stub.CallServer), cloud.Count(stub.CallList); reads != 20 || lists != 3 {
			t.Errorf("got %d reads and %d lists, want no list after three were refused", reads, lists)
		}
	})
}

func TestSharedServer_readsNothingThatWasReadAMomentAgoUnlessItWasActedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := stub.New(stub.Config{})
		id := cloud.AddServer(stub.Server{})
		r := region(t, newClient(t, cloud, nil))
		readAll(t, r, []string{id, id, id, id, id}, 1)
		if got := cloud.Count(stub.CallServer); got != 1 {
			t.Errorf("got %d reads, want 1", got)
		}
		if _, err := migrate(t.Context(), r, id); err != nil {
			t.Fatal(err)
		}
		if got, err := r.SharedServer(t.Context(), id); err != nil || got.Status != cloudservers.StatusResize {
			t.Errorf("got %+v (%v) after the migrate request, want RESIZE", got, err)
		}
	})
}

func TestServer_knowsWhenItWasAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{PageSize: 3}, 5, nil)
		began := time.Now()
		f.Inject(stub.Fault{Call: stub.CallServer, Status: http.StatusRequestEntityTooLarge, RetryAfter: 30 * time.Second, Count: 1})
		f.Inject(stub.Fault{Call: stub.CallServer, Delay: 5 * time.Second, Count: 1})
		server, err := f.region.Server(t.Context(), f.ids[0])
		if err != nil {
			t.Fatal(err)
		}
		if got := server.AskedAt.Sub(began); got != 30*time.Second || time.Since(began) != 35*time.Second {
			t.Errorf("got a server that was asked for after %s, want it when the attempt that succeeded was sent, after 30s", got)
		}
		began = time.Now()
		f.Inject(stub.Fault{Call: stub.CallList, Delay: 4 * time.Second, Effect: true})
		servers, err := f.region.Servers(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, server := range servers {
			page := time.Duration(i/3) * 4 * time.Second
			if got := server.AskedAt.Sub(began); got != page {
				t.Errorf("got server %d asked for after %s, want it when its page was, after %s", i, got, page)
			}
		}
	})
}

func TestServer_keepsTheMonotonicClockOfWhenItWasAskedFor(t *testing.T) {
	f := newFleet(t, stub.Config{}, 1, nil)
	server, err := f.region.Server(t.Context(), f.ids[0])
	if err != nil || !strings.Contains(server.AskedAt.String(), "m=") {
		t.Errorf("got %s (%v), want a monotonic reading", server.AskedAt, err)
	}
}

func TestSharedServer_returnsNothingThatWasAskedForBeforeAnAction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 3, nil)
		first, acted, other := f.ids[0], f.ids[1], f.ids[2]
		readAll(t, f.region, []string{first}, 1)
		f.Inject(stub.Fault{Call: stub.CallList, Delay: 10 * time.Second, Effect: true}) // it shows what was at its beginning
		var all sync.WaitGroup
		for _, id := range []string{acted, other} {
			all.Go(func() {
				got, err := f.region.SharedServer(t.Context(), id)
				if err != nil || id == acted && got.Status != cloudservers.StatusVerifyResize {
					t.Errorf("got %+v (%v), want it as it is after the migrate request", got, err)
				}
			})
		}
		time.Sleep(time.Second)
		if _, err := migrate(t.Context(), f.region, acted); err != nil {
			t.Fatal(err)
		}
		all.Wait()
		f.wantSent(t, stub.CallList, 1)
		f.wantSent(t, stub.CallServer, 1+1)
		time.Sleep(time.Second)
		readAll(t, f.region, []string{acted, other}, 1)
		f.wantSent(t, stub.CallServer, 1+1)
		// A request whose answer is lost can have had an effect as well.
		f.Inject(stub.Fault{Call: stub.CallConfirm, Effect: true, Reset: true})
		if err := confirm(t.Context(), f.region, acted); !wantError(t, err).MaybeAccepted() {
			t.Errorf("got %v, want an unknown outcome", err)
		}
		time.Sleep(time.Second)
		if got, err := f.region.SharedServer(t.Context(), acted); err != nil || got.Status != cloudservers.StatusActive {
			t.Errorf("got %+v (%v), want it confirmed", got, err)
		}
	})
}

func TestSharedServer_returnsNothingThatWasReadWhileAnActionWasUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 1, nil)
		id := f.ids[0]
		readAll(t, f.region, []string{id}, 1)
		f.Inject(stub.Fault{Call: stub.CallMigrate, Delay: time.Second}) // before it takes effect
		var all sync.WaitGroup
		all.Go(func() {
			time.Sleep(500 * time.Millisecond)
			readAll(t, f.region, []string{id}, 1)
			f.wantSent(t, stub.CallServer, 1)
			f.wantSent(t, stub.CallList, 1)
		})
		if _, err := migrate(t.Context(), f.region, id); err != nil {
			t.Fatal(err)
		}
		all.Wait()
		time.Sleep(100 * time.Millisecond)
		if got, err := f.region.SharedServer(t.Context(), id); err != nil || got.Status != cloudservers.StatusResize {
			t.Errorf("got %+v (%v), want RESIZE", got, err)
		}
	})
}

func TestSharedServer_returnsNothingOlderThanWhatItReturnedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, stub.Config{}, 3, nil)
		readAll(t, f.region, f.ids[:1], 1)
		f.Inject(stub.Fault{Call: stub.CallList, Delay: 10 * time.Second, Effect: true}) // it shows what was at its beginning
		var all sync.WaitGroup
		all.Go(func() { readAll(t, f.region, f.ids[1:2], 1) })
		time.Sleep(5 * time.Second)
		f.SetServer(f.ids[2], func(s *stub.Server) { s.Name = "changed" })
		for range 12 { // read by itself, as the first one of an interval, and then with the list
			if got, err := f.region.SharedServer(t.Context(), f.ids[2]); err != nil || got.Name != "changed" {
				t.Errorf("got %+v (%v), want the change", got, err)
			}
			time.Sleep(500 * time.Millisecond)
		}
		all.Wait()
	})
}
