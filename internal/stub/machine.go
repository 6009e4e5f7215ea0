package stub

import "time"

// Timing says how long each step takes. The comments say what status and task state the
// server shows during the step.
type Timing struct {
	Prepare  time.Duration // RESIZE, resize_prep
	Migrate  time.Duration // RESIZE, resize_migrating
	Migrated time.Duration // RESIZE, resize_migrated, on the new host already
	Finish   time.Duration // RESIZE, resize_finish

	NoValidHost time.Duration // RESIZE, resize_prep, until no host was found for the server
	Failing     time.Duration // ERROR, with the task state of the step that failed, until the fault is shown

	ConfirmStale   time.Duration // VERIFY_RESIZE, after a confirm was accepted
	RevertOnNew    time.Duration // REVERT_RESIZE on the new host
	RevertOnOld    time.Duration // REVERT_RESIZE on the original host
	RevertPowerOff time.Duration // a stopped server: VERIFY_RESIZE, powering-off, on the original host
	Deleting       time.Duration // ACTIVE, deleting or soft-deleting
}

// ObservedTiming is how long the steps were seen to take.
func ObservedTiming() Timing {
	return Timing{
		Prepare: 900 * time.Millisecond, Migrate: 3 * time.Second, Migrated: 300 * time.Millisecond, Finish: 3 * time.Second,
		NoValidHost: 400 * time.Millisecond, Failing: 500 * time.Millisecond,
		ConfirmStale: 500 * time.Millisecond,
		RevertOnNew:  time.Second, RevertOnOld: 2 * time.Second, RevertPowerOff: 500 * time.Millisecond,
		Deleting: 500 * time.Millisecond,
	}
}

// Scaled returns the timing of a cloud that is faster by a factor.
func (t Timing) Scaled(speed float64) Timing {
	for _, d := range []*time.Duration{
		&t.Prepare, &t.Migrate, &t.Migrated, &t.Finish, &t.NoValidHost, &t.Failing,
		&t.ConfirmStale, &t.RevertOnNew, &t.RevertOnOld, &t.RevertPowerOff, &t.Deleting,
	} {
		*d = time.Duration(float64(*d) / speed)
	}
	return t
}

// timing is how long the steps of a server's migration take.
func (s *Stub) timing(v *server) Timing {
	if v.Timing != (Timing{}) {
		return v.Timing
	}
	return s.config.Timing
}

// step is a change that happens to a server at a time.
type step struct {
	at      time.Time
	apply   func(v *server, at time.Time)
	blocked func(v *server) bool // while it returns true, the cloud tries the step again every minute; nil: always false
}

// advance applies the steps that are due.
func (v *server) advance(now time.Time) {
	for len(v.steps) > 0 && !v.steps[0].at.After(now) {
		next := &v.steps[0]
		if next.blocked != nil && next.blocked(v) {
			next.at = next.at.Add(time.Minute)
			continue
		}
		v.steps = v.steps[1:]
		next.apply(v, next.at)
		v.updated = next.at
		v.remember(next.at)
	}
}

// plan lists what happens to a server, each step after the one before.
type plan struct {
	at    time.Time
	steps []step
}

func (p *plan) then(after time.Duration, apply func(v *server, at time.Time)) {
	p.at = p.at.Add(after)
	p.steps = append(p.steps, step{at: p.at, apply: apply})
}

// begin replaces the steps that are still ahead of a server by those of a plan.
func (v *server) begin(p *plan, now time.Time) {
	v.steps = p.steps
	v.updated = now
	v.remember(now)
	v.advance(now)
}

func (v *server) become(status, vm, task string) {
	v.Status, v.VMState, v.TaskState = status, vm, task
}

// becomeIdle ends what was done to a server: it is ACTIVE or SHUTOFF.
func (v *server) becomeIdle(stopped bool) {
	if stopped {
		v.become(statusShutoff, vmStopped, "")
		return
	}
	v.become(statusActive, vmActive, "")
}

// becomeFailed leaves a server in ERROR, with a fault.
func (v *server) becomeFailed(at time.Time) {
	v.become(statusError, vmError, "")
	v.fault = object{"code": 500, "created": at.Format(time.RFC3339), "message": "RuntimeError"}
}

// progressSteps is how many steps of progress a migration has.
const progressSteps = 5

// percent is the progress after so many steps of a migration. Without
// ReportsProgress it is always 0.
func (s *Stub) percent(steps int) int {
	if !s.config.ReportsProgress {
		return 0
	}
	return steps * 100 / progressSteps
}

// resize begins a migration or, with another flavor, a resize.
func (s *Stub) resize(v *server, action, requestID string, by User, flavor string) {
	now, t := s.now(), s.timing(v)
	v.stopped, v.source, v.flavorBefore = v.VMState == vmStopped, v.HostID, v.FlavorID
	v.record(action, requestID, by.ID, now)
	v.become(statusResize, v.VMState, taskResizePrep)
	v.percent = s.percent(0)
	p := &plan{at: now}
	if v.Outcome == OutcomeNoValidHost {
		p.then(t.NoValidHost, func(v *server, _ time.Time) {
			v.logFailed(requestID)
			v.becomeIdle(v.stopped)
		})
		v.begin(p, now)
		return
	}
	p.then(t.Prepare, func(v *server, _ time.Time) { v.TaskState, v.percent = taskResizeMigrating, s.percent(1) })
	if s.config.ReportsProgress {
		p.then(t.Migrate/2, func(v *server, _ time.Time) { v.percent = s.percent(2) })
		t.Migrate -= t.Migrate / 2
	}
	switch v.Outcome {
	case OutcomeFails:
		planFailure(p, t, t.Migrate, requestID)
	case OutcomeInterrupted:
		p.then(t.Migrate, func(v *server, _ time.Time) { v.becomeIdle(v.stopped) })
	case OutcomeNeverEnds: // nothing follows
	default:
		s.planArrival(p, t, requestID, v.Outcome, flavor)
	}
	v.begin(p, now)
}

