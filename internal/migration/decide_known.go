package migration

// decideKnown is asked after a look at a known migration and at the log. First,
// what became of the migration:
//
//	the server is …       | the log says …                | its host is …  | so the migration
//	-----------------------+-------------------------------+----------------+---------------------------
//	gone                  |                               |                | stop: Gone
//	deleting              |                               |                | look more
//	any; a newer move has | failed, confirmed, reverted   |                | is that
//	begun                 |                               |                |
//	any                   | ended                         |                | stop: UnknownEnd
//	resting, busy, other, | failed, confirmed, reverted   |                | is that
//	error, goal is seen   |                               |                |
//	resting               | else; a confirm was accepted  | not the old one| is confirmed
//	                      | else; a revert was accepted   | not a new one  | is reverted
//	                      | nothing of it; open, though a |                | p: stop: UnknownEnd
//	                      | request was accepted          |                |
//	                      | unreadable, and ours can have |                | p: stop: Wait
//	                      | been replaced, or a request   |                |
//	                      | was accepted                  |                |
//	                      | else                          | the old one    | p: is reverted if it was seen
//	                      |                               |                |    to await, else failed
//	                      | open; unreadable, but proven by| a new one     | p: is confirmed
//	                      | host and flavor               |                |
//	                      | unreadable                    | not the old one| p: stop: Wait
//	                      | open                          | not told       | p: stop: UnknownEnd
//	error                 | failed, confirmed, reverted   |                | stop: Failed, with that end
//	error                 | nothing of it                 |                | p: stop: UnknownEnd
//	                      | unreadable, and ours can have |                | p: stop: Wait
//	                      | been replaced, or has awaited |                |
//	                      | open, and it has awaited      |                | p: stop: Failed, status as it was
//	                      | else                          |                | p: stop: Failed, failed
//	failing               |                               |                | p: as error
//	awaiting              | open; unreadable, but proven  | not the old one| awaits, see awaiting
//	                      | by host and flavor            |                |
//	                      | open                          | the old one    | p: awaits, see awaiting
//	                      | confirmed, reverted           |                | wait: it is on its way
//	                      | unreadable                    |                | stop: Unproven
//	                      | failed                        |                | p: failed
//	                      | nothing of it                 |                | p: stop: Unproven
//	moving                | failed                        |                | p: failed
//	anything else         |                               |                | wait
//
// With the goal to see, an error without a failed entry is no conclusion, nor is
// what is not proven.
func decideKnown(s situation) step {
	still := s.server == serverResting || s.server == serverBusy || s.server == serverOther
	byLog := Status(s.log)
	told := byLog.Settled()
	switch {
	case s.server == serverGone:
		return stop(KindGone)
	case s.server == serverDeleting:
		return step{do: doLookMore}
	case told && (s.newer || still || s.server == serverError && s.goal == goalObserved):
		return concluded(s, byLog)
	case s.log == OutcomeEnded:
		return stop(KindUnknownEnd)
	}
	switch s.server {
	case serverResting:
		return decideResting(s)
	case serverFailing, serverError:
		switch {
		case s.goal == goalObserved:
			return step{do: doWait}
		case told && s.server == serverError:
			return step{doStop, byLog, KindFailed}
		case told:
			return s.proven(step{doStop, byLog, KindFailed})
		case s.log == logNothing:
			return s.proven(stop(KindUnknownEnd))
		case s.log == logUnreadable && (s.mayBeReplaced || s.hasAwaited):
			return s.proven(stop(KindWait))
		case s.hasAwaited && s.log == OutcomeOpen: // it did move, and a reset of the server's state can bring it back
			return s.proven(stop(KindFailed))
		}
		return s.proven(step{doStop, StatusFailed, KindFailed})
	case serverMoving:
		if s.log == OutcomeFailed {
			return s.proven(concluded(s, StatusFailed))
		}
	case serverAwaiting:
		ours := s.log == OutcomeOpen || s.log == logUnreadable && s.shownByServer
		switch {
		case ours && s.host != hostSource:
			return awaiting(s)
		case s.log == OutcomeOpen:
			return s.proven(awaiting(s))
		case s.log == OutcomeFailed:
			return s.proven(concluded(s, StatusFailed))
		case s.log == logUnreadable:
			return step{doStop, StatusAwaiting, KindUnproven}
		case s.log == logNothing:
			return s.proven(step{doStop, StatusAwaiting, KindUnproven})
		}
	}
	return step{do: doWait}
}

