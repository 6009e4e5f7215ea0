package servermigration_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/servermigration"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

func trigger(n int) string { return fmt.Sprintf("\ntriggers = { n = %d }", n) }

func TestServerMigration_migratesAgainInPlace(t *testing.T) {
	for _, test := range []struct {
		name      string
		arguments object
		status    string
		sent      sent
	}{
		{"the earlier migration is confirmed", object{"auto_confirm": true}, "confirmed", sent{migrates: 2, confirms: 2}},
		{"the apply first confirms the earlier migration", object{"on_destroy": "confirm"}, awaiting, sent{migrates: 2, confirms: 1}},
		{"the apply first reverts the earlier migration", object{"on_destroy": "revert"}, awaiting, sent{migrates: 2, reverts: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
				s.mustApply(triggered(1, test.arguments))
				second := triggered(2, test.arguments)
				change, planned := s.plan(second)
				if planned.HasError() || change.Action != acctest.Update || change.Planned.IsKnown("request_id") || change.Planned.IsKnown("verification_result") {
					t.Errorf("got the plan %+v, want an update with an unknown request_id and verification_result:\n%s", change, planned)
				}
				s.mustApply(second)
				s.want(map[string]string{"status": test.status, "request_id": newestMigrate(s.Stub)})
				s.wantPlan(second, acctest.NoOp)
				s.wantSent(test.sent)
			})
		})
	}
}

// triggered is the configuration of a migration with triggers.
func triggered(n int, arguments object) object {
	config := migrationOf(arguments)
	config["triggers"] = object{"n": strconv.Itoa(n)}
	return config
}

func TestServerMigration_refusesToMigrateAgainWhileOneAwaits(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		s.mustApply(migrationOf(nil))
		s.wantRefused(triggered(2, nil), "Cannot migrate", "web-1", "again", "still awaits", "auto_confirm = true", "on_destroy = \"revert\"", "wait")
		s.wantPlan(migrationOf(nil), acctest.NoOp)
		s.wantSent(sent{migrates: 1})
	})
}

func TestServerMigration_keepsTheTriggersUntilTheRequestIsAccepted(t *testing.T) {
	for _, test := range []struct {
		name      string
		arguments object
		fails     stub.Call
		status    string // after the failure
		end       string // after the next apply
		sent      sent
	}{
		{"the migrate is refused", object{"auto_confirm": true}, stub.CallMigrate, "confirmed", "confirmed", sent{migrates: 3, confirms: 2}},
		{"the confirmation before it is refused", object{"on_destroy": "confirm"}, stub.CallConfirm, awaiting, awaiting, sent{migrates: 2, confirms: 2}},
		{"the migrate is refused after the confirmation", object{"on_destroy": "confirm"}, stub.CallMigrate, "confirmed", awaiting, sent{migrates: 3, confirms: 1}},
		{"the migrate is refused after the revert", object{"on_destroy": "revert"}, stub.CallMigrate, "reverted", awaiting, sent{migrates: 3, reverts: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
				s.mustApply(triggered(1, test.arguments))
				first := newestMigrate(s.Stub)
				s.Inject(stub.Fault{Call: test.fails, Status: 403, Count: 1})
				s.wantRefused(triggered(2, test.arguments), "403 forbidden", "The state keeps the earlier migration and its triggers")
				s.want(map[string]string{"triggers.n": "1", "request_id": first, "status": test.status})

				s.mustApply(triggered(2, test.arguments))
				s.want(map[string]string{"triggers.n": "2", "request_id": newestMigrate(s.Stub), "status": test.end})
				if got := s.Migrations(server); got != 2 || newestMigrate(s.Stub) == first {
					t.Errorf("got %d migrations of the server, want 2", got)
				}
				s.wantSent(test.sent)
			})
		})
	}
}

func TestServerMigration_recordsANewMigrationThatFails(t *testing.T) {
	inVirtualTime(t, stub.Config{}, stub.Server{}, func(s *protocolTest) {
		arguments := object{"auto_confirm": true}
		s.mustApply(triggered(1, arguments))
		first := newestMigrate(s.Stub)
		s.SetServer(server, func(v *stub.Server) { v.Outcome = stub.OutcomeNoValidHost })
		s.wantRefused(triggered(2, arguments), "The migration of server web-1", "failed", "change triggers")
		if got := s.state.Get("request_id"); got == first {
			t.Errorf("got the request id %s of the first migration, want that of the second", got)
		}
		s.want(map[string]string{"status": "failed", "triggers.n": "2"})
		s.wantPlan(triggered(2, arguments), acctest.NoOp)
	})
}

func TestServerMigration_goesOnWithANewMigrationThatTimedOut(t *testing.T) {
	timing := stub.ObservedTiming()
	timing.Migrate = 10 * time.Minute
	inVirtualTime(t, stub.Config{Timing: timing}, stub.Server{}, func(s *protocolTest) {
		arguments := object{"auto_confirm": true, "timeouts": object{"update": "2m"}}
		s.mustApply(triggered(1, arguments))
		s.wantRefused(triggered(2, arguments), "did not end within its timeout", "The migration is in the state")
		time.Sleep(time.Hour)
		s.mustApply(triggered(2, arguments))
		s.want(map[string]string{"status": "confirmed"})
		s.wantSent(sent{migrates: 2, confirms: 2})
	})
}

