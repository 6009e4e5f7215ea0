# Runs against the stub endpoint, from the root of the repository, with Terraform
# pointed to the provider of this tree (see CONTRIBUTING.md):
#
#   go run ./internal/stub/cmd/rackspace-stub -speed 10 -- terraform -chdir=examples/modules/rolling-migration test

provider "rackspace" {
  poll_interval             = "200ms"
  max_concurrent_migrations = 2
  stop_after_failures       = 1
}

variables {
  canaries = { web-1 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01" }
  waves = [
    { web-2 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b02" },
    { db-1 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b03", batch-1 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b04" },
  ]
  verification = {
    ssh_banner = [{ port = 2222 }]
    interval   = "100ms"
  }
  verifications = {
    db-1    = { http = [{ url = "http://:8080/healthz" }], interval = "100ms", on_failure = "keep" }
    batch-1 = null # it is shut off
  }
  headers_wo = {} # terraform test does not apply the default of an ephemeral variable
}

run "refuses_a_server_in_two_waves" {
  command = plan

  variables {
    waves         = [{ web-2 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01" }]
    verifications = {}
  }

  expect_failures = [var.waves]
}

run "refuses_a_name_for_two_servers" {
  command = plan

  variables {
    waves         = [{ web-1 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b02" }]
    verifications = {}
  }

  expect_failures = [var.waves]
}

run "refuses_a_canary_without_an_id" {
  command = plan

  variables {
    canaries      = { web-1 = null }
    waves         = []
    verifications = {}
  }

  expect_failures = [var.canaries]
}

run "refuses_a_server_of_a_wave_without_an_id" {
  command = plan

  variables {
    waves         = [{ web-2 = null }]
    verifications = {}
  }

  expect_failures = [var.waves]
}

run "refuses_more_waves_than_there_are" {
  command = plan

  variables {
    canaries      = {}
    waves         = [{}, {}, {}, {}, {}, {}]
    verifications = {}
  }

  expect_failures = [var.waves]
}

run "refuses_a_verification_of_a_server_that_is_not_in_the_fleet" {
  command = plan

  variables {
    verifications = { web-3 = null }
  }

  expect_failures = [var.verifications]
}

run "refuses_secret_headers_of_a_url_that_no_server_has_to_pass" {
  command = plan

  variables {
    headers_wo = { "http://:8080/health" = { Authorization = "Bearer secret" } }
  }

  expect_failures = [var.headers_wo]
}

run "plans_a_migration_for_each_server" {
  command = plan

  assert {
    condition     = length(rackspace_server_migration.canary) == 1 && length(rackspace_server_migration.wave_2) == 2 && length(rackspace_server_migration.wave_3) == 0
    error_message = "Each server is to be migrated in its wave."
  }
}

run "gives_each_server_its_verification_and_its_timeouts" {
  command = plan

  variables {
    headers_wo = { "http://:8080/healthz" = { Authorization = "Bearer secret" } }
    timeouts   = { create = "3h", read = "1m" }
    on_destroy = "revert"
  }

  assert {
    condition     = rackspace_server_migration.wave_1["web-2"].verification.ssh_banner[0].port == 2222 && rackspace_server_migration.wave_1["web-2"].verification.on_failure == "revert"
    error_message = "web-2 is to have the verification of the fleet."
  }

  assert {
    condition     = rackspace_server_migration.wave_2["db-1"].verification.ssh_banner == null && rackspace_server_migration.wave_2["db-1"].verification.on_failure == "keep"
    error_message = "db-1 is to have a verification of its own."
  }

  assert {
    condition     = rackspace_server_migration.wave_2["batch-1"].verification == null
    error_message = "batch-1 is to have no verification."
  }

  assert {
    condition     = rackspace_server_migration.canary["web-1"].timeouts.create == "3h" && rackspace_server_migration.canary["web-1"].timeouts.update == null && rackspace_server_migration.wave_2["db-1"].timeouts.read == "1m"
    error_message = "Each server is to have the timeouts of the fleet."
  }

  assert {
    condition     = rackspace_server_migration.canary["web-1"].on_destroy == "revert" && rackspace_server_migration.wave_2["db-1"].on_destroy == "revert"
    error_message = "Each server is to have the on_destroy of the fleet."
  }
}

run "migrates_wave_by_wave" {
  assert {
    condition     = alltrue([for name, migration in output.migrations : migration.status == "confirmed"])
    error_message = "Every migration is to be confirmed: ${jsonencode(output.migrations)}"
  }

  assert {
    condition = (
      timecmp(output.migrations["web-1"].settled_at, output.migrations["web-2"].settled_at) <= 0 &&
      timecmp(output.migrations["web-2"].settled_at, output.migrations["db-1"].settled_at) <= 0
    )
    error_message = "The waves are to follow one another: ${jsonencode(output.migrations)}"
  }

  assert {
    condition     = alltrue([for migration in rackspace_server_migration.canary : migration.verification_result.passed])
    error_message = "The canary is to be tested before it is confirmed."
  }
}
