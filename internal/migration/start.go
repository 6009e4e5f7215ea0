package migration

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// inspect refuses what cannot be migrated, before anything is asked of it.
func (m *mover) inspect(ctx context.Context) error {
	if err := m.locate(ctx); err != nil {
		return err
	}
	// A plan may have looked a moment ago; only a refusal needs a look of its own.
	err := m.peek(ctx)
	if err == nil && !m.server.Settled() {
		err = m.look(ctx)
	}
	if err != nil {
		return m.notRead(err)
	}
	if m.server.OnMetal() {
		return m.fail(KindOnMetal, nil)
	}
	return m.awaitIdle(ctx)
}

// awaitIdle waits while the server is in a state to start from but busy with
// something short, such as a snapshot. It ends at once where a migration or
// resize is pending, and refuses every other state.
func (m *mover) awaitIdle(ctx context.Context) error {
	for {
		switch {
		case moving(m.server):
			return nil
		case !m.server.Settled():
			return m.fail(KindStatus, nil)
		case m.server.TaskState == "":
			m.before = m.server
			m.migration.SourceHostID = m.server.HostID
			return nil
		}
		tflog.Info(ctx, "The server is busy, waiting before it is migrated", m.fields())
		err := m.region.Watch(ctx, m.migration.ServerID, func(s *cloudservers.Server) (bool, error) {
			m.saw(s)
			return s.TaskState == "" || !s.Settled(), nil
		})
		switch {
		case ctx.Err() != nil:
			return m.fail(KindBusy, err)
		case err != nil:
			return m.notRead(err)
		}
	}
}

// moving tells whether a migration or a resize of the server is pending.
func moving(s *cloudservers.Server) bool {
	return s.OnItsWay() || s.Status == cloudservers.StatusVerifyResize
}

// pending refuses a server on which somebody's migration or resize is pending,
// and names it where the action log can be read.
func (m *mover) pending(ctx context.Context) error {
	log, err := m.log(ctx)
	m.newest = m.newestOf(log)
	return m.refuse(foundOther, err)
}

// errTouched says that a server changed before it could be asked to migrate.
var errTouched = errors.New("the server changed meanwhile")

// untouched looks at the server once more before a migrate request is sent that
// had to wait for the rate limit: meanwhile another run may have migrated it.
//
// Nothing is sent after so many failures (Limits) while it waited.
func (m *mover) untouched(ctx context.Context) error {
	if err := m.engine.fleet.admit(m); err != nil && !m.asked {
		return err
	}
	if time.Since(m.seen) <= unwatched {
		return nil
	}
	if err := m.look(ctx); err != nil { // what others read can be of before
		return m.notRead(err)
	}
	if s := m.server; !s.Settled() || s.TaskState != "" || s.Updated != m.before.Updated || s.HostID != m.before.HostID {
		return errTouched
	}
	m.before = m.server
	return nil
}

// start asks for the migration, once. How it goes on after a failure:
//
//	the request failed and …                         | then
//	--------------------------------------------------+---------------------------------------------
//	… can have been accepted                          | the evidence decides, see weigh
//	… is a conflict (409), a migration is pending     | ours by the action log: go on; somebody's: refuse;
//	                                                  | not told: undecided, if an answer was lost before
//	… is a conflict, the server is busy               | wait until it is idle, ask again
//	… is a conflict, the server is idle by now        | ask again, once
//	… was not sent: the server changed while it waited | begin again
//	… was refused in any other way                    | refuse
func (m *mover) start(ctx context.Context, turn *cloudservers.Turn) error {
	retries := m.engine.client.MaxRetries()
	idleConflicts, lost := 0, false
	for {
		acceptance, err := m.region.Migrate(ctx, m.migration.ServerID, turn, m.untouched)
		turn = nil // which it has used up
		if err == nil {
			m.migration.RequestID, m.migration.RequestedAt = acceptance.RequestID, acceptance.At
			return m.started(ctx)
		}
		var failure *cloudservers.Error
		var known *Error
		switch {
		case errors.Is(err, errTouched), errors.As(err, &known):
			return err
		case errors.As(err, &failure) && failure.MaybeAccepted():
			m.asked = true
			found, undecided := m.weigh(ctx, failure)
			switch {
			case undecided != nil:
				return undecided
			case found:
				err := m.started(ctx)
				m.doubt = m.migration.RequestID == "" // by the server alone, it could be somebody else's
				return err
			case retries == 0:
				return m.fail(KindRefused, err)
			}
			retries--
			lost = true
		case ctx.Err() == nil && failure != nil && failure.StatusCode == http.StatusConflict:
			if err := m.look(ctx); err != nil && lost {
				return m.fail(KindUndecided, failure) // the conflict may be with our own request
			} else if err != nil {
				return m.fail(KindRefused, failure)
			}
			if !moving(m.server) && m.server.Settled() && m.server.TaskState == "" {
				if idleConflicts++; idleConflicts > 1 {
					return m.fail(KindRefused, failure)
				}
			}
			if err := m.awaitIdle(ctx); err != nil {
				return err
			}
			if !moving(m.server) {
				continue
			}
			switch author := m.accepted(ctx); {
			case author == ours:
				m.migration.Adopted = !lost // else another run of the same user was quicker
				return m.started(ctx)
			case lost && author != somebodys:
				return m.fail(KindUndecided, failure)
			}
			return m.pending(ctx)
		case !m.asked && errors.Is(context.Cause(ctx), context.Canceled):
			return m.fail(KindTurn, context.Cause(ctx))
		default:
			return m.fail(KindRefused, err)
		}
	}
}

