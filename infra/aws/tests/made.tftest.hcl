# What is made when nothing but the package is said.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package = "tests/package/function.zip"
}

run "defaults" {
  assert {
    condition = {
      for key, stream in aws_kinesis_stream.stream : stream.name => one(stream.stream_mode_details).stream_mode
    } == { fourstroke-events = "ON_DEMAND", fourstroke-actions = "ON_DEMAND" }
    error_message = "Two streams on demand: events and actions."
  }

  assert {
    condition = alltrue([
      aws_lambda_function.function.runtime == "provided.al2023",
      aws_lambda_function.function.publish,
      aws_lambda_function.function.architectures == tolist(["x86_64"]),
      aws_lambda_function.function.reserved_concurrent_executions == -1,
      aws_lambda_function.function.source_code_hash == filebase64sha256("tests/package/function.zip"),
    ])
    error_message = "The package is published on provided.al2023."
  }

  assert {
    condition = alltrue([
      aws_lambda_alias.live.name == "live",
      aws_lambda_alias.live.function_version == aws_lambda_function.function.version,
      length(aws_lambda_provisioned_concurrency_config.live) == 0,
    ])
    error_message = "The alias `live` is at the version just published; nothing is kept warm."
  }

  assert {
    condition = one(aws_lambda_function.function.environment).variables == tomap({
      ACTIONS      = "kinesis://fourstroke-actions"
      DEAD_LETTERS = "s3://fourstroke-dead-letters-123456789012-eu-central-1/dead-letters"
      DECISIONS    = "s3://fourstroke-log-123456789012-eu-central-1/decisions"
      FEATURES     = "dynamodb://fourstroke-features"
      MODELS       = "s3://fourstroke-models-123456789012-eu-central-1"
      SOURCE       = "kinesis"
      STATE        = "dynamodb://fourstroke-state"
    })
    error_message = "The pipeline's variables name what is made here."
  }

  assert {
    condition = alltrue([
      aws_cloudwatch_log_group.function.name == "/aws/lambda/fourstroke",
      aws_cloudwatch_log_group.function.retention_in_days == 30,
      one(aws_lambda_function.function.logging_config).log_group == aws_cloudwatch_log_group.function.name,
      one(aws_lambda_function.function.logging_config).application_log_level == "INFO",
    ])
    error_message = "The log is kept for 30 days, at the level that metrics are lines of."
  }
}

run "the_mapping_loses_nothing" {
  assert {
    condition     = aws_lambda_event_source_mapping.mapping.function_name == aws_lambda_alias.live.arn
    error_message = "The mapping invokes the alias."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.mapping.function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "Without ReportBatchItemFailures the answer is not read, and what failed is lost."
  }

  assert {
    condition = alltrue([
      aws_lambda_event_source_mapping.mapping.bisect_batch_on_function_error,
      aws_lambda_event_source_mapping.mapping.maximum_retry_attempts == -1,
      aws_lambda_event_source_mapping.mapping.maximum_record_age_in_seconds == 79200,
    ])
    error_message = "A batch is halved, and tried until its records are 22 hours old."
  }

  assert {
    condition = alltrue([
      one(one(aws_lambda_event_source_mapping.mapping.destination_config).on_failure).destination_arn
      == aws_s3_bucket.bucket["dead-letters"].arn,
    ])
    error_message = "What the mapping gives up on goes into the dead-letter bucket."
  }

  assert {
    condition = alltrue([
      aws_lambda_event_source_mapping.mapping.starting_position == "TRIM_HORIZON",
      aws_lambda_event_source_mapping.mapping.batch_size == 500,
      aws_lambda_event_source_mapping.mapping.maximum_batching_window_in_seconds == 1,
      aws_lambda_event_source_mapping.mapping.parallelization_factor == 1,
      length(aws_lambda_event_source_mapping.mapping.filter_criteria) == 0,
      one(aws_lambda_event_source_mapping.mapping.metrics_config).metrics == toset(["EventCount"]),
    ])
    error_message = "Batches of 500 in a second, one of a shard at a time, unfiltered and counted."
  }
}

