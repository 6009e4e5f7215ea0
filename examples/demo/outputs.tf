output "report" {
  description = "What happened, a line for each server."
  value = join("\n", concat(
    [format("%-8s %-16s %-16s %-22s %s", "SERVER", "FROM HOST", "TO HOST", "STATUS", "TIME")],
    [
      for name, m in rackspace_server_migration.demo : format("%-8s %-16s %-16s %-22s %s",
        m.server_name,
        substr(m.source_host_id, 0, 12),
        substr(m.destination_host_id, 0, 12),
        m.status,
        m.settled_at != null ? "at ${m.settled_at}" : "confirm or revert by ${m.confirm_by}",
      )
    ],
  ))
}
