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
