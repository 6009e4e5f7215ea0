package servermigration_test

import (
	"maps"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

type object = acctest.Object

// protocolTest is a test without Terraform. It makes the calls that Terraform would make,
// on a cloud of its own with one server.
type protocolTest struct {
	*stub.Stub
	t      *testing.T
	client cloudservers.Config
	limits migration.Limits
	open   func() *acctest.Session // starts a new process of the provider
	state  acctest.Instance
}

// inVirtualTime runs a test at protocol level, in virtual time.
func inVirtualTime(t *testing.T, config stub.Config, seed stub.Server, run func(*protocolTest)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &protocolTest{Stub: stub.New(config), t: t, client: cloudservers.Config{MaxRetries: 1}}
		seed.ID, seed.Name = server, "web-1"
		s.AddServer(seed)
		s.open = func() *acctest.Session { return acctest.NewVirtualSession(t, s.Stub, s.client, s.limits) }
		s.state = s.open().Absent(servermigration.ResourceType)
		run(s)
	})
}

// overHTTP returns a test at protocol level in real time, on the same cloud. It is for tests
// that open connections to the server.
func (s *cloudTest) overHTTP() *protocolTest {
	s.t.Helper()
	p := &protocolTest{Stub: s.Stub, t: s.t}
	p.open = func() *acctest.Session {
		session, diagnostics := acctest.NewSession(s.t, s.Arguments(nil))
		if diagnostics.HasError() {
			s.t.Fatal(diagnostics)
		}
		return session
	}
	p.state = p.open().Absent(servermigration.ResourceType)
	return p
}

// confirmation returns a test of a confirmation of the same server, on the same cloud.
func (s *protocolTest) confirmation() *protocolTest {
	s.t.Helper()
	other := *s
	other.state = s.open().Absent(servermigration.ConfirmationType)
	return &other
}

// mustFinish fails the test if an action on the server was refused. It waits a minute, in
// which the action ends.
func (s *protocolTest) mustFinish(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	time.Sleep(time.Minute)
}

// isRFC3339 matches the times in the state.
var isRFC3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)

// migrationOf is the configuration of a migration of the server.
func migrationOf(arguments object) object {
	config := object{"server_id": server}
	maps.Copy(config, arguments)
	return config
}

// plan refreshes the state and plans, as terraform plan does. A nil
// configuration destroys the migration.
func (s *protocolTest) plan(config object) (*acctest.Change, acctest.Diagnostics) {
	s.t.Helper()
	session := s.open()
	if config != nil {
		if invalid := session.Validate(s.state.Type, config); invalid.HasError() {
			return nil, invalid
		}
	}
	var refreshed acctest.Diagnostics
	s.state, refreshed = session.Read(s.state)
	if refreshed.HasError() {
		return nil, refreshed
	}
	if config == nil && !s.state.Exists() { // Terraform does not call the provider then
		return &acctest.Change{Action: acctest.NoOp}, refreshed
	}
	change, planned := session.Plan(s.state, config)
	return change, append(refreshed, planned...)
}

// apply plans in one process, and applies in another process, which plans again. As in
// Terraform, the state that comes with an error is saved too.
func (s *protocolTest) apply(config object) acctest.Diagnostics {
	s.t.Helper()
	planned, diagnostics := s.plan(config)
	if diagnostics.HasError() || planned.Action == acctest.NoOp {
		return diagnostics
	}
	if planned.Action == acctest.Replace {
		s.t.Fatal("got a replacement, which takes two plans and two applies: make these calls in the test")
	}
	session := s.open()
	change, diagnostics := session.Plan(s.state, config)
	if diagnostics.HasError() {
		return diagnostics
	}
	if at := change.Contradicts(planned); at != "" {
		s.t.Errorf("got a second plan that contradicts the first one at %s", at)
	}
	var applied acctest.Diagnostics
	s.state, applied = session.Apply(change)
	return applied
}

// mustApply applies, and fails the test on an error. It returns the warnings.
func (s *protocolTest) mustApply(config object) string {
	s.t.Helper()
	diagnostics := s.apply(config)
	if diagnostics.HasError() {
		s.t.Fatalf("got an error, want none:\n%s", diagnostics)
	}
	return diagnostics.Warnings()
}

// wantRefused applies, and checks that an error has these texts in this order.
func (s *protocolTest) wantRefused(config object, texts ...string) {
	s.t.Helper()
	if got := s.apply(config).Errors(); !says(texts...).MatchString(got) {
		s.t.Errorf("got the error %q, want %q in it", got, texts)
	}
}

// want checks attributes in the state. An empty text stands for null.
func (s *protocolTest) want(attributes map[string]string) {
	s.t.Helper()
	for name, want := range attributes {
		if got := s.state.Get(name); got != want {
			s.t.Errorf("got %s %q, want %q", name, got, want)
		}
	}
}

// wantEndTime checks that the state has a time at which the migration ended.
func (s *protocolTest) wantEndTime() {
	s.t.Helper()
	if got := s.state.Get("settled_at"); !isRFC3339.MatchString(got) {
		s.t.Errorf("got settled_at %q, want a time", got)
	}
}

// wantPlan plans, and checks that the plan has this action and no error. It returns the
// warnings.
func (s *protocolTest) wantPlan(config object, want acctest.Action) string {
	s.t.Helper()
	change, diagnostics := s.plan(config)
	if diagnostics.HasError() || change.Action != want {
		s.t.Fatalf("got the plan %+v, want %q:\n%s", change, want, diagnostics)
	}
	return diagnostics.Warnings()
}

// importID imports a migration, and fails the test on an error.
func (s *protocolTest) importID(id string) {
	s.t.Helper()
	var diagnostics acctest.Diagnostics
	if s.state, diagnostics = s.open().Import(s.state.Type, id); diagnostics.HasError() {
		s.t.Fatal(diagnostics)
	}
}

// wantWarned checks that the warnings have these texts in this order.
func wantWarned(t *testing.T, warnings string, texts ...string) {
	t.Helper()
	if !says(texts...).MatchString(warnings) {
		t.Errorf("got the warnings %q, want %q in them", warnings, texts)
	}
}

// wantSent checks how many requests that change the server the cloud received.
func (s *protocolTest) wantSent(want sent) {
	s.t.Helper()
	if got := sentTo(s.Stub, server); got != want {
		s.t.Errorf("got %+v requests, want %+v", got, want)
	}
}

// sent is how many requests that change a server the cloud received.
type sent struct{ migrates, confirms, reverts int }
