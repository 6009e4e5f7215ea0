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

# Moves the server to another hypervisor host and leaves the migration awaiting
# confirmation. Test the server. Then set auto_confirm = true and apply, to confirm the migration.
resource "rackspace_server_migration" "web" {
  server_id = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
}
