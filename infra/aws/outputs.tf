output "first_event" {
  description = "Sends a first event, from the root of the repository. On a stand-in add --endpoint-url."
  value = join(" ", [
    "aws kinesis put-record --stream-arn ${local.stream_arn} --partition-key N633JB",
    "--data fileb://examples/flights/data/one.json",
  ])
}

output "read_decision" {
  description = "Shows the newest object of the decision log."
  value = join("", [
    "aws s3 cp \"s3://${aws_s3_bucket.bucket["log"].bucket}/$(aws s3api list-objects-v2 --bucket ${aws_s3_bucket.bucket["log"].bucket}",
    " --prefix decisions/ --query 'sort_by(Contents || `[]`, &LastModified)[-1].Key' --output json | jq -r .)\" - | gunzip",
  ])
}

output "stream_arn" {
  description = "Where events are read from."
  value       = local.stream_arn
}

output "actions_stream" {
  description = "Where actions go."
  value       = aws_kinesis_stream.stream["actions"].name
}

output "function_name" {
  description = "The function."
  value       = aws_lambda_function.function.function_name
}

output "alias_arn" {
  description = "The alias that the mapping invokes."
  value       = aws_lambda_alias.live.arn
}

output "mapping_id" {
  description = "The event source mapping."
  value       = aws_lambda_event_source_mapping.mapping.uuid
}

output "log_group" {
  description = "The function's log."
  value       = aws_cloudwatch_log_group.function.name
}

output "state_table" {
  description = "What the pipeline remembers."
  value       = aws_dynamodb_table.table["state"].name
}

output "features_table" {
  description = "A table for lookups; you fill it."
  value       = aws_dynamodb_table.table["features"].name
}

output "models_bucket" {
  description = "Where models are read from."
  value       = aws_s3_bucket.bucket["models"].bucket
}

output "log_bucket" {
  description = "Where decisions are logged, below decisions/."
  value       = aws_s3_bucket.bucket["log"].bucket
}

output "dead_letters_bucket" {
  description = "Dead letters below dead-letters/, what the mapping gave up on below aws/lambda/."
  value       = aws_s3_bucket.bucket["dead-letters"].bucket
}
