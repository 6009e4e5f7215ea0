package servermigration

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/migration"
)

// This file has the warnings about the time at which the cloud confirms a migration
// automatically.

// remind warns of a migration that awaits confirmation when its deadline is near. It warns
// once for each migration. A plan after a refresh, or a refresh after an import, does not
// repeat the warning.
func (c *Config) remind(m migration.Migration, now time.Time) diag.Diagnostics {
	if c.WarnBefore == 0 || m.Status != migration.StatusAwaiting || m.ConfirmBy().IsZero() || !c.isFirstLook(m) || m.ConfirmBy().Sub(now) >= c.WarnBefore {
		return nil
	}
	return diag.Diagnostics{deadlineIsNear(m, now)}
}

// tellDeadline says the deadline of a migration that is imported while it awaits
// confirmation.
func (c *Config) tellDeadline(m migration.Migration) diag.Diagnostics {
	if m.Status != migration.StatusAwaiting {
		return nil
	}
	c.isFirstLook(m)
	return diag.Diagnostics{importedWhilePending(m, m.SeenAt)}
}

// isFirstLook notes that the deadline of a migration was looked at, and tells
// whether that is the first time in this run.
func (c *Config) isFirstLook(m migration.Migration) bool {
	_, before := c.deadlines.LoadOrStore(m.ServerID+"/"+m.RequestID, true)
	return !before
}

func deadlineIsNear(m migration.Migration, now time.Time) diag.Diagnostic {
	return diag.NewWarningDiagnostic("The cloud is about to confirm the migration of "+serverOf(m)+" automatically",
		paragraphs("Nobody has confirmed or reverted it yet. "+untilDeadline(m, now), toDecide,
			"The provider argument warn_before sets how long before the deadline this warning begins."))
}

func importedWhilePending(m migration.Migration, now time.Time) diag.Diagnostic {
	return diag.NewWarningDiagnostic("The imported migration of "+serverOf(m)+" awaits confirmation",
		paragraphs(untilDeadline(m, now), toDecide))
}

// toDecide says how a pending migration in the state is confirmed or reverted.
const toDecide = "Test the server. To confirm the migration, set auto_confirm = true and apply. " +
	"To revert it, set auto_confirm = false and on_destroy = \"revert\", and apply. Then remove only this resource from the configuration, and apply again. " +
	"A revert loses what was written to the server's local disks since the migration."

// untilDeadline says how much time is left until the deadline, and what happens then. It is
// empty where the deadline is not known.
func untilDeadline(m migration.Migration, now time.Time) string {
	by, left := m.ConfirmBy(), m.ConfirmBy().Sub(now)
	then := " The cloud then deletes the original copy on the old host, and the migration cannot be reverted any more."
	switch {
	case by.IsZero():
		return ""
	case left <= 0:
		return fmt.Sprintf("Its deadline, %s, has passed: the cloud can confirm it at any moment.", by.Format(time.RFC3339)) + then
	}
	return fmt.Sprintf("The cloud confirms it automatically after %s, in %s.", by.Format(time.RFC3339), inWords(left)) + then
}

// inWords is a time in hours and whole minutes.
func inWords(d time.Duration) string {
	var parts []string
	for _, part := range []struct {
		number int
		unit   string
	}{{int(d.Hours()), "hour"}, {int(d.Minutes()) % 60, "minute"}} {
		switch part.number {
		case 0:
		case 1:
			parts = append(parts, "1 "+part.unit)
		default:
			parts = append(parts, fmt.Sprintf("%d %ss", part.number, part.unit))
		}
	}
	if parts == nil {
		return "less than a minute"
	}
	return strings.Join(parts, " and ")
}
