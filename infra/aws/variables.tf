# What is deployed, and its environment. The stream and the mapping: variables-stream.tf; what is kept and told:
# variables-kept.tf.

variable "name" {
  description = "What the names of everything begin with."
  type        = string
  default     = "fourstroke"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,18}[a-z0-9]$", var.name))
    error_message = "name is 2 to 20 of a-z, 0-9 and -, begins with a letter and does not end with -: buckets are named after it."
  }
}

variable "package" {
  description = "The zip that `fourstroke package --for lambda` made, with its manifest beside it."
  type        = string

  validation {
    condition     = can(regex("\\.zip$", var.package)) && fileexists(var.package)
    error_message = "package is no zip that is there: make it with `fourstroke package PIPELINE --for lambda`."
  }

  validation {
    condition     = fileexists(replace(var.package, "/\\.zip$/", ".json"))
    error_message = "The manifest is not beside package (function.zip → function.json): keep the two together."
  }
}

variable "architecture" {
  description = "The processor: arm64 is cheaper and starts faster. The package must be for the same."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture is x86_64 or arm64."
  }
}

variable "memory_mb" {
  description = "The function's memory; processors come with it, a whole one at 1769."
  type        = number
  default     = 1769

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240 && floor(var.memory_mb) == var.memory_mb
    error_message = "memory_mb is a whole number of 128 to 10240."
  }
}

variable "timeout_seconds" {
  description = "How long an invocation may take."
  type        = number
  default     = 30

  validation {
    condition     = var.timeout_seconds >= 6 && var.timeout_seconds <= 900 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "timeout_seconds is a whole number of 6 to 900: below 6 too little is left for the log and the answer."
  }
}

variable "reserved_concurrency" {
  description = "How many invocations at a time at most, kept free for this function; -1: what the account has."
  type        = number
  default     = -1

  validation {
    condition = var.reserved_concurrency == -1 || (
      var.reserved_concurrency >= 1 && var.reserved_concurrency <= 10000 && floor(var.reserved_concurrency) == var.reserved_concurrency
    )
    error_message = "reserved_concurrency is -1 or a whole number of 1 to 10000; to stop the function, disable its mapping."
  }
}

variable "provisioned_concurrency" {
  description = "How many environments are kept warm for the alias `live`, and paid for all the time; 0: none."
  type        = number
  default     = 0

  validation {
    condition     = var.provisioned_concurrency >= 0 && floor(var.provisioned_concurrency) == var.provisioned_concurrency
    error_message = "provisioned_concurrency is 0 or more."
  }

  validation {
    condition     = var.reserved_concurrency == -1 || var.provisioned_concurrency <= var.reserved_concurrency
    error_message = "provisioned_concurrency is more than reserved_concurrency has room for."
  }
}

variable "environment" {
  description = "Variables of the pipeline file, beside or instead of those set here (ACTIONS, DECISIONS, STATE, …)."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.environment) : can(regex("^[A-Za-z][A-Za-z0-9_]*$", key))])
    error_message = "Names in environment are letters, digits and _, and begin with a letter."
  }
}

variable "policy_arns" {
  description = "IAM policies of yours for what the pipeline uses beyond what is made here, such as another table."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.policy_arns : can(regex("^arn:[^:]+:iam::[^:]*:policy/", arn))])
    error_message = "policy_arns are ARNs of IAM policies."
  }
}

variable "log_level" {
  description = "How much the function logs. Not less than INFO: metrics are lines of that level."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["TRACE", "DEBUG", "INFO"], var.log_level)
    error_message = "log_level is TRACE, DEBUG or INFO; above INFO Lambda would drop the lines that metrics are made from."
  }
}
