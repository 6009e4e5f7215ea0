# pending.tfquery.hcl: the migrations of ORD that await confirmation or are under way.
list "rackspace_server_migration" "pending" {
  provider = rackspace

  config {
    region            = "ORD"
    include_migrating = true
  }
}
