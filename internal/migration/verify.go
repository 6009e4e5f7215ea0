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
	if o.known || o.sent != sentNothing || o.verify == nil || o.verify.Preflight == 0 {
		return false
	}
	return o.passed == nil || o.passed.HostID != o.server.HostID || o.passed.Status != o.server.Status
}

// preflight tests the server on its present host, before its migration is requested. A
// migration that is to be taken over has no preflight.
func (o *operation) preflight(ctx context.Context, next step) error {
	if next.do == doTakeOver {
		return nil
	}
	if o.server.Status == cloudservers.StatusShutoff {
		return o.fail(KindPreflight, nil)
	}
	plan := o.verify.Plan
	plan.Timeout = o.verify.Preflight
	result, err := o.runPlan(ctx, plan, "before the move")
	switch {
	case err != nil:
		return o.interrupted(KindPreflight, err)
	case result.Passed:
		o.passed = o.server
		return nil
	}
	o.migration.VerificationResult = &result
	return o.fail(KindPreflight, nil)
}

// runPlan tests the server. It reports each round and the result.
func (o *operation) runPlan(ctx context.Context, plan verification.Plan, where string) (verification.Result, error) {
	plan.OnRound = o.reportRounds(ctx, where)
	result, err := plan.Run(ctx, o.server.Address())
	switch {
	case err != nil:
	case result.Passed:
		o.report(ctx, "passed its tests "+where)
	default:
		for _, check := range result.Failed() {
			fields := o.fields()
			fields["check"], fields["target"], fields["attempts"], fields["error"] = check.Name, check.Target, check.Attempts, check.LastError
			tflog.Warn(ctx, "The server did not pass a check", fields)
		}
	}
	return result, err
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
	result, err := o.runPlan(ctx, o.verify.Plan, "on its new host")
	o.migration.VerificationResult = &result
	if err != nil {
		return step{}, o.fail(KindTesting, err)
	}
	o.noteTest(result.Passed, o.verify.Revert && o.test == testDue, ended)
	return step{do: doLook}, nil
}

// hasReverted tells whether a migration that is reverted was reverted by the
// operation's own request, as far as the action log names users.
func (o *operation) hasReverted() bool {
	by := o.migration.SettledBy
	return (o.sent == sentAccepted || o.sent == sentLost) && (by == "" || o.userID == "" || by == o.userID)
}
