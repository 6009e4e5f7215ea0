package servermigration_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"golang.org/x/sync/errgroup"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// Arguments, plans and statuses in the lifecycle table.
const (
	noArguments      = ""                       // awaits confirmation
	autoConfirm      = "auto_confirm = true"    // confirmed at once
	confirmOnDestroy = `on_destroy = "confirm"` // awaits confirmation, and a destroy confirms it
	revertOnDestroy  = `on_destroy = "revert"`  // awaits confirmation, and a destroy reverts it
	triggers         = "triggers = { n = 1 }"   // with any of the above
	otherTriggers    = "triggers = { n = 2 }"   // with any of the above, after triggers: migrate again
	removed          = "-"                      // the resource is removed from the configuration
	noChange         = plancheck.ResourceActionNoop
	create           = plancheck.ResourceActionCreate
	update           = plancheck.ResourceActionUpdate
	destroy          = plancheck.ResourceActionDestroy
	notPlanned       = plancheck.ResourceActionType("") // the resource is not in the plan
	awaiting         = "awaiting_confirmation"
	absent           = "" // the resource is not in the state
)

// event is what happens to a server between two applies, and how long after it the second
// apply runs.
type event struct {
	do   func(cloud *stub.Stub, id string) error
	wait time.Duration
}

var (
	nothingHappens      = event{func(*stub.Stub, string) error { return nil }, 0}
	dayLater            = event{nothingHappens.do, 25 * time.Hour}
	confirmedByUser     = event{func(cloud *stub.Stub, id string) error { return cloud.Confirm(id, "user-7") }, time.Minute}
	revertedByUser      = event{func(cloud *stub.Stub, id string) error { return cloud.Revert(id, "user-7") }, time.Minute}
	deletedByUser       = event{(*stub.Stub).Delete, time.Minute}
	migratedAgainByUser = event{func(cloud *stub.Stub, id string) error { // a person confirms our migration, and migrates the server again
		if err := confirmedByUser.do(cloud, id); err != nil {
			return err
		}
		cloud.Advance(time.Minute)
		return cloud.Migrate(id, "user-7")
	}, time.Minute}
	brokenLater = event{func(cloud *stub.Stub, id string) error { // a person confirms our migration, and a rebuild fails
		if err := confirmedByUser.do(cloud, id); err != nil {
			return err
		}
		cloud.Advance(time.Minute)
		cloud.SetServer(id, func(v *stub.Server) { v.Status = "ERROR" })
		return nil
	}, time.Minute}
)

// lifecycle is a row of the lifecycle table.
type lifecycle struct {
	name   string
	before string // arguments in the first apply
	event  event
	after  string                       // arguments in the second apply
	plan   plancheck.ResourceActionType // of the second apply
	status string                       // of the migration in the state, after the second apply
	server string                       // status of the server after the second apply
	sent   sent                         // requests since the event
}

