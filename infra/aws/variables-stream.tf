# The stream and the mapping.

variable "stream_arn" {
  description = "A Kinesis stream of yours; empty: one is made."
  type        = string
  default     = ""

  validation {
    condition     = var.stream_arn == "" || can(regex("^arn:[^:]+:kinesis:[^:]+:[0-9]{12}:stream/[A-Za-z0-9_.-]+$", var.stream_arn))
    error_message = "stream_arn is the ARN of a Kinesis stream: arn:aws:kinesis:REGION:ACCOUNT:stream/NAME."
  }
}

variable "shards" {
  description = "Shards of the stream made here; 0: on demand."
  type        = number
  default     = 0

  validation {
    condition     = var.shards >= 0 && var.shards <= 10000 && floor(var.shards) == var.shards
    error_message = "shards is a whole number of 0 to 10000."
  }

  validation {
    condition     = var.stream_arn == "" || var.shards == 0
    error_message = "shards is about a stream made here, and stream_arn names yours: leave one of them out."
  }
}

variable "action_shards" {
  description = "Shards of the stream of actions; 0: on demand."
  type        = number
  default     = 0

  validation {
    condition     = var.action_shards >= 0 && var.action_shards <= 10000 && floor(var.action_shards) == var.action_shards
    error_message = "action_shards is a whole number of 0 to 10000."
  }
}

variable "stream_retention_hours" {
  description = "How long the streams made here keep their records."
  type        = number
  default     = 24

  validation {
    condition = alltrue([
      var.stream_retention_hours >= 24,
      var.stream_retention_hours <= 8760,
      floor(var.stream_retention_hours) == var.stream_retention_hours,
    ])
    error_message = "stream_retention_hours is a whole number of 24 to 8760."
  }
}

variable "starting_position" {
  description = "Where a new mapping begins: TRIM_HORIZON, with all that the stream has, or LATEST."
  type        = string
  default     = "TRIM_HORIZON"

  validation {
    condition     = contains(["TRIM_HORIZON", "LATEST"], var.starting_position)
    error_message = "starting_position is TRIM_HORIZON or LATEST."
  }
}

variable "batch_size" {
  description = "Records a batch has at most: a batch shares its round trips."
  type        = number
  default     = 500

  validation {
    condition     = var.batch_size >= 1 && var.batch_size <= 10000 && floor(var.batch_size) == var.batch_size
    error_message = "batch_size is a whole number of 1 to 10000."
  }
}

variable "window_seconds" {
  description = "How long Lambda waits for a batch to fill; events are as much older when they are decided."
  type        = number
  default     = 1

  validation {
    condition     = var.window_seconds >= 0 && var.window_seconds <= 300 && floor(var.window_seconds) == var.window_seconds
    error_message = "window_seconds is a whole number of 0 to 300."
  }
}

variable "parallelization_factor" {
  description = "Batches of a shard at a time; order is kept per partition key."
  type        = number
  default     = 1

  validation {
    condition     = contains(range(1, 11), var.parallelization_factor)
    error_message = "parallelization_factor is 1 to 10."
  }
}

variable "retry_attempts" {
  description = <<-EOT
    How often a batch is tried again before the mapping gives up on it; -1: until record_age_seconds. The handler writes
    poison away itself, so what fails again and again is a service that is down, or a breaker that holds: with a bound
    here minutes of that would empty the stream into the bucket.
  EOT
  type        = number
  default     = -1

  validation {
    condition     = var.retry_attempts >= -1 && var.retry_attempts <= 10000 && floor(var.retry_attempts) == var.retry_attempts
    error_message = "retry_attempts is -1 to 10000."
  }
}

variable "record_age_seconds" {
  description = "How old a record may get before the mapping gives up on it: below what the stream keeps, or it is lost."
  type        = number
  default     = 79200

  validation {
    condition = alltrue([
      var.record_age_seconds >= 60,
      var.record_age_seconds <= 604800,
      floor(var.record_age_seconds) == var.record_age_seconds,
    ])
    error_message = "record_age_seconds is a whole number of 60 to 604800. There is no -1: what the stream forgets first is lost."
  }
}

variable "filter" {
  description = "A filter pattern of Lambda's, as JSON; empty: none. What it does not match is dropped unseen, so is what is no JSON."
  type        = string
  default     = ""

  validation {
    condition     = var.filter == "" || can(keys(jsondecode(var.filter)))
    error_message = "filter is an object in JSON, such as {\"data\":{\"type\":[\"boarding\"]}}."
  }
}
