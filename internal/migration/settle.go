package migration

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// settle brings a migration to the end that conclude leads it to, unless it is at
// one already.
func (m *mover) settle(ctx context.Context, conclude func(context.Context) error) error {
	if err := m.refresh(ctx, m.look); err != nil {
		return err
	}
	if m.migration.Status == StatusMigrating {
		m.settles = true
		defer m.engine.client.FreeRoom(m.migration.ServerID)
		if err := m.awaitMove(ctx); err != nil {
			return err
		}
	}
	if m.migration.Status.Settled() {
		return nil
	}
	switch err := m.prove(ctx); {
	case errors.Is(err, errSuperseded): // settled, so the caller's question is answered
		return nil
	case err != nil:
		return err
	}
	return conclude(ctx)
}

// errSuperseded says that a migration was settled, because the server was
// migrated or resized again after it.
var errSuperseded = errors.New("the server was migrated or resized again")

// prove makes sure that what awaits confirmation is this migration. Somebody may
// have settled it and begun another one, or a resize, which is not ours to
// confirm or revert:
//
//	the action log …          | the server is …                          | then
//	---------------------------+------------------------------------------+-----------------------
//	has ours as its newest    |                                          | it is this one
//	has one that came after   |                                          | settled: errSuperseded
//	has ours no more          | VERIFY_RESIZE where it moved to, and of  | it is this one
//	or is unreadable          | its flavor                               |
//	                          | anything else, or that is not known      | refuse: KindUnproven
//	names no request of ours, |                                          | refuse: KindPending
//	whose answer was lost     |                                          |
func (m *mover) prove(ctx context.Context) error {
	log, err := m.log(ctx)
	if err == nil && m.migration.RequestID == "" && !m.identify(log) && m.asked {
		m.migration.Status, m.newest = "", m.newestOf(log)
		return m.refuse(foundOther, nil)
	}
	if err == nil && m.migration.RequestID != "" {
		listed := slices.ContainsFunc(log, func(entry cloudservers.Action) bool { return entry.RequestID == m.migration.RequestID })
		for _, entry := range log {
			switch {
			case !begins(entry) || entry.Message == cloudservers.ActionFailed:
				continue
			case entry.RequestID == m.migration.RequestID:
				m.doubt = false
				return nil
			case !listed && entry.Start.Before(m.migration.RequestedAt.Add(-clockSlack)):
				continue
			}
			m.migration.settle(StatusConfirmed, m.server.SeenAt)
			if fate := fateOf(m.migration.RequestID, log); fate.settled != "" {
				m.migration.settleAs(fate)
			}
			return errSuperseded
		}
	}
	if ctx.Err() != nil {
		return m.fail(KindInterrupted, context.Cause(ctx))
	}
	if time.Since(m.seen) > unwatched {
		if err := m.lookTwice(ctx, m.look); err != nil {
			return m.waitError(ctx, err, KindInterrupted)
		}
	}
	here, known := m.server, m.migration
	if known.RequestID == "" || known.DestinationHostID == "" || known.FlavorID == "" ||
		here.Status != cloudservers.StatusVerifyResize || here.HostID != known.DestinationHostID || here.Flavor.ID != known.FlavorID {
		return m.fail(KindUnproven, err)
	}
	m.doubt = false
	return nil
}

// identify finds the request of a migration in a log that could not be read when
// it was asked for: the only one since then, if that is ours.
func (m *mover) identify(log []cloudservers.Action) bool {
	var since []cloudservers.Action
	for _, entry := range log {
		if begins(entry) && entry.Message != cloudservers.ActionFailed && !entry.Start.Before(m.migration.RequestedAt.Add(-clockSlack)) {
			since = append(since, entry)
		}
	}
	if len(since) != 1 || !m.byUs(since[0]) {
		return false
	}
	m.migration.RequestID, m.migration.RequestedAt = since[0].RequestID, since[0].Start.Time
	return true
}

// learn finds out what others did to a migration that is not being settled yet.
// Only who confirms or reverts it needs the proof that it is this one.
func (m *mover) learn(ctx context.Context) error {
	err := m.prove(ctx)
	var failure *Error
	switch {
	case errors.Is(err, errSuperseded) && m.migration.Status == StatusReverted:
		return m.fail(KindReverted, nil)
	case errors.As(err, &failure) && (failure.Kind == KindPending || failure.Kind == KindGone):
		return err
	}
	return nil
}

// proof is what is asked before each confirm or revert is sent: whether it is
// still this migration that awaits it. While the server was watched without a
// gap, nothing else can have come.
func (m *mover) proof() func(context.Context) error {
	repeated := false
	return func(ctx context.Context) error {
		gap := repeated || time.Since(m.seen) > unwatched
		repeated = true
		if gap || m.doubt {
			return m.prove(ctx)
		}
		return nil
	}
}

