package migration

// goal is what the caller of an operation wants.
type goal int

const (
	goalMoved     goal = iota // the server has moved and was tested; confirming is left to others
	goalConfirmed             // the migration is confirmed
	goalReverted              // the migration is reverted
	goalObserved              // nothing: only to know how far the migration has come
)

// serverState is what one look at a server shows.
type serverState int

const (
	serverGone      serverState = iota // 404, DELETED or SOFT_DELETED
	serverDeleting                     // ACTIVE or SHUTOFF, with the task of a deletion
	serverOnMetal                      // a physical machine, before anything was sent to it
	serverResting                      // ACTIVE or SHUTOFF, without a task
	serverBusy                         // ACTIVE or SHUTOFF, with another task
	serverMoving                       // RESIZE, RESIZING, MIGRATING
	serverAwaiting                     // VERIFY_RESIZE, without a task
	serverSettling                     // VERIFY_RESIZE, with a task
	serverReverting                    // REVERT_RESIZE
	serverFailing                      // ERROR, with a task and without a fault: the fault comes a moment later
	serverError                        // ERROR
	serverOther                        // any other status
)

// hostState is where a server is, as far as host ids tell.
type hostState int

const (
	hostUnknown   hostState = iota
	hostSource              // where it was before the migration
	hostElsewhere           // where the migration brought it, or at least not where it was
)

// What an action log can say beside the outcome of a move.
const (
	logUnread     Outcome = ""           // only a poll was made
	logUnreadable Outcome = "unreadable" // the API does not hand it out
	logNothing    Outcome = "nothing"    // it does not have the migration, or nothing is to be taken over
	logOther      Outcome = "other"      // nothing is to be taken over, and a move that is not ours is open
)

// sentState is what became of the last request to migrate or, once the migration
// is known, to confirm or revert.
type sentState int

const (
	sentNothing sentState = iota
	sentAccepted
	sentLost    // its answer was lost: it may have been accepted
	sentRefused // with a conflict: 409, or 400 to a confirm or revert
)

// testState is how far the verification of the moved server has come.
type testState int

const (
	testNone   testState = iota // there is none
	testGate                    // it has to pass before a confirm is sent; a server that does not pass is not reverted
	testDue                     // it has to pass before a confirm is sent and before a success is reported
	testPassed                  // the server passed, while nothing else had begun on it as far as was seen
	testFailed                  // the server did not pass: only reported where the goal is moved
)

// situation is all that a decision depends on. Before a migration is known, the log is
// about the migration that could be taken over, or else about what is in the way.
type situation struct {
	goal             goal
	known            bool // the migration is known: accepted, taken over, or from the state
	sent             sentState
	server           serverState
	host             hostState
	log              Outcome
	newer            bool // a move began after ours, so that what the server does may be that one's
	shownByServer    bool // without a log: host, flavor and status together prove that it is our migration
	mayBeReplaced    bool // another migration can have replaced ours unseen
	unchangedForLong bool // without a log: the server has not changed for as long as a migration can be taken over
	hasAwaited       bool // our migration was seen to await confirmation
	proof            bool // the same was seen several times, over at least proofTime
	test             testState
	retry            bool // a request that had no effect may be sent again
}

// action is what an operation does next.
type action int

const (
	doLook     action = iota // read the server and its action log now
	doLookMore               // the same, in a while: it is not proven yet
	doWait                   // poll until the server changes
	doMigrate
	doTakeOver // go on with the migration that the log has
	doTest     // run the verification
	doConfirm
	doRevert
	doFinish // the end, with a status
	doStop   // the end, with an error of a kind
)

// step is a decision.
type step struct {
	do     action
	status Status // with doFinish, and with a doStop after which it is known
	kind   Kind   // with doStop
}

func finish(status Status) step { return step{do: doFinish, status: status} }
func stop(kind Kind) step       { return step{do: doStop, kind: kind} }

// proven is a step that is taken only when what was seen is proven to last.
func (s situation) proven(then step) step {
	if !s.proof {
		return step{do: doLookMore}
	}
	return then
}

// decide says what comes next. It is the only place where that is decided. In the
// tables, the first row that fits holds, an empty column fits everything, and
// "p:" marks what needs proof: without it, the server and its log are read again.
func decide(s situation) step {
	switch {
	case !s.known && s.sent == sentLost:
		return decideLost(s)
	case !s.known:
		return decideStart(s)
	case s.log == logUnread:
		return decidePoll(s)
	default:
		return decideKnown(s)
	}
}

