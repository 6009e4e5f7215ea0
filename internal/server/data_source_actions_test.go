package server_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func TestActions_areTheLogWithTheOutcomeOfEachMove(t *testing.T) {
	inVirtualTime(t, stub.Config{}, func(s *scenario) {
		s.must(s.Migrate(web1, "user-1"))
		s.must(s.Revert(web1, "user-7"))
		s.SetServer(web1, func(v *stub.Server) { v.Outcome = stub.OutcomeNoValidHost })
		s.must(s.Migrate(web1, "user-1"))
		s.SetServer(web1, func(v *stub.Server) { v.Outcome = stub.OutcomeMoves })
		s.must(s.Resize(web1, "user-7"))
		s.must(s.Confirm(web1, "user-7"))
		s.must(s.Migrate(web1, "user-1"))
		got := s.mustRead(actionsType, object{"server_id": web1, "region": "ord"})
		want(t, got, map[string]string{"region": "ord", "server_id": web1})
		var entries []string
		for i := range got.Len("actions") {
			at := fmt.Sprintf("actions.%d.", i)
			entries = append(entries, fmt.Sprintf("%s by %s: %q, failed %s, %s", got.Get(at+"action"), got.Get(at+"user_id"), got.Get(at+"message"), got.Get(at+"failed"), got.Get(at+"outcome")))
			logged := s.ActionLog(web1)[i]
			want(t, got, map[string]string{
				at + "request_id": logged.RequestID, at + "project_id": "123456", at + "started_at": logged.Start.Format("2006-01-02T15:04:05Z"),
			})
		}
		wanted := []string{
			`migrate by user-1: "", failed false, open`, `confirmResize by user-7: "", failed false, `, `resize by user-7: "", failed false, confirmed`,
			`migrate by user-1: "Error", failed true, failed`, `revertResize by user-7: "", failed false, `, `migrate by user-1: "", failed false, reverted`,
		}
		if diff := cmp.Diff(wanted, entries); diff != "" {
			t.Errorf("got other actions than wanted (-want +got):\n%s", diff)
		}
	})
}

func TestActions_nameNobodyWhereTheCloudActed(t *testing.T) {
	inVirtualTime(t, stub.Config{AutoConfirmAfter: 30e9}, func(s *scenario) {
		s.must(s.Migrate(web1, "user-1"))
		s.must(nil)
		got := s.mustRead(actionsType, object{"server_id": web1})
		want(t, got, map[string]string{"actions.0.action": "confirmResize", "actions.1.outcome": "confirmed"})
		for _, attribute := range []string{"actions.0.user_id", "actions.0.project_id", "actions.0.outcome", "actions.0.message"} {
			if !got.IsNull(attribute) {
				t.Errorf("got %s %q, want null", attribute, got.Get(attribute))
			}
		}
	})
}

func TestActions_areNoneOfAServerThatNothingWasDoneTo(t *testing.T) {
	inVirtualTime(t, stub.Config{}, func(s *scenario) {
		if got := s.mustRead(actionsType, object{"server_id": web1}); got.Len("actions") != 0 || got.IsNull("actions") {
			t.Errorf("got %v, want an empty list", got)
		}
	})
}

func TestActions_sayWhyTheyCannotBeRead(t *testing.T) {
	inVirtualTime(t, stub.Config{}, func(s *scenario) {
		s.wantRefused(actionsType, object{"server_id": nobody}, "Cannot read the action log of server "+nobody, "404", "or there is no such server")
		s.wantRefused(actionsType, object{"server_id": web1, "region": "XYZ"}, `There is no region "XYZ"`)
		s.wantRefused(actionsType, object{"server_id": "web-1"}, "must be the UUID of a server in lower case")
		s.Inject(stub.Fault{Call: stub.CallActionLog, Status: http.StatusForbidden})
		s.wantRefused(actionsType, object{"server_id": web1}, "Cannot read the action log of server "+web1, "403 forbidden", "the user's role may not read the action log")
	})
}