run "what_is_kept_is_kept_well" {
  assert {
    condition = alltrue([
      for table in aws_dynamodb_table.table : (
        table.hash_key == "pk" && table.range_key == "sk" && table.billing_mode == "PAY_PER_REQUEST"
        && one(table.ttl).attribute_name == "ttl" && one(table.ttl).enabled
        && one(table.point_in_time_recovery).enabled && one(table.server_side_encryption).enabled
        && table.deletion_protection_enabled
      )
    ]) && toset([for table in aws_dynamodb_table.table : table.name]) == toset(["fourstroke-state", "fourstroke-features"])
    error_message = "Two tables pk/sk/ttl, on demand, recoverable, encrypted and protected."
  }

  assert {
    condition = alltrue([
      toset(keys(aws_s3_bucket.bucket)) == toset(["models", "log", "dead-letters"]),
      alltrue([for bucket in aws_s3_bucket.bucket : !bucket.force_destroy]),
      keys(aws_s3_bucket_policy.bucket) == keys(aws_s3_bucket.bucket),
      keys(aws_s3_bucket_versioning.bucket) == keys(aws_s3_bucket.bucket),
      alltrue([for of in aws_s3_bucket_versioning.bucket : one(of.versioning_configuration).status == "Enabled"]),
      keys(aws_s3_bucket_server_side_encryption_configuration.bucket) == keys(aws_s3_bucket.bucket),
      keys(aws_s3_bucket_ownership_controls.bucket) == keys(aws_s3_bucket.bucket),
    ])
    error_message = "Three buckets, each with versions, encryption, an owner and a policy."
  }

  assert {
    condition = alltrue([
      for block in aws_s3_bucket_public_access_block.bucket :
      block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets
    ]) && length(aws_s3_bucket_public_access_block.bucket) == 3
    error_message = "No bucket is public."
  }

  assert {
    condition = alltrue([
      for policy in aws_s3_bucket_policy.bucket : jsondecode(policy.policy).Statement[0] == {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = ["arn:aws:s3:::made", "arn:aws:s3:::made/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }
    ])
    error_message = "No bucket is read or written without TLS."
  }

  assert {
    condition = {
      for key, lifecycle in aws_s3_bucket_lifecycle_configuration.bucket : key => [
        try(one(one(lifecycle.rule).expiration).days, 0),
        try(one(one(lifecycle.rule).noncurrent_version_expiration).noncurrent_days, 0),
      ]
    } == { models = [0, 30], log = [365, 30], dead-letters = [90, 30] }
    error_message = "Decisions go after a year, dead letters after 90 days, what was replaced after 30."
  }
}

run "alarms" {
  assert {
    condition = { for key, alarm in aws_cloudwatch_metric_alarm.alarm : alarm.alarm_name => alarm.metric_name } == {
      fourstroke-iterator-age      = "IteratorAge"
      fourstroke-errors            = "Errors"
      fourstroke-throttles         = "Throttles"
      fourstroke-delivery-failures = "DestinationDeliveryFailures"
      fourstroke-on-failure        = "OnFailureDestinationDeliveredEventCount"
      fourstroke-dropped           = "DroppedEventCount"
      fourstroke-breaker           = "held"
      fourstroke-event-age         = "event_age"
      fourstroke-dead-letters      = "dead_lettered"
      fourstroke-log-lost          = "log_lost"
      fourstroke-unkept            = "unkept"
    }
    error_message = "Eleven alarms."
  }

  assert {
    condition = alltrue([
      for key, alarm in aws_cloudwatch_metric_alarm.alarm :
      endswith(alarm.alarm_description, " docs/RUNBOOK.md#${key}") && alarm.alarm_actions == null && alarm.ok_actions == null
    ])
    error_message = "Each alarm names its section of the runbook; nobody is told unless a topic is named."
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.alarm : alarm.namespace == "fourstroke"
      ? alarm.dimensions == tomap({ pipeline = "fixture" })
      : alarm.namespace == "AWS/Lambda" && contains(["FunctionName", "EventSourceMappingUUID"], one(keys(alarm.dimensions)))
    ])
    error_message = "Our metrics are by pipeline, as the manifest names it; Lambda's by function or mapping."
  }

  assert {
    condition = alltrue([
      aws_cloudwatch_metric_alarm.alarm["event-age"].extended_statistic == "p99",
      aws_cloudwatch_metric_alarm.alarm["event-age"].threshold == 5000,
      aws_cloudwatch_metric_alarm.alarm["iterator-age"].statistic == "Maximum",
      aws_cloudwatch_metric_alarm.alarm["iterator-age"].treat_missing_data == "ignore",
    ])
    error_message = "Events' age is the p99; a function that was late and runs no more is still late."
  }
}

run "outputs" {
  assert {
    condition = output.first_event == join(" ", [
      "aws kinesis put-record --stream-arn arn:aws:kinesis:eu-central-1:123456789012:stream/made",
      "--partition-key N633JB --data fileb://examples/flights/data/one.json",
    ])
    error_message = "The first event goes to the stream."
  }
}
