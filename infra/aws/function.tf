# The handler. A deploy publishes a version and points the alias `live` at it.

locals {
  environment = merge(
    {
      ACTIONS      = "kinesis://${aws_kinesis_stream.stream["actions"].name}"
      DEAD_LETTERS = "s3://${aws_s3_bucket.bucket["dead-letters"].bucket}/dead-letters"
      DECISIONS    = "s3://${aws_s3_bucket.bucket["log"].bucket}/decisions"
      FEATURES     = "dynamodb://${aws_dynamodb_table.table["features"].name}"
      MODELS       = "s3://${aws_s3_bucket.bucket["models"].bucket}"
      SOURCE       = "kinesis"
      STATE        = "dynamodb://${aws_dynamodb_table.table["state"].name}"
    },
    var.environment,
  )
  # Variables of the pipeline file that have no default and that nobody sets.
  unset = setsubtract([for variable in local.manifest.variables : variable.name if !variable.default], keys(local.environment))
}

resource "aws_cloudwatch_log_group" "function" {
  #checkov:skip=CKV_AWS_338:These lines are for mending things; what was decided is kept in the log bucket
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.own_key ? var.kms_key_arn : null
}

resource "aws_lambda_function" "function" {
  #checkov:skip=CKV_AWS_50:To write to X-Ray a role needs it for every resource; spans go to a collector (OTEL_EXPORTER_OTLP_ENDPOINT)
  #checkov:skip=CKV_AWS_116:A queue of the function is for asynchronous invocations; the mapping has its own destination
  #checkov:skip=CKV_AWS_117:Nothing here is in a VPC; to be in one, it would want an endpoint for each service
  #checkov:skip=CKV_AWS_272:Lambda takes signed code only where the account has a signing profile
  function_name                  = var.name
  description                    = "fourstroke: the pipeline ${local.pipeline}"
  role                           = aws_iam_role.function.arn
  runtime                        = "provided.al2023"
  handler                        = "bootstrap"
  architectures                  = [var.architecture]
  filename                       = var.package
  source_code_hash               = filebase64sha256(var.package)
  memory_size                    = var.memory_mb
  timeout                        = var.timeout_seconds
  reserved_concurrent_executions = var.reserved_concurrency
  publish                        = true
  kms_key_arn                    = local.own_key ? var.kms_key_arn : null

  environment {
    variables = local.environment
  }

  logging_config {
    log_format            = "JSON"
    log_group             = aws_cloudwatch_log_group.function.name
    application_log_level = var.log_level
    system_log_level      = "INFO"
  }

  lifecycle {
    precondition {
      condition     = local.manifest.architecture == var.architecture
      error_message = <<-EOT
        ${var.package} is for ${local.manifest.architecture}, and architecture is ${var.architecture}: package it with
        --architecture ${var.architecture}, or set architecture = "${local.manifest.architecture}".
      EOT
    }
    precondition {
      condition     = local.manifest.zip.sha256 == filesha256(var.package)
      error_message = "${local.manifest_file} tells of another zip than ${var.package}: run `fourstroke package` again."
    }
    precondition {
      condition     = local.manifest.zip.bytes <= 50 * 1024 * 1024
      error_message = <<-EOT
        ${var.package} has more than the 50 MB that Lambda takes in one request: keep large models in the models bucket
        (s3://, by the variable MODELS), or deploy with SAM, which goes by way of S3.
      EOT
    }
    precondition {
      condition     = length(local.unset) == 0
      error_message = "The pipeline ${local.pipeline} wants ${join(", ", local.unset)}: set them in environment."
    }
  }

  # Without its permissions the mapping cannot be made; without the group Lambda would make one that is kept for ever.
  depends_on = [aws_iam_role_policy.function, aws_iam_role_policy_attachment.function]
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "What the mapping invokes"
  function_name    = aws_lambda_function.function.function_name
  function_version = aws_lambda_function.function.version
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  count = var.provisioned_concurrency > 0 ? 1 : 0

  function_name                     = aws_lambda_function.function.function_name
  qualifier                         = aws_lambda_alias.live.name
  provisioned_concurrent_executions = var.provisioned_concurrency
}
