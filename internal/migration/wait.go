package migration

import (
	"context"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// rest waits for one poll interval.
func (m *mover) rest(ctx context.Context) error {
	timer := time.NewTimer(m.engine.client.PollInterval())
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// awaitMove waits until the server has moved, and proves it.
func (m *mover) awaitMove(ctx context.Context) error {
	unproven := 0
	err := m.region.Watch(ctx, m.migration.ServerID, func(s *cloudservers.Server) (bool, error) {
		changed := m.server.Status != s.Status || m.server.Progress != s.Progress
		m.saw(s)
		if changed {
			m.milestone(ctx, "The migration goes on")
		}
		if m.settles && s.Arrived() {
			m.engine.client.KeepRoom(s.ID)
		}
		last := unproven+1 >= settlingLooks
		if last { // it is not called a failure by what a shared list may have missed
			if err := m.look(ctx); err != nil {
				return false, nil //nolint:nilerr // the next look tells what is wrong
			}
			s = m.server
		}
		verdict, err := m.judgeMove(ctx, s, last)
		if verdict == unclear {
			unproven++
		} else {
			unproven = 0
		}
		return verdict == over, err
	})
	if err == nil && m.migration.Status == StatusConfirmed { // by the cloud, or by somebody
		m.milestone(ctx, "The migration is confirmed")
	}
	return m.waitError(ctx, err, KindInterrupted)
}

// verdict is what one look at a server says of a wait.
type verdict int

const (
	underway verdict = iota
	unclear          // it looks over, but there is no proof yet
	over
)

// judgeMove says what one look means for a migration that was accepted. last
// makes it decide where it would rather look again.
//
//	the server is …                | its host is … | the action log …  | so the migration
//	--------------------------------+---------------+-------------------+------------------------------
//	in VERIFY_RESIZE, or settled,   |               | was unreadable    | is somebody's resize: refuse
//	of another flavor than before   |               |                   |
//	VERIFY_RESIZE, idle             | another one   |                   | awaits confirmation
//	                                | not told      | has no Error      | awaits confirmation
//	                                | the old one   |                   | failed, after settlingLooks
//	ACTIVE or SHUTOFF               | another one   |                   | was confirmed by the cloud
//	                                | old, not told | has an Error      | failed
//	                                |               | has a revert      | was reverted
//	                                |               | has a confirm     | was confirmed
//	                                |               | has neither       | failed, after settlingLooks
//	                                | not told      | is unreadable     | cannot be told, after settlingLooks
//	ERROR                           |               |                   | failed
//	DELETED, SOFT_DELETED           |               |                   | is gone with its server
//	anything else                   |               |                   | is under way
func (m *mover) judgeMove(ctx context.Context, s *cloudservers.Server, last bool) (verdict, error) {
	where := m.migration.whereabouts(s)
	switch {
	case m.migration.RequestID == "" && m.before != nil && s.Flavor.ID != m.before.Flavor.ID && (s.Status == cloudservers.StatusVerifyResize || s.Settled()):
		m.migration.Status = ""
		return over, m.pending(ctx)
	case s.Status == cloudservers.StatusVerifyResize && s.TaskState == "":
		failed := where == onSource && last || where == unknownHost && m.fate(ctx).failed
		if failed {
			return over, m.failed(s)
		}
		if where == onSource {
			return unclear, nil
		}
		m.migration.Status, m.migration.DestinationHostID = StatusAwaiting, s.HostID
		if m.doubt {
			m.migration.FlavorID = "" // where another one's server is proves nothing later, see prove
		}
		m.milestone(ctx, "The server has moved and awaits confirmation")
		return over, nil
	case s.Settled() && where == elsewhere:
		m.migration.DestinationHostID = s.HostID
		m.migration.settle(StatusConfirmed, s.SeenAt)
		return over, nil
	case s.Settled():
		fate := m.fate(ctx)
		switch {
		case fate.failed:
			return over, m.failed(s)
		case fate.settled == StatusReverted:
			m.migration.settleAs(fate)
			return over, m.fail(KindReverted, nil)
		case fate.settled == StatusConfirmed:
			m.migration.settleAs(fate)
			return over, nil
		case last && where == unknownHost && fate.unread != nil:
			return over, m.fail(KindWait, fate.unread)
		case last:
			return over, m.failed(s)
		}
		return unclear, nil
	case s.Status == cloudservers.StatusError:
		// The fault appears a moment after the status.
		if s.Fault == nil && s.TaskState != "" && !last {
			return unclear, nil
		}
		return over, m.failed(s)
	case s.Status == cloudservers.StatusDeleted, s.Status == cloudservers.StatusSoftDeleted:
		return over, m.fail(KindGone, nil)
	}
	return underway, nil
}

func (m *mover) failed(s *cloudservers.Server) error {
	m.migration.settle(StatusFailed, s.SeenAt)
	return m.fail(KindFailed, nil)
}
