"""What AWS, or its stand-in, says of a resource that exists, in the words of CloudFormation's properties."""

from collections.abc import Callable

import boto3

Client = Callable[[str], object]


def clients(endpoint: str, region: str) -> Client:
    """Clients of a stand-in, by service."""
    known = {"endpoint_url": endpoint, "region_name": region, "aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return lambda service: boto3.client(service, **known)


def stream(client: Client, of: dict) -> dict:
    told = client("kinesis").describe_stream_summary(StreamName=of["Name"])["StreamDescriptionSummary"]
    return {
        "Name": told["StreamName"],
        "StreamModeDetails": told["StreamModeDetails"],
        "ShardCount": told["OpenShardCount"],
        "RetentionPeriodHours": told["RetentionPeriodHours"],
        "StreamEncryption": {"EncryptionType": told["EncryptionType"], "KeyId": told["KeyId"]},
    }


def table(client: Client, of: dict) -> dict:
    dynamodb, name = client("dynamodb"), {"TableName": of["TableName"]}
    told = dynamodb.describe_table(**name)["Table"]
    expiry = dynamodb.describe_time_to_live(**name)["TimeToLiveDescription"]
    backups = dynamodb.describe_continuous_backups(**name)["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    encryption = told["SSEDescription"]
    return {
        "TableName": told["TableName"],
        "BillingMode": told["BillingModeSummary"]["BillingMode"],
        "DeletionProtectionEnabled": told["DeletionProtectionEnabled"],
        "AttributeDefinitions": told["AttributeDefinitions"],
        "KeySchema": told["KeySchema"],
        "TimeToLiveSpecification": {
            "AttributeName": expiry["AttributeName"],
            "Enabled": expiry["TimeToLiveStatus"] in ("ENABLED", "ENABLING"),
        },
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": backups["PointInTimeRecoveryStatus"] == "ENABLED"},
        "SSESpecification": {
            "SSEEnabled": encryption["Status"] == "ENABLED",
            "SSEType": encryption["SSEType"],
            "KMSMasterKeyId": encryption.get("KMSMasterKeyArn"),
        },
    }


def bucket(client: Client, of: dict) -> dict:
    s3, name = client("s3"), {"Bucket": of["BucketName"]}
    rules = s3.get_bucket_lifecycle_configuration(**name)["Rules"]
    return {
        "BucketName": of["BucketName"],
        "OwnershipControls": s3.get_bucket_ownership_controls(**name)["OwnershipControls"],
        "PublicAccessBlockConfiguration": s3.get_public_access_block(**name)["PublicAccessBlockConfiguration"],
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {"BucketKeyEnabled": rule["BucketKeyEnabled"]}
                | {"ServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"]}
                for rule in s3.get_bucket_encryption(**name)["ServerSideEncryptionConfiguration"]["Rules"]
            ]
        },
        "VersioningConfiguration": {"Status": s3.get_bucket_versioning(**name).get("Status")},
        "LifecycleConfiguration": {"Rules": [_rule(rule) for rule in rules]},
    }


def _rule(told: dict) -> dict:
    rule = {"Id": told["ID"]} | {name: value for name, value in told.items() if name not in ("ID", "Filter", "Expiration")}
    expiration = told.get("Expiration", {})
    return (
        rule | {"ExpirationInDays": expiration.get("Days")} | {name: value for name, value in expiration.items() if name != "Days"}
    )


def bucket_policy(client: Client, of: dict) -> dict:
    return {"Bucket": of["Bucket"], "PolicyDocument": client("s3").get_bucket_policy(Bucket=of["Bucket"])["Policy"]}


def log_group(client: Client, of: dict) -> dict:
    told = client("logs").describe_log_groups(logGroupNamePrefix=of["LogGroupName"])["logGroups"]
    group = next(group for group in told if group["logGroupName"] == of["LogGroupName"])
    return {
        "LogGroupName": group["logGroupName"],
        "RetentionInDays": group["retentionInDays"],
        "KmsKeyId": group.get("kmsKeyId"),
    }


