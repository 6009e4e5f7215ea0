# Migrates servers of the stub endpoint. Each server is tested before it is moved,
# and again on its new host. Then one migration is left awaiting confirmation, as
# it is by default. The others are confirmed.
terraform {
  required_version = ">= 1.11"
  required_providers {
    rackspace = {
      source  = "terraform-provider-rackspace/rackspace"
      version = "~> 0.1"
    }
  }
}

provider "rackspace" {}

variable "servers" {
  description = "The servers to migrate, by name."
  type = map(object({
    id           = string
    auto_confirm = bool
  }))
  default = {
    web-1 = { id = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01", auto_confirm = false }
    web-2 = { id = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b02", auto_confirm = true }
    db-1  = { id = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b03", auto_confirm = true }
  }
}

resource "rackspace_server_migration" "demo" {
  for_each = var.servers

  server_id    = each.value.id
  auto_confirm = each.value.auto_confirm

  verification = {
    ssh_banner = [{ port = 2222 }]
    interval   = "500ms"
  }
}
