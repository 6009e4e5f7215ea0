package migration

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/verification"
)

// Verification is what a moved server has to pass before its migration is
// confirmed.
type Verification struct {
	Plan   verification.Plan
	Revert bool // a migration whose server does not pass is reverted, else it is left awaiting
}

// confirm confirms a migration that awaits it, once its server has passed what
// it is tested with. What the server does not pass is never confirmed.
func (m *mover) confirm(ctx context.Context, test *Verification) error {
	if test != nil {
		err := m.verify(ctx, test)
		if err != nil || m.migration.Status.Settled() {
			return err
		}
	}
	return m.conclude(ctx, StatusConfirmed)
}

// recheck finds out what others did to the migration while its server was
// tested, which can have taken minutes.
func (m *mover) recheck(ctx context.Context) error {
	err := m.refresh(ctx, m.look)
	var failure *Error
	switch {
	case errors.As(err, &failure) && failure.Kind == KindAPI:
		return m.fail(KindWait, failure.Err)
	case err != nil:
		return err
	case m.migration.Status == StatusReverted:
		return m.fail(KindReverted, nil)
	case !m.migration.Status.Settled():
		m.doubt = true
		return m.learn(ctx)
	}
	return nil
}

func (m *mover) verify(ctx context.Context, test *Verification) error {
	m.milestone(ctx, "The moved server is being tested")
	result, err := test.Plan.Run(ctx, m.server.Address())
	m.migration.Verification = &result
	if err != nil {
		return m.fail(KindTesting, err)
	}
	if result.Passed {
		m.milestone(ctx, "The moved server has passed its tests")
		return m.recheck(ctx)
	}
	for _, check := range result.Failed() {
		fields := m.fields()
		fields["check"], fields["target"], fields["attempts"], fields["error"] = check.Name, check.Target, check.Attempts, check.LastError
		tflog.Warn(ctx, "The moved server did not pass a check", fields)
	}
	if err := m.recheck(ctx); err != nil || m.migration.Status.Settled() {
		return err
	}
	if !test.Revert {
		return m.fail(KindUnverified, nil)
	}
	if err := m.conclude(ctx, StatusReverted); err != nil {
		return err
	}
	return m.fail(KindRolledBack, nil)
}
