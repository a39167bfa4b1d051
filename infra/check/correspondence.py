"""What SAM makes and what Terraform makes, side by side: which resource is which, and which setting is which.

Both sides are brought to the same form first: settings of a resource that a tool keeps in resources beside it are folded into
it, lists of names with values become what they mean, policies one canonical text. Then every setting of either side must have
its counterpart here with the same value, or stand in ONE_SIDED with a reason: what is forgotten on one side is found.
"""

from dataclasses import dataclass

import policies
from cloudformation import Stack


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

# What stands beside a resource and says more of it: type → which resource it is of, its setting that names that one, and as what
# it is folded in.
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

Made = dict[tuple[str, str], dict[str, object]]


def made_by_sam(stack: Stack) -> Made:
    """Each resource by its kind (Terraform's word) and key, with its settings by path (CloudFormation's words)."""
    resources = [(of["Type"], dict(of["Properties"])) for of in stack.resources.values()]
    kept = []
    for type_name, properties in resources:
        if type_name not in FOLDED_IN_CLOUDFORMATION:
            kept.append((type_name, properties))
            continue
        owner_type, reference, key = FOLDED_IN_CLOUDFORMATION[type_name]
        owner = next(values for name, values in resources if name == owner_type and values[key] == properties[reference])
        if type_name == "AWS::S3::BucketPolicy":
            owner["Policy"] = properties["PolicyDocument"]
        else:
            owner["Published"] = True
    return _by_kind_and_key(kept, 0)


def made_by_terraform(state: dict, schema: dict) -> Made:
    """The same, out of `terraform show -json`, with paths in Terraform's words; without what one cannot set."""
    # Providers let one set id and arn, and nobody does.
    resources = [
        (of["type"], _settable(of["values"], schema["resource_schemas"][of["type"]]["block"], but=("id", "arn")))
        for of in state["values"]["root_module"]["resources"]
        if of["mode"] == "managed"
    ]
    kept = []
    for type_name, values in resources:
        if type_name not in FOLDED_IN_TERRAFORM:
            kept.append((type_name, values))
            continue
        owner_type, reference, key, part = FOLDED_IN_TERRAFORM[type_name]
        owner = next(one for name, one in resources if name == owner_type and one[key] == values[reference])
        if part == "inline":
            owner.setdefault(part, []).append({"name": values["name"], "policy": values["policy"]})
        elif part == "attached":
            owner.setdefault(part, []).append(values["policy_arn"])
        else:
            owner[part] = {name: value for name, value in values.items() if name not in (reference, "function_name")}
    return _by_kind_and_key(kept, 1)


def _by_kind_and_key(resources: list[tuple[str, dict]], side: int) -> Made:
    kinds = {(kind.cloudformation, kind.terraform)[side]: kind for kind in KINDS}
    made = {}
    for type_name, values in resources:
        kind, settings = kinds[type_name], flat(values)
        key = settings.pop(kind.key[side]) if kind.key else ""
        assert (kind.terraform, key) not in made, f"two of {kind.terraform} are called {key!r}"
        made[kind.terraform, key] = settings
    return made


def differences(sam: Made, terraform: Made) -> list[str]:
    """Every way in which the two are not the same, a line each."""
    found = [f"{' '.join(one)}: only SAM makes it" for one in sorted(set(sam) - set(terraform))]
    found += [f"{' '.join(one)}: only Terraform makes it" for one in sorted(set(terraform) - set(sam))]
    kinds = {kind.terraform: kind for kind in KINDS}
    for one in sorted(set(sam) & set(terraform)):
        found += [f"{' '.join(one)}: {line}" for line in _unequal(kinds[one[0]], sam[one], terraform[one])]
    return found


def _unequal(kind: Same, sam: dict, terraform: dict):
    common = []
    for tool, type_name, settings, paths in (
        ("SAM", kind.cloudformation, sam, kind.settings),
        ("Terraform", kind.terraform, terraform, {path: path for path in kind.settings.values()}),
    ):
        shared = {}
        for path, value in settings.items():
            known = next((known for known in paths if _within(path, known)), None)
            if known:
                shared[paths[known] + path.removeprefix(known)] = value
            else:
                yield from _alone(tool, type_name, path, value)
        common.append(shared)
    one, other = common
    for path in sorted(set(one) | set(other)):
        meant = [None if side.get(path) == UNSET.get((kind.terraform, path)) else side.get(path) for side in common]
        if meant[0] != meant[1]:
            yield f"{path} is {one.get(path)!r} in SAM and {other.get(path)!r} in Terraform"


def one_sided(type_name: str, path: str) -> tuple[object, str] | None:
    """Value and reason of a setting that only this tool has."""
    return next((known for (name, whole), known in ONE_SIDED.items() if name == type_name and _within(path, whole)), None)


def _alone(tool: str, type_name: str, path: str, value):
    known = one_sided(type_name, path)
    if known is None:
        yield f"{path} = {value!r} stands in {tool} alone"
    elif known[0] not in (ANY, value):
        yield f"{path} is {value!r} in {tool}, not {known[0]!r}"


def _within(path: str, whole: str) -> bool:
    return path == whole or path.startswith(f"{whole}.")


def _settable(values: dict, block: dict, but: tuple[str, ...] = ()) -> dict:
    """Values that a configuration could have said."""
    kept = {}
    for name, value in values.items():
        if name in block["block_types"]:
            nested = block["block_types"][name]["block"]
            kept[name] = [_settable(one, nested) for one in (value if isinstance(value, list) else [value]) if one]
        elif name not in but and block["attributes"][name].keys() & {"required", "optional"}:
            kept[name] = value
    return kept


def flat(values, path: str = "") -> dict[str, object]:
    """Settings by path. A list of one is that one: of most blocks there may be no more, and CloudFormation has lists there too."""
    if policies.is_policy(values):
        return {path: policies.canonical(values)}
    if isinstance(values, list):
        pair = next((pair for pair in PAIRS if values and all(_is_pair(one, pair) for one in values)), None)
        if pair:
            values = {one[pair[0]]: one[pair[1]] for one in values}
        elif not any(isinstance(one, (dict, list)) for one in values):
            return {path: sorted(values)} if values else {}
        else:
            values = dict(enumerate(values)) if len(values) > 1 else values[0]
    if isinstance(values, dict):
        found = {}
        for name, value in values.items():
            found |= flat(value, f"{path}.{name}" if path else str(name))
        return found
    # Parameters of a template are text, and so is what is made of them.
    plain = {"true": True, "false": False}.get(values, values) if isinstance(values, str) else values
    return {} if plain is None else {path: plain}


def _is_pair(value, pair: tuple[str, str]) -> bool:
    return isinstance(value, dict) and {name for name, one in value.items() if one is not None} == set(pair)
