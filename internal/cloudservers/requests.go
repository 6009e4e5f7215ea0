package cloudservers

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// The calls, in the words of messages.
const (
	opToken     = "get a token"
	opServer    = "read the server"
	opServers   = "list the servers"
	opActionLog = "read the server's action log"
	opMigrate   = "migrate the server"
	opConfirm   = "confirm the migration"
	opRevert    = "revert the migration"
)

// overLimitWait is how long no request is sent when the API says that the rate
// limit is reached, but not for how long.
const overLimitWait = 10 * time.Second

// call is one API call.
type call struct {
	op       string
	method   string
	url      string
	body     any    // sent as JSON, or nil
	answer   any    // read from JSON, or nil
	priority bool   // it goes before others that wait for the rate limit
	action   bool   // it changes a server
	serverID string // of an action
	version  string // of the Identity API, for one of its calls
	origin   string // where the address of the Identity API is set, for one of its calls
}

// failure reports a call that has no usable answer.
func (c call) failure(err error) *Error {
	return &Error{Op: c.op, Method: c.method, URL: c.url, IdentityVersion: c.version, IdentityOrigin: c.origin, Err: err}
}

// unusable reports an answer of the right status that says something else than
// what was asked for.
func (c call) unusable(answer response, reason string) *Error {
	failure := c.failure(&answerError{errors.New(reason)})
	failure.StatusCode, failure.RequestID = http.StatusOK, requestID(answer.header)
	return failure
}

// response is what is known of an answer beside its body.
type response struct {
	status  int
	header  http.Header
	askedAt time.Time // just before the request was sent, by this machine's clock
}

// clock is the API's time when it answered, in whole seconds; this machine's,
// and false, where the answer does not tell.
func (r response) clock() (now time.Time, told bool) {
	now, err := http.ParseTime(r.header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return now.UTC().Truncate(time.Second), err == nil
}

// read makes a call that only reads, and repeats it as the retry policy says.
func (c *Client) read(ctx context.Context, what call) (response, error) {
	// The token request repeats itself: when it fails, it is not repeated here.
	if _, err := c.authenticated(ctx); err != nil {
		return response{}, err
	}
	return c.retry(ctx, what, c.reads)
}

// retry sends a request until it succeeds. It is the one retry policy. It is for
// reads and token requests alone: an action is never repeated, because its failure
// can hide that it was accepted.
//
//	the attempt …                      | then
//	-----------------------------------+---------------------------------------------
//	was ended by the context           | the failure before it is returned, if any
//	reached the rate limit             | again after Retry-After, without limit
//	was refused its token (401)        | again with a new token, once
//	failed, and may well succeed later | again after a backoff, MaxRetries times
//	failed otherwise                   | the failure is returned
//
// Every error is an *Error.
func (c *Client) retry(ctx context.Context, what call, queue *requestQueue) (response, error) {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = 500*time.Millisecond, 30*time.Second
	var last *Error
	attempts, retries, renewed := 0, 0, false
	answer, err := backoff.Retry(ctx, func() (response, error) {
		attempts++
		answer, err := c.attempt(ctx, what, queue, attempts)
		var failure *Error
		if !errors.As(err, &failure) {
			return answer, err
		}
		if last == nil || ctx.Err() == nil || failure.StatusCode != 0 {
			last = failure
		}
		switch {
		case ctx.Err() != nil:
			return answer, backoff.Permanent(err)
		case failure.OverLimit():
			return answer, &backoff.RetryAfterError{} // the next attempt waits for its turn
		case failure.StatusCode == http.StatusUnauthorized && failure.Op != opToken && !renewed && c.config.Credentials.Renewable():
			renewed = true
			return answer, &backoff.RetryAfterError{}
		case !failure.Temporary(), retries >= c.config.MaxRetries:
			return answer, backoff.Permanent(err)
		}
		retries++
		return answer, err
	}, backoff.WithBackOff(pauses), backoff.WithMaxElapsedTime(0))
	if err != nil {
		return answer, last
	}
	return answer, nil
}

// attempt sends a request once, when its turn has come.
func (c *Client) attempt(ctx context.Context, what call, queue *requestQueue, n int) (response, error) {
	turn, err := queue.wait(ctx, what)
	if err != nil {
		return response{}, what.failure(err)
	}
	return c.exchange(ctx, what, turn, n)
}

// accepted are the statuses of an answer that says yes.
var accepted = []int{
	http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNonAuthoritativeInfo, http.StatusNoContent,
}

// exchange sends a request once, and uses its turn up. Every error is an *Error.
func (c *Client) exchange(ctx context.Context, what call, turn *Turn, attempt int) (answer response, err error) {
	if !turn.take() {
		return answer, what.failure(errors.New("it has no turn at the rate limit, or its turn is used up"))
	}
	sent := false
	defer func() { turn.leave(sent) }()
	session := &session{} // a token request has none
	options := &gophercloud.RequestOpts{JSONBody: what.body, JSONResponse: what.answer, OkCodes: accepted}
	if what.op != opToken {
		if session, err = c.authenticated(ctx); err != nil {
			return answer, err
		}
		options.MoreHeaders = map[string]string{"X-Auth-Token": session.token}
	}
	if ctx.Err() != nil {
		return answer, what.failure(context.Cause(ctx))
	}
	sent, answer.askedAt = true, time.Now()
	resp, err := c.http.Request(ctx, what.method, what.url, options) //nolint:bodyclose // Request has read and closed it
	if resp != nil {
		answer.status, answer.header = resp.StatusCode, resp.Header
	}
	if err == nil {
		c.record(ctx, what, turn, attempt, answer, nil)
		return answer, nil
	}
	failure := newError(what, err)
	c.record(ctx, what, turn, attempt, answer, failure)
	switch {
	case failure.OverLimit():
		failure.RetryAfter = cmp.Or(failure.RetryAfter, overLimitWait)
		turn.queue.hold(failure.RetryAfter) // all requests wait, since the limit is the account's
	case failure.StatusCode == http.StatusUnauthorized:
		failure.Credentials = &c.config.Credentials
		// The next call asks for a new token. One that the user gave is kept: there is no other.
		session.refused.Store(c.config.Credentials.Renewable())
	}
	return answer, failure
}

// Tally counts what a client has sent.
type Tally struct {
	Calls     map[string]int // by what they do: "migrate the server"
	OverLimit int            // answers that said that the rate limit was reached
}

// Tally returns what was sent so far, repetitions included.
func (c *Client) Tally() Tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Tally{Calls: maps.Clone(c.tally.Calls), OverLimit: c.tally.OverLimit}
}

// record counts and logs one request. Neither the token nor a body nor a host is
// part of it.
func (c *Client) record(ctx context.Context, what call, turn *Turn, attempt int, answer response, failure *Error) {
	c.mu.Lock()
	c.tally.Calls[what.op]++
	if failure != nil && failure.OverLimit() {
		c.tally.OverLimit++
	}
	c.mu.Unlock()
	fields := map[string]any{
		"method": what.method, "path": pathOf(what.url), "attempt": attempt, "pace_wait": turn.waited.String(),
		"status": answer.status, "duration": time.Since(answer.askedAt).String(), "request_id": requestID(answer.header),
	}
	if failure != nil {
		fields["error"] = failure.Error()
	}
	tflog.Debug(ctx, "Cloud Servers request", fields)
}

// pathOf is a URL without its host.
func pathOf(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	_, path, _ := strings.Cut(rest, "/")
	return "/" + path
}
