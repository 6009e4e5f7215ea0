package cloudservers

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
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
	RequestID  string // the API's own id of the request, for the cloud's support
	RetryAfter time.Duration

	// Credentials are the ones that were refused with status 401, else nil.
	Credentials *Credentials

	// IdentityVersion is that of the Identity API, for an error of that API.
	IdentityVersion string

	// IdentityOrigin is where the address of the Identity API is set, for an error
	// of that API; empty for the default address.
	IdentityOrigin string

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

// MaybeAccepted tells whether the request can have had an effect although it failed.
// Only an action can. It had none if the connection was never made, or if the API
// refused the request.
func (e *Error) MaybeAccepted() bool {
	return e.action && !e.isRefusal() && (e.StatusCode != 0 || !neverSent(e.Err))
}

// Temporary tells whether the same request may succeed later: there was no answer,
// an unreadable one, a 5xx other than 501, or the rate limit was reached.
func (e *Error) Temporary() bool {
	return e.OverLimit() || !e.isRefusal() && !neterror.Untrusted(e.Err) && !errors.Is(e.Err, context.Canceled)
}

// isRefusal tells whether the API answered that it does not do what it was asked.
func (e *Error) isRefusal() bool {
	return e.StatusCode >= 300 && e.StatusCode < 500 || e.StatusCode == http.StatusNotImplemented
}

// OfIdentity tells whether the call was one of the Identity API.
func (e *Error) OfIdentity() bool { return e.Op == opToken }

// Unreadable tells whether an answer arrived that is not one of this API.
func (e *Error) Unreadable() bool {
	return errors.As(e.Err, new(*answerError))
}

// Authentication tells whether it was the credentials or the way to the
// Identity API that failed, whatever the call was for.
func (e *Error) Authentication() bool {
	return e.Op == opToken || e.StatusCode == http.StatusUnauthorized
}

// OverLimit tells whether the rate limit was reached (413 or 429). The client
// has noted RetryAfter by then: the next request waits for as long.
func (e *Error) OverLimit() bool {
	return e.StatusCode == http.StatusRequestEntityTooLarge || e.StatusCode == http.StatusTooManyRequests
}

// Is makes errors.Is(err, ErrNotFound) true for a 404. One of the Identity API says
// nothing about a server.
func (e *Error) Is(target error) bool {
	return target == ErrNotFound && e.StatusCode == http.StatusNotFound && !e.OfIdentity()
}

// ErrNotFound is a 404: the API knows nothing by that id in that region.
var ErrNotFound = errors.New("not found")

// answerError is an answer of the right status that could not be read.
type answerError struct{ error }

// Reason says in plain words why there was no usable answer, or what the
// fault's message was.
func (e *Error) Reason() string {
	var tooLarge *http.MaxBytesError
	switch err := e.Err; {
	case err == nil && e.Message != "":
		return e.Message
	case err == nil:
		return http.StatusText(e.StatusCode) + " (the answer has no message; a proxy may have sent it)"
	case errors.As(err, &tooLarge):
		return fmt.Sprintf("the answer is larger than %d MiB", tooLarge.Limit>>20)
	case e.Unreadable():
		return "the answer could not be read: " + err.Error()
	default:
		return neterror.Reason(err)
	}
}

// neverSent tells whether the connection itself failed, so that no byte of the
// request can have reached the API.
func neverSent(err error) bool {
	var op *net.OpError
	return errors.As(err, new(*net.DNSError)) || neterror.Untrusted(err) ||
		errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect")
}

// newError describes a failed exchange.
func newError(c call, err error) *Error {
	e := c.failure(err)
	e.action = c.action
	var response gophercloud.ErrUnexpectedResponseCode
	var shape *json.UnmarshalTypeError
	switch {
	case errors.As(err, &response):
		e.StatusCode, e.RequestID, e.Err = response.Actual, requestID(response.ResponseHeader), nil
		e.readFault(response.Body, response.ResponseHeader)
	case errors.As(err, new(*json.SyntaxError)):
		e.Err = &answerError{errors.New("it is not the JSON that the API promises")}
	case errors.As(err, &shape):
		e.Err = &answerError{fmt.Errorf("its %s is a JSON %s", shape.Field, shape.Value)}
	}
	return e
}

// requestID reads the API's id of a request; Nova sends it under two names.
func requestID(header http.Header) string {
	return cmp.Or(header.Get("x-compute-request-id"), header.Get("x-openstack-request-id"))
}

// fault is what a JSON object with one key, the fault's name, holds.
type fault struct {
	Title   string    `json:"title"` // Keystone's name of the fault; its key is always error
	Message string    `json:"message"`
	Details string    `json:"details"`
	RetryAt time.Time `json:"retryAt"`
}

// readFault reads the fault in the body of a failed answer, if there is one. A
// proxy's page holds none.
func (e *Error) readFault(body []byte, header http.Header) {
	var named map[string]json.RawMessage
	_ = json.Unmarshal(body, &named) // which leaves it empty where there is no JSON object
	var retryAt time.Time
	for _, name := range slices.Sorted(maps.Keys(named)) {
		var f fault
		if json.Unmarshal(named[name], &f) == nil || f.Message != "" {
			e.Fault, e.Message, e.Details, retryAt = plain(cmp.Or(f.Title, name)), plain(f.Message), plain(f.Details), f.RetryAt
			break
		}
	}
	if e.OverLimit() {
		e.RetryAfter = retryAfter(header, retryAt)
	}
}

// maxRetryAfter is for how long an answer can hold back requests, at most. The API's
// limits are by the minute, so a longer time is a mistake.
const maxRetryAfter = time.Hour

// retryAfter is how long the API wants no further request: the header Retry-After,
// in seconds or as an HTTP date, else the fault's retryAt; zero where neither
// says. Dates are by the API's own clock, whatever this machine's says.
func retryAfter(header http.Header, retryAt time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if date, err := http.ParseTime(value); err == nil {
		retryAt = date
	}
	if retryAt.IsZero() {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(0, retryAt.Sub(now)), maxRetryAfter)
}

// maxText is how much of a text of the API is shown.
const maxText = 500

var (
	gap       = regexp.MustCompile(`<[^<>]*>|[\pZ\p{Cc}]+`) // markup, spaces and control characters
	invisible = regexp.MustCompile(`[^\pL\pM\pN\pP\pS ]|[<>]`)
)

// plain makes a text of the API fit for a message: one line, without markup, of
// a bounded length.
func plain(text string) string {
	text = gap.ReplaceAllString(strings.ToValidUTF8(text, ""), " ")
	text = strings.Join(strings.Fields(invisible.ReplaceAllString(text, "")), " ")
	if runes := []rune(text); len(runes) > maxText {
		text = string(runes[:maxText]) + "…"
	}
	return text
}
