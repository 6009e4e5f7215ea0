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
  requests_per_minute       = { read = 500, write = 50 } # half of the account's limits
  max_concurrent_migrations = 5
  stop_after_failures       = 1
  warn_before               = "13h" # more than the time between two scheduled runs
}

variable "confirm" {
  description = "Whether to confirm the migrations, once their servers have passed their test."
  type        = bool
  default     = false
}

variable "ssh_port" {
  description = "Port on which the servers answer with an SSH banner."
  type        = number
  default     = 22
}

locals {
  servers = {
    web-1 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
    web-2 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b02"
  }
  wanted = var.confirm ? ["confirmed"] : ["awaiting_confirmation", "confirmed"]
}

resource "rackspace_server_migration" "web" {
  for_each = local.servers

  server_id    = each.value
  auto_confirm = var.confirm
  on_destroy   = "revert"      # if a server is removed from local.servers while its migration is pending
  triggers     = { run = "1" } # another value migrates the servers again

  verification = {
    ssh_banner = [{ port = var.ssh_port }]
    interval   = "1s"
  }

  timeouts {
    create = "30m"
    update = "30m"
  }

  lifecycle {
    postcondition {
      condition     = contains(local.wanted, self.status)
      error_message = "The migration of ${self.server_name} is ${self.status}. Wanted: ${join(" or ", local.wanted)}."
    }

    postcondition {
      condition     = try(self.verification_result.passed, false)
      error_message = "${self.server_name} has not passed its test on its new host."
    }
  }
}

output "migrations" {
  description = "What became of each migration, by the server's name."
  value = {
    for name, migration in rackspace_server_migration.web : name => {
      status     = migration.status
      confirm_by = migration.confirm_by
      request_id = migration.request_id
    }
  }
}
