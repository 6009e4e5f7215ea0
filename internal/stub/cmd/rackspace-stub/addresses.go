package main

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// blocks is how many blocks of addresses are tried: 127.42.0.x, 127.42.1.x, and so on.
const blocks = 100

// block is the sample servers at addresses that no other stub has.
type block struct {
	addresses string // such as 127.42.0.x
	samples   []stub.Server
	cloud     *stub.Stub
	ports     *stub.Ports  // nil when no block is free
	claim     net.Listener // held for as long as the stub runs: a server's own ports close while it is migrated
}

// openBlock serves the sample servers of a new stub in the first free block of
// addresses. When none is free, the servers are in the first block, with no ports
// open, and the error says why.
func openBlock(config stub.Config) (*block, error) {
	var first error
	for n := range blocks {
		b := newBlock(config, n)
		err := b.open()
		if err == nil {
			return b, nil
		}
		if first == nil {
			first = err
		}
	}
	return newBlock(config, 0), first
}

func newBlock(config stub.Config, n int) *block {
	b := &block{addresses: fmt.Sprintf("127.42.%d.x", n), samples: stub.Samples(), cloud: stub.New(config)}
	for i := range b.samples {
		address := b.samples[i].AccessIPv4
		b.samples[i].AccessIPv4 = b.address(address[strings.LastIndex(address, ".")+1:])
		b.cloud.AddServer(b.samples[i])
	}
	return b
}

// address is an address of the block, by its last number.
func (b *block) address(last string) string {
	return strings.TrimSuffix(b.addresses, "x") + last
}

// open claims the block and opens the ports of its servers. A block belongs to the
// stub that listens at its first address.
func (b *block) open() error {
	claim, err := net.Listen("tcp", net.JoinHostPort(b.address("1"), strconv.Itoa(stub.PortHTTP)))
	if err != nil {
		return fmt.Errorf("cannot claim the addresses %s: %w", b.addresses, err)
	}
	ports, err := b.cloud.Listen(false)
	if err != nil {
		_ = claim.Close()
		return err
	}
	b.claim, b.ports = claim, ports
	return nil
}

// close gives the block back.
func (b *block) close() {
	if b.ports != nil {
		b.ports.Close()
		_ = b.claim.Close()
	}
}
