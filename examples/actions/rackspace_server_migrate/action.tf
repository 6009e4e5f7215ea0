terraform {
  required_version = ">= 1.14"
  required_providers {
    rackspace = {
      source  = "terraform-provider-rackspace/rackspace"
      version = "~> 0.1"
    }
  }
}

# terraform apply -invoke=action.rackspace_server_migrate.web
action "rackspace_server_migrate" "web" {
  config {
    server_id    = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
    auto_confirm = true # once the server has passed its verification

    verification = {
      ssh_banner = [{ port = 2222 }]
      interval   = "1s"
    }
  }
}
