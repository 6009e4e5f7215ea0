// terraform-provider-rackspace serves the Terraform provider for Rackspace
// Cloud Servers.
package main

import (
	"context"
	"flag"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/provider"
)

// version is set by the release build.
var version = "dev"

func main() {
	debug := flag.Bool("debug", false, "wait for a debugger: print how Terraform can reach this process, instead of being started by it")
	flag.Parse()

	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address: "registry.terraform.io/terraform-provider-rackspace/rackspace",
		Debug:   *debug,
	})
	if err != nil {
		log.Fatal(err)
	}
}
