package migration

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/verification"
)

// Verification is what a server has to pass before it is moved, and again before
// its migration is confirmed.
type Verification struct {
	Plan      verification.Plan
	Revert    bool          // a migration whose server does not pass is reverted, else it is left awaiting
	Preflight time.Duration // how long the server may take to pass before it is moved; 0 moves it without
}

// needsPreflight tells whether the server has to be tested before its migration is
// requested. It has to be tested again if it was moved or stopped since, while it
// waited for its turn at the rate limit.
func (o *operation) needsPreflight() bool {
	switch {
	case o.known, o.sent != sentNothing, o.verify == nil, o.verify.Preflight == 0:
		return false
	case o.passed == nil:
		return true
	}
	return o.passed.HostID != o.server.HostID || o.passed.Status != o.server.Status
}

// preflight tests the server on its present host, before its migration is requested. A
// migration that is to be taken over has no preflight.
func (o *operation) preflight(ctx context.Context, next step) error {
	o.needsNoTurn = false
	if next.do == doTakeOver {
		return nil
	}
	if o.server.Status == cloudservers.StatusShutoff {
		return o.fail(KindPreflight, nil)
	}
	plan, tested := o.verify.Plan, o.server
	plan.Timeout, plan.OnRound = o.verify.Preflight, o.reportRounds(ctx, "before the move,")
	result, err := plan.Run(ctx, o.server.Address())
	switch {
	case err != nil:
		return o.interruptedBefore(KindPreflight, err)
	case result.Passed:
		o.passed = tested
		o.report(ctx, "passed its tests before the move")
		return nil
	}
	o.logFailedChecks(ctx, result)
	o.migration.VerificationResult = &result
	return o.fail(KindPreflight, nil)
}

// toTest sets the test of the operation, and what depends on it. A nil test sets none.
func (o *operation) toTest(test *Verification, due testState) {
	if o.verify = test; test != nil {
		o.test = due
	}
}

// runTest tests the moved server. ended is the status of a migration that has ended
// before the test, else empty.
func (o *operation) runTest(ctx context.Context, ended Status) (step, error) {
	o.noteEnd(ended)
	plan := o.verify.Plan
	plan.OnRound = o.reportRounds(ctx, "on its new host,")
	result, err := plan.Run(ctx, o.server.Address())
	o.migration.VerificationResult = &result
	switch {
	case err != nil:
		return step{}, o.fail(KindTesting, err)
	case result.Passed:
		o.report(ctx, "passed its tests on its new host")
	default:
		o.logFailedChecks(ctx, result)
	}
	o.noteTest(result.Passed, o.verify.Revert, ended)
	return step{do: doLook}, nil
}

// hasReverted tells whether a migration that is reverted was reverted by the
// operation's own request, as far as the action log names users.
func (o *operation) hasReverted() bool {
	by := o.migration.SettledBy
	return (o.sent == sentAccepted || o.sent == sentLost) && (by == "" || o.userID == "" || by == o.userID)
}

func (o *operation) logFailedChecks(ctx context.Context, result verification.Result) {
	for _, check := range result.Failed() {
		fields := o.fields()
		fields["check"], fields["target"], fields["attempts"], fields["error"] = check.Name, check.Target, check.Attempts, check.LastError
		tflog.Warn(ctx, "The server did not pass a check", fields)
	}
}
