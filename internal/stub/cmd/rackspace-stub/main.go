// rackspace-stub serves a Rackspace Identity v2.0 and Cloud Servers v2 endpoint
// in memory, on loopback, with sample servers.
//
//	rackspace-stub [flags] [-- COMMAND ARG…]
//
// With a command it sets the RACKSPACE_ variables that lead the provider to the
// stub, runs the command and exits with its status. Without one it prints them,
// and serves until it is interrupted.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}
