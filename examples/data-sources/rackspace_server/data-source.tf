terraform {
  required_version = ">= 1.11"
  required_providers {
    rackspace = {
      source  = "terraform-provider-rackspace/rackspace"
      version = "~> 0.1"
    }
  }
}

# A server by its name. A UUID in id does the same.
data "rackspace_server" "web" {
  name = "web-1"
}

# Whether it was ever migrated, and how that ended.
output "migration" {
  value = data.rackspace_server.web.migration == null ? "never migrated" : data.rackspace_server.web.migration.status
}

# All servers on the same hypervisor host.
data "rackspace_servers" "neighbours" {
  host_id = data.rackspace_server.web.host_id
}

output "neighbours" {
  value = keys(data.rackspace_servers.neighbours.by_name)
}
