package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// faultObject is a fault as a flag or a request gives it. It has the fields of stub.Fault
// that can be given as JSON.
type faultObject struct {
	Name         string            `json:"name"`
	Call         string            `json:"call"`
	ServerID     string            `json:"server_id"`
	Skip         int               `json:"skip"`
	Count        int               `json:"count"`
	For          duration          `json:"for"`
	Delay        duration          `json:"delay"`
	Effect       bool              `json:"effect"`
	RevokeTokens bool              `json:"revoke_tokens"`
	Lag          duration          `json:"lag"`
	Status       int               `json:"status"`
	Headers      map[string]string `json:"headers"`
	Body         string            `json:"body"`
	ContentType  string            `json:"content_type"`
	RetryAfter   duration          `json:"retry_after"`
	Reset        bool              `json:"reset"`
	Hang         bool              `json:"hang"`
	Truncate     bool              `json:"truncate"`
}

// faultList is the value of the flag -fault, which may be given several times.
type faultList []faultObject

// String is for package flag.
func (l *faultList) String() string { return "" }

// Set reads one fault.
func (l *faultList) Set(text string) error {
	given, err := readFault([]byte(text))
	if err != nil {
		return err
	}
	*l = append(*l, given)
	return nil
}

// readFault reads a fault, and names the field that is wrong.
func readFault(text []byte) (faultObject, error) {
	var given faultObject
	if err := decode(text, &given); err != nil {
		return given, err
	}
	if err := given.check(); err != nil {
		return given, err
	}
	if given.Name == "" {
		given.Name = strings.Join(given.effects(), ", ")
	}
	return given, nil
}

// check says what is wrong with a fault.
func (f *faultObject) check() error {
	endings := 0
	for _, ends := range []bool{f.Status != 0, f.Reset, f.Hang, f.Truncate} {
		if ends {
			endings++
		}
	}
	switch {
	case f.Call != "" && !slices.Contains(stub.Calls, stub.Call(f.Call)):
		return wrong("call", `got %q, want %s; without it all calls get the fault`, f.Call, listed(callNames(), "or"))
	case f.Skip < 0:
		return wrong("skip", `it must not be negative`)
	case f.Count < 0:
		return wrong("count", `it must not be negative; without it all requests get the fault`)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return wrong("status", `got %d, want 200 to 599`, f.Status)
	case endings > 1:
		return errors.New(`"status", "reset", "hang" and "truncate" exclude each other; set one of them`)
	case len(f.effects()) == 0:
		return errors.New(`it does nothing; set "status", "reset", "hang", "truncate", "delay", "lag", "revoke_tokens", "headers" or "body"`)
	}
	return nil
}

// effects names everything that a fault does.
func (f *faultObject) effects() []string {
	var effects []string
	for _, effect := range []struct {
		set  bool
		text string
	}{
		{f.Delay != 0, "delay " + time.Duration(f.Delay).String()},
		{f.RevokeTokens, "revoke_tokens"},
		{f.Lag != 0, "lag " + time.Duration(f.Lag).String()},
		{f.Status != 0, fmt.Sprintf("status %d", f.Status)},
		{f.Reset, "reset"},
		{f.Hang, "hang"},
		{f.Truncate, "truncate"},
		{len(f.Headers) > 0, "headers"},
		{f.Body != "", "body"},
	} {
		if effect.set {
			effects = append(effects, effect.text)
		}
	}
	return effects
}

func callNames() []string {
	names := make([]string, len(stub.Calls))
	for i, call := range stub.Calls {
		names[i] = string(call)
	}
	return names
}

// inject adds the fault to a cloud, which must have its server.
func (f *faultObject) inject(cloud *stub.Stub) error {
	if _, exists := cloud.Server(f.ServerID); f.ServerID != "" && !exists {
		return wrong("server_id", `there is no server %q; without it all servers get the fault`, f.ServerID)
	}
	fault := stub.Fault{
		Name: f.Name, Call: stub.Call(f.Call), ServerID: f.ServerID, Skip: f.Skip, Count: f.Count,
		Delay: time.Duration(f.Delay), Effect: f.Effect, RevokeTokens: f.RevokeTokens, Lag: time.Duration(f.Lag),
		Status: f.Status, Header: http.Header{}, Body: f.Body, ContentType: f.ContentType, RetryAfter: time.Duration(f.RetryAfter),
		Reset: f.Reset, Hang: f.Hang, Truncate: f.Truncate,
	}
	for name, value := range f.Headers {
		fault.Header.Set(name, value)
	}
	if f.For != 0 {
		fault.Until = cloud.Now().Add(time.Duration(f.For))
	}
	cloud.Inject(fault)
	return nil
}
