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
  cloud = "mycloud"
}

resource "rackspace_server_migration" "web" {
  server_id    = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
  auto_confirm = true
}
