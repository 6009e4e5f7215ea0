package servermigration

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

func TestRemind_warnsWhenLittleTimeIsLeft(t *testing.T) {
	moving := sample
	moving.Status = migration.StatusMigrating
	tests := []struct {
		name       string
		migration  migration.Migration
		warnBefore time.Duration
		left       time.Duration
		want       string // a text of the warning; empty: there is no warning
	}{
		{"as much as warn_before", sample, 6 * time.Hour, 6 * time.Hour, ""},
		{"hours and minutes", sample, 6 * time.Hour, 2*time.Hour + 5*time.Minute + 59*time.Second, "2026-11-24T09:19:37Z, in 2 hours and 5 minutes."},
		{"one of each", sample, 6 * time.Hour, time.Hour + time.Minute, "in 1 hour and 1 minute."},
		{"whole hours", sample, 6 * time.Hour, 3 * time.Hour, "in 3 hours."},
		{"minutes", sample, 6 * time.Hour, 59 * time.Minute, "in 59 minutes."},
		{"seconds", sample, 6 * time.Hour, 59 * time.Second, "in less than a minute."},
		{"no time left", sample, 6 * time.Hour, 0, "Its deadline, 2026-11-24T09:19:37Z, has passed: the cloud can confirm it at any moment."},
		{"the deadline has passed", sample, 6 * time.Hour, -time.Hour, "has passed"},
		{"a long warn_before", sample, 23 * time.Hour, 22 * time.Hour, "in 22 hours."},
		{"no time left, warn_before is 0", sample, 0, 0, ""},
		{"the deadline has passed, warn_before is 0", sample, 0, -time.Hour, ""},
		{"little, while it is migrating", moving, 6 * time.Hour, time.Hour, ""},
		{"little, after it was confirmed", settledSample(migration.StatusConfirmed, "user-7"), 6 * time.Hour, time.Hour, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			config := &Config{WarnBefore: test.warnBefore}
			now := sample.ConfirmBy().Add(-test.left)
			got := ""
			for _, d := range config.remind(test.migration, now) {
				got += d.Summary() + "\n" + d.Detail()
			}
			if (got != "") != (test.want != "") || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q in it", got, test.want)
			}
			if again := config.remind(test.migration, now); len(again) > 0 {
				t.Errorf("got %v from a second call, want no warning", again)
			}
		})
	}
}

func TestRemind_warnsOnceForEachMigration(t *testing.T) {
	config := &Config{WarnBefore: 6 * time.Hour}
	now := sample.ConfirmBy().Add(-time.Hour)
	var warnings atomic.Int64
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() { warnings.Add(int64(len(config.remind(sample, now)))) })
	}
	all.Wait()
	if got := warnings.Load(); got != 1 {
		t.Errorf("got %d warnings, want 1", got)
	}
	another := sample
	another.RequestID = "req-another"
	if got := config.remind(another, now); len(got) != 1 {
		t.Errorf("got %v, want one warning of the other migration", got)
	}
}
