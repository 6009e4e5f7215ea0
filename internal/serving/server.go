// Package serving stands between plugin-go and the framework, so that a thousand
// requests at a time take little memory.
package serving

import (
	"context"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// server is a framework's server whose requests can await work, see Await.
type server struct {
	framework
	silent bool // nobody reads the logs

	mu       sync.Mutex
	underWay map[*context.CancelFunc]bool // what ends the work of each request, if it awaits any
}

// framework is what the framework's server offers; actions and state stores would
// need to be named too.
type framework = tfprotov6.ProviderServerWithListResource //nolint:staticcheck // until ProviderServer has lists

// New returns a server of the provider.
func New(p provider.Provider) tfprotov6.ProviderServer { return newServer(p) }

func newServer(p provider.Provider) *server {
	return &server{framework: providerserver.NewProtocol6(p)().(framework), underWay: map[*context.CancelFunc]bool{}}
}

// These are the requests of which there is one for each resource.

func (s *server) ValidateResourceConfig(ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return barely(ctx, s, req, s.framework.ValidateResourceConfig)
}

func (s *server) UpgradeResourceState(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	return barely(ctx, s, req, s.framework.UpgradeResourceState)
}

func (s *server) UpgradeResourceIdentity(ctx context.Context, req *tfprotov6.UpgradeResourceIdentityRequest) (*tfprotov6.UpgradeResourceIdentityResponse, error) {
	return barely(ctx, s, req, s.framework.UpgradeResourceIdentity)
}

func (s *server) ImportResourceState(ctx context.Context, req *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	return barely(ctx, s, req, s.framework.ImportResourceState)
}

func (s *server) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return barely(ctx, s, req, s.framework.ReadResource)
}

func (s *server) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	return barely(ctx, s, req, s.framework.PlanResourceChange)
}

// ApplyResourceChange lets a handler await its work, see Await.
func (s *server) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	serve := func(ctx context.Context) (*tfprotov6.ApplyResourceChangeResponse, error) {
		return barely(ctx, s, req, s.framework.ApplyResourceChange)
	}
	if _, intercepted := ctx.Value(waitKey{}).(*wait); intercepted {
		return serve(ctx)
	}
	return awaiting(ctx, ctx, serve)
}

// StopProvider ends the work that requests await.
func (s *server) StopProvider(ctx context.Context, req *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	resp, err := s.framework.StopProvider(ctx, req)
	s.mu.Lock()
	defer s.mu.Unlock()
	for stop := range s.underWay {
		(*stop)()
	}
	return resp, err
}

// barely serves a request, where nobody reads logs, with a context that has no
// loggers. The framework keeps the contexts of all requests until the provider is
// stopped, and for each attribute copies what they know of logs.
//
//nolint:contextcheck // what comes from the request's context has its loggers
func barely[Q, A any](ctx context.Context, s *server, req Q, serve func(context.Context, Q) (A, error)) (A, error) {
	if !s.silent {
		return serve(ctx, req)
	}
	bare, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	return serve(context.WithValue(bare, waitKey{}, ctx.Value(waitKey{})), req)
}
