package cloudservers

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Acceptance is the API's answer to an action that it accepted.
type Acceptance struct {
	RequestID string    // names the action in the server's action log
	At        time.Time // the API's clock, in whole seconds
}

// MigrateTurn waits until the rate limit allows a migrate request, in order of
// arrival. The error is the context's cause. The turn is for one Migrate; one
// that is not used has to be given back with Release.
func (r *Region) MigrateTurn(ctx context.Context, id string) (*Turn, error) {
	return r.client.writes.wait(ctx, r.action(id, opMigrate, nil))
}

// SettleTurn waits until the rate limit allows a confirm or revert request,
// which goes before all migrate requests that wait. It is otherwise like
// MigrateTurn.
func (r *Region) SettleTurn(ctx context.Context, id string) (*Turn, error) {
	what := r.action(id, opConfirm, nil)
	what.priority = true
	return r.client.writes.wait(ctx, what)
}

// Migrate asks for a migration to another hypervisor host
// (POST /servers/{id}/action, {"migrate":{}}), with a turn of MigrateTurn.
//
// It sends one request at most and uses the turn up: nothing repeats an action.
// An *Error whose MaybeAccepted is true leaves open whether the migration was
// accepted. After one whose OverLimit is true, the next turn waits for as long as
// the API said. After a 401, the next call asks for a new token.
func (r *Region) Migrate(ctx context.Context, id string, turn *Turn) (Acceptance, error) {
	return r.act(ctx, id, turn, opMigrate, map[string]any{ActionMigrate: struct{}{}})
}

// Confirm confirms the migration that awaits it
// (POST /servers/{id}/action, {"confirmResize":null}), with a turn of
// SettleTurn. It is otherwise like Migrate.
func (r *Region) Confirm(ctx context.Context, id string, turn *Turn) (Acceptance, error) {
	return r.act(ctx, id, turn, opConfirm, map[string]any{ActionConfirm: nil})
}

// Revert reverts the migration that awaits confirmation
// (POST /servers/{id}/action, {"revertResize":null}), with a turn of SettleTurn.
// It is otherwise like Migrate.
func (r *Region) Revert(ctx context.Context, id string, turn *Turn) (Acceptance, error) {
	return r.act(ctx, id, turn, opRevert, map[string]any{ActionRevert: nil})
}

// act sends an action, once. SharedServer returns nothing that was read before the
// answer to the action.
func (r *Region) act(ctx context.Context, id string, turn *Turn, op string, body any) (Acceptance, error) {
	r.shared.expire(id)
	defer r.shared.expire(id)
	answer, err := r.client.exchange(ctx, r.action(id, op, body), turn, 1)
	if err != nil {
		return Acceptance{}, err
	}
	at, _ := answer.clock()
	return Acceptance{RequestID: requestID(answer.header), At: at}, nil
}

func (r *Region) action(id, op string, body any) call {
	return call{op: op, method: http.MethodPost, url: r.url("servers", id, "action"), body: body, action: true, serverID: id}
}

// Words of the action log.
const (
	ActionMigrate = "migrate"
	ActionResize  = "resize"
	ActionConfirm = "confirmResize"
	ActionRevert  = "revertResize"

	// ActionFailed is the message of an action that failed. The log says no
	// more than that to a customer.
	ActionFailed = "Error"
)

// Action is an entry of a server's action log.
type Action struct {
	Action    string     `json:"action"`
	RequestID string     `json:"request_id"`
	UserID    identifier `json:"user_id"` // empty when the cloud acted by itself
	ProjectID identifier `json:"project_id"`
	Message   string     `json:"message"` // empty, or ActionFailed
	Start     utcTime    `json:"start_time"`
}

// ActionLog is what was done to a server, newest first, as it was when the log was
// asked for, by this machine's clock.
type ActionLog struct {
	Actions []Action  `json:"instanceActions"`
	AskedAt time.Time `json:"-"`
}

// ActionLog reads what was done to a server, newest first
// (GET /servers/{id}/os-instance-actions).
func (r *Region) ActionLog(ctx context.Context, id string) (ActionLog, error) {
	var log ActionLog
	what := call{op: opActionLog, method: http.MethodGet, url: r.url("servers", id, "os-instance-actions"), answer: &log}
	answer, err := r.client.read(ctx, what)
	if err == nil && log.Actions == nil {
		err = what.unusable(answer, "it has no instanceActions")
	}
	log.AskedAt = answer.askedAt
	return log, err
}

// utcTime is a time that the API may write without a zone, meaning UTC.
type utcTime struct{ time.Time }

// UnmarshalJSON takes RFC 3339 times, with a zone or without.
func (t *utcTime) UnmarshalJSON(data []byte) error {
	for _, layout := range []string{`"` + time.RFC3339 + `"`, `"2006-01-02T15:04:05"`} {
		if parsed, err := time.Parse(layout, string(data)); err == nil {
			t.Time = parsed.UTC()
			return nil
		}
	}
	if string(data) == "null" {
		return nil
	}
	return &answerError{errors.New("a time in it cannot be parsed")}
}
