variable "canaries" {
  description = "Servers to migrate first, by name: the UUID of each, such as by_name of the data source rackspace_servers. If one of them fails, nothing else is migrated."
  type        = map(string)
  nullable    = false

  validation {
    condition     = alltrue([for id in values(var.canaries) : id != null])
    error_message = "A canary has no id. In by_name of rackspace_servers, the id is null for a name that several servers have. Find fewer servers, or make the map from by_id."
  }
}

variable "waves" {
  description = "Servers to migrate then, wave by wave, each like canaries. A wave begins when all servers of the wave before are confirmed. At most 5 waves."
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
  description = "Region of the servers. Null is the provider's."
  type        = string
  default     = null
}

variable "verification" {
  description = "What each server has to pass before it is moved, and again on its new host before its migration is confirmed; see the provider's documentation. A host that is not named is that of the server. Null migrates and confirms without a test."
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
  description = "Verifications of single servers, by the server's name: each is used instead of verification. Null migrates and confirms that server without a test."
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
    error_message = "Each name in verifications has to be that of a server in canaries or waves."
  }
}

variable "headers_wo" {
  description = "Secret headers of the http checks, such as Authorization, by the check's URL. They are kept in neither plan nor state."
  type        = map(map(string))
  default     = {}
  nullable    = false
  ephemeral   = true

  validation {
    condition     = length(setsubtract(keys(var.headers_wo), local.urls)) == 0
    error_message = "Each URL in headers_wo has to be that of an http check that a server of the fleet has to pass."
  }
}

variable "on_destroy" {
  description = "What happens to a migration that still awaits confirmation, before triggers migrate its server again and when it is destroyed: none, confirm or revert. confirm does not go with headers_wo."
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
  description = "How long one server's migration, its update, its destroy and its refresh may take, such as 30m. Null is the provider's default."
  type = object({
    create = optional(string)
    update = optional(string)
    delete = optional(string)
    read   = optional(string)
  })
  default  = {}
  nullable = false
}
