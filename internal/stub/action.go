package stub

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// The actions, as requests and the log name them.
const (
	actionMigrate = "migrate"
	actionResize  = "resize" // only people ask for it
	actionConfirm = "confirmResize"
	actionRevert  = "revertResize"
	actionDelete  = "delete"
)

// Action is an entry of a server's action log.
type Action struct {
	Action    string
	RequestID string
	UserID    string // empty when the cloud acted by itself
	Message   string // Error once it failed
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

// record adds the newest entry of the log.
func (v *server) record(action, requestID, userID string, at time.Time) {
	entry := Action{Action: action, RequestID: requestID, UserID: userID, Start: at.Truncate(time.Second)}
	v.log = append([]Action{entry}, v.log...)
}

func (v *server) logFailed(requestID string) {
	for i := range v.log {
		if v.log[i].RequestID == requestID {
			v.log[i].Message = "Error"
		}
	}
}

// actionLog is GET …/os-instance-actions, and …/os-instance-actions/{request_id}.
func (v *server) actionLog(c *call) *answer {
	documents := []object{}
	for _, action := range v.log {
		document := object{
			"action": action.Action, "instance_uuid": v.ID, "request_id": action.RequestID,
			"start_time": action.Start.Format("2006-01-02T15:04:05.000000"),
			"message":    nil, "user_id": nil, "project_id": nil,
		}
		if action.Message != "" {
			document["message"] = action.Message
		}
		if action.UserID != "" {
			document["user_id"], document["project_id"] = action.UserID, c.tenant
		}
		if len(c.rest) == 4 && c.rest[3] == action.RequestID {
			return reply(http.StatusOK, object{"instanceAction": document})
		}
		documents = append(documents, document)
	}
	if len(c.rest) > 3 {
		return refuse(http.StatusNotFound, "Action for request_id "+c.rest[3]+" on instance "+v.ID+" not found")
	}
	return reply(http.StatusOK, object{"instanceActions": documents})
}

// action is POST …/servers/{id}/action.
func (s *Stub) action(v *server, c *call) *answer {
	var body map[string]json.RawMessage
	if json.Unmarshal(c.body, &body) != nil || len(body) != 1 {
		return refuse(http.StatusBadRequest, "Malformed request body")
	}
	var name string
	for name = range body {
	}
	status, known := map[string]int{
		actionMigrate: http.StatusAccepted, actionConfirm: http.StatusNoContent, actionRevert: http.StatusAccepted,
	}[name]
	switch {
	case !known:
		return refuse(http.StatusBadRequest, "There is no such action: "+name)
	case c.user.Observer:
		return refuseObserver(name)
	}
	if refusal := s.perform(v, name, c.requestID, c.user); refusal != nil {
		return refusal
	}
	if name == actionMigrate {
		v.migrations++
	}
	return empty(status)
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

// perform lets an action take effect, or refuses it as Nova does.
func (s *Stub) perform(v *server, name, requestID string, by User) *answer {
	stuck := func(state, value string) *answer {
		return refuse(http.StatusConflict, fmt.Sprintf("Cannot '%s' instance %s while it is in %s %s", name, v.ID, state, value))
	}
	starts, deletes := name == actionMigrate || name == actionResize, name == actionDelete
	switch {
	case starts && strings.HasPrefix(v.FlavorID, "onmetal"):
		return refuse(http.StatusMethodNotAllowed, "The method is not allowed for this resource.")
	case starts && v.ResizeNotAllowed:
		return refuseAs("resizeNotAllowed", http.StatusForbidden, "Resize not allowed for this server.")
	case v.Locked:
		return refuse(http.StatusConflict, "Instance "+v.ID+" is locked")
	case deletes && v.TaskState == taskDeleting:
		return nil
	case deletes:
	case starts && v.VMState != vmActive && v.VMState != vmStopped, !starts && v.VMState != vmResized:
		return stuck("vm_state", v.VMState)
	case v.TaskState != "":
		return stuck("task_state", v.TaskState)
	case v.confirming && v.VMState == vmResized:
		return stuck("task_state", taskResizeConfirming) // which no look at the server shows
	}
	v.confirming = false
	switch name {
	case actionMigrate:
		s.resize(v, name, requestID, by, v.FlavorID)
	case actionResize:
		s.resize(v, name, requestID, by, v.FlavorID+"-larger")
	case actionConfirm:
		s.confirm(v, requestID, by)
	case actionRevert:
		s.revert(v, requestID, by)
	case actionDelete:
		s.remove(v, requestID, by)
	}
	return nil
}

// Migrate migrates a server on behalf of somebody else, given by user id.
func (s *Stub) Migrate(id, user string) error { return s.event(id, actionMigrate, user) }

// Resize resizes a server to another flavor on behalf of somebody else.
func (s *Stub) Resize(id, user string) error { return s.event(id, actionResize, user) }

// Confirm confirms a migration or resize on behalf of somebody else.
func (s *Stub) Confirm(id, user string) error { return s.event(id, actionConfirm, user) }

// Revert reverts a migration or resize on behalf of somebody else.
func (s *Stub) Revert(id, user string) error { return s.event(id, actionRevert, user) }

// Delete deletes a server on behalf of the cloud itself.
func (s *Stub) Delete(id string) error { return s.event(id, actionDelete, "") }

func (s *Stub) event(id, name, user string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	server := s.find(id, "")
	if server == nil {
		return errors.New("there is no server " + id)
	}
	if refusal := s.perform(server, name, newRequestID(), User{ID: user}); refusal != nil {
		return fmt.Errorf("%d %s", refusal.status, refusal.body)
	}
	return nil
}
