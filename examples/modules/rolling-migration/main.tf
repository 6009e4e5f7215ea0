locals {
  # Waves that are not given are empty.
  waves = concat(var.waves, [for missing in range(5 - length(var.waves)) : {}])
}

resource "rackspace_server_migration" "canary" {
  for_each = var.canaries

  server_id    = each.value
  region       = var.region
  auto_confirm = true
  verification = var.verification
  triggers     = var.triggers
}

resource "rackspace_server_migration" "wave_1" {
  for_each = local.waves[0]

  server_id    = each.value
  region       = var.region
  auto_confirm = true
  verification = var.verification
  triggers     = var.triggers

  depends_on = [rackspace_server_migration.canary]
}

resource "rackspace_server_migration" "wave_2" {
  for_each = local.waves[1]

  server_id    = each.value
  region       = var.region
  auto_confirm = true
  verification = var.verification
  triggers     = var.triggers

  depends_on = [rackspace_server_migration.wave_1]
}

resource "rackspace_server_migration" "wave_3" {
  for_each = local.waves[2]

  server_id    = each.value
  region       = var.region
  auto_confirm = true
  verification = var.verification
  triggers     = var.triggers

  depends_on = [rackspace_server_migration.wave_2]
}

resource "rackspace_server_migration" "wave_4" {
  for_each = local.waves[3]

  server_id    = each.value
  region       = var.region
  auto_confirm = true
  verification = var.verification
  triggers     = var.triggers

  depends_on = [rackspace_server_migration.wave_3]
}

resource "rackspace_server_migration" "wave_5" {
  for_each = local.waves[4]

  server_id    = each.value
  region       = var.region
  auto_confirm = true
  verification = var.verification
  triggers     = var.triggers

  depends_on = [rackspace_server_migration.wave_4]
}
