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
  cloud       = "mycloud-admin"
  all_tenants = true
}

data "rackspace_servers" "web" {
  name_regex = "^web-"
}

resource "rackspace_server_migration" "web" {
  for_each = data.rackspace_servers.web.by_name

  server_id    = each.value
  auto_confirm = true
}
