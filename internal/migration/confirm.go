package migration

import (
	"context"
	"errors"
	"net/http"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// confirm confirms the migration and waits until the server has settled. How
// it goes on after a failed request:
//
//	the request failed and …       | then the server is watched; if it stays in VERIFY_RESIZE
//	--------------------------------+----------------------------------------------------------
//	… can have been accepted        | for settlingLooks, it was not: ask again
//	… is a conflict (409, 400)      | for settlingLooks, something is in the way: refuse
//	… was refused in any other way  | (it is not watched) refuse
func (m *mover) confirm(ctx context.Context) error {
	for retries := m.engine.client.MaxRetries(); ; retries-- {
		_, err := m.region.Confirm(ctx, m.migration.ServerID)
		if err == nil {
			tflog.Info(ctx, "The confirm was accepted", m.fields())
			return m.waitError(ctx, m.awaitSettled(ctx, forever), KindConfirming)
		}
		var failure *cloudservers.Error
		again := errors.As(err, &failure) && failure.MaybeAccepted()
		switch {
		case ctx.Err() != nil:
			return m.fail(KindInterrupted, context.Cause(ctx))
		case !again && !conflicts(failure):
			return m.fail(KindConfirm, err)
		}
		unsettled := m.awaitSettled(ctx, settlingLooks)
		if !errors.Is(unsettled, errStillAwaiting) {
			return m.waitError(ctx, unsettled, KindInterrupted)
		}
		if !again || retries == 0 {
			return m.fail(KindConfirm, err)
		}
	}
}

// conflicts tells whether a confirm may have been refused because the migration
// is being settled already: Nova then says 409, or 400 "Instance has not been
// resized".
func conflicts(failure *cloudservers.Error) bool {
	return failure != nil && (failure.StatusCode == http.StatusConflict || failure.StatusCode == http.StatusBadRequest)
}

// forever is the patience of a wait that only its context ends.
const forever = -1

// errStillAwaiting says that a server went on to await confirmation.
var errStillAwaiting = errors.New("the server still awaits confirmation")

// awaitSettled waits for the end of a confirm. For about half a second a
// server that is being confirmed reads as if nothing had been asked, so
// patience says how many such looks in a row are errStillAwaiting.
func (m *mover) awaitSettled(ctx context.Context, patience int) error {
	idle := 0
	return m.region.Watch(ctx, m.migration.ServerID, func(s *cloudservers.Server) (bool, error) {
		m.saw(s)
		switch {
		case s.Settled():
			return true, m.judgeConfirmed(ctx, s)
		case s.Status == cloudservers.StatusError && (s.TaskState == "" || s.Fault != nil):
			return true, m.failed(s)
		case s.Status == cloudservers.StatusDeleted, s.Status == cloudservers.StatusSoftDeleted:
			return true, m.fail(KindGone, nil)
		case s.Status == cloudservers.StatusVerifyResize && s.TaskState == "":
			if idle++; idle == patience {
				return true, errStillAwaiting
			}
		default:
			idle = 0
		}
		return false, nil
	})
}

// judgeConfirmed tells a confirmed server from one that somebody reverted
// meanwhile.
func (m *mover) judgeConfirmed(ctx context.Context, s *cloudservers.Server) error {
	if m.migration.whereabouts(s) == onSource {
		if fate := m.fate(ctx); fate.settled != StatusConfirmed {
			m.migration.settle(StatusReverted, s.SeenAt)
			m.migration.SettledBy = fate.by
			return m.fail(KindReverted, nil)
		}
	}
	m.migration.settle(StatusConfirmed, s.SeenAt)
	tflog.Info(ctx, "The migration is confirmed", m.fields())
	return nil
}
