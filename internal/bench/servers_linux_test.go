//go:build bench

package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	idle := (&workspace{Stub: w.Stub, url: w.url, dir: w.dir}).idle(t)
	table := NewTable(t, "A plan that finds 3000 servers with a data source, medians of 5, in turn with the idle provider")
	var wall, memory, ours, idles []float64
	for range 5 {
		used := w.run(t, "plan", "-input=false")
		wall, memory, ours = append(wall, used.wall.Seconds()), append(memory, used.memory), append(ours, used.cpu)
		idles = append(idles, idle.run(t, "plan", "-input=false").cpu)
	}
	for _, figures := range [][]float64{wall, memory, ours, idles} {
		slices.Sort(figures)
	}
	table.Note("N = 3000", "wall time", wall[2], "s")
	table.Note("N = 3000", "provider's peak memory", memory[2], "MiB")
	table.compareTime("N = 3000", ours[2], idles[2], 2)
	table.Most("N = 3000", "lists a plan", float64(w.Count(stub.CallList))/5, 3, "")
}
