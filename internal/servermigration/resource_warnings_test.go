package servermigration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// planRow is what a plan says of a pending migration, whose resource was applied with
// some arguments and has others now.
type planRow struct {
	name   string
	before string
	after  string // absent: the resource is removed from the configuration
	moves  bool   // another server is named
	says   string // the end of the one warning; empty: there is none
	sent   sent   // with another server: to the one before
}

// planRows are the rows of the table of ModifyPlan that a plan of Terraform comes to
// without an error.
var planRows = []planRow{
	{name: "unchanged"},
	{name: "triggers_confirm", before: confirmOnDestroy, after: confirmOnDestroy + trigger(2), says: "is going to be migrated again"},
	{name: "triggers_revert", before: revertOnDestroy, after: revertOnDestroy + trigger(2), says: "is going to be reverted, and data will be lost"},
	{name: "auto_confirm", after: autoConfirm, says: "is going to be confirmed"},
	{name: "test_keep", after: "verification = { tcp = [{ port = 1 }] }"},
	{name: "test_revert", after: "verification = {\n  tcp = [{ port = 1 }]\n  on_failure = \"revert\"\n}", says: "is going to be tested again, and may be reverted"},
	{name: "on_destroy", after: revertOnDestroy},
	{name: "destroy_none", after: removed, says: "leaves it pending"},
	{name: "destroy_confirm", before: confirmOnDestroy, after: removed, says: "is going to be confirmed"},
	{name: "destroy_revert", before: revertOnDestroy, after: removed, says: "is going to be reverted, and data will be lost"},
	{name: "server_none", moves: true, says: "leaves it pending", sent: sent{migrates: 1}},
	{name: "server_confirm", before: confirmOnDestroy, after: confirmOnDestroy, moves: true, says: "is going to be confirmed", sent: sent{migrates: 1, confirms: 1}},
	{name: "server_revert", before: revertOnDestroy, after: revertOnDestroy, moves: true, says: "is going to be reverted, and data will be lost", sent: sent{migrates: 1, reverts: 1}},
}

// TestAccServerMigration_tellsInThePlanWhatTheApplyDoes has all rows in one
// configuration, each with a server of its own.
func TestAccServerMigration_tellsInThePlanWhatTheApplyDoes(t *testing.T) {
	t.Parallel()
	s := &scenario{acctest.NewCloud(t, stub.Config{}), t}
	var before, after strings.Builder
	want, servers := map[string][]string{}, map[string][2]string{}
	var targets []tfexec.ApplyOption
	for _, row := range planRows {
		id := s.AddServer(stub.Server{Name: row.name})
		block := func(id, arguments string) string {
			return fmt.Sprintf("resource \"rackspace_server_migration\" %q {\n  server_id = %q\n%s\n}\n", row.name, id, arguments)
		}
		before.WriteString(block(id, row.before))
		if row.moves {
			other := s.AddServer(stub.Server{Name: row.name + "_other"})
			servers[row.name] = [2]string{id, other}
			targets = append(targets, tfexec.Target("rackspace_server_migration."+row.name))
			after.WriteString(block(other, row.after))
		} else if row.after != removed {
			after.WriteString(block(id, row.after))
		}
		if row.says != "" {
			want[row.name] = []string{row.says}
		}
	}
	tf := s.terraform(map[string]string{"main.tf": requiredProviders + s.Provider("", before.String())})
	if err := tf.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	write(t, tf, requiredProviders+s.Provider("", after.String()))

	got := map[string][]string{}
	for _, summary := range planWarnings(t, tf) {
		at := slices.IndexFunc(planRows, func(row planRow) bool { return strings.Contains(summary, "erver "+row.name+" (") })
		if at < 0 {
			t.Errorf("got the warning %q, which is of no row", summary)
			continue
		}
		says := planRows[at].says
		if !strings.HasSuffix(summary, says) {
			says = summary
		}
		got[planRows[at].name] = append(got[planRows[at].name], says)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("warnings of the plan by resource (-want +got):\n%s", diff)
	}

	// Another server is migrated after what on_destroy says was done to the one before.
	if err := tf.Apply(t.Context(), targets...); err != nil {
		t.Fatal(err)
	}
	for _, row := range planRows {
		if !row.moves {
			continue
		}
		if got := sentTo(s.Stub, servers[row.name][0]); got != row.sent {
			t.Errorf("%s: got %+v requests to the server before, want %+v", row.name, got, row.sent)
		}
		if got := sentTo(s.Stub, servers[row.name][1]); got != (sent{migrates: 1}) {
			t.Errorf("%s: got %+v requests to the other server, want one migrate", row.name, got)
		}
	}
}

// planWarnings plans, and returns the summaries of what Terraform warned of.
func planWarnings(t *testing.T, tf *tfexec.Terraform) []string {
	t.Helper()
	var output bytes.Buffer
	if _, err := tf.PlanJSON(t.Context(), &output); err != nil {
		t.Fatalf("%v\n%s", err, output.String())
	}
	return summaries(output.Bytes())
}

// summaries are those of the warnings in what Terraform says as JSON lines.
func summaries(output []byte) []string {
	var found []string
	for line := range bytes.Lines(output) {
		var message struct {
			Diagnostic struct{ Severity, Summary string }
		}
		if json.Unmarshal(line, &message) == nil && message.Diagnostic.Severity == "warning" {
			found = append(found, message.Diagnostic.Summary)
		}
	}
	return found
}
