// rackspace-stub serves a Rackspace Identity v2.0 and Cloud Servers v2 endpoint
// in memory, on loopback, with sample servers or those of a file. The same servers are
// behind a Keystone v3 and a Nova v2.1, so that the public openstack client works
// against it too.
//
//	rackspace-stub [flags] [-- COMMAND ARG…]
//
// With a command it sets the RACKSPACE_ variables that lead the provider to the
// stub, runs the command and exits with its status, or with 2 after an error of
// its own. Without one it prints them, and serves until it is interrupted. With
// -identity v3 these are the OS_ variables that lead every client of OpenStack to it:
//
//	rackspace-stub -identity v3 -- openstack server list
//
// The flag -servers names a JSON file of servers to serve instead of the samples. The
// flag -log names a file for the requests, and -fault makes requests fail. Below the
// path /_stub/ a test controls the stub over HTTP. The guide "Test your module without a
// cloud" describes all of it.
//
// The servers answer at loopback addresses. The first stub of a machine gives them
// 127.42.0.x, the next one 127.42.1.x, and so on; each says which it has.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	p := process{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, signals: signals, terminal: hasTerminal()}
	os.Exit(p.run(os.Args[1:]))
}

// hasTerminal tells whether a terminal controls this process.
func hasTerminal() bool {
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	return tty.Close() == nil
}
