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

# Stands for the resource of the other provider. As there, the ids are not known before the apply.
resource "terraform_data" "web" {
  for_each = {
    web-1 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
    web-2 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b02"
  }
  input = each.value
}

resource "rackspace_server_migration" "web" {
  for_each = terraform_data.web # one for each server, under the same key

  server_id    = each.value.output
  auto_confirm = true
}

output "hosts" {
  value = { for name, migration in rackspace_server_migration.web : name => migration.destination_host_id }
}
