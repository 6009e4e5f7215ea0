// Package bench measures migrations: their requests, their memory and processor time, and
// how soon their end is noticed. Figures over their bounds fail. Its tests measure what is
// the same on each machine: requests and virtual time. make bench also measures what
// depends on the machine.
package bench

import (
	"fmt"
	"strings"
	"testing"
)

// Table is a report of figures and their bounds.
type Table struct {
	title string
	rows  []string
	t     *testing.T
}

// NewTable begins a report, which the test prints when it has ended.
func NewTable(t *testing.T, title string) *Table {
	table := &Table{title: title, t: t}
	t.Cleanup(func() {
		t.Logf("\n### %s\n\n| case | figure | value | bound | verdict |\n| --- | --- | --- | --- | --- |\n%s", table.title, strings.Join(table.rows, "\n"))
	})
	return table
}

// Most adds a figure that must not be more than its bound.
func (r *Table) Most(of, figure string, value, bound float64, unit string) {
	r.t.Helper()
	verdict := "MISSED"
	if value <= bound { // which is false if nothing was measured, and the value is no number
		verdict = "ok"
	} else {
		r.t.Errorf("%s: %s is %s, want at most %s", of, figure, number(value, unit), number(bound, unit))
	}
	r.rows = append(r.rows, fmt.Sprintf("| %s | %s | %s | %s | %s |", of, figure, number(value, unit), number(bound, unit), verdict))
}

// Note adds a figure that has no bound.
func (r *Table) Note(of, figure string, value float64, unit string) {
	r.rows = append(r.rows, fmt.Sprintf("| %s | %s | %s | | |", of, figure, number(value, unit)))
}

func number(value float64, unit string) string {
	text := strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", value), "0"), ".")
	if unit == "" {
		return text
	}
	return text + " " + unit
}
