# The server's newest migration.
terraform import rackspace_server_migration.web ORD/5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01

# The migration of one request. It can be an older one.
terraform import rackspace_server_migration.web ORD/5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01/req-8d2b1c04-0001-4b6a-9c11-2a8e0f6d4b01
