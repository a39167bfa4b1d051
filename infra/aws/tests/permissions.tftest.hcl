# The role names each action, and each resource but for what stands behind a prefix.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package     = "tests/package/function.zip"
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/5b6d0d0b-7a0b-4a4b-9f43-5a8f3f0a9a11"
}

run "no_wildcards" {
  assert {
    condition = alltrue(flatten([
      for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : [
        for action in statement.Action : can(regex("^[a-z0-9]+:[A-Za-z]+$", action))
      ]
    ]))
    error_message = "Actions are named in full."
  }

  assert {
    condition = alltrue(flatten([
      for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : [
        for resource in statement.Resource :
        can(regex("^arn:aws:[a-z0-9]+:[^*]+$|^arn:aws:s3:::[^*]+/\\*$|^arn:aws:logs:[^*]+:log-group:[^*]+:\\*$", resource))
      ]
    ]))
    error_message = "Resources are ARNs; only objects and log streams end in *."
  }

  assert {
    condition = alltrue([
      jsondecode(aws_iam_role.function.assume_role_policy).Statement[0].Principal == { Service = "lambda.amazonaws.com" },
      length(aws_iam_role_policy_attachment.function) == 0,
    ])
    error_message = "Lambda alone takes the role, which has no other policy."
  }
}

run "no_other_action" {
  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : statement.Sid => join(" ", statement.Action)
      } == {
      ReadEvents = join(" ", [
        "kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards",
      ])
      SendActions = "kinesis:PutRecords"
      KeepState = join(" ", [
        "dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query",
      ])
      LookUpFeatures         = "dynamodb:BatchGetItem"
      ReadModels             = "s3:GetObject"
      WriteLogAndDeadLetters = "s3:PutObject"
      ListBuckets            = "s3:ListBucket"
      WriteLogLines          = "logs:CreateLogStream logs:PutLogEvents"
      UseKey                 = "kms:Decrypt kms:GenerateDataKey"
    }
    error_message = "The role may do what is listed here, and no more. Whoever changes that changes docs/AWS.md, \"What it may use\", too."
  }
}
