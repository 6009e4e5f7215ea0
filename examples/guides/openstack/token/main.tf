terraform {
  required_version = ">= 1.11"

  required_providers {
    rackspace = {
      source  = "terraform-provider-rackspace/rackspace"
      version = "~> 0.1"
    }
  }
}

variable "token" {
  description = "A token, as the command openstack token issue shows it."
  type        = string
  ephemeral   = true
}

provider "rackspace" {
  identity_endpoint = "https://keystone.example.com:5000/v3"
  region            = "RegionOne"
  token             = var.token
  tenant_id         = "123456"
}

resource "rackspace_server_migration" "web" {
  server_id    = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
  auto_confirm = true
}
