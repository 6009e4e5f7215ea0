package main

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// blocks is how many blocks of addresses are tried: 127.42.0.x, 127.42.1.x, and so on.
const blocks = 100

// blockPrefix begins the addresses of the first block.
const blockPrefix = "127.42.0."

// blocksOfStubs has the addresses of all blocks.
var blocksOfStubs = netip.MustParsePrefix("127.42.0.0/16")

// block is a stub whose servers have addresses that no other stub of the machine uses.
type block struct {
	addresses string // such as 127.42.0.x
	servers   []stub.Server
	cloud     *stub.Stub
	ports     *stub.Ports  // nil when no block is free
	claim     net.Listener // held for as long as the stub runs: a server's own ports close while it is migrated
}

// openBlock serves servers of a new stub in the first free block of addresses. Those
// whose addresses are not of a block keep them. When no block is free, the servers are
// in the first one, with no ports open, and the error says why.
func openBlock(config stub.Config, servers []stub.Server) (*block, error) {
	var first error
	for n := range blocks {
		b := newBlock(config, servers, n)
		err := b.open()
		if err == nil {
			return b, nil
		}
		if first == nil {
			first = err
		}
	}
	return newBlock(config, servers, 0), first
}

func newBlock(config stub.Config, servers []stub.Server, n int) *block {
	b := &block{addresses: fmt.Sprintf("127.42.%d.x", n), servers: slices.Clone(servers), cloud: stub.New(config)}
	for i := range b.servers {
		server := &b.servers[i]
		if last, inBlock := strings.CutPrefix(server.AccessIPv4, blockPrefix); inBlock {
			server.AccessIPv4 = b.address(last)
		}
		server.ID = b.cloud.AddServer(*server)
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

// close closes the ports of the servers. Another stub can then use the addresses.
func (b *block) close() {
	if b.ports != nil {
		b.ports.Close()
		_ = b.claim.Close()
	}
}