// decideResting is about a known migration whose server is ACTIVE or SHUTOFF,
// while the log does not say that it has ended. See decideKnown.
func decideResting(s situation) step {
	accepted := s.sent == sentAccepted
	switch {
	case accepted && s.goal == goalConfirmed && s.host != hostSource:
		return concluded(s, StatusConfirmed)
	case accepted && s.goal == goalReverted && s.host != hostElsewhere:
		return concluded(s, StatusReverted)
	case s.log == logNothing, s.log == OutcomeOpen && accepted:
		return s.proven(stop(KindUnknownEnd))
	case s.log == logUnreadable && (s.mayBeReplaced || accepted):
		return s.proven(stop(KindWait))
	case s.host == hostSource && s.hasAwaited:
		return s.proven(concluded(s, StatusReverted))
	case s.host == hostSource:
		return s.proven(concluded(s, StatusFailed))
	case s.host == hostElsewhere && (s.log == OutcomeOpen || s.shownByServer):
		return s.proven(concluded(s, StatusConfirmed))
	case s.log == logUnreadable:
		return s.proven(stop(KindWait))
	}
	return s.proven(stop(KindUnknownEnd))
}

// awaiting is about a migration that awaits confirmation and is proven to be ours:
//
//	goal      | the test …     | the request …         | then
//	-----------+----------------+-----------------------+--------------------------------------
//	seen      |                |                       | finish: awaiting
//	moved,    | is due         |                       | test
//	confirmed |                |                       |
//	moved     |                |                       | finish: awaiting
//	confirmed | has failed     |                       | stop: Unverified
//	confirmed,|                | was not sent          | confirm, or revert
//	reverted  |                | was accepted, and the | wait
//	          |                | log is unreadable     |
//	          |                | was accepted, or its  | p: it had no effect: send it again,
//	          |                | answer was lost       |    or stop: Unsettled without a retry
//	          |                | was refused           | p: stop: Unsettled
func awaiting(s situation) step {
	send := step{do: doConfirm}
	switch {
	case s.goal == goalObserved:
		return finish(StatusAwaiting)
	case s.goal == goalReverted:
		send = step{do: doRevert}
	case s.test == testDue, s.test == testGate:
		return step{do: doTest}
	case s.goal == goalMoved:
		return finish(StatusAwaiting)
	case s.test == testFailed:
		return stop(KindUnverified)
	}
	switch {
	case s.sent == sentNothing:
		return send
	case s.sent == sentAccepted && s.log == logUnreadable:
		return step{do: doWait}
	case s.sent != sentRefused && s.retry:
		return s.proven(send)
	}
	return s.proven(stop(KindUnsettled))
}

// concluded is about a migration that has ended:
//
//	goal      | it is …   | the test …       | then
//	-----------+-----------+------------------+-------------------
//	seen      |           |                  | finish: as it is
//	moved,    | confirmed | is due, passed   | stop: Untested, if no confirm
//	confirmed |           | or failed        | was sent and a newer move has
//	          |           |                  | begun
//	          |           | passed           | stop: Untested, if no confirm
//	          |           |                  | was sent and the log is
//	          |           |                  | unreadable
//	          |           | is due           | test
//	confirmed | confirmed | has failed       | stop: Unverified
//	moved,    | confirmed |                  | finish: confirmed
//	confirmed | reverted  |                  | stop: Reverted
//	          | failed    |                  | stop: Failed
//	reverted  | confirmed |                  | stop: Confirmed
//	          | reverted, |                  | finish: as it is
//	          | failed    |                  |
func concluded(s situation, status Status) step {
	switch {
	case s.goal == goalObserved:
	case s.goal == goalReverted && status == StatusConfirmed:
		return step{doStop, status, KindConfirmed}
	case s.goal == goalReverted:
	case status == StatusReverted:
		return step{doStop, status, KindReverted}
	case status == StatusFailed:
		return step{doStop, status, KindFailed}
	case s.sent == sentNothing && s.newer && (s.test == testDue || s.test == testPassed || s.test == testFailed),
		s.sent == sentNothing && s.log == logUnreadable && s.test == testPassed: // else the look before the confirm has proven it
		return step{doStop, status, KindUntested}
	case s.test == testDue:
		return step{do: doTest, status: status}
	case s.goal == goalConfirmed && s.test == testFailed:
		return step{doStop, status, KindUnverified}
	}
	return finish(status)
}
