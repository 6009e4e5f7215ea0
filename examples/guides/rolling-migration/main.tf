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

  max_concurrent_migrations = 10 # under way at once
  stop_after_failures       = 2  # failures in one apply, then no further migration starts
}

variable "ssh_port" {
  description = "Port on which the servers answer with an SSH banner."
  type        = number
  default     = 22
}

module "migration" {
  source = "./rolling-migration"

  canaries = { web-1 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01" }
  waves = [
    { web-2 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b02" },
    { db-1 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b03" },
  ]

  verification = {
    ssh_banner = [{ port = var.ssh_port }]
    interval   = "1s"
  }
}

output "migrations" {
  value = module.migration.migrations
}
