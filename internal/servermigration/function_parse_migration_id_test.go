package servermigration_test

import (
	"strings"
	"testing"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestParseMigrationID_splitsTheIDOfTheResource(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.mustApply(migrationOf(nil))
		session, _ := acctest.NewSession(s.t, nil) // a function needs no configuration
		got, failure := session.Call("parse_migration_id", s.state.Get("id"))
		if failure != nil {
			t.Fatal(failure.Text)
		}
		for _, name := range []string{"region", "server_id", "request_id"} {
			if got, want := got.Get(name), s.state.Get(name); got != want || got == "" {
				t.Errorf("got %s %q, want %q", name, got, want)
			}
		}
		got, failure = session.Call("parse_migration_id", "ORD/"+server+"/")
		if failure != nil || !got.IsNull("request_id") || got.Get("server_id") != server {
			t.Errorf("got %v (%v), want a migration without a request id", got, failure)
		}
	})
}

func TestParseMigrationID_refusesInvalidIDs(t *testing.T) {
	session, _ := acctest.NewSession(t, nil)
	for _, id := range []string{"", server, "ORD/" + server, "/" + server + "/req-1", "ORD/web-1/req-1", "ORD/" + server + "/req-1/x", " ORD/" + server} {
		_, failure := session.Call("parse_migration_id", id)
		if failure == nil || failure.FunctionArgument == nil || *failure.FunctionArgument != 0 || !says("is not the id", "REGION/SERVER_ID/REQUEST_ID").MatchString(failure.Text) || strings.HasSuffix(failure.Text, ".") {
			t.Errorf("got %+v for %q, want an error of argument 0 that shows the form of an id, without a full stop", failure, id)
		}
	}
}
