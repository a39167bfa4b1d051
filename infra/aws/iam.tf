# What the function may do, resource by resource: docs/AWS.md, "What it may use".

locals {
  statements = concat(
    [
      {
        Sid    = "ReadEvents"
        Effect = "Allow"
        Action = [
          "kinesis:DescribeStream",
          "kinesis:DescribeStreamSummary",
          "kinesis:GetRecords",
          "kinesis:GetShardIterator",
          "kinesis:ListShards",
        ]
        Resource = [local.stream_arn]
      },
      {
        Sid      = "SendActions"
        Effect   = "Allow"
        Action   = ["kinesis:PutRecords"]
        Resource = [aws_kinesis_stream.stream["actions"].arn]
      },
      {
        Sid    = "KeepState"
        Effect = "Allow"
        Action = [
          "dynamodb:BatchGetItem",
          "dynamodb:DeleteItem",
          "dynamodb:GetItem",
          "dynamodb:PutItem",
          "dynamodb:Query",
        ]
        Resource = [aws_dynamodb_table.table["state"].arn]
      },
      {
        Sid      = "LookUpFeatures"
        Effect   = "Allow"
        Action   = ["dynamodb:BatchGetItem"]
        Resource = [aws_dynamodb_table.table["features"].arn]
      },
      {
        Sid      = "ReadModels"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = ["${aws_s3_bucket.bucket["models"].arn}/*"]
      },
      {
        # The mapping writes its on-failure objects with this role, below aws/lambda/.
        Sid    = "WriteLogAndDeadLetters"
        Effect = "Allow"
        Action = ["s3:PutObject"]
        Resource = [
          "${aws_s3_bucket.bucket["log"].arn}/decisions/*",
          "${aws_s3_bucket.bucket["dead-letters"].arn}/dead-letters/*",
          "${aws_s3_bucket.bucket["dead-letters"].arn}/aws/lambda/*",
        ]
      },
      {
        # Of models: or one that is missing shows as access denied. Of dead letters: the mapping asks for it.
        Sid    = "ListBuckets"
        Effect = "Allow"
        Action = ["s3:ListBucket"]
        Resource = [
          aws_s3_bucket.bucket["models"].arn,
          aws_s3_bucket.bucket["dead-letters"].arn,
        ]
      },
      {
        Sid      = "WriteLogLines"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.function.arn}:*"]
      },
    ],
    local.own_key ? [
      {
        Sid      = "UseKey"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [var.kms_key_arn]
      },
    ] : [],
  )
}

resource "aws_iam_role" "function" {
  name_prefix = "${var.name}-"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "function" {
  name   = "function"
  role   = aws_iam_role.function.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}

resource "aws_iam_role_policy_attachment" "function" {
  for_each = toset(var.policy_arns)

  role       = aws_iam_role.function.name
  policy_arn = each.value
}
