package serving

import (
	"context"
	"errors"
	"os"
	"runtime/debug"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// keeper is a framework that keeps the contexts of its requests, and awaits work, if
// any, when it applies; else it serves.
type keeper struct {
	framework
	work  func(context.Context) (string, error)
	serve func(context.Context)
	kept  []context.Context // also those of plugin-go
	reqs  []*tfprotov6.ApplyResourceChangeRequest
}

type logger struct{}

// ApplyResourceChange answers with what became of the work.
func (f *keeper) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	f.kept, f.reqs = append(f.kept, ctx), append(f.reqs, req)
	if f.work == nil {
		f.serve(ctx)
		return &tfprotov6.ApplyResourceChangeResponse{Private: []byte("served")}, nil
	}
	result, over, err := Await(ctx, f.work)
	if !over {
		return nil, errors.New("to be thrown away")
	}
	return &tfprotov6.ApplyResourceChangeResponse{Private: []byte(result)}, err
}

func (f *keeper) StopProvider(context.Context, *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	return &tfprotov6.StopProviderResponse{}, nil
}

func newKeeper(work func(context.Context) (string, error)) (*keeper, *server) {
	f := &keeper{work: work}
	return f, &server{framework: f, underWay: map[*context.CancelFunc]bool{}}
}

// apply has a request served that has a logger, which plugin-go adds to each pass.
func apply(ctx context.Context, s *server) (string, error) {
	logged := func(ctx context.Context, req any) (any, error) {
		if f := s.framework.(*keeper); s.silent {
			f.kept = append(f.kept, ctx)
		}
		return s.ApplyResourceChange(context.WithValue(ctx, logger{}, "logger"), req.(*tfprotov6.ApplyResourceChangeRequest))
	}
	req := &tfprotov6.ApplyResourceChangeRequest{}
	var resp any
	var err error
	if s.silent {
		resp, err = s.intercept(ctx, req, nil, logged)
	} else {
		resp, err = logged(ctx, req)
	}
	return string(resp.(*tfprotov6.ApplyResourceChangeResponse).Private), err
}

// keepsNothing checks that the contexts of the passes that are over have ended,
// and that the framework's had no logger.
func (f *keeper) keepsNothing(t *testing.T) {
	t.Helper()
	for _, ctx := range f.kept {
		if logger := ctx.Value(logger{}); logger != nil || ctx.Err() == nil {
			t.Errorf("got the logger %v and the error %v of a request's context afterwards, want an empty one that has ended", logger, ctx.Err())
		}
	}
}

func TestServer_leavesNothingInTheContextOfASilentRequest(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "")
	unlimited := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(unlimited)
	f, s := newKeeper(nil)
	s.silent = true
	f.serve = func(ctx context.Context) {
		if limit := debug.SetMemoryLimit(-1); ctx.Err() != nil || len(s.underWay) != 1 || limit != memoryPerThousand {
			t.Errorf("got %v, %d requests and a limit of %d bytes while one is served", ctx.Err(), len(s.underWay), limit)
		}
	}
	answer, err := apply(t.Context(), s)
	if answer != "served" || err != nil || len(f.reqs) != 1 || len(s.underWay) != 0 {
		t.Errorf("got %q, %v after %d calls, and %d under way, want the answer of one", answer, err, len(f.reqs), len(s.underWay))
	}
	f.keepsNothing(t)
}

func TestServer_endsASilentRequestThatIsCancelled(t *testing.T) {
	request, cancel := context.WithCancel(t.Context())
	f, s := newKeeper(nil)
	s.silent = true
	f.serve = func(ctx context.Context) {
		cancel()
		<-ctx.Done()
	}
	if answer, err := apply(request, s); answer != "served" || err != nil {
		t.Errorf("got %q, %v, want the answer", answer, err)
	}
}

