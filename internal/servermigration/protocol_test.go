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

// protocolScenario is a test without Terraform: it makes the calls that Terraform
// would make, on a cloud of its own with one server.
type protocolScenario struct {
	*stub.Stub
	t      *testing.T
	client cloudservers.Config
	limits migration.Limits
	open   func() *acctest.Session // a new process of the provider
	state  acctest.Instance
}

// inVirtualTime runs a scenario at protocol level, in virtual time.
func inVirtualTime(t *testing.T, config stub.Config, seed stub.Server, run func(*protocolScenario)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &protocolScenario{Stub: stub.New(config), t: t, client: cloudservers.Config{MaxRetries: 1}}
		seed.ID, seed.Name = server, "web-1"
		s.AddServer(seed)
		s.open = func() *acctest.Session { return acctest.NewVirtualSession(t, s.Stub, s.client, s.limits) }
		s.state = s.open().Absent(servermigration.ResourceType)
		run(s)
	})
}

// overHTTP makes a scenario at protocol level in real time, for what opens
// connections to the server itself.
func (s *scenario) overHTTP() *protocolScenario {
	s.t.Helper()
	p := &protocolScenario{Stub: s.Stub, t: s.t}
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

// confirmation is a confirmation beside the migration, on the same cloud.
func (s *protocolScenario) confirmation() *protocolScenario {
	s.t.Helper()
	other := *s
	other.state = s.open().Absent(servermigration.ConfirmationType)
	return &other
}

// must makes sure that something happened to the server, and lets time pass in
// which it comes to its end.
func (s *protocolScenario) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	time.Sleep(time.Minute)
}

// isRFC3339 is how times look in the state.
var isRFC3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)

// migrationOf is the configuration of a migration of the server.
func migrationOf(arguments object) object {
	config := object{"server_id": server}
	maps.Copy(config, arguments)
	return config
}

// plan refreshes the state and plans, as terraform plan does. A nil
// configuration destroys the migration.
func (s *protocolScenario) plan(config object) (*acctest.Change, acctest.Diagnostics) {
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
	if config == nil && !s.state.Exists() { // nothing to ask the provider for
		return &acctest.Change{Action: acctest.NoOp}, refreshed
	}
	change, planned := session.Plan(s.state, config)
	return change, append(refreshed, planned...)
}

// apply plans, and carries the plan out in another process, which plans again.
// Terraform saves the state that it gets with an error, too.
func (s *protocolScenario) apply(config object) acctest.Diagnostics {
	s.t.Helper()
	planned, diagnostics := s.plan(config)
	if diagnostics.HasError() || planned.Action == acctest.NoOp {
		return diagnostics
	}
	if planned.Action == acctest.Replace {
		s.t.Fatal("a replacement takes two plans and two applies, which a test has to make itself")
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

// mustApply applies, and wants no error. It returns the warnings.
func (s *protocolScenario) mustApply(config object) string {
	s.t.Helper()
	diagnostics := s.apply(config)
	if diagnostics.HasError() {
		s.t.Fatalf("got an error, want none:\n%s", diagnostics)
	}
	return diagnostics.Warnings()
}

// wantRefused applies, and wants an error that has these texts in this order.
func (s *protocolScenario) wantRefused(config object, texts ...string) {
	s.t.Helper()
	if got := s.apply(config).Errors(); !says(texts...).MatchString(got) {
		s.t.Errorf("got the error %q, want %q in it", got, texts)
	}
}

// want checks attributes of the state; an empty string stands for null.
func (s *protocolScenario) want(attributes map[string]string) {
	s.t.Helper()
	for name, want := range attributes {
		if got := s.state.Get(name); got != want {
			s.t.Errorf("got %s %q, want %q", name, got, want)
		}
	}
}

// wantEndTime checks that the state has a time at which the migration ended.
func (s *protocolScenario) wantEndTime() {
	s.t.Helper()
	if got := s.state.Get("settled_at"); !isRFC3339.MatchString(got) {
		s.t.Errorf("got settled_at %q, want a time", got)
	}
}

// wantPlan plans, and wants an action without an error. It returns the warnings.
func (s *protocolScenario) wantPlan(config object, want acctest.Action) string {
	s.t.Helper()
	change, diagnostics := s.plan(config)
	if diagnostics.HasError() || change.Action != want {
		s.t.Fatalf("got the plan %+v, want %q:\n%s", change, want, diagnostics)
	}
	return diagnostics.Warnings()
}

// importID imports the migration, and wants no error.
func (s *protocolScenario) importID(id string) {
	s.t.Helper()
	var diagnostics acctest.Diagnostics
	if s.state, diagnostics = s.open().Import(s.state.Type, id); diagnostics.HasError() {
		s.t.Fatal(diagnostics)
	}
}

// wantWarned checks that warnings have these texts in this order.
func wantWarned(t *testing.T, warnings string, texts ...string) {
	t.Helper()
	if !says(texts...).MatchString(warnings) {
		t.Errorf("got the warnings %q, want %q in them", warnings, texts)
	}
}

// wantSent checks which requests that change the server the cloud saw.
func (s *protocolScenario) wantSent(want sent) {
	s.t.Helper()
	if got := sentTo(s.Stub, server); got != want {
		s.t.Errorf("got %+v requests, want %+v", got, want)
	}
}

// sent is how many requests that change a server the cloud saw.
type sent struct{ migrates, confirms, reverts int }
