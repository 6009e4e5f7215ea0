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

variable "confirm" {
  description = "Whether the moved server was tested and is good."
  type        = bool
  default     = false
}

resource "rackspace_server_migration" "web" {
  server_id    = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
  auto_confirm = var.confirm
}

output "confirm_by" {
  description = "When Rackspace confirms the migration automatically."
  value       = rackspace_server_migration.web.confirm_by
}