// conclude confirms or reverts a migration that awaits it, and waits until the
// server has settled. How it goes on after a failed request:
//
//	the request failed and …       | then the server is watched; if it stays in VERIFY_RESIZE
//	--------------------------------+----------------------------------------------------------
//	… can have been accepted        | for settlingLooks, it was not: ask again
//	… is a conflict (409, 400)      | for settlingLooks, something is in the way: refuse
//	… was refused in any other way  | (it is not watched) refuse
//	… was not sent, see prove       | (it is not watched) settled already, or refuse
func (m *mover) conclude(ctx context.Context, want Status) error {
	m.want = want
	ask := m.region.Confirm
	if want == StatusReverted {
		ask = m.region.Revert
	}
	proof, lost := m.proof(), false
	for retries := m.engine.client.MaxRetries(); ; retries-- {
		_, err := ask(ctx, m.migration.ServerID, proof)
		if err == nil {
			m.milestone(ctx, "The migration is being settled")
			return m.waitError(ctx, m.awaitSettled(ctx, forever), KindSettling)
		}
		var failure *cloudservers.Error
		var unproven *Error
		again := errors.As(err, &failure) && failure.MaybeAccepted()
		switch {
		case errors.Is(err, errSuperseded):
			return m.tooLate()
		case errors.As(err, &unproven):
			if unproven.Kind == KindUnproven {
				unproven.Sent = lost
			}
			return unproven
		case ctx.Err() != nil && again:
			return m.unsure(m.fail(KindSettling, context.Cause(ctx)))
		case ctx.Err() != nil && (failure == nil || failure.StatusCode == 0):
			return m.fail(KindInterrupted, context.Cause(ctx))
		case errors.Is(err, cloudservers.ErrNotFound) && errors.Is(m.look(ctx), cloudservers.ErrNotFound):
			return m.fail(KindGone, err)
		case ctx.Err() != nil, !again && !conflicts(failure):
			return m.fail(KindUnsettled, err)
		}
		unsettled := m.awaitSettled(ctx, settlingLooks)
		if !errors.Is(unsettled, errStillAwaiting) {
			if !again {
				return m.waitError(ctx, unsettled, KindInterrupted)
			}
			return m.unsure(m.waitError(ctx, unsettled, KindSettling))
		}
		if !again || retries == 0 {
			return m.fail(KindUnsettled, err)
		}
		lost = true
	}
}

// tooLate says that the migration was settled by somebody, if that is not as it
// was asked to be.
func (m *mover) tooLate() error {
	switch m.migration.Status {
	case m.want:
		return nil
	case StatusReverted:
		return m.fail(KindReverted, nil)
	default:
		return m.fail(KindConfirmed, nil)
	}
}

// unsure marks the end of a wait after a request whose answer was lost.
func (m *mover) unsure(err error) error {
	var failure *Error
	if errors.As(err, &failure) && failure.Kind == KindSettling {
		failure.Unsure = true
	}
	return err
}

// conflicts tells whether a request may have been refused because the migration
// is being settled already: Nova then says 409, or 400 "Instance has not been
// resized".
func conflicts(failure *cloudservers.Error) bool {
	return failure != nil && (failure.StatusCode == http.StatusConflict || failure.StatusCode == http.StatusBadRequest)
}

// forever is the patience of a wait that only its context ends.
const forever = -1

// errStillAwaiting says that a server went on to await confirmation.
var errStillAwaiting = errors.New("the server still awaits confirmation")

// awaitSettled waits for the end of a confirm or revert. For about half a
// second a server that is being confirmed reads as if nothing had been asked,
// so patience says how many such looks in a row are errStillAwaiting. A stopped
// server that is being reverted passes through VERIFY_RESIZE on its original
// host, with a task: that is neither the end nor idle.
func (m *mover) awaitSettled(ctx context.Context, patience int) error {
	idle := 0
	return m.region.Watch(ctx, m.migration.ServerID, func(s *cloudservers.Server) (bool, error) {
		m.saw(s)
		switch {
		case s.Settled():
			return true, m.judgeSettled(ctx, s)
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

// judgeSettled says where a server has settled: as it was asked to, or as
// somebody else did meanwhile.
//
//	its host is …  | the action log has …          | so the migration is
//	----------------+-------------------------------+----------------------
//	the new one     |                               | confirmed
//	the old one     | a confirm after it            | confirmed
//	the old one     | anything else                 | reverted
//	not told        | a confirm or revert after it  | what that says
//	not told        | neither                       | what was asked for
func (m *mover) judgeSettled(ctx context.Context, s *cloudservers.Server) error {
	became, fate := StatusConfirmed, fate{}
	if where := m.migration.whereabouts(s); where != elsewhere {
		fate = m.fate(ctx)
		became = fate.settled
		switch {
		case became == "" && where == onSource:
			became = StatusReverted
		case became == "":
			became = m.want
		}
	}
	m.migration.settle(became, s.SeenAt)
	m.migration.SettledBy = fate.by
	m.milestone(ctx, "The migration is "+string(became))
	return m.tooLate()
}
