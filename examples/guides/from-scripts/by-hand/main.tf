terraform {
  required_version = ">= 1.14"

  required_providers {
    rackspace = {
      source  = "terraform-provider-rackspace/rackspace"
      version = "~> 0.1"
    }
  }
}

provider "rackspace" {
  region = "ORD"
}

variable "server" {
  description = "UUID of the server."
  type        = string
  default     = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
}

action "rackspace_server_migrate" "server" {
  config {
    server_id = var.server
  }
}

action "rackspace_server_migration_confirm" "server" {
  config {
    server_id = var.server
  }
}

action "rackspace_server_migration_revert" "server" {
  config {
    server_id = var.server
  }
}
