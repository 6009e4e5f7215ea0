terraform {
  required_version = ">= 1.11"
  required_providers {
    rackspace = {
      source  = "terraform-provider-rackspace/rackspace"
      version = "~> 0.1"
    }
  }
}

variable "server" {
  description = "Name of the server to migrate."
  type        = string
}

variable "confirm" {
  description = "Whether to confirm the migration once the moved server has passed its verification."
  type        = bool
  default     = true
}

variable "preflight_timeout" {
  description = "How long the server may take to pass before it is moved."
  type        = string
  default     = "30s"
}

variable "timeout" {
  description = "How long the moved server may take to pass."
  type        = string
  default     = "5m"
}

data "rackspace_server" "this" {
  name = var.server
}

resource "rackspace_server_migration" "this" {
  server_id    = data.rackspace_server.this.id
  auto_confirm = var.confirm

  verification = {
    http              = [{ url = "http://:8080/healthz" }] # without a host: the server's own address
    interval          = "500ms"
    preflight_timeout = var.preflight_timeout
    timeout           = var.timeout
  }

  lifecycle {
    precondition {
      condition     = data.rackspace_server.this.status != "SHUTOFF"
      error_message = "${var.server} is shut off, so it cannot be tested. Start it first."
    }
    postcondition {
      condition     = self.verification_result.passed
      error_message = "${var.server} does not work on its new host."
    }
  }
}

output "status" {
  value = rackspace_server_migration.this.status
}

output "server_id" {
  value = data.rackspace_server.this.id
}
