package migration

import (
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
)

// situation is what a decision is made from.
func (w *work) situation() situation {
	s := situation{
		goal: w.goal, known: w.known, sent: w.sent, test: w.test, hasAwaited: w.hasAwaited,
		server: serverGone, host: w.serverHost(), retry: w.retries > 0,
	}
	if w.server != nil {
		s.server = stateOf(w.server)
		s.shownByServer, s.mayBeReplaced, s.unchangedForLong = w.isShownByServer(), w.known && w.mayBeReplaced, w.server.Idle() > takeOverWindow
		if !w.canHaveBegun() && w.server.OnMetal() {
			s.server = serverOnMetal
		}
	}
	if !w.known && w.sent == sentRefused {
		s.retry = w.conflicts < 2
	}
	inError := s.server == serverFailing || s.server == serverError // so that a confirm or revert that the log has told of can have failed since
	switch {
	case w.log == logNotAsked:
		s.log = logUnread
		return s
	case w.log == logRefused && w.knownEnd != logUnread && (w.knownEnd == OutcomeFailed || !inError):
		s.log = w.knownEnd // an end that the log has told once; what began since then it cannot tell
		s.newer = w.test == testPassed && w.sent == sentNothing
	case w.log == logRefused:
		s.log = logUnreadable
	case w.known:
		s.log = w.outcome()
		s.newer = s.log != logNothing && w.moves.newerThan(isOfRequest(w.migration.RequestID)).first(func(m Move) bool { return m.Outcome != OutcomeFailed }) != nil
	default:
		_, s.log = w.candidate()
	}
	s.proof = w.isProof(s)
	if s.log == logOther && s.server == serverResting && s.proof { // somebody's move is over, so ours before it counts
		w.otherIsOver = w.moves.open().RequestID
		if _, before := w.candidate(); before != logNothing {
			s.log = before
		}
	}
	return s
}

// isProof counts the looks that show the same, and tells whether that is proof.
func (w *work) isProof(s situation) bool {
	if s != w.shown {
		w.shown, w.since, w.looks = s, w.observed, 0
	}
	w.looks++
	needed := proofTime
	if w.sent == sentLost {
		needed += effectTime
	}
	return w.looks >= proofLooks && w.observed.Sub(w.since) >= needed
}

// isShownByServer tells whether the server alone proves that its move is our migration.
// Its host and flavor do, and the time at which it came there, where the cloud tells
// that. For a refresh without a log, the host is enough until ConfirmBy. Without a
// known confirm window it is never enough, and the log is read.
func (w *work) isShownByServer() bool {
	s, m := w.server, w.migration
	there := m.DestinationHostID != "" && s.HostID == m.DestinationHostID
	if m.LaunchedAt != "" && s.LaunchedAt != "" && m.LaunchedAt != s.LaunchedAt || w.mayBeReplaced {
		return false
	}
	if w.log == logNotAsked {
		return there && s.SeenAt.Before(m.ConfirmBy())
	}
	named := m.RequestID != "" || w.before != nil // else it comes from a state that does not name it
	there = there || m.DestinationHostID == "" && w.serverHost() == hostElsewhere && stateOf(s) == serverResting
	return there && named && m.FlavorID != "" && s.Flavor.ID == m.FlavorID
}

// serverHost is what host ids tell about the server.
func (w *work) serverHost() hostState {
	source, destination := w.migration.SourceHostID, w.migration.DestinationHostID
	if !w.known && w.before != nil {
		source = w.before.HostID
	}
	switch {
	case w.server == nil || w.server.HostID == "" || source != "" && source == destination:
		return hostUnknown
	case w.server.HostID == source:
		return hostSource
	case w.server.HostID == destination, destination == "" && source != "":
		return hostElsewhere
	}
	return hostUnknown
}

// stateOf is what a look at a server shows.
func stateOf(s *cloudservers.Server) serverState {
	switch s.Status {
	case cloudservers.StatusDeleted, cloudservers.StatusSoftDeleted:
		return serverGone
	case cloudservers.StatusActive, cloudservers.StatusShutoff:
		switch s.TaskState {
		case "":
			return serverResting
		case cloudservers.TaskDeleting, cloudservers.TaskSoftDeleting:
			return serverDeleting
		}
		return serverBusy
	case cloudservers.StatusResize, cloudservers.StatusResizing, cloudservers.StatusMigrating:
		return serverMoving
	case cloudservers.StatusVerifyResize:
		if s.TaskState == "" {
			return serverAwaiting
		}
		return serverSettling
	case cloudservers.StatusRevertResize:
		return serverReverting
	case cloudservers.StatusError:
		if s.TaskState != "" && s.Fault == nil {
			return serverFailing
		}
		return serverError
	}
	return serverOther
}
