variable "canaries" {
  description = "Servers to migrate first. A map from the name of each server to its UUID, such as by_name of the data source rackspace_servers. If one of them fails, no other server is migrated."
  type        = map(string)
  nullable    = false

  validation {
    condition     = alltrue([for id in values(var.canaries) : id != null])
    error_message = "A canary has no id. In by_name of rackspace_servers, the id is null for a name that several servers have. Find fewer servers, or make the map from by_id."
  }
}

variable "waves" {
  description = "Servers to migrate after the canaries, wave by wave. Each wave is a map like canaries. A wave begins when all migrations of the wave before are confirmed. There can be up to 5 waves."
  type        = list(map(string))
  default     = []
  nullable    = false

  validation {
    condition     = length(var.waves) <= 5
    error_message = "There are 5 waves at most: put more servers into each."
  }

  validation {
    condition     = alltrue(flatten([for wave in var.waves : [for id in values(wave) : id != null]]))
    error_message = "A server of a wave has no id. In by_name of rackspace_servers, the id is null for a name that several servers have. Find fewer servers, or make the map from by_id."
  }

  validation {
    condition     = length(distinct(concat(values(var.canaries), flatten([for wave in var.waves : values(wave)])))) == length(concat(values(var.canaries), flatten([for wave in var.waves : values(wave)])))
    error_message = "A server can be in one wave only, and a canary in none."
  }

  validation {
    condition     = length(distinct(concat(keys(var.canaries), flatten([for wave in var.waves : keys(wave)])))) == length(concat(keys(var.canaries), flatten([for wave in var.waves : keys(wave)])))
    error_message = "Each server needs a name of its own."
  }
}

variable "region" {
  description = "Region of the servers. Null means the provider's region."
  type        = string
  default     = null
}

variable "verification" {
  description = "Test that each server has to pass before it is moved, and again on its new host before its migration is confirmed. See verification in the provider's documentation. A check without a host uses the server's address. Null migrates and confirms without a test."
  type = object({
    tcp = optional(list(object({ port = number, host = optional(string) })))
    http = optional(list(object({
      url              = string
      status_codes     = optional(list(number))
      body_contains    = optional(string)
      headers          = optional(map(string))
      tls_server_name  = optional(string)
      ca_certificate   = optional(string)
      follow_redirects = optional(bool)
    })))
    ssh_banner        = optional(list(object({ port = optional(number), host = optional(string) })))
    interval          = optional(string)
    timeout           = optional(string)
    check_timeout     = optional(string)
    successes         = optional(number)
    preflight         = optional(bool)
    preflight_timeout = optional(string)
    on_failure        = optional(string, "revert")
  })
  default = {
    ssh_banner = [{}]
  }
}

variable "verifications" {
  description = "Verifications of single servers, by the server's name. Each replaces verification for that server. Null migrates and confirms that server without a test."
  type = map(object({
    tcp = optional(list(object({ port = number, host = optional(string) })))
    http = optional(list(object({
      url              = string
      status_codes     = optional(list(number))
      body_contains    = optional(string)
      headers          = optional(map(string))
      tls_server_name  = optional(string)
      ca_certificate   = optional(string)
      follow_redirects = optional(bool)
    })))
    ssh_banner        = optional(list(object({ port = optional(number), host = optional(string) })))
    interval          = optional(string)
    timeout           = optional(string)
    check_timeout     = optional(string)
    successes         = optional(number)
    preflight         = optional(bool)
    preflight_timeout = optional(string)
    on_failure        = optional(string, "revert")
  }))
  default  = {}
  nullable = false

  validation {
    condition     = length(setsubtract(keys(var.verifications), local.names)) == 0
    error_message = "Each name in verifications must be the name of a server in canaries or waves."
  }
}

variable "headers_wo" {
  description = "Secret headers of the http checks, such as Authorization, by the check's URL. Neither the plan nor the state keeps them."
  type        = map(map(string))
  default     = {}
  nullable    = false
  ephemeral   = true

  validation {
    condition     = length(setsubtract(keys(var.headers_wo), local.urls)) == 0
    error_message = "Each URL in headers_wo must be the URL of an http check of a server in the fleet."
  }
}

variable "on_destroy" {
  description = "What happens to a pending migration when it is destroyed, or before triggers migrate its server again: none, confirm or revert. confirm cannot be used with headers_wo."
  type        = string
  default     = "none"
  nullable    = false
}

variable "triggers" {
  description = "Values of any meaning. A change of one of them migrates all servers again, in the same waves."
  type        = map(string)
  default     = null
}

variable "timeouts" {
  description = "How long the create, update, delete and read of one migration may take, such as 30m. Null means the provider's default."
  type = object({
    create = optional(string)
    update = optional(string)
    delete = optional(string)
    read   = optional(string)
  })
  default  = {}
  nullable = false
}
