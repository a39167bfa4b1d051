# Where events come from, unless that is yours, and where actions go.

locals {
  streams = merge(
    { actions = var.action_shards },
    local.own_stream ? { events = var.shards } : {},
  )
  stream_arn = local.own_stream ? aws_kinesis_stream.stream["events"].arn : var.stream_arn
}

resource "aws_kinesis_stream" "stream" {
  for_each = local.streams

  name             = "${var.name}-${each.key}"
  shard_count      = each.value == 0 ? null : each.value
  retention_period = var.stream_retention_hours
  encryption_type  = "KMS"
  kms_key_id       = local.own_key ? var.kms_key_arn : "alias/aws/kinesis"

  stream_mode_details {
    stream_mode = each.value == 0 ? "ON_DEMAND" : "PROVISIONED"
  }
}
