package stub

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The actions, as requests and the log name them.
const (
	actionMigrate = "migrate"
	actionResize  = "resize" // asked for by Resize alone, not over the wire
	actionConfirm = "confirmResize"
	actionRevert  = "revertResize"
	actionDelete  = "delete"
)

// Action is an entry of a server's action log.
type Action struct {
	Action    string
	RequestID string
	UserID    string // empty when the cloud acted, and no user
	Message   string // Error after the action failed; else empty
	Start     time.Time
}

// ActionLog returns what was done to a server, newest first.
func (s *Stub) ActionLog(id string) []Action {
	s.mu.Lock()
	defer s.mu.Unlock()
	server := s.servers[id]
	if server == nil {
		return nil
	}
	server.advance(s.now())
	return append([]Action(nil), server.log...)
}

// record adds an entry to the log, as the newest one.
func (v *server) record(action, requestID, userID string, at time.Time) {
	entry := Action{Action: action, RequestID: requestID, UserID: userID, Start: at.Truncate(time.Second)}
	v.log = append([]Action{entry}, v.log...)
}

// logFailed marks the log entry of a request as failed.
func (v *server) logFailed(requestID string) {
	v.log = slices.Clone(v.log) // earlier versions of the server share the log, and must not change
	for i := range v.log {
		if v.log[i].RequestID == requestID {
			v.log[i].Message = "Error"
		}
	}
}

// action is POST …/servers/{id}/action.
func (s *Stub) action(v *server, c *call) *answer {
	if c.user.Observer {
		return refuseObserver(c.action)
	}
	if refusal := s.perform(v, c.action, c.requestID, c.user); refusal != nil {
		return refusal
	}
	switch c.kind {
	case CallMigrate:
		v.migrations++
	case CallConfirm:
		return empty(http.StatusNoContent)
	}
	return empty(http.StatusAccepted)
}

// delete is DELETE …/servers/{id}.
func (s *Stub) delete(v *server, c *call) *answer {
	if c.user.Observer {
		return refuseObserver(actionDelete)
	}
	if refusal := s.perform(v, actionDelete, c.requestID, c.user); refusal != nil {
		return refusal
	}
	return empty(http.StatusNoContent)
}

func refuseObserver(action string) *answer {
	return refuse(http.StatusForbidden, "Policy doesn't allow "+action+" to be performed.")
}

// perform lets an action take effect, or refuses it as Nova does. A refused action
// leaves no entry in the log.
func (s *Stub) perform(v *server, name, requestID string, by User) *answer {
	if name == actionDelete {
		return s.performDelete(v, requestID, by)
	}
	if refusal := v.refuses(name); refusal != nil {
		return refusal
	}
	switch name {
	case actionMigrate, actionResize:
		return s.performResize(v, name, requestID, by)
	case actionConfirm:
		s.confirm(v, requestID, by)
	case actionRevert:
		s.revert(v, requestID, by)
	}
	return nil
}

// refuses returns the answer that refuses an action other than a delete. It is nil when
// the server's state allows the action.
func (v *server) refuses(name string) *answer {
	starts := name == actionMigrate || name == actionResize
	conflict := func(state, value string) *answer {
		return refuse(http.StatusConflict, fmt.Sprintf("Cannot '%s' instance %s while it is in %s %s", name, v.ID, state, value))
	}
	switch {
	case starts && strings.HasPrefix(v.FlavorID, "onmetal"):
		return refuse(http.StatusMethodNotAllowed, "The method is not allowed for this resource.")
	case starts && v.ResizeNotAllowed:
		return refuseAs("resizeNotAllowed", http.StatusForbidden, "Resize not allowed for this server.")
	case v.Locked:
		return v.refuseLocked()
	case starts && v.VMState != vmActive && v.VMState != vmStopped, !starts && v.VMState != vmResized:
		return conflict("vm_state", v.VMState)
	case v.TaskState != "":
		return conflict("task_state", v.TaskState)
	case v.confirming && !starts: // no field of the server shows that a confirm was accepted
		return refuse(http.StatusBadRequest, "Instance has not been resized.")
	case v.SourceDown && name != actionRevert:
		return refuse(http.StatusConflict, "Service is unavailable at this time.")
	}
	return nil
}

func (v *server) refuseLocked() *answer {
	return refuse(http.StatusConflict, "Instance "+v.ID+" is locked")
}

// performResize begins a migration or a resize.
func (s *Stub) performResize(v *server, name, requestID string, by User) *answer {
	v.confirming = false
	if v.Outcome == OutcomeNoValidHostAtOnce {
		v.record(name, requestID, by.ID, s.now())
		v.logFailed(requestID)
		v.updated = s.now()
		v.remember(s.now())
		return refuse(http.StatusBadRequest, "No valid host was found. No valid host found for cold migrate")
	}
	flavor := v.FlavorID
	if name == actionResize {
		flavor += "-larger"
	}
	s.resize(v, name, requestID, by, flavor)
	return nil
}

// performDelete deletes a server. A server that is being deleted, or is kept after
// its deletion, stays as it is.
func (s *Stub) performDelete(v *server, requestID string, by User) *answer {
	switch {
	case v.Locked:
		return v.refuseLocked()
	case v.TaskState == taskDeleting, v.TaskState == taskSoftDeleting, v.VMState == vmSoftDeleted:
		return nil
	}
	v.confirming = false
	s.remove(v, requestID, by)
	return nil
}

// Migrate migrates a server on behalf of somebody else, given by user id.
func (s *Stub) Migrate(id, user string) error { return s.actFor(id, actionMigrate, user) }

// Resize resizes a server to another flavor on behalf of somebody else.
func (s *Stub) Resize(id, user string) error { return s.actFor(id, actionResize, user) }

// Confirm confirms a migration or resize on behalf of somebody else.
func (s *Stub) Confirm(id, user string) error { return s.actFor(id, actionConfirm, user) }

// Revert reverts a migration or resize on behalf of somebody else.
func (s *Stub) Revert(id, user string) error { return s.actFor(id, actionRevert, user) }

// DeleteBy deletes a server on behalf of somebody else.
func (s *Stub) DeleteBy(id, user string) error { return s.actFor(id, actionDelete, user) }

// Delete deletes a server on behalf of the cloud itself.
func (s *Stub) Delete(id string) error { return s.actFor(id, actionDelete, "") }

// actFor performs an action on behalf of the user with an id. With an empty id, the
// cloud itself acts.
func (s *Stub) actFor(id, name, user string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	server := s.find(id)
	if server == nil {
		return errNoServer(id)
	}
	if refusal := s.perform(server, name, newRequestID(), User{ID: user}); refusal != nil {
		return fmt.Errorf("%d %s", refusal.status, refusal.body)
	}
	return nil
}
