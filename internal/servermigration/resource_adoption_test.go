package servermigration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// ourUser is the user that the provider acts for.
var ourUser = stub.DefaultUser.ID

// tracks checks that the state has the one migration that the cloud knows of.
func (s *story) tracks() resource.TestCheckFunc {
	return func(state *terraform.State) error {
		var asked []string
		for _, action := range s.ActionLog(server) {
			if action.Action == "migrate" {
				asked = append(asked, action.RequestID)
			}
		}
		got := state.RootModule().Resources[address].Primary.Attributes["request_id"]
		if len(asked) != 1 || asked[0] != got {
			return fmt.Errorf("got request id %q, want the one of %q", got, asked)
		}
		return nil
	}
}

// goesOn is how a migration may be configured that an interrupted create left
// behind. None of it may harm that migration.
var goesOn = []struct {
	name, arguments string
	status          string
	confirms        int
}{
	{"left", left, awaiting, 0},
	{"auto_confirm", auto, "confirmed", 1},
	{"on_destroy confirm", confirm, awaiting, 0},
	{"on_destroy revert", revert, awaiting, 0},
}

func TestAccServerMigration_goesOnAfterAnApplyThatTimedOut(t *testing.T) {
	for _, test := range goesOn {
		t.Run(test.name, func(t *testing.T) {
			timing := stub.ObservedTiming().Scaled(15)
			timing.Migrate = time.Hour
			s := tell(t, stub.Config{Timing: timing}, stub.Server{})
			config := s.config(test.arguments + "\ntimeouts {\n  create = \"3s\"\n}")
			s.run(resource.TestStep{
				Config:      config,
				ExpectError: says("did not end within its timeout", "Apply again to go on"),
			}, resource.TestStep{
				PreConfig:         func() { s.Advance(2 * time.Hour) },
				Config:            config,
				ConfigPlanChecks:  planned(plancheck.ResourceActionCreate),
				ConfigStateChecks: []statecheck.StateCheck{is("status", test.status), isNull("source_host_id")},
				Check: resource.ComposeTestCheckFunc(s.tracks(),
					s.sent(stub.CallMigrate, 1), s.sent(stub.CallConfirm, test.confirms), s.sent(stub.CallRevert, 0),
				),
			})
		})
	}
}

func TestAccServerMigration_recordsAMigrationThatWasConfirmedBeforeACrash(t *testing.T) {
	for _, test := range goesOn {
		t.Run(test.name, func(t *testing.T) {
			s := tell(t, stub.Config{}, stub.Server{})
			s.run(resource.TestStep{
				PreConfig: s.do(func() error {
					if err := s.Migrate(server, ourUser); err != nil {
						return err
					}
					s.Advance(time.Minute)
					defer s.Advance(time.Minute)
					return s.Confirm(server, ourUser)
				}),
				Config:            s.config(test.arguments),
				ConfigPlanChecks:  planned(plancheck.ResourceActionCreate),
				ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed"), isTime("settled_at"), isNull("source_host_id")},
				Check: resource.ComposeTestCheckFunc(s.tracks(),
					s.sent(stub.CallMigrate, 0), s.sent(stub.CallConfirm, 0), s.sent(stub.CallRevert, 0)),
			})
		})
	}
}

func TestAccServerMigration_migratesAgainAfterOneThatWasRevertedOrFailed(t *testing.T) {
	t.Run("reverted", func(t *testing.T) {
		s := tell(t, stub.Config{}, stub.Server{})
		s.run(resource.TestStep{
			PreConfig: s.do(func() error {
				if err := s.Migrate(server, ourUser); err != nil {
					return err
				}
				s.Advance(time.Minute)
				return reverted(s)
			}),
			Config:            s.config(auto),
			ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed")},
			Check:             s.sent(stub.CallMigrate, 1),
		})
	})
	t.Run("failed", func(t *testing.T) {
		s := tell(t, stub.Config{}, stub.Server{Outcome: stub.OutcomeNoValidHost})
		s.run(resource.TestStep{
			Config:      s.config(auto),
			ExpectError: says("The migration of server web-1", "failed"),
		}, resource.TestStep{
			PreConfig:         func() { s.SetServer(server, func(v *stub.Server) { v.Outcome = stub.OutcomeMoves }) },
			Config:            s.config(auto),
			ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed")},
			Check:             s.sent(stub.CallMigrate, 2),
		})
	})
}

