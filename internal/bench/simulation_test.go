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

// fleetCase is a fleet whose servers are all migrated at once.
type fleetCase struct {
	servers int
	takes   time.Duration // how long each migration takes
}

func (c fleetCase) String() string {
	return fmt.Sprintf("N = %d, %.0f minutes", c.servers, c.takes.Minutes())
}

// A migration takes a little more than whole minutes, so that it does not end at
// the time of a poll.
const (
	tenMinutes = 10*time.Minute + 137*time.Millisecond
	twoMinutes = 2*time.Minute + 137*time.Millisecond
)

// fleetCases are the fleets of TestSimulation. make bench adds one that takes long.
var fleetCases = []fleetCase{{1, tenMinutes}, {10, tenMinutes}, {100, tenMinutes}, {300, twoMinutes}, {1000, tenMinutes}}

// createTimeout is the default timeout of a create of the resource.
const createTimeout = 2 * time.Hour

// cloudOf is a cloud with the servers of a fleet, and with the rate limits that Rackspace
// documents. It returns the ids of the servers too.
func cloudOf(c fleetCase) (*stub.Stub, []string) {
	timing := stub.ObservedTiming()
	timing.Migrate = c.takes - timing.Prepare - timing.Migrated - timing.Finish
	cloud := stub.New(stub.Config{
		Timing: timing, ReadsPerMinute: cloudservers.DefaultRates.Read, WritesPerMinute: cloudservers.DefaultRates.Write,
	})
	var ids []string
	for range c.servers {
		ids = append(ids, cloud.AddServer(stub.Server{}))
	}
	return cloud, ids
}

// delayed is a transport that takes time, as a network does.
type delayed struct{ http.RoundTripper }

// delay is how long each request and each answer takes.
const delay = 25 * time.Millisecond

// RoundTrip implements http.RoundTripper.
func (d delayed) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(delay)
	resp, err := d.RoundTripper.RoundTrip(r)
	time.Sleep(delay)
	return resp, err
}

// engineOn makes an engine for a cloud.
func engineOn(t *testing.T, cloud *stub.Stub) *migration.Engine {
	t.Helper()
	client, err := cloudservers.New(cloudservers.Config{
		IdentityEndpoint: stub.IdentityEndpoint(stub.URL), MaxRetries: 5, Transport: delayed{cloud.Transport()},
		Credentials: cloudservers.Credentials{Username: stub.DefaultUser.Name, APIKey: stub.DefaultUser.APIKey},
	})
	if err != nil {
		t.Fatal(err)
	}
	return migration.New(client, migration.Limits{}, migration.ConfirmationWindow)
}

// TestSimulation migrates and confirms fleets in virtual time, under the rate limits of an
// account. All servers of a fleet are migrated at once.
func TestSimulation(t *testing.T) {
	table := NewTable(t, "Simulation: N servers and how long a migration takes, 1000 reads and 100 writes a minute")
	for _, c := range fleetCases {
		synctest.Test(t, func(t *testing.T) { simulate(t, table, c) })
	}
}

func simulate(t *testing.T, table *Table, c fleetCase) {
	cloud, ids := cloudOf(c)
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

	report(table, c, took, cloud)
}

