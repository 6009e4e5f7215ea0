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

  max_concurrent_migrations = 5 # under way at once
  stop_after_failures       = 1 # failures in one apply, then no further migration starts
}

variable "server" {
  description = "Name of a server on the host to evacuate. It is the canary, so it is migrated first."
  type        = string
  default     = "web-1"
}

variable "ssh_port" {
  description = "Port on which the servers answer with an SSH banner."
  type        = number
  default     = 22
}

# 1. The host, and all servers on it. The first apply writes both down. Later plans keep them.
data "rackspace_server" "canary" {
  name = var.server
}

resource "terraform_data" "host" {
  input = data.rackspace_server.canary.host_id

  lifecycle {
    ignore_changes = [input]
  }
}

# The data source below uses this local value. If it used the terraform_data itself, it
# would not be read in the first plan.
locals {
  host_id = terraform_data.host.input
}

data "rackspace_servers" "on_host" {
  host_id = local.host_id
}

resource "terraform_data" "list" {
  input = {
    written_at = plantimestamp()
    servers = {
      for server in data.rackspace_servers.on_host.servers : server.id => {
        name    = server.name
        stopped = server.status == "SHUTOFF"
        group   = lookup(server.metadata, "group", server.id) # no two servers of a group are in one wave
      }
    }
  }

  lifecycle {
    ignore_changes = [input]
  }
}

# 2. The servers that are still on the host, and those that this configuration moved away.
# A server that left the host in another way, or was deleted, is skipped.
data "rackspace_servers" "region" {}

data "rackspace_server" "left" {
  for_each = setsubtract(
    setintersection(keys(local.listed), keys(data.rackspace_servers.region.by_id)),
    keys(data.rackspace_servers.on_host.by_id),
  )
  id = each.key
}

locals {
  listed = terraform_data.list.input.servers

  # Moved by this configuration: the provider's user requested the migration after the list
  # was written, and it has not failed. The hour allows for clocks that differ.
  evacuated = [
    for id, server in data.rackspace_server.left : id if try(
      server.migration.requested_by_us
      && timecmp(timeadd(server.migration.requested_at, "1h"), terraform_data.list.input.written_at) > 0
      && (server.status == "ERROR" || server.migration.status != "failed" && server.migration.status != "reverted"),
      false
    )
  ]
  chosen = setunion(keys(data.rackspace_servers.on_host.by_id), local.evacuated)
}

# 3. The waves. The first wave has the first server of each group, the second wave has the
# second server of each group, and so on.
locals {
  groups = { for id, server in local.listed : server.group => id... if server.name != var.server }
  size   = max(0, [for ids in values(local.groups) : length(ids)]...)
  waves  = [for n in range(local.size) : [for ids in values(local.groups) : ids[n] if n < length(ids)]]
}

module "evacuation" {
  source = "./rolling-migration"

  # A server that is skipped is removed from its wave here. So the others stay in their waves.
  canaries = { for id, server in local.listed : server.name => id if server.name == var.server && contains(local.chosen, id) }
  waves    = [for ids in local.waves : { for id in ids : local.listed[id].name => id if contains(local.chosen, id) }]

  verification = {
    ssh_banner = [{ port = var.ssh_port }]
    interval   = "1s"
  }

  # A server that is shut off cannot pass a test.
  verifications = { for id, server in local.listed : server.name => null if server.stopped && contains(local.chosen, id) }
}

# 4. Check that no server is left. The data source is read after all migrations have ended.
# Inside the check block it would add a change to each later plan.
data "rackspace_servers" "left_on_host" {
  host_id    = local.host_id
  depends_on = [module.evacuation]
}

check "host_is_empty" {
  assert {
    condition     = length(data.rackspace_servers.left_on_host.servers) == 0
    error_message = "These servers are on the host: ${join(", ", data.rackspace_servers.left_on_host.servers[*].name)}."
  }
}

output "migrations" {
  value = module.evacuation.migrations
}

output "skipped" {
  value = [for id, server in local.listed : server.name if !contains(local.chosen, id)]
}
