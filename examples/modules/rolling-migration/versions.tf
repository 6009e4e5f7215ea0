terraform {
  required_version = ">= 1.11"

  required_providers {
    rackspace = {
      source = "terraform-provider-rackspace/rackspace"
    }
  }
}
