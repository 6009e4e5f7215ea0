package bench

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// calls are the kinds of requests that a fault can be for, as commands name them.
var calls = map[string]stub.Call{
	"any": "", "token": stub.CallToken, "server": stub.CallServer, "list": stub.CallList, "log": stub.CallActionLog,
	"migrate": stub.CallMigrate, "confirm": stub.CallConfirm, "revert": stub.CallRevert,
}

// lateWrite is a fault of a write: its sender sees that the connection was closed, and the
// write arrives later all the same.
type lateWrite struct {
	action string
	after  time.Duration
}

// inject adds a fault: CALL KIND [server=N] [effect] [count=N] [skip=N] [delay=D] [until_clear].
func (f *fleet) inject(o options) {
	if after, found := strings.CutPrefix(o[1], "late="); found {
		d, _ := time.ParseDuration(after)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.late = append(f.late, lateWrite{map[string]string{"migrate": "migrate", "confirm": "confirmResize", "revert": "revertResize"}[o[0]], d})
		return
	}
	fault := faultOf(o[1])
	fault.Call, fault.Count, fault.Skip = calls[o[0]], max(1, o.number("count")), o.number("skip")
	if o.has("until_clear") {
		fault.Count = 0
	}
	fault.Effect = o.has("effect")
	if n := o.value("server"); n != "" {
		fault.ServerID = f.server(n).id
	}
	if action, found := strings.CutPrefix(o[1], "somebody="); found {
		s := f.server(o.value("server"))
		fault.Delay = o.duration("delay")
		fault.Do = func() { f.somebody(s, action) }
	}
	f.cloud.Inject(fault)
}

// faultOf is the fault of a kind.
func faultOf(kind string) stub.Fault {
	name, value, _ := strings.Cut(kind, "=")
	d, _ := time.ParseDuration(value)
	switch name {
	case "reset":
		return stub.Fault{Reset: true}
	case "hang":
		return stub.Fault{Hang: true}
	case "truncate":
		return stub.Fault{Truncate: true}
	case "refuse":
		return stub.Fault{Refuse: true}
	case "revoke":
		return stub.Fault{RevokeTokens: true}
	case "page":
		return stub.HTML(http.StatusBadGateway)
	case "garbage":
		return stub.Fault{Status: http.StatusOK, Body: "[]"}
	case "lag":
		return stub.Fault{Lag: d}
	case "delay":
		return stub.Fault{Delay: d}
	case "somebody":
		return stub.Fault{}
	}
	status, err := strconv.Atoi(kind)
	if err != nil {
		panic("no such fault: " + kind)
	}
	return stub.Fault{Status: status, RetryAfter: 7 * time.Second}
}

// wire is the transport of a run. It checks each write, and records its result.
type wire struct {
	fleet *fleet
	run   *run
}

// operationHeader is a header of writes. It names the operation, so that the stub's record
// of requests tells which operation has sent a write.
const operationHeader = "Soak-Operation"

// RoundTrip implements http.RoundTripper.
func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.run.ctx.Err() != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	op, _ := r.Context().Value(operationKey{}).(*operation)
	action := actionOf(r)
	if action == "" || op == nil {
		resp, err := w.fleet.cloud.Transport().RoundTrip(r)
		if op != nil && strings.HasSuffix(r.URL.Path, "/os-instance-actions") {
			w.fleet.noteLog(op, resp, err)
		}
		return resp, err
	}
	w.fleet.checkWrite(op, action)
	tagged := r.Clone(r.Context())
	tagged.Header.Set(operationHeader, strconv.Itoa(op.n))
	if after, found := w.fleet.takeLate(action); found {
		w.fleet.tell("%s sent %s: the connection was closed, and the request is on its way", op, action)
		w.later(context.WithoutCancel(r.Context()), tagged, after)
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	resp, err := w.fleet.cloud.Transport().RoundTrip(tagged)
	answer := "no answer"
	if err == nil {
		answer = strconv.Itoa(resp.StatusCode)
	}
	w.fleet.tell("%s sent %s: %s", op, action, answer)
	return resp, err
}

// actionOf is the action that a request asks for; empty for a read.
func actionOf(r *http.Request) string {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/action") {
		return ""
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	for _, action := range []string{"migrate", "confirmResize", "revertResize"} {
		if bytes.Contains(body, []byte(action)) {
			return action
		}
	}
	return "unknown action"
}

// noteLog records whether an operation could read the action log.
func (f *fleet) noteLog(op *operation, resp *http.Response, err error) {
	readable := false
	if err == nil {
		body, err := io.ReadAll(resp.Body)
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
		readable = err == nil && bytes.Contains(body, []byte("instanceActions"))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	op.readable = readable
}

// failing is the end of a body: the error that the body ended with, or io.EOF.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// takeLate tells whether a write is to arrive later, and after which time. It removes that
// fault.
func (f *fleet) takeLate(action string) (time.Duration, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, late := range f.late {
		if late.action == action {
			f.late = append(f.late[:i:i], f.late[i+1:]...)
			return late.after, true
		}
	}
	return 0, false
}

// later sends a write after a time. It takes effect within ten seconds or never.
func (w wire) later(ctx context.Context, r *http.Request, after time.Duration) {
	body, _ := io.ReadAll(r.Body)
	time.AfterFunc(after, func() {
		ctx, cancel := context.WithTimeout(ctx, 9*time.Second-after)
		defer cancel()
		late := r.Clone(ctx)
		late.Body = io.NopCloser(bytes.NewReader(body))
		if resp, err := w.fleet.cloud.Transport().RoundTrip(late); err == nil {
			w.fleet.tell("the late request arrived: %d", resp.StatusCode)
		}
	})
}
