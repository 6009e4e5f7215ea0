# Migrates the servers and confirms each as soon as it runs on its new host.
# A new value of maintenance migrates them all once more.
variable "maintenance" {
  type    = string
  default = "2026-11"
}

resource "rackspace_server_migration" "fleet" {
  for_each = toset([
    "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b02",
    "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b03",
  ])

  server_id    = each.value
  auto_confirm = true

  triggers = {
    maintenance = var.maintenance
  }

  timeouts {
    create = "4h"
  }
}
