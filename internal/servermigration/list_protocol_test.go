package servermigration_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestServerMigrationList_listsWhatAwaitsConfirmation(t *testing.T) {
	t.Parallel()
	cloud := newCloudTest(t, stub.Config{}, stub.Server{})
	other := cloud.AddServer(stub.Server{Name: "db-1"})
	resized := cloud.AddServer(stub.Server{Name: "web-resized"})
	s := cloud.overHTTP()
	for _, event := range []func() error{
		func() error { return s.Migrate(server, ourUser) },
		func() error { return s.Migrate(other, "user-7") },
		func() error { return s.Resize(resized, ourUser) },
	} {
		if err := event(); err != nil {
			t.Fatal(err)
		}
	}
	s.Advance(time.Minute)
	list := func(config object, limit int64) []string {
		t.Helper()
		found, diagnostics := s.open().List(servermigration.ResourceType, config, limit)
		if diagnostics.HasError() {
			t.Fatal(diagnostics)
		}
		var names []string
		for _, result := range found {
			name, _, _ := strings.Cut(result.Name, ": confirm or revert by ")
			names = append(names, name)
			if got := result.Resource.Get("status"); got != awaiting {
				t.Errorf("got status %q of %s, want it awaiting confirmation", got, name)
			}
		}
		slices.Sort(names)
		return names
	}
	for _, test := range []struct {
		config object
		limit  int64
		names  string
	}{
		{object{}, 100, "db-1 web-1"},
		{object{"server_name": "^web-"}, 100, "web-1"},
		{object{"confirm_within": "1h"}, 100, ""},
		{object{"server_name": "db"}, 1, "db-1"},
	} {
		if got := strings.Join(list(test.config, test.limit), " "); got != test.names {
			t.Errorf("got %q for %v, want %q", got, test.config, test.names)
		}
	}
	for _, wrong := range []object{{"server_name": "("}, {"confirm_within": "tomorrow"}, {"region": ""}} {
		if _, diagnostics := s.open().List(servermigration.ResourceType, wrong, 100); !diagnostics.HasError() {
			t.Errorf("got no error for %v", wrong)
		}
	}
	s.wantSent(sent{})
}
