package cloudservers

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/gophercloud/gophercloud/v2"
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

	urgent  bool                        // it goes before others that wait for the rate limit
	settles string                      // the server whose migration it confirms or reverts, or empty
	turn    *Turn                       // its place among the requests that the rate limit allows, or nil
	ready   func(context.Context) error // what it is asked before it is sent, or nil
}

// do makes a call with the current token, and repeats it as the retry policy
// says. A 401 gets a new token and one more try.
func (c *Client) do(ctx context.Context, what call) (http.Header, error) {
	grant, err := c.session.grant(ctx, "")
	if err != nil {
		return nil, err
	}
	renewed := false
	return c.retry(ctx, what, func() (int, http.Header, error) {
		status, header, err := c.exchange(ctx, what, grant.token)
		if !gophercloud.ResponseCodeIs(err, http.StatusUnauthorized) || renewed || !c.config.Credentials.Renewable() {
			return status, header, err
		}
		fresh, failed := c.session.grant(ctx, grant.token)
		if failed != nil {
			return 0, nil, failed // and the next attempt asks for a token again
		}
		grant, renewed = fresh, true
		return status, header, &renewedError{err}
	})
}

// renewedError is a 401 after which there is a new token to try with.
type renewedError struct{ error }

func (e *renewedError) Unwrap() error { return e.error }

var accepted = []int{
	http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNonAuthoritativeInfo, http.StatusNoContent,
}

func (c *Client) exchange(ctx context.Context, what call, token string) (int, http.Header, error) {
	options := &gophercloud.RequestOpts{
		JSONBody:     what.body,
		JSONResponse: what.answer,
		OkCodes:      accepted,
		MoreHeaders:  map[string]string{"X-Auth-Token": token},
	}
	resp, err := c.http.Request(ctx, what.method, what.url, options) //nolint:bodyclose // Request has read and closed it
	if resp == nil {
		return 0, nil, err
	}
	return resp.StatusCode, resp.Header, err
}

// retry is the one retry policy. Its question is whether a failed request can
// have had an effect: reads, token requests among them, cannot; an action is
// repeated only when it is proven that nothing was accepted. The rate limit is
// waited out for as long as the context lasts; other failures are repeated
// MaxRetries times. Every error is an *Error, or that of the call's ready.
func (c *Client) retry(ctx context.Context, what call, exchange func() (int, http.Header, error)) (http.Header, error) {
	var last *Error
	var refused error // by ready
	attempts, failures := 0, 0
	lane, turn := c.pace.lane(what), what.turn
	attempt := func() (http.Header, error) {
		if lane != nil && turn == nil {
			turn, _ = lane.wait(ctx, what) // what ended it is in ctx
		}
		asked := false
		defer func() { turn.leave(asked); turn = nil }()
		if ctx.Err() != nil { // nothing is sent any more, so what failed before is the reason
			return nil, backoff.Permanent(context.Cause(ctx))
		}
		if what.ready != nil {
			if refused = what.ready(ctx); refused != nil {
				return nil, backoff.Permanent(refused)
			}
		}
		attempts, asked = attempts+1, true
		sent := exchanged{call: what, attempt: attempts, waited: turn.wait(), began: time.Now()}
		status, header, err := exchange()
		if err == nil {
			c.record(ctx, sent, status, header, nil)
			return header, nil
		}
		failure := c.asError(what, header, err)
		c.record(ctx, sent, status, header, failure)
		if errors.As(err, new(*renewedError)) {
			return nil, &backoff.RetryAfterError{}
		}
		// A read that its context cut short says less than the failure before it.
		if cut := ctx.Err() != nil && failure.StatusCode == 0 && !failure.MaybeAccepted(); !cut || last == nil {
			last = failure
		}
		switch {
		case ctx.Err() != nil:
			return nil, backoff.Permanent(last)
		case last.overLimit() && lane != nil:
			lane.hold(last.RetryAfter) // all of them, since the limit is everybody's
			return nil, &backoff.RetryAfterError{}
		case last.overLimit():
			return nil, &backoff.RetryAfterError{Duration: last.RetryAfter}
		case !last.Temporary(), last.MaybeAccepted(), failures >= c.config.MaxRetries:
			return nil, backoff.Permanent(last)
		}
		failures++
		return nil, last
	}
	header, err := backoff.Retry(ctx, attempt, backoff.WithBackOff(newBackOff()), backoff.WithMaxElapsedTime(0))
	switch {
	case err == nil:
		return header, nil
	case refused != nil:
		return nil, refused
	case last == nil: // nothing has failed but the context
		return nil, &Error{Op: what.op, Method: what.method, URL: what.url, Err: context.Cause(ctx)}
	default:
		return nil, last
	}
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
