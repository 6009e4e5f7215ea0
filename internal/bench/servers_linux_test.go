//go:build bench

package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// TestServers has a real process find 3000 servers with a data source.
func TestServers(t *testing.T) {
	w := newWorkspace(t, 0, stub.ObservedTiming(), "2s", "")
	for i := range 3000 {
		w.AddServer(stub.Server{
			Name: fmt.Sprintf("web-%d", i), AccessIPv4: "192.0.2.1", AccessIPv6: "2001:db8::1", Metadata: map[string]string{"role": "web", "stage": "production"},
		})
	}
	file, err := os.OpenFile(filepath.Join(w.dir, "main.tf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString("data \"rackspace_servers\" \"all\" {}\noutput \"found\" { value = length(data.rackspace_servers.all.by_id) }\n"); err != nil {
		t.Fatal(err)
	}
	plan := []string{"plan", "-input=false"}
	table := NewTable(t, "A plan that finds 3000 servers with a data source")
	used := w.run(t, plan...)
	lists := w.Count(stub.CallList)
	idle := w.idle(t).run(t, plan...)
	table.Note("N = 3000", "wall time", used.wall.Seconds(), "s")
	table.Note("N = 3000", "provider's peak memory", used.memory, "MiB")
	table.compareTime("N = 3000", used, idle, 2.5)
	table.Most("N = 3000", "lists", float64(lists), 3, "")
}
