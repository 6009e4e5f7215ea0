package cloudservers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/neterror"
)

// Error is a call that failed: the API answered with a fault, or gave no
// usable answer at all.
type Error struct {
	Op     string // what the call does, in words: "migrate the server"
	Method string
	URL    string

	StatusCode int    // 0 when there was no answer
	Fault      string // the fault's name, such as conflictingRequest; empty when the body held none
	Message    string // the fault's message
	Details    string // the fault's details
	RequestID  string // the API's own id of the request, for Rackspace support
	RetryAfter time.Duration

	// Credentials are the ones that were refused with status 401, else nil.
	Credentials *Credentials

	Err error // why there was no usable answer, or nil

	action bool
}

// Error says in one line what failed and what the API said.
func (e *Error) Error() string {
	if e.StatusCode == 0 {
		return fmt.Sprintf("%s: %s", e.Op, e.Reason())
	}
	return fmt.Sprintf("%s: %d %s: %s", e.Op, e.StatusCode, e.Fault, e.Reason())
}

// Unwrap returns the transport's or the decoder's error.
func (e *Error) Unwrap() error { return e.Err }

// MaybeAccepted tells whether the request can have had an effect although it
// failed: it was an action, and it is not proven that nothing was accepted, as
// it is when the connection was never made or the API refused the request.
func (e *Error) MaybeAccepted() bool {
	switch {
	case !e.action:
		return false
	case e.StatusCode == 0:
		return !neverSent(e.Err)
	case e.StatusCode >= 500:
		return e.StatusCode != http.StatusNotImplemented
	case e.StatusCode >= 300:
		return false
	default:
		return true
	}
}

// Temporary tells whether the same request may well succeed later: there was
// no answer, an unreadable one, a 5xx, or the rate limit.
func (e *Error) Temporary() bool {
	switch {
	case e.overLimit():
		return true
	case e.StatusCode >= 500:
		return e.StatusCode != http.StatusNotImplemented
	case e.StatusCode >= 300:
		return false
	default:
		return !neterror.Untrusted(e.Err) && !errors.Is(e.Err, context.Canceled)
	}
}

// Authentication tells whether it was the credentials or the way to the
// Identity API that failed, whatever the call was for.
func (e *Error) Authentication() bool {
	return e.Op == opToken || e.StatusCode == http.StatusUnauthorized
}

func (e *Error) overLimit() bool {
	return e.StatusCode == http.StatusRequestEntityTooLarge || e.StatusCode == http.StatusTooManyRequests
}

// Is makes errors.Is(err, ErrNotFound) true for a 404.
func (e *Error) Is(target error) bool {
	return target == ErrNotFound && e.StatusCode == http.StatusNotFound
}

// ErrNotFound is a 404: the API knows nothing by that id in that region.
var ErrNotFound = errors.New("not found")

// answerError is an answer of the right status that could not be read.
type answerError struct{ error }

func (e *answerError) Unwrap() error { return e.error }

// Reason says in plain words why there was no usable answer, or what the
// fault's message was.
func (e *Error) Reason() string {
	var unusable *answerError
	switch err := e.Err; {
	case err == nil && e.Message != "":
		return e.Message
	case err == nil:
		return http.StatusText(e.StatusCode) + ", without a fault in the answer (a proxy's page, or nothing)"
	case errors.Is(err, errAnswerTooLarge):
		return errAnswerTooLarge.Error()
	case errors.As(err, &unusable):
		return "the answer could not be read: " + unusable.Error()
	default:
		return neterror.Reason(err)
	}
}

// neverSent tells whether the connection itself failed, so that no byte of the
// request can have reached the API.
func neverSent(err error) bool {
	var dns *net.DNSError
	var op *net.OpError
	return errors.As(err, &dns) || neterror.Untrusted(err) ||
		errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect")
}

// newError describes a failed exchange.
func newError(c call, header http.Header, err error) *Error {
	e := &Error{Op: c.op, Method: c.method, URL: c.url, RequestID: requestID(header), action: c.action}
	var response gophercloud.ErrUnexpectedResponseCode
	var syntax *json.SyntaxError
	var shape *json.UnmarshalTypeError
	switch {
	case errors.As(err, &response):
		e.StatusCode = response.Actual
		e.RequestID = requestID(response.ResponseHeader)
		e.readFault(response.Body, response.ResponseHeader)
	case errors.As(err, &syntax):
		e.Err = &answerError{errors.New("it is not the JSON that the API promises")}
	case errors.As(err, &shape):
		e.Err = &answerError{fmt.Errorf("its %s is a JSON %s", shape.Field, shape.Value)}
	default:
		e.Err = err
	}
	return e
}

// requestID reads the API's id of a request; Nova sends it under two names.
func requestID(header http.Header) string {
	if id := header.Get("x-compute-request-id"); id != "" {
		return id
	}
	return header.Get("x-openstack-request-id")
}
