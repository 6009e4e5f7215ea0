package acctest

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// networks counts the loopback networks that NewSampleCloud has tried.
var networks atomic.Int64

// NewSampleCloud returns a cloud with the servers that the examples name. Their ports are
// open on a loopback network that no other cloud of this machine uses.
func NewSampleCloud(t *testing.T, config stub.Config) *Cloud {
	t.Helper()
	cloud := NewCloud(t, config)
	for tries := 1; ; tries++ {
		network := fmt.Sprintf("127.%d.%d.", 43+os.Getpid()%200, networks.Add(1)%256)
		for _, server := range stub.Samples() {
			server.AccessIPv4 = strings.Replace(server.AccessIPv4, "127.42.0.", network, 1)
			cloud.AddServer(server)
		}
		ports, err := cloud.Listen(false)
		if err == nil {
			t.Cleanup(ports.Close)
			return cloud
		}
		if tries == 256 {
			t.Fatal(err)
		}
	}
}