// A replacement forgets the old migration in the run that migrates again. A
// destroy of its own leaves nothing by which it could be told from a crash.
func TestAccServerMigration_tellsAReplacementFromADestroyAndACrash(t *testing.T) {
	if os.Getenv("TF_ACC") == "" {
		t.Skip("acceptance tests run with TF_ACC set")
	}
	t.Parallel()
	const tookOver = "Took over the migration of server web-1"
	tests := []struct {
		name     string
		again    func(*testing.T, *tfexec.Terraform) []string // its warnings
		migrates int
		warns    bool
	}{
		{"triggers", func(t *testing.T, tf *tfexec.Terraform) []string { return warnings(t, tf, tfexec.Var("n=2")) }, 2, false},
		{"-replace", func(t *testing.T, tf *tfexec.Terraform) []string { return warnings(t, tf, tfexec.Replace(address)) }, 2, false},
		{"destroyed and created again", func(t *testing.T, tf *tfexec.Terraform) []string {
			if err := tf.Destroy(t.Context()); err != nil {
				t.Fatal(err)
			}
			return warnings(t, tf)
		}, 1, true},
		{"its state was lost", func(t *testing.T, tf *tfexec.Terraform) []string {
			if err := tf.StateRm(t.Context(), address); err != nil {
				t.Fatal(err)
			}
			return warnings(t, tf)
		}, 1, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := tell(t, stub.Config{}, stub.Server{})
			tf := s.terraform(map[string]string{
				"main.tf": requiredProviders + "variable \"n\" {\n  default = 1\n}\n" + s.config(auto+"\ntriggers = { n = var.n }"),
			})
			if first := warnings(t, tf); len(first) > 0 {
				t.Errorf("got warnings %q, want none of the first apply", first)
			}
			got := strings.Join(test.again(t, tf), "\n")
			if warned := strings.Contains(got, tookOver); warned != test.warns {
				t.Errorf("got warnings %q, want %q among them: %t", got, tookOver, test.warns)
			}
			if got := s.Count(stub.CallMigrate); got != test.migrates {
				t.Errorf("got %d migrate requests, want %d", got, test.migrates)
			}
		})
	}
}

// warnings applies, and returns the summaries of what Terraform warned of.
func warnings(t *testing.T, tf *tfexec.Terraform, options ...tfexec.ApplyOption) []string {
	t.Helper()
	var output bytes.Buffer
	err := tf.ApplyJSON(t.Context(), &output, options...)
	var found []string
	for line := range bytes.Lines(output.Bytes()) {
		var message struct {
			Diagnostic struct{ Severity, Summary, Detail string }
		}
		if json.Unmarshal(line, &message) == nil && message.Diagnostic.Severity == "warning" {
			found = append(found, message.Diagnostic.Summary)
		}
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, output.String())
	}
	return found
}

func TestAccServerMigration_warnsAtPlanTimeOfWhatItWillTakeOver(t *testing.T) {
	if os.Getenv("TF_ACC") == "" {
		t.Skip("acceptance tests run with TF_ACC set")
	}
	t.Parallel()
	s := tell(t, stub.Config{}, stub.Server{})
	if err := s.Migrate(server, ourUser); err != nil {
		t.Fatal(err)
	}
	tf := s.terraform(map[string]string{"main.tf": requiredProviders + s.config("")})
	got := warnings(t, tf)
	for _, want := range []string{"is going to be taken over", "Took over the migration", "awaits confirmation"} {
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("got warnings %q, want %q among them", got, want)
		}
	}
}

func TestAccServerMigration_doesNotTakeOverWhatItCannotTell(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	s.SetServer(server, func(v *stub.Server) { v.Name = "web-1" }) // it changed just now
	s.Inject(stub.Fault{Call: stub.CallActionLog, Status: 403})
	s.run(resource.TestStep{
		Config:      s.config(auto),
		ExpectError: says("It is not known whether server web-1", "was migrated already", "cannot be read", "403 forbidden", "Nothing was sent to the server", "terraform import ADDRESS ORD/"+server),
	}, resource.TestStep{
		PreConfig:         func() { s.Advance(2 * time.Hour) },
		Config:            s.config(auto),
		ConfigStateChecks: []statecheck.StateCheck{is("status", "confirmed")},
		Check:             s.sent(stub.CallMigrate, 1),
	})
}

func TestAccServerMigration_migratesAServerOnceThoughTwoResourcesAskForIt(t *testing.T) {
	s := tell(t, stub.Config{}, stub.Server{})
	s.run(resource.TestStep{
		Config:      s.config(auto) + fmt.Sprintf("resource \"rackspace_server_migration\" \"again\" {\n  server_id = %q\n  auto_confirm = true\n}\n", server),
		ExpectError: says("Another resource migrates server", "already", "Remove one of the two"),
	})
	if got := s.Count(stub.CallMigrate); got != 1 {
		t.Errorf("got %d migrate requests, want 1", got)
	}
}

func TestAccServerMigration_leavesAPendingMigrationToItsReplacement(t *testing.T) {
	for _, onDestroy := range []string{confirm, revert} {
		t.Run(onDestroy, func(t *testing.T) {
			s := tell(t, stub.Config{}, stub.Server{})
			with := func(trigger int) string {
				return s.config(fmt.Sprintf("%s\ntriggers = { n = %d }\nlifecycle {\n  create_before_destroy = true\n}", onDestroy, trigger))
			}
			s.run(resource.TestStep{
				Config: with(1),
			}, resource.TestStep{
				Config:            with(2),
				ConfigPlanChecks:  planned(plancheck.ResourceActionCreateBeforeDestroy),
				ConfigStateChecks: []statecheck.StateCheck{is("status", awaiting)},
				Check: resource.ComposeTestCheckFunc(s.tracks(),
					s.sent(stub.CallMigrate, 1), s.sent(stub.CallConfirm, 0), s.sent(stub.CallRevert, 0)),
			})
		})
	}
}