// planFailure ends a migration in ERROR. For a moment the server shows no fault.
func planFailure(p *plan, t Timing, after time.Duration, requestID string) {
	p.then(after, func(v *server, _ time.Time) { v.Status, v.VMState = statusError, vmError })
	p.then(t.Failing, func(v *server, at time.Time) {
		v.logFailed(requestID)
		v.becomeFailed(at)
	})
}

// planArrival moves a server to its new host, and ends in VERIFY_RESIZE.
func (s *Stub) planArrival(p *plan, t Timing, requestID string, outcome Outcome, flavor string) {
	p.then(t.Migrate, func(v *server, _ time.Time) {
		v.TaskState, v.percent = taskResizeMigrated, s.percent(3)
		if outcome != OutcomeSameHost {
			v.HostID = s.nextHost(v)
		}
	})
	p.then(t.Migrated, func(v *server, _ time.Time) {
		v.TaskState, v.FlavorID, v.percent = taskResizeFinish, flavor, s.percent(4)
	})
	if outcome == OutcomeFinishFails {
		planFailure(p, t, t.Finish, requestID)
		return
	}
	p.then(t.Finish, func(v *server, at time.Time) {
		v.become(statusVerifyResize, vmResized, "")
		v.launched, v.percent = at, s.percent(progressSteps)
	})
	s.planAutoConfirm(p)
}

// planAutoConfirm ends a migration that nobody confirms or reverts.
func (s *Stub) planAutoConfirm(p *plan) {
	if s.config.AutoConfirmAfter < 0 {
		return
	}
	p.then(s.config.AutoConfirmAfter, func(v *server, at time.Time) {
		requestID := newRequestID()
		v.record(actionConfirm, requestID, "", at)
		v.endConfirm(requestID, at)
	})
	p.steps[len(p.steps)-1].blocked = func(v *server) bool { return v.SourceDown }
}

// awaitConfirmation completes a server that was put into VERIFY_RESIZE without a
// migration. It sets the host before the migration, and plans the automatic
// confirmation.
func (s *Stub) awaitConfirmation(v *server) {
	if v.source == "" || v.source == v.HostID {
		v.source = s.nextHost(v)
	}
	if v.flavorBefore == "" {
		v.flavorBefore = v.FlavorID
	}
	v.launched = s.now()
	p := &plan{at: s.now()}
	s.planAutoConfirm(p)
	v.steps = p.steps
}

// confirm confirms a migration. The server stays in VERIFY_RESIZE for the time that
// ConfirmStale says.
func (s *Stub) confirm(v *server, requestID string, by User) {
	v.record(actionConfirm, requestID, by.ID, s.now())
	v.confirming = true
	p := &plan{at: s.now()}
	p.then(s.timing(v).ConfirmStale, func(v *server, at time.Time) { v.endConfirm(requestID, at) })
	if v.ConfirmOutcome == ConfirmNeverEnds {
		p.steps = nil
	}
	v.steps = p.steps // not by begin, which would set v.updated: a confirm does not change it
	v.remember(s.now())
	v.advance(s.now())
}

// endConfirm ends a confirmation.
func (v *server) endConfirm(requestID string, at time.Time) {
	switch v.ConfirmOutcome {
	case ConfirmNeverEnds:
		v.confirming = true
	case ConfirmFails:
		v.logFailed(requestID)
		v.becomeFailed(at)
	default:
		v.becomeIdle(v.stopped || v.PoweredOff)
	}
	v.PoweredOff = false
}

// revert brings a server back to its original host. If that is down, the server
// is stopped on the new host, and nothing follows.
func (s *Stub) revert(v *server, requestID string, by User) {
	now, t := s.now(), s.timing(v)
	v.record(actionRevert, requestID, by.ID, now)
	v.become(statusRevertResize, vmResized, taskResizeReverting)
	v.PoweredOff = false
	p := &plan{at: now}
	p.then(t.RevertOnNew, func(v *server, at time.Time) {
		v.HostID, v.FlavorID, v.launched = v.source, v.flavorBefore, at
	})
	if v.stopped {
		p.then(t.RevertOnOld, func(v *server, _ time.Time) { v.become(statusVerifyResize, vmResized, taskPoweringOff) })
		p.then(t.RevertPowerOff, func(v *server, _ time.Time) { v.becomeIdle(true) })
	} else {
		p.then(t.RevertOnOld, func(v *server, _ time.Time) { v.becomeIdle(false) })
	}
	if v.SourceDown {
		p.steps = nil
	}
	v.begin(p, now)
}

// remove deletes a server. Until that is done, its status is ACTIVE.
func (s *Stub) remove(v *server, requestID string, by User) {
	now := s.now()
	v.record(actionDelete, requestID, by.ID, now)
	p := &plan{at: now}
	if s.config.SoftDelete {
		v.become(statusActive, vmActive, taskSoftDeleting)
		p.then(s.config.Timing.Deleting, func(v *server, _ time.Time) { v.become(statusSoftDeleted, vmSoftDeleted, "") })
	} else {
		v.become(statusActive, vmActive, taskDeleting)
		p.then(s.config.Timing.Deleting, func(v *server, at time.Time) {
			v.become(statusDeleted, vmDeleted, "")
			v.deleted, v.terminated = true, at
		})
	}
	v.percent = 0
	v.begin(p, now)
}
