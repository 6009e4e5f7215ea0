package bench

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// sizes are how many servers are migrated at once; make bench adds what takes
// long.
var sizes = []int{1, 10, 100, 1000}

// migrates is how long a migration of the simulation takes; a bit over the
// minutes, so that it does not end with a look.
const migrates = 10*time.Minute + 137*time.Millisecond

// createTimeout is the default of the resource.
const createTimeout = 2 * time.Hour

// cloudOf is a cloud with the limits that Rackspace documents.
func cloudOf(servers int) (*stub.Stub, []string) {
	timing := stub.ObservedTiming()
	timing.Migrate = migrates - timing.Prepare - timing.Migrated - timing.Finish
	cloud := stub.New(stub.Config{
		Timing: timing, ReadsPerMinute: cloudservers.DefaultRates.Read, WritesPerMinute: cloudservers.DefaultRates.Write,
	})
	var ids []string
	for range servers {
		ids = append(ids, cloud.AddServer(stub.Server{}))
	}
	return cloud, ids
}

// distant is a cloud that is some way off.
type distant struct{ http.RoundTripper }

// way is how long a request takes to the cloud, and its answer back.
const way = 25 * time.Millisecond

func (d distant) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(way)
	resp, err := d.RoundTripper.RoundTrip(r)
	time.Sleep(way)
	return resp, err
}

func engineOn(t *testing.T, cloud *stub.Stub) *migration.Engine {
	t.Helper()
	return engineThrough(t, distant{cloud.Transport()})
}

func engineThrough(t *testing.T, transport http.RoundTripper) *migration.Engine {
	t.Helper()
	client, err := cloudservers.New(cloudservers.Config{
		IdentityEndpoint: stub.URL + "/v2.0/", MaxRetries: 5, Transport: transport,
		Credentials: cloudservers.Credentials{Username: stub.DefaultUser.Name, APIKey: stub.DefaultUser.APIKey},
	})
	if err != nil {
		t.Fatal(err)
	}
	return migration.New(client, migration.Limits{})
}

// TestSimulation migrates and confirms fleets in virtual time, all their servers
// at once, through the limits of an account.
func TestSimulation(t *testing.T) {
	table := NewTable(t, "Simulation: N servers, migrations of 10 minutes, 1000 reads and 100 writes a minute")
	for _, n := range sizes {
		synctest.Test(t, func(t *testing.T) { simulate(t, table, n) })
	}
}

func simulate(t *testing.T, table *Table, n int) {
	cloud, ids := cloudOf(n)
	engine := engineOn(t, cloud)
	began := time.Now()
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() {
			got, err := engine.Migrate(t.Context(), migration.Request{ServerID: id, AutoConfirm: true, Timeout: createTimeout})
			if err != nil || got.Status != migration.StatusConfirmed {
				t.Errorf("%s: got %q (%v), want it confirmed", id, got.Status, err)
			}
		})
	}
	all.Wait()
	took := time.Since(began)

	of := fmt.Sprintf("N = %d", n)
	requests := cloud.Requests()
	lists, overLimit := 0, 0
	asked, lags := map[string]time.Time{}, make([]float64, 0, n)
	for _, request := range requests {
		switch request.Call {
		case stub.CallList:
			if !strings.Contains(request.RawQuery, "marker=") {
				lists++
			}
		case stub.CallMigrate:
			asked[request.ServerID] = request.Time
		case stub.CallConfirm:
			lags = append(lags, request.Time.Sub(asked[request.ServerID].Add(migrates)).Seconds())
		}
		if request.Status == 413 {
			overLimit++
		}
	}
	slices.Sort(lags)
	ticks := took.Seconds() / 2
	table.Most(of, "list requests a look, further pages aside", float64(lists)/ticks, 1.05, "")
	if n == 1000 {
		table.Most(of, "requests per migration", float64(len(requests))/float64(n), 10, "")
	} else {
		table.Note(of, "requests per migration", float64(len(requests))/float64(n), "")
	}
	for _, call := range []stub.Call{stub.CallToken, stub.CallServer, stub.CallList, stub.CallActionLog, stub.CallMigrate, stub.CallConfirm} {
		table.Note(of, string(call)+" requests", float64(cloud.Count(call)), "")
	}
	table.Most(of, "413 answers", float64(overLimit), 0, "")
	table.Note(of, "detection lag, least", lags[0], "s")
	table.Note(of, "detection lag, median", lags[len(lags)/2], "s")
	table.Most(of, "detection lag, p95", lags[len(lags)*95/100], 2.2, "s")
	table.Note(of, "detection lag, most", lags[len(lags)-1], "s")
	// No client can be faster than its writes and the last migration.
	minutes := max((n-1)/cloudservers.DefaultRates.Write, 0)
	bound := max(time.Duration(minutes)*time.Minute+migrates, time.Duration((2*n-1)/cloudservers.DefaultRates.Write)*time.Minute)
	if n >= 1000 {
		table.Most(of, "total time, against what the write limit allows", took.Seconds()/bound.Seconds(), 1.05, "")
	}
	table.Note(of, "total time", took.Seconds(), "s")
}

// TestRefresh_costsNothingForSettledMigrationsAndALittleForThoseThatAwait
// refreshes many migrations, ten at a time, as Terraform does.
func TestRefresh_costsNothingForSettledMigrationsAndALittleForThoseThatAwait(t *testing.T) {
	const n = 1000
	table := NewTable(t, "Refresh of 1000 migrations, ten at a time")
	for _, settled := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			cloud, ids := cloudOf(n)
			engine := engineOn(t, cloud)
			migrations := make([]migration.Migration, n)
			var all sync.WaitGroup
			for i, id := range ids {
				all.Go(func() {
					var err error
					if migrations[i], err = engine.Migrate(t.Context(), migration.Request{ServerID: id, AutoConfirm: settled}); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			before, engine := len(cloud.Requests()), engineOn(t, cloud)
			refreshAll(t.Context(), engine, migrations)
			sent := float64(len(cloud.Requests()) - before)
			if settled {
				table.Most("settled", "requests", sent, 0, "")
				return
			}
			table.Most("awaiting confirmation", "requests, a token among them", sent, 1+3, "") // pages + 3
		})
	}
}

func refreshAll(ctx context.Context, engine *migration.Engine, migrations []migration.Migration) {
	turns := make(chan bool, 10)
	var all sync.WaitGroup
	for _, m := range migrations {
		turns <- true
		all.Go(func() {
			_, _ = engine.Refresh(ctx, m)
			<-turns
		})
	}
	all.Wait()
}