func TestServer_keepsTheLoggerWhereLogsAreRead(t *testing.T) {
	f, s := newKeeper(func(ctx context.Context) (string, error) {
		if ctx.Value(logger{}) == nil {
			t.Error("the work has no logger")
		}
		return "", nil
	})
	if _, err := apply(t.Context(), s); err != nil {
		t.Error(err)
	}
	if len(f.kept) != 2 || f.kept[0].Value(logger{}) == nil {
		t.Errorf("got %d calls, want two with a logger", len(f.kept))
	}
}

func TestAwait_waitsApartFromTheRequest(t *testing.T) {
	for _, silent := range []bool{true, false} {
		failure := errors.New("it failed")
		works := 0
		f, s := newKeeper(nil)
		s.silent = silent
		f.work = func(context.Context) (string, error) {
			if works++; len(f.reqs) != 1 {
				t.Errorf("silent %t: got %d calls before the work, want one", silent, len(f.reqs))
			}
			if silent {
				f.keepsNothing(t)
			}
			return "moved", failure
		}

		answer, err := apply(t.Context(), s)

		if answer != "moved" || !errors.Is(err, failure) || works != 1 {
			t.Errorf("silent %t: got %q, %v after working %d times, want what the work came to", silent, answer, err, works)
		}
		if len(f.reqs) != 2 || f.reqs[0] != f.reqs[1] {
			t.Errorf("silent %t: got the requests %v, want the same one twice", silent, f.reqs)
		}
	}
}

func TestAwait_endsWithTheRequest(t *testing.T) {
	for _, silent := range []bool{true, false} {
		request, cancel := context.WithCancel(t.Context())
		_, s := newKeeper(func(ctx context.Context) (string, error) {
			cancel()
			<-ctx.Done()
			return "cancelled", nil
		})
		s.silent = silent
		if answer, err := apply(request, s); answer != "cancelled" || err != nil {
			t.Errorf("silent %t: got %q, %v, want a second call that says what became of the wait", silent, answer, err)
		}
	}
}

func TestAwait_endsWhenTerraformIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := newKeeper(nil)
		s.silent = true
		f.work = func(ctx context.Context) (string, error) {
			if synctest.Wait(); ctx.Err() != nil {
				t.Error("the work was stopped before Terraform was interrupted")
			}
			if _, err := s.StopProvider(ctx, &tfprotov6.StopProviderRequest{}); err != nil {
				t.Error(err)
			}
			<-ctx.Done()
			return "stopped", nil
		}
		for range 2 { // what comes after an interruption may begin
			if answer, err := apply(t.Context(), s); answer != "stopped" || err != nil {
				t.Errorf("got %q, %v, want a second call that says what became of the wait", answer, err)
			}
		}
	})
}

func TestKeepQuiet_whereNobodyAsksForLogs(t *testing.T) {
	variables := []string{"TF_LOG", "TF_LOG_PROVIDER", "TF_LOG_SDK", "TF_LOG_PROVIDER_RACKSPACE"}
	tests := []struct {
		asked string
		quiet bool
		off   []string
	}{
		{"", true, variables[2:]},
		{"TF_LOG", false, nil},
		{"TF_LOG_PROVIDER", false, nil},
		{"TF_LOG_SDK", false, nil},
		{"TF_LOG_PROVIDER_RACKSPACE", false, nil},
	}
	for _, test := range tests {
		for _, variable := range variables {
			t.Setenv(variable, "")
		}
		if test.asked != "" {
			t.Setenv(test.asked, "INFO")
		}
		quiet := keepQuiet()
		var off []string
		for _, variable := range variables {
			if os.Getenv(variable) == "OFF" {
				off = append(off, variable)
			}
		}
		if quiet != test.quiet || !slices.Equal(off, test.off) {
			t.Errorf("asked for %q: got quiet %t with %v off, want %t with %v", test.asked, quiet, off, test.quiet, test.off)
		}
	}
}

func TestSpareMemory_limitsItByTheRequestsThatAreUnderWay(t *testing.T) {
	unlimited := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(unlimited)
	wantLimit := func(applying int, want int64) {
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
