variable "canaries" {
  description = "Servers to migrate first, by name: the UUID of each. If one of them fails, nothing else is migrated."
  type        = map(string)
  nullable    = false
}

variable "waves" {
  description = "Servers to migrate then, wave by wave, each by name. A wave begins when all of the one before are confirmed. At most 5 waves."
  type        = list(map(string))
  default     = []
  nullable    = false

  validation {
    condition     = length(var.waves) <= 5
    error_message = "There are 5 waves at most: put more servers into each."
  }

  validation {
    condition     = length(distinct(concat(values(var.canaries), flatten([for wave in var.waves : values(wave)])))) == length(concat(values(var.canaries), flatten([for wave in var.waves : values(wave)])))
    error_message = "A server can be in one wave only, and a canary in none."
  }
}

variable "region" {
  description = "Region of the servers. Null is the provider's."
  type        = string
  default     = null
}

variable "verification" {
  description = "What each moved server has to pass before its migration is confirmed; see the provider's documentation. A host that is not named is that of the server."
  type = object({
    tcp = optional(list(object({ port = number, host = optional(string) })))
    http = optional(list(object({
      url             = string
      status_codes    = optional(list(number))
      body_contains   = optional(string)
      tls_server_name = optional(string)
      ca_certificate  = optional(string)
    })))
    ssh_banner = optional(list(object({ port = optional(number), host = optional(string) })))
    interval   = optional(string)
    timeout    = optional(string)
    successes  = optional(number)
    on_failure = optional(string, "revert")
  })
  default = {
    ssh_banner = [{}]
  }
}

variable "triggers" {
  description = "Values of any meaning. A change of one of them migrates all servers again."
  type        = map(string)
  default     = null
}
