variable "stub_url" {
  description = "Address of the stub. rackspace-stub sets it."
  type        = string
}

variable "fault" {
  description = "The fault that the stub is to answer with."
  type        = any
}

resource "terraform_data" "fault" {
  provisioner "local-exec" {
    command = "curl --fail-with-body --silent --show-error --data \"$FAULT\" \"$STUB_URL/_stub/faults\""
    environment = {
      FAULT    = jsonencode(var.fault)
      STUB_URL = var.stub_url
    }
  }
}
