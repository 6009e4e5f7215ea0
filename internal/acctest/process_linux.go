package acctest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ProviderProcesses returns the ids of the provider's processes that a Terraform has
// started. They are in the process group of that Terraform.
func ProviderProcesses(group int) []int {
	var found []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, _ := os.ReadFile(path)
		name, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest) // the process's state, its parent, its group, and more
		if !strings.Contains(name, "(terraform-prov") || len(fields) < 3 || fields[2] != strconv.Itoa(group) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			found = append(found, pid)
		}
	}
	return found
}
