# What wakes somebody up. Each has its section in docs/RUNBOOK.md.

locals {
  of_function = { FunctionName = aws_lambda_function.function.function_name }
  of_mapping  = { EventSourceMappingUUID = aws_lambda_event_source_mapping.mapping.uuid }
  of_pipeline = { pipeline = local.pipeline }

  # What an alarm has that does not say otherwise: one is too many, in five minutes. `missing` is what no data means: most
  # metrics are only there when something runs, and nothing to do is fine.
  usual = { statistic = "Sum", above = 0, seconds = 300, periods = 1, missing = "notBreaching" }

  # Of the iterator's age no data means the same as before: a late function that runs no more is still late. A mapping that
  # never reads, or is disabled, has no metrics, and no alarm here sees it.
  alarms = {
    iterator-age = {
      says      = "The function is behind the stream."
      metric    = "IteratorAge"
      of        = local.of_function
      statistic = "Maximum"
      above     = var.iterator_age_alarm_ms
      seconds   = 60
      periods   = 5
      missing   = "ignore"
    }
    errors = {
      says   = "Invocations fail as a whole."
      metric = "Errors"
      of     = local.of_function
    }
    throttles = {
      says   = "Lambda has no room for invocations."
      metric = "Throttles"
      of     = local.of_function
    }
    delivery-failures = {
      says   = "What the mapping gave up on could not be written."
      metric = "DestinationDeliveryFailures"
      of     = local.of_function
    }
    on-failure = {
      says   = "The mapping gave up on records."
      metric = "OnFailureDestinationDeliveredEventCount"
      of     = local.of_mapping
    }
    dropped = {
      says   = "Records were thrown away."
      metric = "DroppedEventCount"
      of     = local.of_mapping
    }
    breaker = {
      says    = "Too much is poison, events are held."
      metric  = "held"
      of      = local.of_pipeline
      seconds = 60
    }
    event-age = {
      says      = "Actions come late after their events."
      metric    = "event_age"
      of        = local.of_pipeline
      statistic = "p99"
      above     = var.event_age_alarm_ms
      seconds   = 60
      periods   = 5
    }
    dead-letters = {
      says   = "Events end as dead letters."
      metric = "dead_lettered"
      of     = local.of_pipeline
      above  = var.dead_letters_alarm_count
    }
    log-lost = {
      says   = "Entries of the decision log are not in it."
      metric = "log_lost"
      of     = local.of_pipeline
    }
    unkept = {
      says   = "State could not be written."
      metric = "unkept"
      of     = local.of_pipeline
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "alarm" {
  for_each = { for name, alarm in local.alarms : name => merge(local.usual, alarm) }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.says} docs/RUNBOOK.md#${each.key}"
  namespace           = contains(keys(each.value.of), "pipeline") ? "fourstroke" : "AWS/Lambda"
  metric_name         = each.value.metric
  dimensions          = each.value.of
  statistic           = each.value.statistic == "p99" ? null : each.value.statistic
  extended_statistic  = each.value.statistic == "p99" ? "p99" : null
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.above
  period              = each.value.seconds
  evaluation_periods  = each.value.periods
  treat_missing_data  = each.value.missing
  alarm_actions       = var.alarm_topic_arn == "" ? null : [var.alarm_topic_arn]
  ok_actions          = var.alarm_topic_arn == "" ? null : [var.alarm_topic_arn]
}
