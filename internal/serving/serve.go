package serving

import (
	"context"
	"os"
	"runtime/debug"

	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"google.golang.org/grpc"
)

// Serve serves the provider of an address to Terraform until that is done with
// it. A debugged one waits for Terraform to reach it instead of being started by it.
func Serve(address string, p provider.Provider, debugged bool) error {
	s := newServer(p)
	factory := func() tfprotov6.ProviderServer { return s }
	quiet := keepQuiet()
	switch {
	case debugged:
		return tf6server.Serve(address, factory, tf6server.WithManagedDebug())
	case !quiet:
		return tf6server.Serve(address, factory)
	}
	s.silent = true
	// It is what tf6server.Serve does, with an interceptor.
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion:  6,
			MagicCookieKey:   "TF_PLUGIN_MAGIC_COOKIE",
			MagicCookieValue: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2", // of all Terraform providers
		},
		Plugins: plugin.PluginSet{"provider": &tf6server.GRPCProviderPlugin{Name: address, GRPCProvider: factory}},
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(options, grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage), grpc.UnaryInterceptor(s.intercept))...)
		},
	})
	return nil
}

// maxMessage bounds a message of Terraform, or to it, as tf6server does.
const maxMessage = 256 << 20

// keepQuiet spares the work of logs that nobody reads, and tells whether that is
// so: a plugin writes all of them, and Terraform drops them unless it was asked for
// them.
func keepQuiet() bool {
	levels := []string{"TF_LOG_SDK", "TF_LOG_PROVIDER_RACKSPACE"}
	for _, variable := range append(levels, "TF_LOG", "TF_LOG_PROVIDER") {
		if os.Getenv(variable) != "" {
			return false
		}
	}
	for _, variable := range levels {
		_ = os.Setenv(variable, "OFF") // else there are logs too many
	}
	return true
}

// intercept is a grpc.UnaryServerInterceptor. A request that awaits work holds
// next to nothing meanwhile: neither what the framework nor what plugin-go makes
// of it, whose loggers alone take some 10 kB. The work has no logger either.
func (s *server) intercept(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	working, stop := context.WithCancel(ctx)
	defer stop()
	s.begin(&stop)
	defer s.end(&stop)
	return awaiting(ctx, working, func(ctx context.Context) (any, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel() // with which plugin-go lets go of it
		return handle(ctx, req)
	})
}

// begin notes that a request is under way whose work is ended by stop.
func (s *server) begin(stop *context.CancelFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.underWay[stop] = true
	spareMemory(len(s.underWay))
}

func (s *server) end(stop *context.CancelFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.underWay, stop)
}

// memoryPerThousand is what the collector of garbage keeps a thousand requests at
// a time to, as far as that is possible: near it, it runs more often than usual.
// Some 15 MiB of the process are not its business.
const memoryPerThousand = 76 << 20

// spareMemory is called with the number of requests under way. The limit rises
// with them, since one that is too low makes the collector run all the time, and
// falls when there is but one.
func spareMemory(requests int) {
	if requests%1000 == 1 && os.Getenv("GOMEMLIMIT") == "" {
		if limit := int64(requests/1000+1) * memoryPerThousand; requests == 1 || limit > debug.SetMemoryLimit(-1) {
			debug.SetMemoryLimit(limit)
		}
	}
}
