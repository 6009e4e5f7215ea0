terraform {
  required_version = ">= 1.11"
  required_providers {
    rackspace = {
      source  = "terraform-provider-rackspace/rackspace"
      version = "~> 0.1"
    }
  }
}

# The web servers. Do not select them by status: it changes while a server is migrated.
data "rackspace_servers" "web" {
  name_regex = "^web-"
  metadata   = { role = "web" }
}

resource "rackspace_server_migration" "web" {
  for_each = data.rackspace_servers.web.by_name # the id of each server, by its name

  server_id    = each.value
  auto_confirm = true
}

# All attributes of the servers. The keys are ids, because several servers can have one name.
output "addresses" {
  value = { for server in data.rackspace_servers.web.servers : server.id => server.access_ip_v4 }
}
