terraform {
  required_version = ">= 1.11"
  required_providers {
    rackspace = {
      source  = "terraform-provider-rackspace/rackspace"
      version = "~> 0.1"
    }
  }
}

data "rackspace_server_actions" "web" {
  server_id = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
}

# Warns in each plan and apply when a migration of the server has failed.
check "migrations" {
  assert {
    condition     = alltrue([for action in data.rackspace_server_actions.web.actions : !(action.action == "migrate" && action.failed)])
    error_message = "A migration of web-1 has failed."
  }
}

# Who migrated the server, and how each migration ended.
output "migrations" {
  value = [
    for action in data.rackspace_server_actions.web.actions :
    { at = action.started_at, by = action.user_id, outcome = action.outcome } if action.action == "migrate"
  ]
}
