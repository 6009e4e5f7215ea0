package cloudservers

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// Watch looks at a server once every poll interval, the first time after one
// interval, and hands what it sees to look, until look is done or fails or the
// context ends.
//
// A look that fails for a passing reason is logged and waited through: a
// server is not lost because the API is away for a while. A server that is
// gone is ErrNotFound, believed when two looks in a row say so. When the context
// ends the wait, the error is its cause, joined with why the last look failed if
// it did.
func (r *Region) Watch(ctx context.Context, id string, look func(*Server) (done bool, err error)) error {
	tick := time.NewTicker(r.client.config.PollInterval)
	defer tick.Stop()
	missing := 0
	var failed error // of the last look
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), failed)
		}
		server, err := r.Server(ctx, id)
		if ctx.Err() != nil {
			return errors.Join(context.Cause(ctx), failed)
		}
		failed = err
		if err == nil {
			missing = 0
			if done, err := look(server); done || err != nil {
				return err
			}
			continue
		}
		var failure *Error
		switch {
		case errors.Is(err, ErrNotFound) && missing == 0:
			missing++
		case errors.As(err, &failure) && failure.Temporary():
			tflog.Warn(ctx, "Cannot look at the server for the moment, still waiting", map[string]any{
				"server_id": id, "error": err.Error(),
			})
		default:
			return err
		}
	}
}
