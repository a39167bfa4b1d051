# A fourstroke pipeline on AWS: stream → function → actions, with its state, its log, its dead letters and its alarms.
# template.yaml at the root of the repository makes the same.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.id

  # What `fourstroke package` says of the zip.
  manifest = jsondecode(file(local.manifest_file))
  pipeline = local.manifest.pipeline

  manifest_file = replace(var.package, "/\\.zip$/", ".json")

  own_stream = var.stream_arn == ""
  own_key    = var.kms_key_arn != ""
}
