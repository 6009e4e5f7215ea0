terraform {
  required_providers {
    rackspace = {
      source = "terraform-provider-rackspace/rackspace"
    }
  }
}

# Credentials come from RACKSPACE_USERNAME and RACKSPACE_API_KEY.
provider "rackspace" {
  region = "ORD"
}
