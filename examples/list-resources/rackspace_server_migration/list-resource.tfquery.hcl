# Web servers whose migration Rackspace confirms automatically within two hours.
list "rackspace_server_migration" "urgent" {
  provider         = rackspace
  include_resource = true

  config {
    region         = "ORD"
    server_name    = "^web-"
    confirm_within = "2h"
  }
}
