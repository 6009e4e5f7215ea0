# Moves the server to another hypervisor host and leaves the migration awaiting
# confirmation. Test the server, then set auto_confirm = true to confirm.
resource "rackspace_server_migration" "web" {
  server_id = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
}
