provider "rackspace" {
  poll_interval = "200ms"
}

run "does_not_move_a_server_that_is_shut_off" {
  command = plan

  variables {
    server = "batch-1"
  }

  expect_failures = [rackspace_server_migration.this]
}

run "does_not_confirm_a_server_that_does_not_work_on_its_new_host" {
  variables {
    server  = "fragile-1"
    confirm = false
    timeout = "2s"
  }

  expect_failures = [rackspace_server_migration.this]
}
