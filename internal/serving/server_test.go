package serving

import (
	"context"
	"errors"
	"runtime/debug"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// keeper is a framework that keeps the contexts of its requests, and awaits work, if
// any, when it applies.
type keeper struct {
	framework
	work func(context.Context) (string, error)
	kept []context.Context
	reqs []*tfprotov6.ApplyResourceChangeRequest
}

type logger struct{}

// ApplyResourceChange answers with what it saw of the logger and of the work.
func (f *keeper) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	f.kept, f.reqs = append(f.kept, ctx), append(f.reqs, req)
	answer := ctx.Value(logger{}).(string)
	if f.work == nil {
		return &tfprotov6.ApplyResourceChangeResponse{Private: []byte(answer)}, nil
	}
	result, over, err := Await(ctx, f.work)
	if !over {
		return nil, errors.New("to be thrown away")
	}
	return &tfprotov6.ApplyResourceChangeResponse{Private: []byte(answer + result)}, err
}

func apply(ctx context.Context, f *keeper) (string, error) {
	resp, err := (&server{framework: f}).ApplyResourceChange(context.WithValue(ctx, logger{}, "logged "), &tfprotov6.ApplyResourceChangeRequest{})
	return string(resp.Private), err
}

func (f *keeper) keepsNothing(t *testing.T) {
	t.Helper()
	for _, ctx := range f.kept {
		if logger := ctx.Value(logger{}); logger != nil || ctx.Err() == nil {
			t.Errorf("got the logger %v and the error %v of a request's context afterwards, want an empty one that has ended", logger, ctx.Err())
		}
	}
}

func TestServer_leavesNothingInAContext(t *testing.T) {
	f := &keeper{}
	answer, err := apply(t.Context(), f)
	if answer != "logged " || err != nil || len(f.kept) != 1 {
		t.Errorf("got %q, %v after %d calls, want the answer of one", answer, err, len(f.kept))
	}
	f.keepsNothing(t)
}

func TestAwait_waitsApartFromTheRequest(t *testing.T) {
	failure := errors.New("it failed")
	works := 0
	f := &keeper{}
	f.work = func(ctx context.Context) (string, error) {
		works++
		if len(f.kept) != 1 || ctx.Value(logger{}) == nil {
			t.Errorf("got %d calls, and the work's logger %v, want one of each", len(f.kept), ctx.Value(logger{}))
		}
		f.keepsNothing(t)
		return "moved", failure
	}

	answer, err := apply(t.Context(), f)

	if answer != "logged moved" || !errors.Is(err, failure) || works != 1 {
		t.Errorf("got %q, %v after working %d times, want what the work came to", answer, err, works)
	}
	if len(f.reqs) != 2 || f.reqs[0] != f.reqs[1] {
		t.Errorf("got the requests %v, want the same one twice", f.reqs)
	}
	f.keepsNothing(t)
}

func TestAwait_endsWithTheRequest(t *testing.T) {
	request, cancel := context.WithCancel(t.Context())
	answer, err := apply(request, &keeper{work: func(ctx context.Context) (string, error) {
		cancel()
		<-ctx.Done()
		return "cancelled", nil
	}})
	if answer != "logged cancelled" || err != nil {
		t.Errorf("got %q, %v, want a second call that says what became of the wait", answer, err)
	}
}

func TestSpareMemory_limitsItByTheRequestsThatAreUnderWay(t *testing.T) {
	unlimited := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(unlimited)
	wantLimit := func(applying, want int64) {
		t.Helper()
		spareMemory(applying)
		if got := debug.SetMemoryLimit(-1); got != want {
			t.Errorf("got a limit of %d bytes at %d requests, want %d", got, applying, want)
		}
	}
	t.Setenv("GOMEMLIMIT", "1GiB")
	wantLimit(1, unlimited) // whoever set it knows better
	t.Setenv("GOMEMLIMIT", "")
	wantLimit(1, memoryPerThousand)
	wantLimit(1000, memoryPerThousand)
	wantLimit(1001, 2*memoryPerThousand)
	wantLimit(3001, 4*memoryPerThousand)
	wantLimit(1001, 4*memoryPerThousand) // some have ended, and others begun
	wantLimit(1, memoryPerThousand)
}
