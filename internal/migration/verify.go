package migration

import (
	"context"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/verification"
)

// Verification is what a moved server has to pass before its migration is
// confirmed.
type Verification struct {
	Plan   verification.Plan
	Revert bool // a migration whose server does not pass is reverted, else it is left awaiting
}

// runTest tests the moved server. ended is how the migration has ended already,
// if it has.
func (o *operation) runTest(ctx context.Context, ended Status) (step, error) {
	o.noteEnd(ended)
	o.milestone(ctx, "The moved server is being tested")
	result, err := o.verify.Plan.Run(ctx, o.server.Address())
	o.migration.VerificationResult = &result
	switch {
	case err != nil:
		return step{}, o.fail(KindTesting, err)
	case result.Passed:
		if o.test == testDue {
			o.test = testPassed
		} else {
			o.test = testNone
		}
		o.milestone(ctx, "The moved server has passed its tests")
	default:
		o.test = testFailed
		o.logFailedChecks(ctx, result)
		if o.verify.Revert && !ended.Settled() {
			o.goal, o.rollback = goalReverted, true
		}
	}
	return step{do: doLook}, nil
}

func (o *operation) logFailedChecks(ctx context.Context, result verification.Result) {
	for _, check := range result.Failed() {
		fields := o.fields()
		fields["check"], fields["target"], fields["attempts"], fields["error"] = check.Name, check.Target, check.Attempts, check.LastError
		tflog.Warn(ctx, "The moved server did not pass a check", fields)
	}
}
