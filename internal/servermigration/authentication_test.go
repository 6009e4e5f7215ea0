package servermigration_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// failIdentityAPI revokes all tokens. From now on, the Identity API answers with a status.
func (s *protocolTest) failIdentityAPI(status int) {
	s.RevokeTokens()
	s.Inject(stub.Fault{Call: stub.CallToken, Status: status})
}

func TestServerMigration_keepsTheStateWhenTheIdentityAPIAnswers404(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.mustApply(migrationOf(nil))
		session := s.open()
		if _, diagnostics := session.Read(s.state); diagnostics.HasError() { // this read gets a token
			t.Fatal(diagnostics)
		}
		time.Sleep(time.Minute) // or the session would use the last read again
		s.failIdentityAPI(http.StatusNotFound)
		now, diagnostics := session.Read(s.state)
		if !now.Exists() {
			t.Errorf("got no migration after a refresh without a token, want it kept:\n%s", diagnostics)
		}
		if got := diagnostics.Errors(); !says("Cannot authenticate with the cloud", "404 itemNotFound", "not an Identity API v2.0").MatchString(got) ||
			strings.Contains(got, "server_id") {
			t.Errorf("got the error %q, want one about the authentication", got)
		}
	})
}

func TestServerMigration_explainsAnAuthenticationThatFailsInTheMiddle(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusServiceUnavailable} {
		inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
			s.Inject(stub.Fault{Call: stub.CallMigrate, Count: 1, Effect: true, Do: func() { s.failIdentityAPI(status) }})
			got := s.apply(migrationOf(object{"timeouts": object{"create": "5m"}})).Errors()
			if !says("server web-1", "asked the Identity API for a token", strconv.Itoa(status)).MatchString(got) ||
				strings.Contains(got, "server_id") || strings.Contains(got, "compute_endpoint") {
				t.Errorf("%d: got the error %q, want one about the authentication", status, got)
			}
			s.wantSent(sent{migrates: 1})
			time.Sleep(10 * time.Minute) // a shared token request continues after its caller has given up; let it end
		})
	}
}
