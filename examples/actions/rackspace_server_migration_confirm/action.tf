terraform {
  required_version = ">= 1.14"
  required_providers {
    rackspace = {
      source  = "terraform-provider-rackspace/rackspace"
      version = "~> 0.1"
    }
  }
}

# terraform apply -invoke=action.rackspace_server_migration_confirm.web
action "rackspace_server_migration_confirm" "web" {
  config {
    server_id = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
  }
}
