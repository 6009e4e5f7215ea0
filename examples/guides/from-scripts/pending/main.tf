terraform {
  required_version = ">= 1.11"

  required_providers {
    rackspace = {
      source  = "terraform-provider-rackspace/rackspace"
      version = "~> 0.1"
    }
  }
}

provider "rackspace" {
  region = "ORD"
}

# The script has migrated db-1, and has not confirmed it yet.
import {
  to = rackspace_server_migration.db
  id = "ORD/5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b03"
}

resource "rackspace_server_migration" "db" {
  server_id = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b03"
}
