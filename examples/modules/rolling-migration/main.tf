locals {
  # Always five waves. Those that the caller does not set are empty.
  waves = concat(var.waves, [for missing in range(5 - length(var.waves)) : {}])
  names = flatten([for servers in concat([var.canaries], var.waves) : keys(servers)])

  # The verification of each server, by the server's name.
  chosen = { for name in local.names : name => lookup(var.verifications, name, var.verification) }
  urls   = flatten([for verification in values(local.chosen) : try(verification.http[*].url, [])])

  # The verification of each server, with the secret headers of each URL.
  verifications = {
    for name, verification in local.chosen : name => verification == null ? null : merge(verification, {
      http = verification.http == null ? null : [
        for check in verification.http : merge(check, { headers_wo = lookup(var.headers_wo, check.url, null) })
      ]
    })
  }
}

# Servers whose migrations are not confirmed, or which have not passed their verification.
# While there is one, the next wave does not begin, not even in an apply that does not
# change that server.
locals {
  not_confirmed_canary = [for name, migration in rackspace_server_migration.canary : name if migration.status != "confirmed" || !try(migration.verification_result.passed, true)]
  not_confirmed_wave_1 = [for name, migration in rackspace_server_migration.wave_1 : name if migration.status != "confirmed" || !try(migration.verification_result.passed, true)]
  not_confirmed_wave_2 = [for name, migration in rackspace_server_migration.wave_2 : name if migration.status != "confirmed" || !try(migration.verification_result.passed, true)]
  not_confirmed_wave_3 = [for name, migration in rackspace_server_migration.wave_3 : name if migration.status != "confirmed" || !try(migration.verification_result.passed, true)]
  not_confirmed_wave_4 = [for name, migration in rackspace_server_migration.wave_4 : name if migration.status != "confirmed" || !try(migration.verification_result.passed, true)]

  stop = "No later wave begins, because these servers are not confirmed, or have not passed their verification. Take them out of the fleet, or change triggers to migrate the fleet again:"
}

resource "rackspace_server_migration" "canary" {
  for_each = var.canaries

  server_id    = each.value
  region       = var.region
  auto_confirm = true
  verification = local.verifications[each.key]
  on_destroy   = var.on_destroy
  triggers     = var.triggers

  timeouts {
    create = var.timeouts.create
    update = var.timeouts.update
    delete = var.timeouts.delete
    read   = var.timeouts.read
  }
}

resource "terraform_data" "wave_1_may_begin" {
  lifecycle {
    precondition {
      condition     = length(local.not_confirmed_canary) == 0
      error_message = "${local.stop} ${join(", ", local.not_confirmed_canary)}."
    }
  }
}

resource "rackspace_server_migration" "wave_1" {
  for_each = local.waves[0]

  server_id    = each.value
  region       = var.region
  auto_confirm = true
  verification = local.verifications[each.key]
  on_destroy   = var.on_destroy
  triggers     = var.triggers

  timeouts {
    create = var.timeouts.create
    update = var.timeouts.update
    delete = var.timeouts.delete
    read   = var.timeouts.read
  }

  depends_on = [terraform_data.wave_1_may_begin]
}

resource "terraform_data" "wave_2_may_begin" {
  lifecycle {
    precondition {
      condition     = length(local.not_confirmed_wave_1) == 0
      error_message = "${local.stop} ${join(", ", local.not_confirmed_wave_1)}."
    }
  }
}

resource "rackspace_server_migration" "wave_2" {
  for_each = local.waves[1]

  server_id    = each.value
  region       = var.region
  auto_confirm = true
  verification = local.verifications[each.key]
  on_destroy   = var.on_destroy
  triggers     = var.triggers

  timeouts {
    create = var.timeouts.create
    update = var.timeouts.update
    delete = var.timeouts.delete
    read   = var.timeouts.read
  }

  depends_on = [terraform_data.wave_2_may_begin]
}

resource "terraform_data" "wave_3_may_begin" {
  lifecycle {
    precondition {
      condition     = length(local.not_confirmed_wave_2) == 0
      error_message = "${local.stop} ${join(", ", local.not_confirmed_wave_2)}."
    }
  }
}

resource "rackspace_server_migration" "wave_3" {
  for_each = local.waves[2]

  server_id    = each.value
  region       = var.region
  auto_confirm = true
  verification = local.verifications[each.key]
  on_destroy   = var.on_destroy
  triggers     = var.triggers

  timeouts {
    create = var.timeouts.create
    update = var.timeouts.update
    delete = var.timeouts.delete
    read   = var.timeouts.read
  }

  depends_on = [terraform_data.wave_3_may_begin]
}

resource "terraform_data" "wave_4_may_begin" {
  lifecycle {
    precondition {
      condition     = length(local.not_confirmed_wave_3) == 0
      error_message = "${local.stop} ${join(", ", local.not_confirmed_wave_3)}."
    }
  }
}

resource "rackspace_server_migration" "wave_4" {
  for_each = local.waves[3]

  server_id    = each.value
  region       = var.region
  auto_confirm = true
  verification = local.verifications[each.key]
  on_destroy   = var.on_destroy
  triggers     = var.triggers

  timeouts {
    create = var.timeouts.create
    update = var.timeouts.update
    delete = var.timeouts.delete
    read   = var.timeouts.read
  }

  depends_on = [terraform_data.wave_4_may_begin]
}

resource "terraform_data" "wave_5_may_begin" {
  lifecycle {
    precondition {
      condition     = length(local.not_confirmed_wave_4) == 0
      error_message = "${local.stop} ${join(", ", local.not_confirmed_wave_4)}."
    }
  }
}

resource "rackspace_server_migration" "wave_5" {
  for_each = local.waves[4]

  server_id    = each.value
  region       = var.region
  auto_confirm = true
  verification = local.verifications[each.key]
  on_destroy   = var.on_destroy
  triggers     = var.triggers

  timeouts {
    create = var.timeouts.create
    update = var.timeouts.update
    delete = var.timeouts.delete
    read   = var.timeouts.read
  }

  depends_on = [terraform_data.wave_5_may_begin]
}
