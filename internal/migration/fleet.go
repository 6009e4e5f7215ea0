package migration

import (
	"context"
	"errors"
	"slices"
	"sync"

	"golang.org/x/sync/semaphore"
)

// Limits bound what the migrations of one run do together. Zero means no limit.
type Limits struct {
	Concurrent int // migrations under way at once, from the migrate request until they are settled or await confirmation
	Failures   int // failed migrations, after which no further one starts
}

// fleet holds the migrations of one run to their limits.
type fleet struct {
	turns    *semaphore.Weighted // nil without a limit; serves in order of arrival
	failures int

	mu     sync.Mutex
	failed []*Error
}

func newFleet(limits Limits) *fleet {
	f := &fleet{failures: limits.Failures}
	if limits.Concurrent > 0 {
		f.turns = semaphore.NewWeighted(int64(limits.Concurrent))
	}
	return f
}

// run runs the operation of a migration when its turn has come. Until then nothing
// is sent for its server.
func (f *fleet) run(ctx context.Context, o *operation) error {
	if f.turns != nil {
		if !f.turns.TryAcquire(1) {
			o.report(ctx, "waiting for its turn")
			if f.turns.Acquire(ctx, 1) != nil {
				return o.fail(KindTurn, context.Cause(ctx))
			}
		}
		defer f.turns.Release(1)
	}
	if err := f.admit(o); err != nil {
		return err
	}
	err := o.run(ctx)
	failed := err
	if err == nil && o.test == testFailed { // without AutoConfirm that is no error
		failed = o.fail(KindUnverified, nil)
	}
	f.note(failed)
	return err
}

// admit lets a migration start, unless so many others have failed.
func (f *fleet) admit(o *operation) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failures == 0 || len(f.failed) < f.failures {
		return nil
	}
	return &Error{Kind: KindStopped, Migration: o.migration, Failures: slices.Clone(f.failed)}
}

// note counts a migration that failed.
func (f *fleet) note(err error) {
	var failure *Error
	if !errors.As(err, &failure) || !counts(failure) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = append(f.failed, failure)
}

// counts tells whether a failure counts for Limits.Failures. A migration that was
// cancelled does not, nor one that was refused before anything was sent to its server.
// A moved server that did not pass its test counts, whatever happened after that.
func counts(failure *Error) bool {
	switch failure.Kind {
	case KindRefused, KindUndecided, KindFailed, KindReverted, KindGone, KindWait, KindUnsettled, KindUnproven, KindUnknownEnd, KindUnverified, KindUntested, KindRolledBack:
		return true
	case KindInterrupted, KindTesting:
		return failure.Unverified || failure.TimedOut()
	}
	return failure.Unverified
}
