package migration_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// TestMigrate_goesByTheAPIsClock lets this machine's clock and the API's differ,
// wherever a time of one could be taken for a time of the other.
func TestMigrate_goesByTheAPIsClock(t *testing.T) {
	tests := []struct {
		name   string
		before func(*cloud) error
		faults []stub.Fault
		sent   int
	}{
		{"nothing goes wrong", nil, nil, 1},
		{"the answer is lost", nil, []stub.Fault{{Call: stub.CallMigrate, Effect: true, Reset: true, Count: 1}}, 1},
		{"the answer is lost, not accepted", nil, []stub.Fault{{Call: stub.CallMigrate, Reset: true, Count: 1}}, 2},
		{"the answer names no request", nil, []stub.Fault{{Call: stub.CallMigrate, Effect: true, Status: 202, Header: noRequestID, Body: " ", Count: 1}}, 1},
		{"it was started before", func(c *cloud) error {
			defer time.Sleep(23 * time.Hour)
			return c.Migrate(c.server, stub.DefaultUser.ID)
		}, nil, 0},
		{"it was confirmed before", func(c *cloud) error {
			if err := c.Migrate(c.server, stub.DefaultUser.ID); err != nil {
				return err
			}
			time.Sleep(time.Minute)
			defer time.Sleep(23 * time.Hour)
			return c.Confirm(c.server, stub.DefaultUser.ID)
		}, nil, 0},
		{"it was confirmed long before", func(c *cloud) error {
			if err := c.Migrate(c.server, stub.DefaultUser.ID); err != nil {
				return err
			}
			time.Sleep(time.Minute)
			defer time.Sleep(25 * time.Hour)
			return c.Confirm(c.server, stub.DefaultUser.ID)
		}, nil, 1},
		{"the rate limit is reached", nil, []stub.Fault{{Call: stub.CallMigrate, Status: 413, RetryAfter: 30 * time.Second, Count: 1}}, 2},
	}
	for _, skew := range []time.Duration{time.Hour, -time.Hour} {
		for _, test := range tests {
			t.Run(fmt.Sprintf("%s, by %s", test.name, skew), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := newCloud(t, stub.Config{AutoConfirmAfter: -1}, stub.Server{})
					c.Advance(skew)
					if test.before != nil {
						if err := test.before(c); err != nil {
							t.Fatal(err)
						}
					}
					for _, fault := range test.faults {
						c.Inject(fault)
					}
					got, err := c.migrate(t.Context(), true)
					wantStatus(t, got, err, migration.StatusConfirmed)
					c.wantSent(t, stub.CallMigrate, test.sent)
					c.wantMigrations(t, min(test.sent, 1))
					if asked := migrateEntry(c).Start; !got.RequestedAt.Equal(asked) {
						t.Errorf("got requested at %s, want the API's %s", got.RequestedAt, asked)
					}
				})
			})
		}
	}
}