// decideStart is asked before a migration is known, and nothing can have been
// accepted:
//
//	the server is …        | the log has …              | then
//	------------------------+----------------------------+-------------------------------------------
//	gone                   |                            | stop: NotFound
//	OnMetal                |                            | stop: OnMetal
//	resting                | nothing to take over       | migrate; stop: Refused after two conflicts
//	                       | ours, confirmed lately     | take over
//	                       | ours, open or ended        | p: stop: Untold
//	                       | somebody's, open           | p: migrate, as above
//	                       | unreadable, unchanged long | migrate, as above
//	                       | unreadable                 | stop: Untold
//	busy                   |                            | wait
//	reverting              |                            | stop: Pending
//	moving, awaiting,      | ours, open                 | take over
//	settling               | ours, confirmed; not moving| take over
//	                       | somebody's; unreadable     | stop: Pending
//	                       | anything else              | p: stop: Pending
//	anything else          |                            | stop: Status
func decideStart(s situation) step {
	migrate := step{do: doMigrate}
	if s.sent == sentRefused && !s.retry {
		migrate = stop(KindRefused)
	}
	switch s.server {
	case serverGone:
		return stop(KindNotFound)
	case serverOnMetal:
		return stop(KindOnMetal)
	case serverBusy:
		return step{do: doWait}
	case serverReverting:
		return stop(KindPending)
	case serverResting:
		switch s.log {
		case OutcomeConfirmed:
			return step{do: doTakeOver}
		case OutcomeOpen, OutcomeEnded:
			return s.proven(stop(KindUntold))
		case logOther:
			return s.proven(migrate)
		case logUnreadable:
			if !s.unchangedForLong {
				return stop(KindUntold)
			}
		}
		return migrate
	case serverMoving, serverAwaiting, serverSettling:
		switch {
		case s.log == OutcomeOpen, s.log == OutcomeConfirmed && s.server != serverMoving:
			return step{do: doTakeOver}
		case s.log == logOther, s.log == logUnreadable:
			return stop(KindPending)
		}
		return s.proven(stop(KindPending))
	}
	return stop(KindStatus)
}

// decideLost is asked after a migrate request whose answer was lost, while the log
// does not name a new migration of ours:
//
//	the server is …            | the log has …       | then
//	----------------------------+---------------------+----------------------------------------------
//	gone                       |                     | p: stop: Gone
//	resting where it was       | nothing new         | p: it had no effect: migrate again,
//	                           |                     |    or stop: Refused without a retry
//	moving, awaiting, settling,| somebody's, open    | p: stop: Pending
//	reverting                  |                     |
//	anything else              |                     | p: stop: Undecided
func decideLost(s situation) step {
	switch {
	case s.server == serverGone:
		return s.proven(stop(KindGone))
	case s.server == serverResting && s.host == hostSource && s.log == logNothing:
		if s.retry {
			return s.proven(step{do: doMigrate})
		}
		return s.proven(stop(KindRefused))
	case s.log == logOther && s.server >= serverMoving && s.server <= serverReverting:
		return s.proven(stop(KindPending))
	}
	return s.proven(stop(KindUndecided))
}

// decidePoll is asked after a poll of a known migration. It draws only the
// conclusions that need no log:
//
//	goal              | the server is … | its host is …     | the request was … | then
//	-------------------+-----------------+-------------------+-------------------+------------------
//	                  | gone            |                   |                   | stop: Gone
//	                  | moving,         |                   |                   | wait
//	                  | settling,       |                   |                   |
//	                  | reverting       |                   |                   |
//	seen              | awaiting        | that of ours      |                   | finish: awaiting
//	confirmed         | resting         | another one       | accepted          | it is confirmed
//	reverted          | resting         | the old one       | accepted          | it is reverted
//	anything else     |                 |                   |                   | look
func decidePoll(s situation) step {
	switch s.server {
	case serverGone:
		return stop(KindGone)
	case serverMoving, serverSettling, serverReverting:
		return step{do: doWait}
	case serverAwaiting:
		if s.goal == goalObserved && s.shownByServer {
			return finish(StatusAwaiting)
		}
	case serverResting:
		switch {
		case s.sent != sentAccepted:
		case s.goal == goalConfirmed && s.host == hostElsewhere:
			return concluded(s, StatusConfirmed)
		case s.goal == goalReverted && s.host == hostSource:
			return concluded(s, StatusReverted)
		}
	}
	return step{do: doLook}
}