func (m *mover) started(ctx context.Context) error {
	m.migration.Status, m.migration.FlavorID = StatusMigrating, m.before.Flavor.ID
	if m.migration.RequestID == "" {
		m.accepted(ctx) // only the log can still name it
	}
	m.doubt = false
	m.milestone(ctx, "The migration was accepted")
	return nil
}

// author says whose migration the action log shows since the server was last
// seen idle.
type author int

const (
	nobodys author = iota
	ours
	somebodys
	unreadable
)

// accepted looks in the action log for a migration that was asked for since
// the server was last seen idle, and takes over its request id if it is ours.
func (m *mover) accepted(ctx context.Context) author {
	log, err := m.region.ActionLog(ctx, m.migration.ServerID)
	if err != nil {
		return unreadable
	}
	for _, entry := range log {
		if entry.Start.Before(m.before.SeenAt.Add(-clockSlack)) || m.newest != nil && m.newest.RequestID != "" && entry.RequestID == m.newest.RequestID {
			break
		}
		switch {
		case !begins(entry):
		case m.byUs(entry):
			m.migration.RequestID, m.migration.RequestedAt = entry.RequestID, entry.Start.Time
			return ours
		default:
			return somebodys
		}
	}
	return nobodys
}

// clockSlack is how far apart the clocks of the API and of its action log may be.
const clockSlack = 10 * time.Second

// byUs tells whether an entry of the action log is a migration by our user. A
// token may not name the user; then nothing is.
func (m *mover) byUs(entry cloudservers.Action) bool {
	user := m.engine.client.UserID()
	return entry.Action == cloudservers.ActionMigrate && user != "" && string(entry.UserID) == user
}

// weigh decides whether a migrate request whose answer was lost was accepted:
//
//	the action log shows …        | the server is …                 | then
//	-------------------------------+---------------------------------+-------------------------------
//	our migration                  | anything                        | accepted
//	somebody else's                | anything                        | refuse, naming it
//	none, at each of settlingLooks | settled on its host, each time  | not accepted: ask again
//	none                           | anything else                   | undecided
//	nothing: it is unreadable      | migrating, or on another host   | accepted: it was idle when asked
//	nothing: it is unreadable      | anything else                   | undecided
//
// Without a log, somebody's resize of the same moment is told by its flavor (see
// judgeMove), and somebody's migration cannot be told: it is waited for, but not
// confirmed (see prove).
func (m *mover) weigh(ctx context.Context, lost *cloudservers.Error) (found bool, err error) {
	if ctx.Err() != nil {
		return false, m.fail(KindUndecided, context.Cause(ctx))
	}
	tflog.Warn(ctx, "The answer to the migrate request was lost, looking for evidence", m.fields())
	quiet := 0
	for look := 1; ; look++ {
		author := m.accepted(ctx)
		switch author {
		case ours:
			return true, nil
		case somebodys:
			return false, m.pending(ctx)
		case nobodys, unreadable:
		}
		seen := m.look(ctx)
		if author == nobodys && seen == nil && m.server.Settled() && m.migration.whereabouts(m.server) != elsewhere {
			quiet++
		}
		began := seen == nil && (moving(m.server) || m.server.Settled() && m.migration.whereabouts(m.server) == elsewhere)
		switch {
		case quiet == settlingLooks:
			return false, nil
		case look == settlingLooks && author == unreadable && began:
			m.migration.RequestedAt = m.before.SeenAt
			return true, nil
		case look == settlingLooks:
			return false, m.fail(KindUndecided, lost)
		}
		if err := m.rest(ctx); err != nil {
			return false, m.fail(KindUndecided, err)
		}
	}
}

func (m *mover) fields() map[string]any {
	return map[string]any{
		"region":      m.migration.Region,
		"server_id":   m.migration.ServerID,
		"server_name": m.migration.ServerName,
		"request_id":  m.migration.RequestID,
		"status":      m.migration.ServerStatus,
	}
}

// milestone logs how far the migration has come, and how long after its request
// by the API's clock.
func (m *mover) milestone(ctx context.Context, what string) {
	fields := m.fields()
	if m.server != nil && !m.migration.RequestedAt.IsZero() {
		fields["after"] = max(0, m.server.SeenAt.Sub(m.migration.RequestedAt)).String()
		fields["task_state"], fields["percent"] = m.server.TaskState, m.server.Progress
	}
	tflog.Info(ctx, what, fields)
}
