# Tables: the pipeline's state, and features that you fill. Buckets: models, the decision log, dead letters.

locals {
  # After how many days objects go; what was replaced or removed can be had back for 30 more.
  buckets = {
    models       = null
    log          = var.decision_retention_days
    dead-letters = var.dead_letter_retention_days
  }
}

resource "aws_dynamodb_table" "table" {
  for_each = toset(["state", "features"])

  name                        = "${var.name}-${each.key}"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "pk"
  range_key                   = "sk"
  deletion_protection_enabled = var.keep_data

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "S"
  }

  ttl {
    attribute_name = "ttl"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = local.own_key ? var.kms_key_arn : null
  }
}

resource "aws_s3_bucket" "bucket" {
  #checkov:skip=CKV_AWS_18:Access logs want a bucket of their own; data events of CloudTrail tell the same, account by account
  #checkov:skip=CKV_AWS_144:What is worth a second region is the owner's to say, and costs twice
  #checkov:skip=CKV2_AWS_62:Nobody waits for an object: metrics and alarms tell of dead letters
  for_each = local.buckets

  bucket        = "${var.name}-${each.key}-${local.account}-${local.region}"
  force_destroy = !var.keep_data
}

resource "aws_s3_bucket_ownership_controls" "bucket" {
  for_each = local.buckets

  bucket = aws_s3_bucket.bucket[each.key].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "bucket" {
  for_each = local.buckets

  bucket                  = aws_s3_bucket.bucket[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "bucket" {
  for_each = local.buckets

  bucket = aws_s3_bucket.bucket[each.key].id

  rule {
    bucket_key_enabled = local.own_key

    apply_server_side_encryption_by_default {
      sse_algorithm     = local.own_key ? "aws:kms" : "AES256"
      kms_master_key_id = local.own_key ? var.kms_key_arn : null
    }
  }
}

resource "aws_s3_bucket_versioning" "bucket" {
  for_each = local.buckets

  bucket = aws_s3_bucket.bucket[each.key].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "bucket" {
  for_each = local.buckets

  bucket = aws_s3_bucket.bucket[each.key].id

  rule {
    id     = "retention"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }

    dynamic "expiration" {
      for_each = each.value[*]
      content {
        days = expiration.value
      }
    }

    noncurrent_version_expiration {
      noncurrent_days = 30
    }
  }

  # Its rule is about versions.
  depends_on = [aws_s3_bucket_versioning.bucket]
}

resource "aws_s3_bucket_policy" "bucket" {
  for_each = local.buckets

  bucket = aws_s3_bucket.bucket[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.bucket[each.key].arn, "${aws_s3_bucket.bucket[each.key].arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.bucket]
}
