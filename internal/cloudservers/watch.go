package cloudservers

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// Watch looks at a server once every poll interval, the first time within one
// interval, and hands what it sees to look, until look is done or fails or the
// context ends. All servers of a region that are watched at a time share their
// requests, see watcher; a look that takes long delays nobody else's. Where several
// are watched, one that is on its way and has not changed is handed over more
// seldom, see retold.
//
// A look that fails for a passing reason is logged and waited through: a
// server is not lost because the API is away for a while. A server that is
// gone is ErrNotFound, believed when two looks in a row say so. When the context
// ends the wait, the error is its cause, joined with why the last look failed if
// it did.
func (r *Region) Watch(ctx context.Context, id string, look func(*Server) (done bool, err error)) error {
	waiter := r.watcher.join(r, id) //nolint:contextcheck // see Config.Context
	defer r.watcher.leave(waiter)
	missing := 0
	var failed error // of the last look
	for {
		var seen sighting
		select {
		case seen = <-waiter.news:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return errors.Join(context.Cause(ctx), failed)
		}
		failed = seen.err
		if seen.err == nil {
			missing = 0
			if done, err := look(seen.server); done || err != nil {
				return err
			}
			continue
		}
		switch {
		case errors.Is(seen.err, ErrNotFound) && missing == 0:
			missing++
		case !passing(seen.err):
			return seen.err
		}
	}
}

// passing tells whether a look may succeed again by itself.
func passing(err error) bool {
	var failure *Error
	return errors.As(err, &failure) && failure.Temporary()
}

func warnOfLook(ctx context.Context, err error, waiting int) {
	tflog.Warn(ctx, "Cannot look at the servers for the moment, still waiting", map[string]any{
		"servers": waiting, "error": err.Error(),
	})
}

// sighting is what one look saw of a server, or why it saw nothing.
type sighting struct {
	server *Server
	err    error
}

// waiter is one Watch.
type waiter struct {
	id   string
	news chan sighting // holds the newest one only
	told time.Time     // when it was told of the server; zero after a failure
	seen time.Time     // when the server was last seen as it was told of
}

// tell hands over a sighting, in place of one that was not taken yet.
func (w *waiter) tell(s sighting) {
	select {
	case untaken := <-w.news:
		if untaken.server != nil {
			w.seen = untaken.server.WatchedUntil // what was seen since, nobody heard of
		}
	default:
	}
	w.told = time.Time{} // after a failure the next sighting is news, whatever it is
	if s.server != nil {
		watched := *s.server
		watched.WatchedUntil = w.seen
		s.server, w.told, w.seen = &watched, time.Now(), wall()
	}
	w.news <- s
}

// wall is the time of the machine's clock, which goes on while the machine sleeps.
func wall() time.Time { return time.Now().Round(0) }

// lookTimeout bounds one look with its repetitions, beyond the time of one
// exchange: whoever waits has to hear of what is wrong.
const lookTimeout = time.Minute
