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

  warn_before = "12h" # warn earlier of the automatic confirmation; the default is 6h
  max_retries = 10    # repeat failed requests more often; the default is 5
}

resource "rackspace_server_migration" "web" {
  server_id = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"

  timeouts {
    create = "4h" # the default is 2h
  }
}