var lifecycles = []lifecycle{
	{"awaiting stays awaiting", noArguments, nothingHappens, noArguments, noChange, awaiting, "VERIFY_RESIZE", sent{}},
	{"awaiting is confirmed by auto_confirm", noArguments, nothingHappens, autoConfirm, update, "confirmed", "ACTIVE", sent{confirms: 1}},
	{"awaiting is given another on_destroy", noArguments, nothingHappens, revertOnDestroy, update, awaiting, "VERIFY_RESIZE", sent{}},
	{"awaiting is confirmed by the cloud", noArguments, dayLater, noArguments, noChange, "confirmed", "ACTIVE", sent{}},
	{"awaiting is confirmed by a person", noArguments, confirmedByUser, noArguments, noChange, "confirmed", "ACTIVE", sent{}},
	{"awaiting is confirmed by a person, then auto_confirm is set", noArguments, confirmedByUser, autoConfirm, update, "confirmed", "ACTIVE", sent{}},
	{"awaiting is reverted by a person", noArguments, revertedByUser, noArguments, noChange, "reverted", "ACTIVE", sent{}},
	{"awaiting is reverted by a person, then auto_confirm is set", noArguments, revertedByUser, autoConfirm, update, "reverted", "ACTIVE", sent{}},
	{"awaiting is confirmed, and migrated again by a person", noArguments, migratedAgainByUser, noArguments, noChange, "confirmed", "VERIFY_RESIZE", sent{}},
	{"awaiting is confirmed, and the server is in ERROR", noArguments, brokenLater, noArguments, noChange, "confirmed", "ERROR", sent{}},
	{"awaiting is removed from the state when its server is deleted", noArguments, deletedByUser, removed, notPlanned, absent, "", sent{}},
	{"awaiting is destroyed: only removed from the state", noArguments, nothingHappens, removed, destroy, absent, "VERIFY_RESIZE", sent{}},
	{"awaiting is destroyed: confirmed", confirmOnDestroy, nothingHappens, removed, destroy, absent, "ACTIVE", sent{confirms: 1}},
	{"awaiting is destroyed: reverted", revertOnDestroy, nothingHappens, removed, destroy, absent, "ACTIVE", sent{reverts: 1}},
	{"awaiting is destroyed with revert after the cloud has confirmed it", revertOnDestroy, dayLater, removed, destroy, absent, "ACTIVE", sent{}},
	{"awaiting is destroyed with confirm after a person has reverted it", confirmOnDestroy, revertedByUser, removed, destroy, absent, "ACTIVE", sent{}},
	{"awaiting is confirmed, and migrated again", confirmOnDestroy, nothingHappens, confirmOnDestroy + "\n" + otherTriggers, update, awaiting, "VERIFY_RESIZE", sent{migrates: 1, confirms: 1}},
	{"awaiting is reverted, and migrated again", revertOnDestroy, nothingHappens, revertOnDestroy + "\n" + otherTriggers, update, awaiting, "VERIFY_RESIZE", sent{migrates: 1, reverts: 1}},
	{"reverted by a person, and migrated again", noArguments, revertedByUser, otherTriggers, update, awaiting, "VERIFY_RESIZE", sent{migrates: 1}},
	{"confirmed stays confirmed", autoConfirm, nothingHappens, autoConfirm, noChange, "confirmed", "ACTIVE", sent{}},
	{"confirmed stays confirmed when its server is deleted", autoConfirm, deletedByUser, autoConfirm, noChange, "confirmed", "", sent{}},
	{"confirmed is given another on_destroy", autoConfirm, nothingHappens, autoConfirm + "\n" + revertOnDestroy, update, "confirmed", "ACTIVE", sent{}},
	{"confirmed is destroyed: only removed from the state", autoConfirm + "\n" + revertOnDestroy, nothingHappens, removed, destroy, absent, "ACTIVE", sent{}},
	{"confirmed is migrated again", autoConfirm + "\n" + triggers, nothingHappens, autoConfirm + "\n" + otherTriggers, update, "confirmed", "ACTIVE", sent{migrates: 1, confirms: 1}},
}

// TestAccServerMigration_followsTheLifecycleTable runs the rows of the lifecycle table. The
// first apply creates a migration, then the event happens, and the second apply has other
// arguments. The test checks the second plan, the state, and the requests since the event.
//
// All rows are resources of one configuration, and each has a server of its own. Rows in
// which a day passes share another cloud, because they advance its clock.
func TestAccServerMigration_followsTheLifecycleTable(t *testing.T) {
	groups := map[bool][]lifecycle{}
	for _, row := range lifecycles {
		group := row.event.wait > time.Hour
		groups[group] = append(groups[group], row)
		if row.server == "ACTIVE" { // the same with a stopped server, which ends in SHUTOFF
			row.name, row.server = row.name+", of a stopped server", "SHUTOFF"
			groups[group] = append(groups[group], row)
		}
	}
	for aDayPasses, rows := range groups {
		t.Run(fmt.Sprintf("a day passes: %t", aDayPasses), func(t *testing.T) { runLifecycles(t, rows) })
	}
}

