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

# Migrates two servers, and confirms each migration as soon as its server runs on its new
# host. A new value of maintenance migrates both servers again.
variable "maintenance" {
  type    = string
  default = "2026-11"
}

resource "rackspace_server_migration" "fleet" {
  for_each = toset([
    "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b02",
    "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b03",
  ])

  server_id    = each.value
  auto_confirm = true

  triggers = {
    maintenance = var.maintenance
  }

  timeouts {
    create = "4h"
  }
}
