package serving

import (
	"context"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// keeper is a framework that keeps the contexts of its requests.
type keeper struct {
	framework
	kept []context.Context
}

type logger struct{}

// ApplyResourceChange answers with what it saw of the logger.
func (f *keeper) ApplyResourceChange(ctx context.Context, _ *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	f.kept = append(f.kept, ctx)
	return &tfprotov6.ApplyResourceChangeResponse{Private: []byte(ctx.Value(logger{}).(string))}, nil
}

func apply(ctx context.Context, f *keeper) (string, error) {
	resp, err := (&server{f}).ApplyResourceChange(context.WithValue(ctx, logger{}, "logged "), &tfprotov6.ApplyResourceChangeRequest{})
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
