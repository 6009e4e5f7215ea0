package migration

import (
	"testing"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

func TestAwaitingSince_isTheTimeOfTheLaunchOnTheNewHost(t *testing.T) {
	requested := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	seen := requested.Add(10 * time.Minute)
	for _, test := range []struct {
		name, launched, updated string
		want                    time.Time
	}{
		{"launched", "2026-11-23T09:07:30.000000", "2026-11-23T09:08:00Z", requested.Add(7*time.Minute + 30*time.Second)},
		{"the cloud does not tell it", "", "2026-11-23T09:08:00Z", requested.Add(8 * time.Minute)},
		{"launched before the request, so never on the new host", "2026-01-01T00:00:00.000000", "2026-11-23T09:08:00Z", requested.Add(8 * time.Minute)},
		{"nothing can be read", "yesterday", "", seen},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := &cloudservers.Server{LaunchedAt: test.launched, Updated: test.updated, SeenAt: seen}
			if got := awaitingSince(server, requested); !got.Equal(test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestConfirmBy_isKnownOnlyWithAWindow(t *testing.T) {
	requested := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		migration Migration
		want      time.Time
	}{
		"from the request":     {Migration{RequestedAt: requested, ConfirmWindow: time.Hour}, requested.Add(time.Hour)},
		"since it was awaited": {Migration{RequestedAt: requested, AwaitingSince: requested.Add(time.Minute), ConfirmWindow: time.Hour}, requested.Add(61 * time.Minute)},
		"without a window":     {Migration{RequestedAt: requested, AwaitingSince: requested.Add(time.Minute)}, time.Time{}},
		"settled":              {Migration{RequestedAt: requested, Status: StatusConfirmed, ConfirmWindow: time.Hour}, time.Time{}},
	} {
		if got := test.migration.ConfirmBy(); !got.Equal(test.want) {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

// Where nobody knows when the cloud confirms, a host id does not show that our migration
// still awaits confirmation: another one can have followed it.
func TestIsShownByServer_needsAWindowWithoutTheLog(t *testing.T) {
	for window, want := range map[time.Duration]bool{0: false, 24 * time.Hour: true} {
		w := &work{server: &cloudservers.Server{HostID: "b", SeenAt: time.Now()}}
		w.migration = Migration{DestinationHostID: "b", RequestedAt: time.Now(), ConfirmWindow: window}
		if got := w.isShownByServer(); got != want {
			t.Errorf("got %t with a window of %s, want %t", got, window, want)
		}
	}
}
