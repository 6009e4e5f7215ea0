// terraform-provider-rackspace serves the Terraform provider for Rackspace
// Cloud Servers.
package main

import (
	"flag"
	"io"
	"log"
	"maps"
	"os"
	"slices"

	"github.com/hashicorp/go-hclog"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/provider"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/serving"
)

// version is set by the release build.
var version = "dev"

func main() {
	debugged := flag.Bool("debug", false, "wait for a debugger: print how Terraform can reach this process, instead of being started by it")
	flag.Parse()

	stderr := os.Stderr // which Serve replaces
	var clients []*cloudservers.Client
	configured := func(client *cloudservers.Client) { clients = append(clients, client) }
	err := serving.Serve("registry.terraform.io/terraform-provider-rackspace/rackspace", provider.New(version, configured)(), *debugged)
	summarize(stderr, clients)
	if err != nil {
		log.Fatal(err)
	}
}

// summarize logs in one line how many requests this process has sent. Terraform
// reads a provider's log from its standard error, in the form of hclog.
func summarize(stderr io.Writer, clients []*cloudservers.Client) {
	total, overLimit, calls := 0, 0, map[string]int{}
	for _, client := range clients {
		tally := client.Tally()
		overLimit += tally.OverLimit
		for call, sent := range tally.Calls {
			total += sent
			calls[call] += sent
		}
	}
	fields := []any{"requests", total, "over_limit", overLimit}
	for _, call := range slices.Sorted(maps.Keys(calls)) {
		fields = append(fields, call, calls[call])
	}
	hclog.New(&hclog.LoggerOptions{Name: "rackspace", Level: hclog.Info, JSONFormat: true, Output: stderr}).
		Info("Cloud Servers requests of this process", fields...)
}
