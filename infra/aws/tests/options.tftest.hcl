# What each option changes.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package = "tests/package/function.zip"
}

run "a_stream_of_yours" {
  variables {
    stream_arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/yours"
    # Yours may keep its records for longer than those made here.
    record_age_seconds = 604800
  }

  assert {
    condition     = keys(aws_kinesis_stream.stream) == ["actions"]
    error_message = "With a stream of yours none is made for events."
  }

  assert {
    condition = alltrue([
      aws_lambda_event_source_mapping.mapping.event_source_arn == var.stream_arn,
      [
        for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : statement.Resource
        if statement.Sid == "ReadEvents"
      ] == [[var.stream_arn]],
      strcontains(output.first_event, " --stream-arn ${var.stream_arn} "),
    ])
    error_message = "The mapping, the role and the first event are of your stream."
  }
}

run "shards" {
  variables {
    shards        = 4
    action_shards = 1
  }

  assert {
    condition = {
      for key, stream in aws_kinesis_stream.stream : key => [one(stream.stream_mode_details).stream_mode, tostring(stream.shard_count)]
    } == { events = ["PROVISIONED", "4"], actions = ["PROVISIONED", "1"] }
    error_message = "Shards are provisioned as they are asked for."
  }
}

run "kept_warm" {
  variables {
    reserved_concurrency    = 20
    provisioned_concurrency = 2
  }

  assert {
    condition = alltrue([
      one(aws_lambda_provisioned_concurrency_config.live).provisioned_concurrent_executions == 2,
      one(aws_lambda_provisioned_concurrency_config.live).qualifier == "live",
      aws_lambda_function.function.reserved_concurrent_executions == 20,
    ])
    error_message = "Two environments of the alias are kept warm, of twenty."
  }
}

run "environment" {
  variables {
    # Its manifest says that WEATHER has no default.
    package = "tests/package/wanting.zip"
    environment = {
      ACTIONS = "sqs://actions"
      WEATHER = "dynamodb://weather?key=origin,hour"
    }
  }

  assert {
    condition = alltrue([
      one(aws_lambda_function.function.environment).variables["ACTIONS"] == "sqs://actions",
      one(aws_lambda_function.function.environment).variables["WEATHER"] == "dynamodb://weather?key=origin,hour",
      one(aws_lambda_function.function.environment).variables["STATE"] == "dynamodb://fourstroke-state",
    ])
    error_message = "environment adds variables and goes over ours."
  }
}

run "permissions_of_yours" {
  variables {
    policy_arns = ["arn:aws:iam::123456789012:policy/weather"]
  }

  assert {
    condition     = toset(values(aws_iam_role_policy_attachment.function)[*].policy_arn) == toset(var.policy_arns)
    error_message = "Your policies are attached to the role."
  }
}

run "a_filter" {
  variables {
    filter = "{\"data\":{\"type\":[\"boarding\"]}}"
  }

  assert {
    condition     = [for each in one(aws_lambda_event_source_mapping.mapping.filter_criteria).filter : each.pattern] == [var.filter]
    error_message = "The mapping has the filter, as it is written."
  }
}

run "nothing_is_kept" {
  variables {
    keep_data = false
  }

  assert {
    condition = alltrue([
      alltrue([for bucket in aws_s3_bucket.bucket : bucket.force_destroy]),
      alltrue([for table in aws_dynamodb_table.table : !table.deletion_protection_enabled]),
    ])
    error_message = "Without keep_data all of it can be destroyed."
  }
}

run "a_key_of_yours" {
  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/5b6d0d0b-7a0b-4a4b-9f43-5a8f3f0a9a11"
  }

  assert {
    condition = alltrue([
      alltrue([for stream in aws_kinesis_stream.stream : stream.kms_key_id == var.kms_key_arn]),
      alltrue([for table in aws_dynamodb_table.table : one(table.server_side_encryption).kms_key_arn == var.kms_key_arn]),
      alltrue([
        for bucket in aws_s3_bucket_server_side_encryption_configuration.bucket :
        one(one(bucket.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.kms_key_arn
      ]),
      aws_cloudwatch_log_group.function.kms_key_id == var.kms_key_arn,
      aws_lambda_function.function.kms_key_arn == var.kms_key_arn,
    ])
    error_message = "Everything that is kept is encrypted with your key."
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : [statement.Action, statement.Resource]
      if statement.Sid == "UseKey"
    ] == [[["kms:Decrypt", "kms:GenerateDataKey"], [var.kms_key_arn]]]
    error_message = "The function may use your key, and no other."
  }
}

run "somebody_is_told" {
  variables {
    alarm_topic_arn = "arn:aws:sns:eu-central-1:123456789012:night"
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.alarm :
      alarm.alarm_actions == toset([var.alarm_topic_arn]) && alarm.ok_actions == toset([var.alarm_topic_arn])
    ])
    error_message = "The topic hears when an alarm begins and when it ends."
  }
}
