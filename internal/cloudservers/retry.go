package cloudservers

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
)

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
