provider "rackspace" {
  poll_interval = "200ms"
}

run "the_api_fails_once" {
  module {
    source = "./tests/fault"
  }

  variables {
    fault = {
      name      = "maintenance"
      call      = "migrate"
      server_id = "0d5f7a1e-3c2b-4f60-8a94-1b7e5c9d2a02" # web-2
      status    = 503
      count     = 1
    }
  }
}

run "migrates_all_the_same" {
  variables {
    server = "web-2"
  }

  assert {
    condition     = output.status == "confirmed"
    error_message = "The migration of web-2 should be confirmed."
  }

  assert {
    condition = [
      for request in [for line in split("\n", trimspace(file("requests.jsonl"))) : jsondecode(line)] : request.status
      if request.server_id == output.server_id && request.call == "migrate"
    ] == [503, 202]
    error_message = "web-2 should be asked to migrate a second time."
  }
}
