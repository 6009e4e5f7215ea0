package stub

import "time"

// Timing says how long each step takes.
type Timing struct {
	Prepare  time.Duration // RESIZE, resize_prep
	Migrate  time.Duration // RESIZE, resize_migrating
	Migrated time.Duration // RESIZE, resize_migrated, on the new host already
	Finish   time.Duration // RESIZE, resize_finish

	NoValidHost time.Duration // RESIZE, before a server that fits nowhere is back
	Failing     time.Duration // ERROR, resize_migrating, before the fault is shown

	ConfirmStale   time.Duration // after a confirm, as if nothing had been asked
	RevertOnNew    time.Duration // REVERT_RESIZE on the new host
	RevertOnOld    time.Duration // REVERT_RESIZE on the original host
	RevertPowerOff time.Duration // a stopped server: VERIFY_RESIZE, powering-off, on the original host
	Deleting       time.Duration // ACTIVE, before a deleted server is gone
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

// Scaled returns the timing of a cloud that is so many times as fast.
func (t Timing) Scaled(speed float64) Timing {
	for _, d := range []*time.Duration{
		&t.Prepare, &t.Migrate, &t.Migrated, &t.Finish, &t.NoValidHost, &t.Failing,
		&t.ConfirmStale, &t.RevertOnNew, &t.RevertOnOld, &t.RevertPowerOff, &t.Deleting,
	} {
		*d = time.Duration(float64(*d) / speed)
	}
	return t
}

// step is a change that happens to a server at a time.
type step struct {
	at    time.Time
	apply func(v *server, at time.Time)
}

// advance lets everything happen that is due.
func (v *server) advance(now time.Time) {
	for len(v.future) > 0 && !v.future[0].at.After(now) {
		next := v.future[0]
		v.future = v.future[1:]
		next.apply(v, next.at)
		v.updated = next.at
	}
}

// plan lists what happens to a server, each step after the one before.
type plan struct {
	at    time.Time
	steps []step
}

func (p *plan) then(after time.Duration, apply func(v *server, at time.Time)) {
	p.at = p.at.Add(after)
	p.steps = append(p.steps, step{p.at, apply})
}

func (v *server) follow(p *plan, now time.Time) {
	v.future = p.steps
	v.updated = now
	v.advance(now)
}

func (v *server) become(status, vm, task string) {
	v.Status, v.VMState, v.TaskState = status, vm, task
}

func (v *server) becomeSettled() {
	v.progress = nil
	if v.stopped {
		v.become(statusShutoff, vmStopped, "")
		return
	}
	v.become(statusActive, vmActive, "")
}

func (v *server) setProgress(percent int) { v.progress = &percent }

// resize begins a migration or, with another flavor, a resize.
func (s *Stub) resize(v *server, action, requestID string, by User, flavor string) {
	now, t := s.now(), s.config.Timing
	v.stopped, v.source, v.flavorBefore = v.VMState == vmStopped, v.HostID, v.FlavorID
	v.record(action, requestID, by.ID, now)
	vm := v.VMState
	v.become(statusResize, vm, taskResizePrep)
	v.setProgress(0)
	p := &plan{at: now}
	switch v.Outcome {
	case OutcomeNoValidHost:
		p.then(t.NoValidHost, func(v *server, _ time.Time) {
			v.logFailed(requestID)
			v.becomeSettled()
		})
	case OutcomeFails:
		p.then(t.Prepare, func(v *server, _ time.Time) { v.TaskState = taskResizeMigrating })
		p.then(t.Migrate, func(v *server, _ time.Time) { v.become(statusError, vmError, taskResizeMigrating) })
		p.then(t.Failing, func(v *server, at time.Time) {
			v.logFailed(requestID)
			v.progress, v.TaskState = nil, ""
			v.fault = object{"code": 500, "created": at.Format(time.RFC3339), "message": "RuntimeError"}
		})
	default:
		p.then(t.Prepare, func(v *server, _ time.Time) { v.TaskState = taskResizeMigrating; v.setProgress(25) })
		p.then(t.Migrate, func(v *server, _ time.Time) {
			v.TaskState, v.HostID = taskResizeMigrated, nextHost(v.Region, v.HostID)
			v.setProgress(50)
		})
		p.then(t.Migrated, func(v *server, _ time.Time) { v.TaskState, v.FlavorID = taskResizeFinish, flavor; v.setProgress(75) })
		p.then(t.Finish, func(v *server, _ time.Time) { v.become(statusVerifyResize, vmResized, ""); v.setProgress(100) })
		s.planAutoConfirm(p)
	}
	v.follow(p, now)
}

// planAutoConfirm ends a migration that nobody confirms or reverts.
func (s *Stub) planAutoConfirm(p *plan) {
	if s.config.AutoConfirmAfter < 0 {
		return
	}
	p.then(s.config.AutoConfirmAfter, func(v *server, at time.Time) {
		v.record(actionConfirm, newRequestID(), "", at)
		v.becomeSettled()
	})
}

// awaitConfirmation gives a server that was put into VERIFY_RESIZE what a
// migration would have left: the host it came from, and its automatic confirm.
func (s *Stub) awaitConfirmation(v *server) {
	if v.source == "" || v.source == v.HostID {
		v.source = nextHost(v.Region, v.HostID)
	}
	if v.flavorBefore == "" {
		v.flavorBefore = v.FlavorID
	}
	v.setProgress(100)
	p := &plan{at: s.now()}
	s.planAutoConfirm(p)
	v.future = p.steps
}

// confirm settles a migration; for a moment nothing of it is seen.
func (s *Stub) confirm(v *server, requestID string, by User) {
	v.record(actionConfirm, requestID, by.ID, s.now())
	p := &plan{at: s.now()}
	p.then(s.config.Timing.ConfirmStale, func(v *server, _ time.Time) { v.becomeSettled() })
	v.confirming = true
	v.follow(p, v.updated)
}

// revert brings a server back to its original host.
func (s *Stub) revert(v *server, requestID string, by User) {
	now, t := s.now(), s.config.Timing
	v.record(actionRevert, requestID, by.ID, now)
	v.become(statusRevertResize, vmResized, taskResizeReverting)
	p := &plan{at: now}
	p.then(t.RevertOnNew, func(v *server, _ time.Time) {
		v.HostID, v.FlavorID, v.progress = v.source, v.flavorBefore, nil
	})
	p.then(t.RevertOnOld, func(v *server, _ time.Time) {
		if v.stopped {
			v.become(statusVerifyResize, vmResized, taskPoweringOff)
			return
		}
		v.becomeSettled()
	})
	p.then(t.RevertPowerOff, func(v *server, _ time.Time) { v.becomeSettled() })
	if !v.stopped {
		p.steps = p.steps[:2]
	}
	v.follow(p, now)
}

// remove deletes a server; for a moment it reads ACTIVE.
func (s *Stub) remove(v *server, requestID string, by User) {
	now := s.now()
	v.record(actionDelete, requestID, by.ID, now)
	v.become(statusActive, vmActive, taskDeleting)
	v.progress = nil
	p := &plan{at: now}
	p.then(s.config.Timing.Deleting, func(v *server, _ time.Time) {
		v.become(statusDeleted, vmDeleted, "")
		v.deleted = true
	})
	v.follow(p, now)
}
