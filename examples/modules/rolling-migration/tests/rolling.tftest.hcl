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
  verification = {
    ssh_banner = [{ port = 2222 }]
    interval   = "100ms"
  }
}

run "refuses_a_server_in_two_waves" {
  command = plan

  variables {
    canaries = { web-1 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01" }
    waves    = [{ web-2 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01" }]
  }

  expect_failures = [var.waves]
}

run "refuses_more_waves_than_there_are" {
  command = plan

  variables {
    canaries = {}
    waves    = [{}, {}, {}, {}, {}, {}]
  }

  expect_failures = [var.waves]
}

run "plans_a_migration_for_each_server" {
  command = plan

  variables {
    canaries = { web-1 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01" }
    waves    = [{ web-2 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b02" }, { db-1 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b03" }]
  }

  assert {
    condition     = length(rackspace_server_migration.canary) == 1 && length(rackspace_server_migration.wave_2) == 1 && length(rackspace_server_migration.wave_3) == 0
    error_message = "Each server is to be migrated in its wave."
  }
}

run "migrates_wave_by_wave" {
  variables {
    canaries = { web-1 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b01" }
    waves    = [{ web-2 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b02" }, { db-1 = "5f3a1c04-7d2e-4b6a-9c11-2a8e0f6d4b03" }]
  }

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
