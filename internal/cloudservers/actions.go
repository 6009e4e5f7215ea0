package cloudservers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Acceptance is the API's word that it took an action on.
type Acceptance struct {
	RequestID string    // names the action in the server's action log
	At        time.Time // the API's clock, in whole seconds
}

// Migrate asks for a migration to another hypervisor host
// (POST /servers/{id}/action, {"migrate":{}}). An *Error whose MaybeAccepted
// is true leaves open whether the migration was accepted: it must not be asked
// for again before that is known.
//
// Before each time that the request is sent, after what it waited for the rate
// limit, ready is called, unless it is nil. Its error is returned as it is, and
// nothing is sent.
//
// The turn is that of MigrateTurn for the first time that it is sent, or nil.
func (r *Region) Migrate(ctx context.Context, id string, turn *Turn, ready func(context.Context) error) (Acceptance, error) {
	what := r.migrateCall(id)
	what.turn, what.ready = turn, ready
	return r.act(ctx, what, id)
}

func (r *Region) migrateCall(id string) call {
	return call{op: opMigrate, method: http.MethodPost, url: r.actionURL(id), body: map[string]any{"migrate": struct{}{}}}
}

func (r *Region) actionURL(id string) string { return r.compute.ServiceURL("servers", id, "action") }

// MigrateTurn waits until the rate limit allows to ask for a migration. The error
// is the context's cause.
func (r *Region) MigrateTurn(ctx context.Context, id string) (*Turn, error) {
	return r.client.pace.write.wait(ctx, r.migrateCall(id))
}

// Confirm confirms the migration that awaits it
// (POST /servers/{id}/action, {"confirmResize":null}). It goes before migrate
// requests that wait for the rate limit, and is otherwise like Migrate.
func (r *Region) Confirm(ctx context.Context, id string, ready func(context.Context) error) (Acceptance, error) {
	return r.act(ctx, call{op: opConfirm, body: map[string]any{"confirmResize": nil}, urgent: true, settles: id, ready: ready}, id)
}

// Revert reverts the migration that awaits confirmation
// (POST /servers/{id}/action, {"revertResize":null}). It is otherwise like
// Confirm.
func (r *Region) Revert(ctx context.Context, id string, ready func(context.Context) error) (Acceptance, error) {
	return r.act(ctx, call{op: opRevert, body: map[string]any{"revertResize": nil}, urgent: true, settles: id, ready: ready}, id)
}

func (r *Region) act(ctx context.Context, what call, id string) (Acceptance, error) {
	defer r.seen.forget(id)
	what.method, what.url, what.action = http.MethodPost, r.actionURL(id), true
	header, err := r.client.do(ctx, what)
	if err != nil {
		return Acceptance{}, err
	}
	return Acceptance{RequestID: requestID(header), At: clock(header)}, nil
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
	Message   string     `json:"message"` // empty, or ActionFailed
	Start     utcTime    `json:"start_time"`
}

// ActionLog reads what was done to a server, newest first
// (GET /servers/{id}/os-instance-actions).
func (r *Region) ActionLog(ctx context.Context, id string) ([]Action, error) {
	var answer struct {
		Actions *[]Action `json:"instanceActions"`
	}
	what := call{
		op: opActionLog, method: http.MethodGet,
		url: r.compute.ServiceURL("servers", id, "os-instance-actions"), answer: &answer,
	}
	header, err := r.client.do(ctx, what)
	if err != nil {
		return nil, err
	}
	if answer.Actions == nil {
		return nil, missing(what, header, "instanceActions")
	}
	return *answer.Actions, nil
}

// missing reports an answer of the right status without its main part.
func missing(what call, header http.Header, part string) error {
	return &Error{
		Op: what.op, Method: what.method, URL: what.url, StatusCode: http.StatusOK,
		RequestID: requestID(header), Err: &answerError{fmt.Errorf("it has no %s", part)},
	}
}

// utcTime is a time that the API may write without a zone, meaning UTC.
type utcTime struct{ time.Time }

// UnmarshalJSON takes RFC 3339 times, with a zone or without.
func (t *utcTime) UnmarshalJSON(data []byte) error {
	for _, layout := range []string{`"` + time.RFC3339 + `"`, `"2006-01-02T15:04:05"`} {
		parsed, err := time.Parse(layout, string(data))
		if err == nil {
			t.Time = parsed.UTC()
			return nil
		}
	}
	if string(data) == "null" {
		return nil
	}
	return &answerError{errors.New("a time in it is none")}
}
