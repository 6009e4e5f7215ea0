resource "rackspace_server_migration" "db" {
  server_id  = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b03"
  on_destroy = "revert" # what is written after the migration is lost with it
}