func runLifecycles(t *testing.T, rows []lifecycle) {
	cloud := acctest.NewCloud(t, stub.Config{})
	// All rows together send more writes in a minute than the account's rate limit allows.
	provider := cloud.Provider("requests_per_minute = { write = 10000 }", "")
	before, after := provider, provider
	ids := make([]string, len(rows))
	wait := time.Minute // so that each event has ended
	for i, row := range rows {
		seed := stub.Server{Name: fmt.Sprintf("web-%d", i)}
		if row.server == "SHUTOFF" {
			seed.Status = "SHUTOFF"
		}
		ids[i] = cloud.AddServer(seed)
		before += row.block(ids[i], row.before)
		if row.after != removed {
			after += row.block(ids[i], row.after)
		}
		wait = max(wait, row.event.wait)
	}
	since := make([]sent, len(rows))
	first := resource.TestStep{Config: before}
	second := resource.TestStep{
		PreConfig: func() {
			for i, row := range rows {
				since[i] = sentTo(cloud.Stub, ids[i])
				if err := row.event.do(cloud.Stub, ids[i]); err != nil {
					t.Fatalf("%s: %v", row.name, err)
				}
			}
			cloud.Advance(wait)
		},
		Config:            after,
		ConfigPlanChecks:  resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{lifecyclePlans(rows)}},
		ConfigStateChecks: []statecheck.StateCheck{lifecycleStates(rows)},
	}
	third := resource.TestStep{
		// Checks the result of the second step before Terraform destroys the resources.
		PreConfig: func() {
			for i, row := range rows {
				now := sentTo(cloud.Stub, ids[i])
				got := sent{now.migrates - since[i].migrates, now.confirms - since[i].confirms, now.reverts - since[i].reverts}
				if got != row.sent {
					t.Errorf("%s: got %+v requests, want %+v", row.name, got, row.sent)
				}
				if v, _ := cloud.Server(ids[i]); v.Status != row.server {
					t.Errorf("%s: got the server in %q, want %q", row.name, v.Status, row.server)
				}
			}
		},
		Config: after, PlanOnly: true,
	}
	resource.ParallelTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Providers,
		Steps:                    []resource.TestStep{first, second, third},
	})
}

// address is the address of the row's resource.
func (l lifecycle) address() string { return servermigration.ResourceType + "." + l.label() }

func (l lifecycle) label() string {
	return regexp.MustCompile(`[^a-z]+`).ReplaceAllString(strings.ToLower(l.name), "_")
}

func (l lifecycle) block(id, arguments string) string {
	return fmt.Sprintf("resource %q %q {\n  server_id = %q\n%s\n}\n", servermigration.ResourceType, l.label(), id, arguments)
}

// sentTo counts the requests that change a server.
func sentTo(cloud *stub.Stub, id string) sent {
	var count sent
	for _, request := range cloud.Requests() {
		switch {
		case request.ServerID != id:
		case request.Call == stub.CallMigrate:
			count.migrates++
		case request.Call == stub.CallConfirm:
			count.confirms++
		case request.Call == stub.CallRevert:
			count.reverts++
		}
	}
	return count
}

// lifecyclePlans checks the planned action of each row.
type lifecyclePlans []lifecycle

// CheckPlan implements plancheck.PlanCheck.
func (rows lifecyclePlans) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	planned := map[string]plancheck.ResourceActionType{}
	for _, change := range req.Plan.ResourceChanges {
		switch actions := change.Change.Actions; {
		case actions.NoOp():
			planned[change.Address] = noChange
		case actions.Update():
			planned[change.Address] = update
		case actions.Delete():
			planned[change.Address] = destroy
		default:
			planned[change.Address] = plancheck.ResourceActionType(fmt.Sprint(actions))
		}
	}
	var failures []error
	for _, row := range rows {
		if got := planned[row.address()]; got != row.plan {
			failures = append(failures, fmt.Errorf("%s: got the plan %q, want %q", row.name, got, row.plan))
		}
	}
	resp.Error = errors.Join(failures...)
}

// lifecycleStates checks the status of each row in the state.
type lifecycleStates []lifecycle