func TestAccServerMigration_refusesToReplaceAMigrationThatAwaits(t *testing.T) {
	t.Parallel()
	const because = "resource \"terraform_data\" \"because\" {\n  input = var.n\n}\nvariable \"n\" {\n  default = 1\n}\n"
	s := newCloudTest(t, stub.Config{}, stub.Server{})
	tf := s.terraform(map[string]string{
		"main.tf": requiredProviders + because + s.config(confirmOnDestroy+"\nlifecycle {\n  replace_triggered_by = [terraform_data.because]\n}"),
	})
	if err := tf.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		replace func() error
	}{
		{"-replace", func() error { return tf.Apply(t.Context(), tfexec.Replace(address)) }},
		{"replace_triggered_by", func() error { return tf.Apply(t.Context(), tfexec.Var("n=2")) }},
		{"a taint", func() error {
			if err := tf.Taint(t.Context(), address); err != nil {
				return err
			}
			return tf.Apply(t.Context())
		}},
	} {
		if err := test.replace(); err == nil || !says("Cannot replace the migration of server web-1", "is not confirmed or reverted yet", "still awaits confirmation", "change triggers").MatchString(err.Error()) {
			t.Errorf("%s: got %v, want an error that names triggers", test.name, err)
		}
		if got := attributes(t, tf)["status"]; got != awaiting || s.Count(stub.CallConfirm) != 0 || s.Count(stub.CallMigrate) != 1 {
			t.Errorf("%s: got status %v after %d confirm and %d migrate requests, want it awaiting confirmation after one migrate request", test.name, got, s.Count(stub.CallConfirm), s.Count(stub.CallMigrate))
		}
	}
}

func TestAccServerMigration_refusesANewNameWithoutAMovedBlock(t *testing.T) {
	t.Parallel()
	s := newCloudTest(t, stub.Config{}, stub.Server{})
	var old, renamed, moved string
	names := map[string]string{"web-1": server}
	for i, arguments := range []string{noArguments, confirmOnDestroy, autoConfirm} {
		name := fmt.Sprintf("web-%d", i+1)
		if names[name] == "" {
			names[name] = s.AddServer(stub.Server{Name: name})
		}
		block := strings.ReplaceAll(migrationBlock(arguments), server, names[name])
		old += strings.Replace(block, `"web"`, `"`+name+`"`, 1)
		renamed += strings.Replace(block, `"web"`, `"new-`+name+`"`, 1)
		moved += fmt.Sprintf("moved {\n  from = %s.%s\n  to   = %[1]s.new-%[2]s\n}\n", servermigration.ResourceType, name)
	}
	tf := s.terraform(map[string]string{"main.tf": requiredProviders + s.Provider("", old)})
	if err := tf.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}

	write(t, tf, requiredProviders+s.Provider("", renamed))
	err := tf.Apply(t.Context())
	for name := range names {
		if err == nil || !slices.ContainsFunc(strings.Split(err.Error(), "Error: "), func(message string) bool {
			return strings.Contains(message, name) && says("moved block").MatchString(message)
		}) {
			t.Errorf("got %v, want an error of %s that names the moved block", err, name)
		}
	}

	write(t, tf, requiredProviders+s.Provider("", renamed+moved))
	if err := tf.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, id := range names {
		if got := s.Migrations(id); got != 1 {
			t.Errorf("got %d migrations of %s, want 1", got, name)
		}
	}
}

func TestAccServerMigration_changesWithAConfirmationInOneApply(t *testing.T) {
	s := newCloudTest(t, stub.Config{}, stub.Server{})
	with := func(n int) string {
		return s.config(confirmOnDestroy+trigger(n)) + "resource \"rackspace_server_migration_confirmation\" \"web\" {\n  migration_id = " + address + ".id\n}\n"
	}
	s.run(resource.TestStep{
		Config: with(1),
		Check:  s.sent(stub.CallConfirm, 1),
	}, resource.TestStep{
		Config: with(2),
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue("rackspace_server_migration_confirmation.web", tfjsonpath.New("status"), knownvalue.StringExact("confirmed")),
		},
		Check: resource.ComposeTestCheckFunc(s.sent(stub.CallMigrate, 2), s.sent(stub.CallConfirm, 2)),
	})
}

// attributes returns the attributes of the migration in the state.
func attributes(t *testing.T, tf *tfexec.Terraform) map[string]any {
	t.Helper()
	state := readState(t, tf)
	for _, found := range state.Resources {
		if found.Type+"."+found.Name == address {
			return found.Instances[0].Attributes
		}
	}
	t.Fatalf("got state %+v, want the migration in it", state)
	return nil
}

// write replaces the configuration.
func write(t *testing.T, tf *tfexec.Terraform, config string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(tf.WorkingDir(), "main.tf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
}
