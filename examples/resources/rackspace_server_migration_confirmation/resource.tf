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

resource "rackspace_server_migration" "web" {
  server_id = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
}

# The test of the moved server. It can be a command as here, a data source with a
# postcondition, or a resource of another provider. If it fails, nothing is confirmed.
resource "terraform_data" "test" {
  triggers_replace = rackspace_server_migration.web.id

  provisioner "local-exec" {
    command = "true" # replace it, for instance by: curl --fail --retry 10 https://app.example.com/healthz
  }
}

resource "rackspace_server_migration_confirmation" "web" {
  migration_id = rackspace_server_migration.web.id

  depends_on = [terraform_data.test]
}