// CheckState implements statecheck.StateCheck.
func (rows lifecycleStates) CheckState(_ context.Context, req statecheck.CheckStateRequest, resp *statecheck.CheckStateResponse) {
	statuses := map[string]any{}
	if req.State.Values != nil {
		for _, found := range req.State.Values.RootModule.Resources {
			statuses[found.Address] = found.AttributeValues["status"]
		}
	}
	var failures []error
	for _, row := range rows {
		status, found := statuses[row.address()]
		if found != (row.status != absent) || found && status != row.status {
			failures = append(failures, fmt.Errorf("%s: got the status %v, want %q", row.name, status, row.status))
		}
	}
	resp.Error = errors.Join(failures...)
}

func TestServerMigration_keepsTheStateWhenADestroyIsRefused(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		config := migrationOf(object{"on_destroy": "revert"})
		s.mustApply(config)
		s.Inject(stub.Fault{Call: stub.CallRevert, Status: 403, Count: 1})
		s.wantRefused(nil, "Cannot revert the migration of server web-1", "403 forbidden", "still awaits confirmation")
		s.wantPlan(config, acctest.NoOp)
		s.want(map[string]string{"status": awaiting})
	})
}

func TestServerMigration_keepsTheStateOfADestroyWhoseEndWasNotSeen(t *testing.T) {
	for onDestroy, want := range map[string]sent{
		"confirm": {migrates: 1, confirms: 1},
		"revert":  {migrates: 1, reverts: 1},
	} {
		t.Run(onDestroy, func(t *testing.T) {
			timing := stub.ObservedTiming()
			timing.ConfirmStale, timing.RevertOnNew = time.Hour, time.Hour
			inVirtualTime(t, stub.Config{Timing: timing}, stub.Server{}, func(s *protocolTest) {
				s.mustApply(migrationOf(object{"on_destroy": onDestroy, "timeouts": object{"delete": "2m"}}))
				s.wantRefused(nil, "It is not known yet whether the migration of server web-1", "The cloud has accepted the", "The migration is still in the state")
				time.Sleep(2 * time.Hour)
				s.mustApply(nil)
				if s.state.Exists() {
					t.Error("got a migration in the state, want none")
				}
				s.wantSent(want)
			})
		})
	}
}

func TestServerMigration_refusesAnInvalidOnDestroy(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.wantRefused(migrationOf(object{"on_destroy": "undo"}), "on_destroy", "one of:", "none", "confirm", "revert")
	})
}

func TestServerMigration_plansManyUnchangedMigrationsCheaply(t *testing.T) {
	const servers = 50
	for _, test := range []struct {
		name        string
		autoConfirm bool
		most        int // requests of a refresh and plan
	}{
		{"confirmed", true, 0},
		{"awaiting confirmation", false, 1 + 3 + 1}, // a token, three reads of one server, one list
	} {
		t.Run(test.name, func(t *testing.T) {
			inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
				configs, states := make([]object, servers), make([]acctest.Instance, servers)
				for i := range servers {
					configs[i] = object{"server_id": s.AddServer(stub.Server{}), "auto_confirm": test.autoConfirm}
				}
				s.client.Rates.Write = 100000
				each(servers, func(session *acctest.Session, i int) {
					change, planned := session.Plan(s.state, configs[i])
					state, applied := session.Apply(change)
					if states[i] = state; planned.HasError() || applied.HasError() {
						t.Error(planned, applied)
					}
				}, s.open())
				before := len(s.Requests())
				each(servers, func(session *acctest.Session, i int) {
					state, refreshed := session.Read(states[i])
					change, planned := session.Plan(state, configs[i])
					if change.Action != acctest.NoOp || refreshed.HasError() || planned.HasError() {
						t.Errorf("got the plan %q, want %q:\n%s%s", change.Action, acctest.NoOp, refreshed, planned)
					}
				}, s.open())
				if got := len(s.Requests()) - before; got > test.most {
					t.Errorf("got %d requests for a refresh and plan, want at most %d", got, test.most)
				}
			})
		})
	}
}

// each calls do for each of many resources, ten at a time, as Terraform does.
func each(count int, do func(*acctest.Session, int), session *acctest.Session) {
	var all errgroup.Group
	all.SetLimit(10)
	for i := range count {
		all.Go(func() error { do(session, i); return nil })
	}
	_ = all.Wait()
}
