"""Which resource of CloudFormation's is which of Terraform's, and which setting is which: a table, read by comparison.py."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Same:
    """A kind of resource, and its settings: CloudFormation's path → Terraform's. What is below a path goes with it."""

    cloudformation: str
    terraform: str
    # The setting that tells one from another; none: there is only one.
    key: tuple[str, str] | None
    settings: dict[str, str]


KINDS = [
    Same(
        "AWS::Kinesis::Stream",
        "aws_kinesis_stream",
        ("Name", "name"),
        {
            "ShardCount": "shard_count",
            "StreamModeDetails.StreamMode": "stream_mode_details.stream_mode",
            "RetentionPeriodHours": "retention_period",
            "StreamEncryption.EncryptionType": "encryption_type",
            "StreamEncryption.KeyId": "kms_key_id",
        },
    ),
    Same(
        "AWS::DynamoDB::Table",
        "aws_dynamodb_table",
        ("TableName", "name"),
        {
            "BillingMode": "billing_mode",
            "DeletionProtectionEnabled": "deletion_protection_enabled",
            "AttributeDefinitions": "attribute",
            "KeySchema.HASH": "hash_key",
            "KeySchema.RANGE": "range_key",
            "TimeToLiveSpecification.AttributeName": "ttl.attribute_name",
            "TimeToLiveSpecification.Enabled": "ttl.enabled",
            "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled": "point_in_time_recovery.enabled",
            "SSESpecification.SSEEnabled": "server_side_encryption.enabled",
            "SSESpecification.KMSMasterKeyId": "server_side_encryption.kms_key_arn",
        },
    ),
    Same(
        "AWS::S3::Bucket",
        "aws_s3_bucket",
        ("BucketName", "bucket"),
        {
            "OwnershipControls.Rules.ObjectOwnership": "ownership_controls.rule.object_ownership",
            "PublicAccessBlockConfiguration.BlockPublicAcls": "public_access_block.block_public_acls",
            "PublicAccessBlockConfiguration.BlockPublicPolicy": "public_access_block.block_public_policy",
            "PublicAccessBlockConfiguration.IgnorePublicAcls": "public_access_block.ignore_public_acls",
            "PublicAccessBlockConfiguration.RestrictPublicBuckets": "public_access_block.restrict_public_buckets",
            "BucketEncryption.ServerSideEncryptionConfiguration.BucketKeyEnabled": (
                "server_side_encryption_configuration.rule.bucket_key_enabled"
            ),
            "BucketEncryption.ServerSideEncryptionConfiguration.ServerSideEncryptionByDefault.SSEAlgorithm": (
                "server_side_encryption_configuration.rule.apply_server_side_encryption_by_default.sse_algorithm"
            ),
            "BucketEncryption.ServerSideEncryptionConfiguration.ServerSideEncryptionByDefault.KMSMasterKeyID": (
                "server_side_encryption_configuration.rule.apply_server_side_encryption_by_default.kms_master_key_id"
            ),
            "VersioningConfiguration.Status": "versioning.versioning_configuration.status",
            "LifecycleConfiguration.Rules.Id": "lifecycle_configuration.rule.id",
            "LifecycleConfiguration.Rules.Status": "lifecycle_configuration.rule.status",
            "LifecycleConfiguration.Rules.AbortIncompleteMultipartUpload.DaysAfterInitiation": (
                "lifecycle_configuration.rule.abort_incomplete_multipart_upload.days_after_initiation"
            ),
            "LifecycleConfiguration.Rules.ExpirationInDays": "lifecycle_configuration.rule.expiration.days",
            "LifecycleConfiguration.Rules.NoncurrentVersionExpiration.NoncurrentDays": (
                "lifecycle_configuration.rule.noncurrent_version_expiration.noncurrent_days"
            ),
            "Policy": "policy.policy",
        },
    ),
    Same(
        "AWS::Logs::LogGroup",
        "aws_cloudwatch_log_group",
        ("LogGroupName", "name"),
        {"RetentionInDays": "retention_in_days", "KmsKeyId": "kms_key_id"},
    ),
    Same(
        "AWS::IAM::Role",
        "aws_iam_role",
        None,
        {
            "AssumeRolePolicyDocument": "assume_role_policy",
            "Policies": "inline",
            "ManagedPolicyArns": "attached",
        },
    ),
    Same(
        "AWS::Lambda::Function",
        "aws_lambda_function",
        ("FunctionName", "function_name"),
        {
            "Description": "description",
            "Runtime": "runtime",
            "Handler": "handler",
            "Architectures": "architectures",
            "Role": "role",
            "MemorySize": "memory_size",
            "Timeout": "timeout",
            "ReservedConcurrentExecutions": "reserved_concurrent_executions",
            "KmsKeyArn": "kms_key_arn",
            "Environment.Variables": "environment.variables",
            "LoggingConfig.LogFormat": "logging_config.log_format",
            "LoggingConfig.LogGroup": "logging_config.log_group",
            "LoggingConfig.ApplicationLogLevel": "logging_config.application_log_level",
            "LoggingConfig.SystemLogLevel": "logging_config.system_log_level",
            "Published": "publish",
        },
    ),
    Same(
        "AWS::Lambda::Alias",
        "aws_lambda_alias",
        ("Name", "name"),
        {
            "FunctionName": "function_name",
            "FunctionVersion": "function_version",
            "ProvisionedConcurrencyConfig.ProvisionedConcurrentExecutions": "provisioned.provisioned_concurrent_executions",
        },
    ),
    Same(
        "AWS::Lambda::EventSourceMapping",
        "aws_lambda_event_source_mapping",
        None,
        {
            "EventSourceArn": "event_source_arn",
            "FunctionName": "function_name",
            "StartingPosition": "starting_position",
            "BatchSize": "batch_size",
            "MaximumBatchingWindowInSeconds": "maximum_batching_window_in_seconds",
            "ParallelizationFactor": "parallelization_factor",
            "FunctionResponseTypes": "function_response_types",
            "BisectBatchOnFunctionError": "bisect_batch_on_function_error",
            "MaximumRetryAttempts": "maximum_retry_attempts",
            "MaximumRecordAgeInSeconds": "maximum_record_age_in_seconds",
            "DestinationConfig.OnFailure.Destination": "destination_config.on_failure.destination_arn",
            "FilterCriteria.Filters.Pattern": "filter_criteria.filter.pattern",
            "MetricsConfig.Metrics": "metrics_config.metrics",
        },
    ),
    Same(
        "AWS::CloudWatch::Alarm",
        "aws_cloudwatch_metric_alarm",
        ("AlarmName", "alarm_name"),
        {
            "AlarmDescription": "alarm_description",
            "Namespace": "namespace",
            "MetricName": "metric_name",
            "Dimensions": "dimensions",
            "Statistic": "statistic",
            "ExtendedStatistic": "extended_statistic",
            "ComparisonOperator": "comparison_operator",
            "Threshold": "threshold",
            "Period": "period",
            "EvaluationPeriods": "evaluation_periods",
            "TreatMissingData": "treat_missing_data",
            "AlarmActions": "alarm_actions",
            "OKActions": "ok_actions",
        },
    ),
]

# Settings that only one tool has, with the value they have, if it matters, and why the other has none.
ANY = object()
ONE_SIDED = {
    ("AWS::DynamoDB::Table", "SSESpecification.SSEType"): ("KMS", "the only type there is: Terraform does not ask"),
    ("AWS::Lambda::Function", "Code"): (ANY, "where `sam deploy` has put the package"),
    ("AWS::Lambda::Function", "Tags.lambda:createdBy"): ("SAM", "SAM's own mark"),
    ("aws_lambda_function", "filename"): (ANY, "where Terraform finds the package"),
    ("aws_lambda_function", "source_code_hash"): (ANY, "how Terraform sees that the package is another"),
    ("aws_lambda_alias", "description"): (ANY, "SAM gives its aliases none"),
    ("aws_s3_bucket", "force_destroy"): (ANY, "what Terraform does with objects; CloudFormation keeps the bucket"),
    ("aws_iam_role", "name_prefix"): (ANY, "CloudFormation makes up the role's name"),
    ("aws_iam_role", "name"): (ANY, "made up out of name_prefix"),
}

# Values that say what no value says.
UNSET = {("aws_lambda_function", "reserved_concurrent_executions"): -1}

# What stands beside a resource and says more of it: type → the type of that resource, the setting here that names it, its own
# setting with that name, and, of Terraform's, as what it is folded in.
FOLDED_IN_CLOUDFORMATION = {
    "AWS::S3::BucketPolicy": ("AWS::S3::Bucket", "Bucket", "BucketName"),
    "AWS::Lambda::Version": ("AWS::Lambda::Function", "FunctionName", "FunctionName"),
}
FOLDED_IN_TERRAFORM = {
    "aws_iam_role_policy": ("aws_iam_role", "role", "name", "inline"),
    "aws_iam_role_policy_attachment": ("aws_iam_role", "role", "name", "attached"),
    "aws_lambda_provisioned_concurrency_config": ("aws_lambda_alias", "qualifier", "name", "provisioned"),
    **{
        f"aws_s3_bucket_{part}": ("aws_s3_bucket", "bucket", "bucket", part)
        for part in (
            "lifecycle_configuration",
            "ownership_controls",
            "policy",
            "public_access_block",
            "server_side_encryption_configuration",
            "versioning",
        )
    },
}
# Lists of these pairs are maps, written as lists.
PAIRS = [
    ("AttributeName", "AttributeType"),
    ("KeyType", "AttributeName"),
    ("Key", "Value"),
    ("Name", "Value"),
    ("PolicyName", "PolicyDocument"),
    ("name", "policy"),
    ("name", "type"),
]


def one_sided(type_name: str, path: str) -> tuple[object, str] | None:
    """Value and reason of a setting that only this tool has."""
    return next((known for (name, whole), known in ONE_SIDED.items() if name == type_name and within(path, whole)), None)


def within(path: str, whole: str) -> bool:
    return path == whole or path.startswith(f"{whole}.")
