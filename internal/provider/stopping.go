package provider

import (
	"context"
	"math"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"golang.org/x/sync/semaphore"
)

// endTimeout bounds how long a stop waits for the ends of the actions that it cancels.
const endTimeout = 5 * time.Second

// NewServer returns the server of a provider, which reports the end of an action that
// is cancelled.
func NewServer(p provider.Provider) tfprotov6.ProviderServer {
	return &stopping{providerServer: providerserver.NewProtocol6(p)().(providerServer), actions: semaphore.NewWeighted(math.MaxInt64)}
}

// providerServer is what the framework's server does for this provider.
type providerServer interface {
	tfprotov6.ProviderServer
	tfprotov6.ListResourceServer
	tfprotov6.ActionServer
}

// stopping is a server that ends a stop only once the cancelled actions have ended.
// After a stop terraform-plugin-go sends nothing of an action any more, not even its
// errors, and Terraform then takes the action for a success.
type stopping struct {
	providerServer
	actions *semaphore.Weighted // each action that is invoked holds one, a stop all
}

// InvokeAction invokes an action.
func (s *stopping) InvokeAction(ctx context.Context, req *tfprotov6.InvokeActionRequest) (*tfprotov6.InvokeActionServerStream, error) {
	if err := s.actions.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	stream, err := s.providerServer.InvokeAction(ctx, req)
	if err != nil {
		s.actions.Release(1)
		return nil, err
	}
	events := stream.Events
	stream.Events = func(push func(tfprotov6.InvokeActionEvent) bool) {
		defer s.actions.Release(1)
		events(push)
	}
	return stream, nil
}

// StopProvider cancels all that the provider does, and waits until its actions have
// reported that.
func (s *stopping) StopProvider(ctx context.Context, req *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	resp, err := s.providerServer.StopProvider(ctx, req)
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	if s.actions.Acquire(ctx, math.MaxInt64) == nil {
		s.actions.Release(math.MaxInt64)
	}
	return resp, err
}
