# Values that are refused, each by the variable or the resource it is about.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package = "tests/package/function.zip"
}

run "a_name_for_no_bucket" {
  command = plan

  variables {
    name = "My_Pipeline"
  }

  expect_failures = [var.name]
}

run "a_name_too_long" {
  command = plan

  variables {
    name = "a-name-of-more-than-20"
  }

  expect_failures = [var.name]
}

run "no_package" {
  command = plan

  variables {
    package = "tests/package/nowhere.zip"
  }

  expect_failures = [var.package]
}

run "a_package_without_manifest" {
  command = plan

  variables {
    package = "tests/package/lonely.zip"
  }

  expect_failures = [var.package]
}

run "a_package_of_another_architecture" {
  command = plan

  variables {
    architecture = "arm64"
  }

  expect_failures = [aws_lambda_function.function]
}

run "a_manifest_of_another_package" {
  command = plan

  variables {
    package = "tests/package/stale.zip"
  }

  expect_failures = [aws_lambda_function.function]
}

run "a_package_too_large" {
  command = plan

  variables {
    package = "tests/package/large.zip"
  }

  expect_failures = [aws_lambda_function.function]
}

run "an_unset_variable" {
  command = plan

  variables {
    package = "tests/package/wanting.zip"
  }

  expect_failures = [aws_lambda_function.function]
}

run "an_unknown_architecture" {
  command = plan

  variables {
    architecture = "riscv"
  }

  expect_failures = [var.architecture]
}

run "too_little_memory" {
  command = plan

  variables {
    memory_mb = 64
  }

  expect_failures = [var.memory_mb]
}

run "half_a_megabyte" {
  command = plan

  variables {
    memory_mb = 512.5
  }

  expect_failures = [var.memory_mb]
}

run "too_little_time" {
  command = plan

  variables {
    timeout_seconds = 5
  }

  expect_failures = [var.timeout_seconds]
}

run "too_much_time" {
  command = plan

  variables {
    timeout_seconds = 901
  }

  expect_failures = [var.timeout_seconds]
}

run "no_concurrency" {
  command = plan

  variables {
    reserved_concurrency = 0
  }

  expect_failures = [var.reserved_concurrency]
}

run "less_than_no_warmth" {
  command = plan

  variables {
    provisioned_concurrency = -1
  }

  expect_failures = [var.provisioned_concurrency]
}

run "more_warm_than_may_run" {
  command = plan

  variables {
    reserved_concurrency    = 1
    provisioned_concurrency = 2
  }

  expect_failures = [var.provisioned_concurrency]
}

run "a_variable_with_a_dash" {
  command = plan

  variables {
    environment = { "MY-TABLE" = "dynamodb://mine" }
  }

  expect_failures = [var.environment]
}

run "a_policy_that_is_a_role" {
  command = plan

  variables {
    policy_arns = ["arn:aws:iam::123456789012:role/weather"]
  }

  expect_failures = [var.policy_arns]
}

run "a_level_without_metrics" {
  command = plan

  variables {
    log_level = "WARN"
  }

  expect_failures = [var.log_level]
}

run "a_stream_by_name" {
  command = plan

  variables {
    stream_arn = "events"
  }

  expect_failures = [var.stream_arn]
}

run "a_consumer_for_a_stream" {
  command = plan

  variables {
    stream_arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/yours/consumer/c:1"
  }

  expect_failures = [var.stream_arn]
}

run "shards_of_a_stream_of_yours" {
  command = plan

  variables {
    stream_arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/yours"
    shards     = 1
  }

  expect_failures = [var.shards]
}

run "fewer_than_no_shards" {
  command = plan

  variables {
    shards = -1
  }

  expect_failures = [var.shards]
}

run "half_a_shard" {
  command = plan

  variables {
    action_shards = 0.5
  }

  expect_failures = [var.action_shards]
}

run "a_retention_below_a_day" {
  command = plan

  variables {
    stream_retention_hours = 23
  }

  expect_failures = [var.stream_retention_hours]
}

run "a_position_in_time" {
  command = plan

  variables {
    starting_position = "AT_TIMESTAMP"
  }

  expect_failures = [var.starting_position]
}

run "no_batch" {
  command = plan

  variables {
    batch_size = 0
  }

  expect_failures = [var.batch_size]
}

run "too_large_a_batch" {
  command = plan

  variables {
    batch_size = 10001
  }

  expect_failures = [var.batch_size]
}

run "too_long_a_window" {
  command = plan

  variables {
    window_seconds = 301
  }

  expect_failures = [var.window_seconds]
}

run "too_many_batches" {
  command = plan

  variables {
    parallelization_factor = 11
  }

  expect_failures = [var.parallelization_factor]
}

run "too_many_attempts" {
  command = plan

  variables {
    retry_attempts = 10001
  }

  expect_failures = [var.retry_attempts]
}

run "an_age_without_end" {
  command = plan

  variables {
    record_age_seconds = -1
  }

  expect_failures = [var.record_age_seconds]
}

run "an_age_the_stream_forgets" {
  command = plan

  variables {
    record_age_seconds = 86400
  }

  expect_failures = [aws_lambda_event_source_mapping.mapping]
}

run "a_filter_that_is_no_json" {
  command = plan

  variables {
    filter = "type=boarding"
  }

  expect_failures = [var.filter]
}

run "a_filter_that_is_a_list" {
  command = plan

  variables {
    filter = "[]"
  }

  expect_failures = [var.filter]
}

run "a_retention_cloudwatch_has_not" {
  command = plan

  variables {
    log_retention_days = 31
  }

  expect_failures = [var.log_retention_days]
}

run "decisions_not_kept" {
  command = plan

  variables {
    decision_retention_days = 0
  }

  expect_failures = [var.decision_retention_days]
}

run "dead_letters_not_kept" {
  command = plan

  variables {
    dead_letter_retention_days = 0
  }

  expect_failures = [var.dead_letter_retention_days]
}

run "a_key_by_alias" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:alias/mine"
  }

  expect_failures = [var.kms_key_arn]
}

run "a_topic_that_is_a_queue" {
  command = plan

  variables {
    alarm_topic_arn = "arn:aws:sqs:eu-central-1:123456789012:night"
  }

  expect_failures = [var.alarm_topic_arn]
}

run "an_age_in_seconds" {
  command = plan

  variables {
    iterator_age_alarm_ms = 60
  }

  expect_failures = [var.iterator_age_alarm_ms]
}

run "an_event_age_in_seconds" {
  command = plan

  variables {
    event_age_alarm_ms = 5
  }

  expect_failures = [var.event_age_alarm_ms]
}

run "fewer_than_no_dead_letters" {
  command = plan

  variables {
    dead_letters_alarm_count = -1
  }

  expect_failures = [var.dead_letters_alarm_count]
}

run "half_an_hour" {
  command = plan

  variables {
    stream_retention_hours = 24.5
  }

  expect_failures = [var.stream_retention_hours]
}

run "half_a_second" {
  command = plan

  variables {
    record_age_seconds = 60.5
  }

  expect_failures = [var.record_age_seconds]
}

run "half_an_invocation" {
  command = plan

  variables {
    reserved_concurrency = 1.5
  }

  expect_failures = [var.reserved_concurrency]
}

run "half_a_millisecond" {
  command = plan

  variables {
    iterator_age_alarm_ms = 1000.5
  }

  expect_failures = [var.iterator_age_alarm_ms]
}
