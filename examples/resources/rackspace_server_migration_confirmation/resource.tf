resource "rackspace_server_migration" "web" {
  server_id = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01"
}

# Whatever proves that the moved server works: a command, data "http" with a
# postcondition, or a resource of another provider.
resource "terraform_data" "test" {
  triggers_replace = rackspace_server_migration.web.id

  provisioner "local-exec" {
    command = "true" # such as curl --fail --retry 10 https://app.example.com/healthz
  }
}

resource "rackspace_server_migration_confirmation" "web" {
  migration_id = rackspace_server_migration.web.id

  depends_on = [terraform_data.test]
}
