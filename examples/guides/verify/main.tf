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

variable "ssh_port" {
  description = "Port on which the server answers with an SSH banner."
  type        = number
  default     = 22
}

resource "rackspace_server_migration" "web" {
  server_id    = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
  auto_confirm = true # after the moved server has passed its verification

  verification = {
    http       = [{ url = "http://:8080/healthz", body_contains = "ok" }] # no host: the server's own address
    ssh_banner = [{ port = var.ssh_port }]
    interval   = "1s"
    timeout    = "2m" # includes the time to boot
    on_failure = "revert"
  }
}

output "verification" {
  value = rackspace_server_migration.web.verification_result
}
