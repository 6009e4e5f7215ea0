// terraform-provider-rackspace serves the Terraform provider for Rackspace
// Cloud Servers.
package main

import (
	"context"
	"flag"
	"io"
	"log"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/cloudservers"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/parentprocess"
	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/provider"
)

// version and commit are set by the release build.
var version, commit = "dev", ""

// These are settings of the garbage collector (GOGC). The environment variable GOGC
// overrides them.
const (
	// startPercent is the setting until the provider is configured. A provider that
	// only serves its schema ends soon, and starts faster without garbage collection.
	startPercent = 400
	// configuredPercent makes the garbage collector run twice as often as by default.
	// The framework keeps some memory of each request until the provider is stopped.
	// With this setting an apply of a thousand migrations takes less memory, and a
	// little more processor time.
	configuredPercent = 50
)

// startTimeout is how long a provider with -debug may take until it accepts connections. A
// busy machine needs more than the two seconds of terraform-plugin-go.
const startTimeout = time.Minute

func main() {
	debugged := flag.Bool("debug", false, "wait for a debugger: print how Terraform can reach this process, instead of being started by it")
	flag.Parse()

	if !*debugged { // a debugged provider is not Terraform's child
		// A Terraform that is killed does not stop its providers. A provider that went on
		// would send requests while the next apply runs.
		parentprocess.Watch(func() { os.Exit(1) })
	}
	setGarbagePercent(startPercent)
	stderr := os.Stderr // Serve replaces it
	var clients []*cloudservers.Client
	configured := func(client *cloudservers.Client) {
		clients = append(clients, client)
		setGarbagePercent(configuredPercent)
	}
	var options []tf6server.ServeOpt
	if *debugged {
		options = append(options, tf6server.WithManagedDebug(), tf6server.WithManagedDebugReattachConfigTimeout(startTimeout))
	}
	server := provider.NewServer(provider.New(builtFrom(debug.ReadBuildInfo()), configured)())
	// Terraform asks for the schema as soon as it has connected.
	go server.GetProviderSchema(context.Background(), nil) //nolint:errcheck // Terraform gets the same error
	err := tf6server.Serve("registry.terraform.io/terraform-provider-rackspace/rackspace", func() tfprotov6.ProviderServer { return server }, options...)
	summarize(stderr, clients)
	if err != nil {
		log.Fatal(err)
	}
}

// setGarbagePercent sets the garbage collector, unless GOGC does.
func setGarbagePercent(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

// builtFrom says of which source this binary was built. Where no release build has
// set that, the Go toolchain may have recorded it.
func builtFrom(info *debug.BuildInfo, recorded bool) provider.Build {
	build := provider.Build{Version: version, Commit: commit}
	if build.Commit != "" || !recorded {
		return build
	}
	if module := info.Main.Version; module != "" && module != "(devel)" {
		build.Version = strings.TrimPrefix(module, "v")
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			build.Commit = setting.Value
		}
	}
	return build
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