// report adds the figures of a fleet to the table.
func report(table *Table, c fleetCase, took time.Duration, cloud *stub.Stub) {
	of, n := c.String(), float64(c.servers)
	lists, overLimit := 0, 0
	started, lags := map[string]time.Time{}, make([]float64, 0, c.servers)
	requests := cloud.Requests()
	for _, request := range requests {
		switch request.Call {
		case stub.CallList:
			if !strings.Contains(request.RawQuery, "marker=") {
				lists++
			}
		case stub.CallMigrate:
			started[request.ServerID] = request.Time
		case stub.CallConfirm:
			lags = append(lags, request.Time.Sub(started[request.ServerID].Add(c.takes)).Seconds())
		}
		if request.Status == 413 {
			overLimit++
		}
	}
	slices.Sort(lags)
	table.Most(of, "list requests a poll interval, further pages aside", float64(lists)/(took.Seconds()/2), 1.05, "")
	if c.servers == 1000 {
		table.Most(of, "requests a migration", float64(len(requests))/n, 8, "")
	} else {
		table.Note(of, "requests a migration", float64(len(requests))/n, "")
	}
	// Before each write the server and its log are read. A few polls of a fleet read
	// the server alone, because nobody else waits at that moment.
	table.Most(of, "token requests", float64(cloud.Count(stub.CallToken)), 1, "")
	table.Most(of, "migrate requests a migration", float64(cloud.Count(stub.CallMigrate))/n, 1, "")
	table.Most(of, "confirm requests a migration", float64(cloud.Count(stub.CallConfirm))/n, 1, "")
	reads := float64(cloud.Count(stub.CallServer) + cloud.Count(stub.CallActionLog))
	if c.servers > 1 {
		table.Most(of, "reads beside lists a migration", reads/n, 5, "")
	}
	table.Note(of, "reads of a server", float64(cloud.Count(stub.CallServer)), "")
	table.Note(of, "reads of an action log", float64(cloud.Count(stub.CallActionLog)), "")
	table.Note(of, "list requests", float64(cloud.Count(stub.CallList)), "")
	table.Most(of, "413 answers", float64(overLimit), 0, "")
	table.Note(of, "detection lag, least", lags[0], "s")
	table.Note(of, "detection lag, median", lags[len(lags)/2], "s")
	table.Most(of, "detection lag, p95", lags[len(lags)*95/100], 2.2, "s")
	table.Note(of, "detection lag, most", lags[len(lags)-1], "s")
	// The rate limit of writes and the time of the last migration are a lower bound.
	minutes := max((c.servers-1)/cloudservers.DefaultRates.Write, 0)
	bound := max(time.Duration(minutes)*time.Minute+c.takes, time.Duration((2*c.servers-1)/cloudservers.DefaultRates.Write)*time.Minute)
	if c.servers >= 1000 {
		table.Most(of, "total time, against what the write limit allows", took.Seconds()/bound.Seconds(), 1.05, "")
	}
	table.Note(of, "total time", took.Seconds(), "s")
}

// TestCost_ofOneMigrationWithoutFaults counts what one migration sends, polls aside.
func TestCost_ofOneMigrationWithoutFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud, ids := cloudOf(fleetCase{1, tenMinutes})
		_, err := engineOn(t, cloud).Migrate(t.Context(), migration.Request{ServerID: ids[0], AutoConfirm: true, Timeout: createTimeout})
		if err != nil {
			t.Fatal(err)
		}
		reads := cloud.Count(stub.CallServer) + cloud.Count(stub.CallList) + cloud.Count(stub.CallActionLog)
		polls := int(time.Since(cloud.Requests()[0].Time) / (2 * time.Second)) // the last one ends the wait
		table := NewTable(t, "One migration without faults, auto_confirm")
		table.Most("N = 1", "token requests", float64(cloud.Count(stub.CallToken)), 1, "")
		table.Most("N = 1", "migrate requests", float64(cloud.Count(stub.CallMigrate)), 1, "")
		table.Most("N = 1", "confirm requests", float64(cloud.Count(stub.CallConfirm)), 1, "")
		table.Most("N = 1", "reads beside polls", float64(reads-polls), 5, "")
	})
}

// TestRefresh_sendsNothingForMigrationsThatHaveEndedAndLittleForThoseThatAwait refreshes
// many migrations, ten at a time, as Terraform does.
func TestRefresh_sendsNothingForMigrationsThatHaveEndedAndLittleForThoseThatAwait(t *testing.T) {
	const n = 1000
	table := NewTable(t, "Refresh of 1000 migrations, ten at a time")
	for _, confirmed := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			cloud, ids := cloudOf(fleetCase{n, 10 * time.Second})
			engine := engineOn(t, cloud)
			migrations := make([]migration.Migration, n)
			var all sync.WaitGroup
			for i, id := range ids {
				all.Go(func() {
					var err error
					if migrations[i], err = engine.Migrate(t.Context(), migration.Request{ServerID: id, AutoConfirm: confirmed}); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			before, engine := len(cloud.Requests()), engineOn(t, cloud)
			refreshAll(t.Context(), engine, migrations)
			sent := float64(len(cloud.Requests()) - before)
			if confirmed {
				table.Most("confirmed", "requests", sent, 0, "")
				return
			}
			table.Most("awaiting confirmation", "requests, a token among them", sent, 1+3, "") // one page of the list, and 3 others
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
