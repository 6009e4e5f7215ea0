package migration

import (
	"context"
	"errors"
)

// fail makes the error of an operation.
func (o *operation) fail(kind Kind, err error) error {
	failure := &Error{
		Kind: kind, Migration: o.migration, Server: o.server, Want: o.want(), Err: err,
		Sent: o.sent != sentNothing, Unsure: o.sent == sentLost, Unverified: o.test == testFailed && kind != KindUntested,
	}
	if kind == KindPending || kind == KindUntold {
		if failure.Pending = o.moves.open(); failure.Pending == nil && kind == KindUntold {
			failure.Pending, _ = o.candidate()
		}
	}
	return failure
}

// want is the status that the operation is about to bring about: confirmed or
// reverted. It is empty while the migration is under way, and for other goals.
func (o *operation) want() Status {
	if !o.known || o.migration.Status == StatusMigrating {
		return ""
	}
	return map[goal]Status{goalConfirmed: StatusConfirmed, goalReverted: StatusReverted}[o.goal]
}

// cause is the API's error that explains an error of a kind, or nil.
func (o *operation) cause(kind Kind) error {
	switch kind {
	case KindRefused, KindUndecided, KindUnsettled:
		if o.sentBy != nil {
			return o.sentBy
		}
	case KindPending, KindUntold, KindUnproven, KindWait, KindUntested:
		return o.logErr
	case KindNotFound, KindGone:
		return o.failed
	}
	return nil
}

// kindWhenInterrupted is the kind of the error of a wait that was cancelled or timed
// out. As long as nothing was sent, it is the given kind.
func (o *operation) kindWhenInterrupted(unsent Kind) Kind {
	// Where a test has to be passed, only a confirm of our own says that it was.
	confirmed := o.goal == goalConfirmed && o.outcome() == OutcomeConfirmed && (o.test == testNone || o.test == testGate)
	reverted := o.goal == goalReverted && o.outcome() == OutcomeReverted
	settling := o.log == logRead && (confirmed || reverted)
	switch {
	case o.goal == goalObserved:
		return KindAPI
	case o.test == testFailed && o.migration.Status == StatusConfirmed:
		return KindUnverified
	case o.known && (o.sent == sentAccepted || o.sent == sentLost || settling):
		return KindSettling
	case o.known && unsent != KindWait:
		return KindInterrupted
	case !o.known && o.sent == sentLost:
		return KindUndecided
	}
	return unsent
}

// interrupted is the error of an operation whose context has ended. The given kind is
// that of an operation that has sent nothing. If the API refused the request until the
// timeout, that refusal is the error.
func (o *operation) interrupted(unsent Kind, cause error) error {
	if unsent == KindAPI && o.server != nil && stateOf(o.server) == serverBusy {
		unsent = KindBusy
	}
	kind, cause := o.kindWhenInterrupted(unsent), errors.Join(cause, o.failed)
	if o.sentBy != nil && o.sent == sentNothing && !errors.Is(cause, context.Canceled) {
		kind, cause = KindRefused, errors.Join(cause, o.sentBy)
		if o.known {
			kind = KindUnsettled
		}
	}
	return o.fail(kind, cause)
}
