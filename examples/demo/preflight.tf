# A server whose web server is broken already. It does not pass its verification on its
# present host. So it is not moved, and the apply fails.
resource "rackspace_server_migration" "unhealthy" {
  server_id    = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b0a"
  auto_confirm = true

  verification = {
    http              = [{ url = "http://:8080/" }]
    interval          = "500ms"
    preflight_timeout = "2s"
  }
}
