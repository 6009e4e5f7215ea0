package serving

import "context"

// Await does work that may take minutes for the Create or Update of a resource,
// and returns its result. A handler that gets over == false has to return at once,
// whatever its response: it is called again, with the same request, when the work
// is over. Meanwhile next to nothing is kept of what the framework made of the
// request, which is several times what the work needs. What a handler does before
// Await it does twice, so that it must only read; it awaits once.
func Await[T any](ctx context.Context, work func(context.Context) (T, error)) (result T, over bool, err error) {
	wait := ctx.Value(waitKey{}).(*wait)
	if wait.over {
		return wait.result.(T), true, wait.err
	}
	wait.work = func(ctx context.Context) {
		wait.result, wait.err = work(ctx)
		wait.over = true
	}
	return result, false, nil
}

type waitKey struct{}

// wait is the work that a request awaits, if any, and what it came to.
type wait struct {
	work   func(context.Context)
	over   bool
	result any
	err    error
}

// awaiting serves a request, and does the work that it awaits, if any; then it
// serves the request again. The framework may keep the context that it is served
// with.
func awaiting[A any](ctx, working context.Context, serve func(context.Context) (A, error)) (A, error) {
	wait := &wait{}
	waits := context.WithValue(ctx, waitKey{}, wait)
	resp, err := serve(waits)
	work := wait.work
	if work == nil {
		return resp, err
	}
	wait.work = nil
	work(working)
	return serve(waits)
}
