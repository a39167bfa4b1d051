# From the stream to the alias. What it gives up on goes into the dead-letter bucket, payload and all.

resource "aws_lambda_event_source_mapping" "mapping" {
  event_source_arn  = local.stream_arn
  function_name     = aws_lambda_alias.live.arn
  starting_position = var.starting_position

  batch_size                         = var.batch_size
  maximum_batching_window_in_seconds = var.window_seconds
  parallelization_factor             = var.parallelization_factor

  function_response_types        = ["ReportBatchItemFailures"]
  bisect_batch_on_function_error = true
  maximum_retry_attempts         = var.retry_attempts
  maximum_record_age_in_seconds  = var.record_age_seconds

  destination_config {
    on_failure {
      destination_arn = aws_s3_bucket.bucket["dead-letters"].arn
    }
  }

  dynamic "filter_criteria" {
    for_each = var.filter == "" ? [] : [var.filter]
    content {
      filter {
        pattern = filter_criteria.value
      }
    }
  }

  metrics_config {
    metrics = ["EventCount"]
  }

  lifecycle {
    precondition {
      condition     = !local.own_stream || var.record_age_seconds < var.stream_retention_hours * 3600
      error_message = <<-EOT
        The stream forgets after stream_retention_hours = ${var.stream_retention_hours}, before record_age_seconds =
        ${var.record_age_seconds}: what fails until then would be lost. Keep the age an hour or more below the retention.
      EOT
    }
  }
}
