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

resource "rackspace_server_migration" "db" {
  server_id  = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b03"
  on_destroy = "revert" # a destroy reverts the migration; what was written since is lost
}