def function(client: Client, of: dict) -> dict:
    lambdas, name = client("lambda"), of["FunctionName"]
    told = lambdas.get_function(FunctionName=name)
    settings = told["Configuration"]
    same = ("FunctionName", "Description", "Role", "Runtime", "Handler", "Architectures", "MemorySize", "Timeout", "LoggingConfig")
    return {key: settings[key] for key in same} | {
        "KmsKeyArn": settings.get("KMSKeyArn"),
        "Environment": settings["Environment"],
        "ReservedConcurrentExecutions": told.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
    }


def version(client: Client, of: dict) -> dict:
    told = client("lambda").list_versions_by_function(FunctionName=of["FunctionName"])["Versions"]
    assert [one["Version"] for one in told] == ["$LATEST", "1"]
    return {"FunctionName": told[-1]["FunctionName"]}


def alias(client: Client, of: dict) -> dict:
    told = client("lambda").get_alias(FunctionName=of["FunctionName"], Name=of["Name"])
    return {"FunctionName": of["FunctionName"], "Name": told["Name"], "FunctionVersion": told["FunctionVersion"]}


def mapping(client: Client, of: dict) -> dict:
    told = client("lambda").list_event_source_mappings(EventSourceArn=of["EventSourceArn"])["EventSourceMappings"]
    (settings,) = [one for one in told if one["FunctionArn"] == of["FunctionName"]]
    # No window is what there is without one.
    settings = {"MaximumBatchingWindowInSeconds": 0} | settings
    return {key: value for key, value in settings.items() if key in of} | {"FunctionName": settings["FunctionArn"]}


def alarm(client: Client, of: dict) -> dict:
    (told,) = client("cloudwatch").describe_alarms(AlarmNames=[of["AlarmName"]])["MetricAlarms"]
    return {key: value for key, value in told.items() if key in of}


KINDS = {
    "AWS::Kinesis::Stream": stream,
    "AWS::DynamoDB::Table": table,
    "AWS::S3::Bucket": bucket,
    "AWS::S3::BucketPolicy": bucket_policy,
    "AWS::Logs::LogGroup": log_group,
    "AWS::Lambda::Function": function,
    "AWS::Lambda::Version": version,
    "AWS::Lambda::Alias": alias,
    "AWS::Lambda::EventSourceMapping": mapping,
    "AWS::CloudWatch::Alarm": alarm,
}


def role(client: Client, name: str) -> dict:
    """A role by the name that AWS made up."""
    iam, it = client("iam"), {"RoleName": name}
    return {
        "AssumeRolePolicyDocument": iam.get_role(**it)["Role"]["AssumeRolePolicyDocument"],
        "Policies": [
            {"PolicyName": policy, "PolicyDocument": iam.get_role_policy(**it, PolicyName=policy)["PolicyDocument"]}
            for policy in iam.list_role_policies(**it)["PolicyNames"]
        ],
        "ManagedPolicyArns": [one["PolicyArn"] for one in iam.list_attached_role_policies(**it)["AttachedPolicies"]],
    }


def everything(client: Client) -> dict[str, list]:
    """All there is of the kinds we make."""
    return {
        "streams": client("kinesis").list_streams()["StreamNames"],
        "tables": client("dynamodb").list_tables()["TableNames"],
        "buckets": [one["Name"] for one in client("s3").list_buckets()["Buckets"]],
        "log groups": [one["logGroupName"] for one in client("logs").describe_log_groups()["logGroups"]],
        "functions": [one["FunctionName"] for one in client("lambda").list_functions()["Functions"]],
        "mappings": [one["UUID"] for one in client("lambda").list_event_source_mappings()["EventSourceMappings"]],
        "alarms": [one["AlarmName"] for one in client("cloudwatch").describe_alarms()["MetricAlarms"]],
        "roles": [one["RoleName"] for one in client("iam").list_roles()["Roles"]],
    }
