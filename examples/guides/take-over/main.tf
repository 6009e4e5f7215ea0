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

import {
  to = rackspace_server_migration.web
  id = "ORD/5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b02"
}

resource "rackspace_server_migration" "web" {
  server_id = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b02"
}
