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
  region                    = "ORD"
  max_concurrent_migrations = 2
}

variable "servers" {
  description = "The servers to migrate: the UUID of each, by name."
  type        = map(string)
  default = {
    web-1 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
    web-2 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b02"
  }
}

variable "ssh_port" {
  description = "Port on which the servers answer with an SSH banner."
  type        = number
  default     = 22
}

resource "rackspace_server_migration" "fleet" {
  for_each = var.servers

  server_id    = each.value
  auto_confirm = true # once the moved server has passed its test

  verification = {
    ssh_banner = [{ port = var.ssh_port }]
    interval   = "1s"
    on_failure = "revert"
  }
}

output "migrations" {
  description = "How the migration of each server ended, by the server's name."
  value       = { for name, migration in rackspace_server_migration.fleet : name => migration.status }
}
