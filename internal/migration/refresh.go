package migration

import (
	"context"
	"errors"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// refresh finds out what became of a migration that was not settled when it
// was last seen.
//
//	the server is …               | the action log has …  | its host is … | so the migration is
//	-------------------------------+-----------------------+---------------+---------------------
//	VERIFY_RESIZE, on its new host |                       |               | awaiting, until its deadline
//	REVERT_RESIZE, or any task     |                       |               | as it was, until that is over
//	in any other state             | an Error              |               | failed
//	                               | a confirm after it    |               | confirmed
//	                               | a revert after it     |               | reverted
//	ACTIVE or SHUTOFF              | neither, is not told  | the old one   | reverted
//	                               |                       | the new one   | confirmed
//	anything else                  | neither               |               | as it was
func (m *mover) refresh(ctx context.Context, read func(context.Context) error) error {
	if m.migration.Status.Settled() {
		return nil
	}
	if err := m.locate(ctx); err != nil {
		return err
	}
	err := m.lookTwice(ctx, read)
	switch {
	case ctx.Err() != nil:
		return m.fail(KindAPI, context.Cause(ctx))
	case errors.Is(err, cloudservers.ErrNotFound):
		return m.fail(KindGone, err)
	case err != nil:
		return m.fail(KindAPI, err)
	case m.server.Status == cloudservers.StatusDeleted, m.server.Status == cloudservers.StatusSoftDeleted:
		return m.fail(KindGone, nil)
	case m.server.Status == cloudservers.StatusRevertResize,
		m.server.Status == cloudservers.StatusVerifyResize && m.server.TaskState != "":
		return nil
	case m.server.Status == cloudservers.StatusVerifyResize && m.onDestination() && m.server.SeenAt.Before(m.migration.ConfirmBy()):
		m.awaits()
		return nil
	}
	fate := m.fate(ctx)
	switch {
	case fate.failed:
		m.migration.settle(StatusFailed, m.server.SeenAt)
	case fate.settled != "":
		m.migration.settleAs(fate)
	case m.server.Settled() && m.migration.whereabouts(m.server) == onSource:
		m.migration.settle(StatusReverted, m.server.SeenAt)
	case m.server.Settled() && m.migration.whereabouts(m.server) == elsewhere:
		m.migration.settle(StatusConfirmed, m.server.SeenAt)
	case m.server.Status == cloudservers.StatusVerifyResize && m.onDestination():
		m.awaits()
	}
	return nil
}

// awaits records that the migration awaits confirmation, where the server is.
func (m *mover) awaits() {
	m.migration.Status = StatusAwaiting
	if m.migration.DestinationHostID == "" {
		m.migration.DestinationHostID = m.server.HostID
	}
}

// onDestination tells whether the server is where the migration brought it,
// as far as the API tells.
func (m *mover) onDestination() bool {
	return m.server.HostID == "" || m.migration.DestinationHostID == "" ||
		m.server.HostID == m.migration.DestinationHostID
}
