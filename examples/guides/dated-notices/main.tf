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
  max_concurrent_migrations = 5
  stop_after_failures       = 1
}

variable "deadline" {
  description = "The end of the notice's last day, in UTC."
  type        = string
  default     = "2030-06-30T23:59:59Z"
}

variable "ssh_port" {
  description = "Port on which the servers answer with an SSH banner."
  type        = number
  default     = 22
}

# 1. The servers of the notice. Wave 0 is migrated first. A server that is shut off cannot be tested.
locals {
  notice = csvdecode(<<-CSV
    server_id,wave,test
    5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01,0,yes
    5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b02,1,yes
    5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b03,2,yes
    5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b04,2,no
  CSV
  )
}

# 2. What the account has of them.
data "rackspace_servers" "region" {}

locals {
  name_of = data.rackspace_servers.region.by_id # the name of each server, by its id
  listed  = { for row in local.notice : row.server_id => row if contains(keys(local.name_of), row.server_id) }
  missing = [for row in local.notice : row.server_id if !contains(keys(local.name_of), row.server_id)]
  last    = max(0, [for row in values(local.listed) : tonumber(row.wave)]...)
  waves   = [for n in range(local.last + 1) : { for id, row in local.listed : local.name_of[id] => id if tonumber(row.wave) == n }]
}

# 3. The waves. Each server is tested before it is moved, and again before its migration is confirmed.
module "migration" {
  source = "./rolling-migration"

  canaries = local.waves[0]
  waves    = slice(local.waves, 1, length(local.waves))

  verification = {
    ssh_banner = [{ port = var.ssh_port }]
    interval   = "1s"
  }
  verifications = { for id, row in local.listed : local.name_of[id] => null if row.test == "no" }
}

# 4. Warnings of each plan and apply.
check "every_server_was_found" {
  assert {
    condition     = length(local.missing) == 0
    error_message = "The region has no such servers: ${join(", ", local.missing)}."
  }
}

check "there_is_time" {
  assert {
    condition     = timecmp(plantimestamp(), timeadd(var.deadline, "-48h")) < 0
    error_message = "Less than 48 hours are left until ${var.deadline}."
  }
}

# 5. The proof: what the provider recorded, and what the action log of each server says.
data "rackspace_server_actions" "notice" {
  for_each = local.listed

  server_id  = each.key
  depends_on = [module.migration]
}

output "migrations" {
  value = module.migration.migrations
}

output "action_log" {
  value = {
    for id, log in data.rackspace_server_actions.notice : local.name_of[id] => [
      for action in log.actions : {
        action     = action.action
        at         = action.started_at
        by         = action.user_id
        request_id = action.request_id
        outcome    = action.outcome
      }
    ]
  }
}
