# A server that works only on its original host. It is moved, and does not pass its
# verification on its new host. So its migration is reverted, and the apply fails.
resource "rackspace_server_migration" "licensed" {
  server_id    = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b09"
  auto_confirm = true

  verification = {
    http       = [{ url = "http://:8080/" }]
    interval   = "500ms"
    timeout    = "4s"
    on_failure = "revert"
  }
}
