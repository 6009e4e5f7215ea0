package provider

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"golang.org/x/sync/semaphore"
)

// endTimeout bounds how long a stop waits for the ends of the actions that it cancels.
const endTimeout = 5 * time.Second

// NewServer returns the server of a provider. It reports the end of an action that is
// cancelled, and makes its schema once.
func NewServer(p provider.Provider) tfprotov6.ProviderServer {
	s := &providerServer{frameworkServer: providerserver.NewProtocol6(p)().(frameworkServer), actions: semaphore.NewWeighted(math.MaxInt64)}
	s.schema = sync.OnceValues(func() (*tfprotov6.GetProviderSchemaResponse, error) {
		return s.frameworkServer.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
	})
	return s
}

// frameworkServer is what the framework's server does for this provider.
type frameworkServer interface {
	tfprotov6.ProviderServer
	tfprotov6.ListResourceServer
	tfprotov6.ActionServer
}

// providerServer is a server that ends a stop only once the cancelled actions have ended.
// After a stop terraform-plugin-go sends nothing of an action any more, not even its
// errors, and Terraform then takes the action for a success.
type providerServer struct {
	frameworkServer
	actions *semaphore.Weighted // each action that is invoked holds one, a stop all
	schema  func() (*tfprotov6.GetProviderSchemaResponse, error)
}

// GetProviderSchema returns the schemas of all that the provider offers. A first call
// can be made before Terraform has connected: then they are ready when it asks.
func (s *providerServer) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	return s.schema()
}

// InvokeAction invokes an action.
func (s *providerServer) InvokeAction(ctx context.Context, req *tfprotov6.InvokeActionRequest) (*tfprotov6.InvokeActionServerStream, error) {
	if err := s.actions.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	stream, err := s.frameworkServer.InvokeAction(ctx, req)
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
func (s *providerServer) StopProvider(ctx context.Context, req *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	resp, err := s.frameworkServer.StopProvider(ctx, req)
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	if s.actions.Acquire(ctx, math.MaxInt64) == nil {
		s.actions.Release(math.MaxInt64)
	}
	return resp, err
}
