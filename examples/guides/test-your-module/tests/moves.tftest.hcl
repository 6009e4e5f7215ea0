provider "rackspace" {
  poll_interval = "200ms"
}

run "migrates_and_confirms" {
  variables {
    server = "web-1"
  }

  assert {
    condition     = output.status == "confirmed"
    error_message = "The migration of web-1 should be confirmed."
  }

  # The stub writes each request to this file at once.
  assert {
    condition = [
      for request in [for line in split("\n", trimspace(file("requests.jsonl"))) : jsondecode(line)] : request.call
      if request.server_id == output.server_id && request.method == "POST"
    ] == ["migrate", "confirm"]
    error_message = "web-1 should be migrated once, and then confirmed."
  }
}
