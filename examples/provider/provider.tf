terraform {
  required_version = ">= 1.11"
  required_providers {
    rackspace = {
      source  = "terraform-provider-rackspace/rackspace"
      version = "~> 0.1"
    }
  }
}

# Credentials come from RACKSPACE_USERNAME and RACKSPACE_API_KEY.
provider "rackspace" {
  region = "ORD"
}
