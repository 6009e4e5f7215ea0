package acctest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ProviderProcesses finds the provider's processes that a Terraform has
// started, by the process group of both.
func ProviderProcesses(group int) []int {
	var found []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, _ := os.ReadFile(path)
		name, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest) // from the state on: the parent, the group, …
		if !strings.Contains(name, "(terraform-prov") || len(fields) < 3 || fields[2] != strconv.Itoa(group) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			found = append(found, pid)
		}
	}
	return found
}
