# What is kept, how it is encrypted, and who is told.

variable "keep_data" {
  description = "Whether tables and buckets with something in them refuse to be destroyed."
  type        = bool
  default     = true
}

variable "log_retention_days" {
  description = "How long CloudWatch keeps the function's log."
  type        = number
  default     = 30

  validation {
    condition = contains(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
      var.log_retention_days,
    )
    error_message = "log_retention_days is one of CloudWatch's: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, …, 3653."
  }
}

variable "decision_retention_days" {
  description = "How long the decision log is kept: it trains the next model."
  type        = number
  default     = 365

  validation {
    condition     = var.decision_retention_days >= 1 && floor(var.decision_retention_days) == var.decision_retention_days
    error_message = "decision_retention_days is 1 or more."
  }
}

variable "dead_letter_retention_days" {
  description = "How long dead letters and the mapping's on-failure objects are kept."
  type        = number
  default     = 90

  validation {
    condition     = var.dead_letter_retention_days >= 1 && floor(var.dead_letter_retention_days) == var.dead_letter_retention_days
    error_message = "dead_letter_retention_days is 1 or more."
  }
}

variable "kms_key_arn" {
  description = "A KMS key of yours for everything that is kept; empty: AWS's own keys."
  type        = string
  default     = ""

  validation {
    condition     = var.kms_key_arn == "" || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn is the ARN of a KMS key, not of an alias: arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "alarm_topic_arn" {
  description = "The SNS topic that alarms are sent to; empty: they are only shown."
  type        = string
  default     = ""

  validation {
    condition     = var.alarm_topic_arn == "" || can(regex("^arn:[^:]+:sns:[^:]+:[0-9]{12}:[A-Za-z0-9_-]+$", var.alarm_topic_arn))
    error_message = "alarm_topic_arn is the ARN of an SNS topic: arn:aws:sns:REGION:ACCOUNT:NAME."
  }
}

variable "iterator_age_alarm_ms" {
  description = "How old the last record of a batch may be, in milliseconds, for five minutes."
  type        = number
  default     = 60000

  validation {
    condition     = var.iterator_age_alarm_ms >= 1000 && floor(var.iterator_age_alarm_ms) == var.iterator_age_alarm_ms
    error_message = "iterator_age_alarm_ms is whole milliseconds, 1000 at least."
  }
}

variable "event_age_alarm_ms" {
  description = "How long after its event an action may come, in milliseconds, as p99 for five minutes."
  type        = number
  default     = 5000

  validation {
    condition     = var.event_age_alarm_ms >= 100
    error_message = "event_age_alarm_ms is milliseconds, 100 at least."
  }
}

variable "dead_letters_alarm_count" {
  description = "How many dead letters in five minutes are nothing to wake somebody for."
  type        = number
  default     = 0

  validation {
    condition     = var.dead_letters_alarm_count >= 0
    error_message = "dead_letters_alarm_count is 0 or more."
  }
}
