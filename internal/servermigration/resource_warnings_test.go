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

// planRow is a pending migration whose arguments have changed, and the warning that the plan
// gives.
type planRow struct {
	name        string
	before      string // arguments in the first apply
	after       string // arguments in the plan; removed: the resource is not in the configuration
	otherServer bool   // the plan has another server_id
	says        string // the end of the one warning; empty: there is none
	sent        sent   // if the plan has another server_id: the requests to the first server
}

// planRows are the rows of the table of ModifyPlan that end without an error in a plan of
// Terraform.
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
	{name: "server_none", otherServer: true, says: "leaves it pending", sent: sent{migrates: 1}},
	{name: "server_confirm", before: confirmOnDestroy, after: confirmOnDestroy, otherServer: true, says: "is going to be confirmed", sent: sent{migrates: 1, confirms: 1}},
	{name: "server_revert", before: revertOnDestroy, after: revertOnDestroy, otherServer: true, says: "is going to be reverted, and data will be lost", sent: sent{migrates: 1, reverts: 1}},
}

// TestAccServerMigration_warnsInThePlanOfWhatTheApplyDoes has all rows in one configuration.
// Each row has a server of its own.
func TestAccServerMigration_warnsInThePlanOfWhatTheApplyDoes(t *testing.T) {
	t.Parallel()
	s := &cloudTest{acctest.NewCloud(t, stub.Config{}), t}
	var before, after strings.Builder
	want, servers := map[string][]string{}, map[string][2]string{}
	var targets []tfexec.ApplyOption
	for _, row := range planRows {
		id := s.AddServer(stub.Server{Name: row.name})
		block := func(id, arguments string) string {
			return fmt.Sprintf("resource \"rackspace_server_migration\" %q {\n  server_id = %q\n%s\n}\n", row.name, id, arguments)
		}
		before.WriteString(block(id, row.before))
		if row.otherServer {
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
			t.Errorf("got the warning %q, want only warnings about the rows", summary)
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

	// The apply first does what on_destroy says for the first server. Then it migrates the
	// other server.
	if err := tf.Apply(t.Context(), targets...); err != nil {
		t.Fatal(err)
	}
	for _, row := range planRows {
		if !row.otherServer {
			continue
		}
		if got := sentTo(s.Stub, servers[row.name][0]); got != row.sent {
			t.Errorf("%s: got %+v requests to the first server, want %+v", row.name, got, row.sent)
		}
		if got := sentTo(s.Stub, servers[row.name][1]); got != (sent{migrates: 1}) {
			t.Errorf("%s: got %+v requests to the other server, want one migrate", row.name, got)
		}
	}
}

// planWarnings plans, and returns the summaries of the warnings.
func planWarnings(t *testing.T, tf *tfexec.Terraform) []string {
	t.Helper()
	var output bytes.Buffer
	if _, err := tf.PlanJSON(t.Context(), &output); err != nil {
		t.Fatalf("%v\n%s", err, output.String())
	}
	return summaries(output.Bytes())
}

// summaries returns the summaries of the warnings in Terraform's output, which is JSON lines.
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
