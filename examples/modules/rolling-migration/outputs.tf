output "migrations" {
  description = "The migration of each server, by the server's name."
  value = {
    for name, migration in merge(
      rackspace_server_migration.canary,
      rackspace_server_migration.wave_1,
      rackspace_server_migration.wave_2,
      rackspace_server_migration.wave_3,
      rackspace_server_migration.wave_4,
      rackspace_server_migration.wave_5,
      ) : name => {
      id                  = migration.id
      status              = migration.status
      request_id          = migration.request_id
      requested_at        = migration.requested_at
      settled_at          = migration.settled_at
      source_host         = migration.source_host_id
      destination_host    = migration.destination_host_id
      verification_result = migration.verification_result
    }
  }
}
