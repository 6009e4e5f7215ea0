package cloudservers

import (
	"context"
	"errors"
	"net/http"
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

const (
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = 30 * time.Second
	// overLimitWait is how long the API is left alone when it says that the
	// rate limit is reached but not for how long.
	overLimitWait = 10 * time.Second
)

// call is one API call.
type call struct {
	op     string
	method string
	url    string
	body   any // sent as JSON, or nil
	answer any // read from JSON, or nil
	action bool
}

// do makes a call with the current token, and repeats it as the retry policy
// says. A 401 gets a new token and one more try.
func (c *Client) do(ctx context.Context, what call) (http.Header, error) {
	grant, err := c.session.grant(ctx, "")
	if err != nil {
		return nil, err
	}
	renewed := false
	return c.retry(ctx, what, func() (http.Header, error) {
		header, err := c.exchange(ctx, what, grant.token)
		if !gophercloud.ResponseCodeIs(err, http.StatusUnauthorized) || renewed || !c.config.Credentials.Renewable() {
			return header, err
		}
		fresh, err := c.session.grant(ctx, grant.token)
		if err != nil {
			return nil, err // and the next attempt asks for a token again
		}
		grant, renewed = fresh, true
		return c.exchange(ctx, what, grant.token)
	})
}

var accepted = []int{
	http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNonAuthoritativeInfo, http.StatusNoContent,
}

func (c *Client) exchange(ctx context.Context, what call, token string) (http.Header, error) {
	options := &gophercloud.RequestOpts{
		JSONBody:     what.body,
		JSONResponse: what.answer,
		OkCodes:      accepted,
		MoreHeaders:  map[string]string{"X-Auth-Token": token},
	}
	resp, err := c.http.Request(ctx, what.method, what.url, options) //nolint:bodyclose // Request has read and closed it
	if resp == nil {
		return nil, err
	}
	return resp.Header, err
}

// retry is the one retry policy. Its question is whether a failed request can
// have had an effect: reads, token requests among them, cannot; an action is
// repeated only when it is proven that nothing was accepted. The rate limit is
// waited out for as long as the context lasts; other failures are repeated
// MaxRetries times. Every error is an *Error.
func (c *Client) retry(ctx context.Context, what call, exchange func() (http.Header, error)) (http.Header, error) {
	var last *Error
	failures := 0
	attempt := func() (http.Header, error) {
		if ctx.Err() != nil { // nothing is sent any more, so what failed before is the reason
			if last == nil {
				last = &Error{Op: what.op, Method: what.method, URL: what.url, Err: context.Cause(ctx)}
			}
			return nil, backoff.Permanent(last)
		}
		started := time.Now()
		header, err := exchange()
		if err == nil {
			c.log(ctx, what, started, failures, header, nil)
			return header, nil
		}
		failure := c.asError(what, header, err)
		c.log(ctx, what, started, failures, header, failure)
		// A read that its context cut short says less than the failure before it.
		if cut := ctx.Err() != nil && failure.StatusCode == 0 && !failure.MaybeAccepted(); !cut || last == nil {
			last = failure
		}
		switch {
		case ctx.Err() != nil:
			return nil, backoff.Permanent(last)
		case last.overLimit():
			return nil, &backoff.RetryAfterError{Duration: last.RetryAfter}
		case !last.Temporary(), last.MaybeAccepted(), failures >= c.config.MaxRetries:
			return nil, backoff.Permanent(last)
		}
		failures++
		return nil, last
	}
	header, err := backoff.Retry(ctx, attempt, backoff.WithBackOff(newBackOff()), backoff.WithMaxElapsedTime(0))
	if err == nil {
		return header, nil
	}
	return nil, last
}

func newBackOff() backoff.BackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = firstBackoff, maxBackoff
	return b
}

func (c *Client) asError(what call, header http.Header, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	e = newError(what, header, err)
	switch {
	case e.overLimit() && e.RetryAfter <= 0:
		e.RetryAfter = overLimitWait
	case e.StatusCode == http.StatusUnauthorized:
		e.Credentials = &c.config.Credentials
	}
	return e
}

// log records one exchange. Neither the token nor a body is part of it.
func (c *Client) log(ctx context.Context, what call, started time.Time, failures int, header http.Header, err *Error) {
	fields := map[string]any{
		"method":     what.method,
		"url":        what.url,
		"duration":   time.Since(started).String(),
		"attempt":    failures + 1,
		"request_id": requestID(header),
	}
	if err != nil {
		fields["error"] = err.Error()
		fields["request_id"] = err.RequestID
	}
	tflog.Debug(ctx, "Cloud Servers request", fields)
}
