package server_test

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

type object = acctest.Object

// The names of the data sources.
const (
	serverType  = "rackspace_server"
	serversType = "rackspace_servers"
	actionsType = "rackspace_server_actions"
)

// web1 is the server that most tests are about.
const web1 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"

// nobody is an id that no server has.
const nobody = "4d6f7665-0000-4000-8000-000000000000"

// scenario is a test without Terraform, on a cloud of its own with the server web-1.
type scenario struct {
	*stub.Stub
	*acctest.Session
	t *testing.T
}

// inVirtualTime runs a scenario in virtual time.
func inVirtualTime(t *testing.T, config stub.Config, run func(*scenario)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &scenario{Stub: stub.New(config), t: t}
		s.AddServer(stub.Server{ID: web1, Name: "web-1", AccessIPv4: "192.0.2.1", AccessIPv6: "2001:db8::1", Metadata: map[string]string{"role": "web"}})
		s.restart()
		run(s)
	})
}

// restart begins another process of the provider.
func (s *scenario) restart() {
	s.t.Helper()
	s.Session = acctest.NewVirtualSession(s.t, s.Stub, cloudservers.Config{MaxRetries: 1, Rates: cloudservers.Rates{Read: 1 << 20, Write: 1 << 20}}, migration.Limits{})
}

// mustRead reads a data source, and checks that there are no diagnostics.
func (s *scenario) mustRead(typeName string, config object) acctest.Instance {
	s.t.Helper()
	got, diagnostics := s.ReadData(typeName, config)
	if len(diagnostics) > 0 {
		s.t.Fatalf("got diagnostics, want none:\n%s", diagnostics)
	}
	return got
}

// wantRefused reads a data source, and checks that there is an error with these texts in
// this order.
func (s *scenario) wantRefused(typeName string, config object, texts ...string) {
	s.t.Helper()
	_, diagnostics := s.ReadData(typeName, config)
	if got := diagnostics.Errors(); !says(texts...).MatchString(got) {
		s.t.Errorf("got the error %q, want %q in it", got, texts)
	}
}

// says matches texts in this order.
func says(texts ...string) *regexp.Regexp {
	var quoted []string
	for _, text := range texts {
		quoted = append(quoted, regexp.QuoteMeta(text))
	}
	return regexp.MustCompile("(?s)" + strings.Join(quoted, ".*"))
}

// want checks attributes; an empty string stands for null.
func want(t *testing.T, got acctest.Instance, attributes map[string]string) {
	t.Helper()
	for path, want := range attributes {
		if got := got.Get(path); got != want {
			t.Errorf("got %s %q, want %q", path, got, want)
		}
	}
}

// must fails the test on an error of the stub, and lets time pass until what was begun has
// ended.
func (s *scenario) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	time.Sleep(time.Minute)
}

// answerWith makes the API answer all calls of a kind with this body.
func (s *scenario) answerWith(call stub.Call, body string) {
	s.Inject(stub.Fault{Call: call, Status: 200, Body: body})
}
