// Command rackspace-stub serves a Rackspace Identity v2.0 and Cloud Servers v2 endpoint
// in memory, on loopback, with sample servers or those of a file. It also serves a Keystone
// v3 and a Nova v2.1 endpoint for the same servers, so that the public openstack client
// works with it.
//
//	rackspace-stub [flags] [-- COMMAND ARG…]
//
// The provider finds the stub by RACKSPACE_ variables. With a command, rackspace-stub sets
// them, runs the command and exits with its status, or with 2 after an error of its own.
// Without a command it prints them, and serves until it is interrupted. With -identity v3
// it sets OS_ variables instead, by which every client of OpenStack finds the stub:
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
