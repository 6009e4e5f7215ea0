// Package serving stands between plugin-go and the framework, so that a thousand
// requests at a time take little memory.
package serving

import (
	"context"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// server is a framework's server that keeps nothing of a request. By itself the
// framework keeps the context of each one until the provider is stopped, and with
// it the loggers that plugin-go has made for the request, some 20 kB.
type server struct {
	framework
	requests atomic.Int64 // how many are under way
}

// framework is what the framework's server offers; actions and state stores would
// need to be named too.
type framework = tfprotov6.ProviderServerWithListResource //nolint:staticcheck // until ProviderServer has lists

// New returns a server of the provider.
func New(p provider.Provider) tfprotov6.ProviderServer {
	return &server{framework: providerserver.NewProtocol6(p)().(framework)}
}

// These are the requests of which there is one for each resource.

func (s *server) ValidateResourceConfig(ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return briefly(ctx, s, req, s.framework.ValidateResourceConfig)
}

func (s *server) UpgradeResourceState(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	return briefly(ctx, s, req, s.framework.UpgradeResourceState)
}

func (s *server) UpgradeResourceIdentity(ctx context.Context, req *tfprotov6.UpgradeResourceIdentityRequest) (*tfprotov6.UpgradeResourceIdentityResponse, error) {
	return briefly(ctx, s, req, s.framework.UpgradeResourceIdentity)
}

func (s *server) ImportResourceState(ctx context.Context, req *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	return briefly(ctx, s, req, s.framework.ImportResourceState)
}

func (s *server) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return briefly(ctx, s, req, s.framework.ReadResource)
}

func (s *server) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	return briefly(ctx, s, req, s.framework.PlanResourceChange)
}

// ApplyResourceChange lets a handler await its work, see Await.
func (s *server) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	spareMemory(s.requests.Add(1))
	defer s.requests.Add(-1)
	wait := &wait{}
	waits := context.WithValue(ctx, waitKey{}, wait)
	resp, err := lend(waits, req, s.framework.ApplyResourceChange)
	if wait.work == nil {
		return resp, err
	}
	wait.work(ctx)
	return lend(waits, req, s.framework.ApplyResourceChange)
}

// memoryPerThousand is what the collector of garbage keeps a thousand requests at
// a time to, as far as that is possible: near it, it runs more often than usual.
// Some 15 MiB of the process are not its business.
const memoryPerThousand = 76 << 20

// spareMemory is called with the number of requests under way. The limit rises
// with them, since one that is too low makes the collector run all the time, and
// falls when there is but one.
func spareMemory(requests int64) {
	if requests%1000 == 1 && os.Getenv("GOMEMLIMIT") == "" {
		if limit := (requests/1000 + 1) * memoryPerThousand; requests == 1 || limit > debug.SetMemoryLimit(-1) {
			debug.SetMemoryLimit(limit)
		}
	}
}

// briefly serves a request that awaits nothing.
func briefly[Q, A any](ctx context.Context, s *server, req Q, serve func(context.Context, Q) (A, error)) (A, error) {
	spareMemory(s.requests.Add(1))
	defer s.requests.Add(-1)
	return lend(ctx, req, serve)
}

// lend serves a request with a context that holds nothing once that is done.
//
//nolint:contextcheck // the context that holds nothing comes from nowhere
func lend[Q, A any](ctx context.Context, req Q, serve func(context.Context, Q) (A, error)) (A, error) {
	loan := &lent{}
	loan.Store(&ctx)
	defer loan.Store(&ended)
	return serve(loan, req)
}

// lent is the context that it points to, which changes only when nobody needs
// the former one any more.
type lent struct {
	atomic.Pointer[context.Context]
}

func (l *lent) Deadline() (time.Time, bool) { return (*l.Load()).Deadline() }
func (l *lent) Done() <-chan struct{}       { return (*l.Load()).Done() }
func (l *lent) Err() error                  { return (*l.Load()).Err() }
func (l *lent) Value(key any) any           { return (*l.Load()).Value(key) }

var ended = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()
