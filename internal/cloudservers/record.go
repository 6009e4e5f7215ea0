package cloudservers

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// exchanged is one exchange with the API.
type exchanged struct {
	call
	attempt int
	waited  time.Duration // for the pace
	began   time.Time
}

// Tally counts what a client has sent.
type Tally struct {
	Calls     map[string]int // by what they do: "migrate the server"
	OverLimit int            // answers that said that the rate limit was reached
}

// tally is safe for concurrent use.
type tally struct {
	mu    sync.Mutex
	count Tally
}

func (t *tally) add(op string, overLimit bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count.Calls == nil {
		t.count.Calls = map[string]int{}
	}
	t.count.Calls[op]++
	if overLimit {
		t.count.OverLimit++
	}
}

// Tally returns what was sent so far, repetitions included.
func (c *Client) Tally() Tally {
	c.tally.mu.Lock()
	defer c.tally.mu.Unlock()
	return Tally{Calls: maps.Clone(c.tally.count.Calls), OverLimit: c.tally.count.OverLimit}
}

// record counts and logs one exchange. Neither the token nor a body nor a
// host is part of it.
func (c *Client) record(ctx context.Context, what exchanged, status int, header http.Header, err *Error) {
	c.tally.add(what.op, err != nil && err.overLimit())
	fields := map[string]any{
		"method":     what.method,
		"path":       pathOf(what.url),
		"status":     status,
		"duration":   time.Since(what.began).String(),
		"attempt":    what.attempt,
		"pace_wait":  what.waited.String(),
		"request_id": requestID(header),
	}
	if err != nil {
		fields["error"], fields["request_id"], fields["status"] = err.Error(), err.RequestID, err.StatusCode
	}
	tflog.Debug(ctx, "Cloud Servers request", fields)
}

func pathOf(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return parsed.RequestURI()
}
