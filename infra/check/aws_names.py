"""Names that AWS gives: ARNs and ids, made up where nothing is made, alike for CloudFormation and Terraform."""

from dataclasses import dataclass

ACCOUNT, REGION, PARTITION = "123456789012", "eu-central-1", "aws"


@dataclass(frozen=True)
class Kind:
    """One kind of resource: what each tool calls it, and what it calls the parts of its name."""

    cloudformation: str
    properties: tuple[str, ...]
    terraform: str
    attributes: tuple[str, ...]
    arn: str
    # Whether CloudFormation's Ref gives the ARN; else it gives the name.
    ref_is_arn: bool = False


KINDS = [
    Kind("AWS::Kinesis::Stream", ("Name",), "aws_kinesis_stream", ("name",), "kinesis:{region}:{account}:stream/{name}"),
    Kind("AWS::DynamoDB::Table", ("TableName",), "aws_dynamodb_table", ("name",), "dynamodb:{region}:{account}:table/{name}"),
    Kind("AWS::S3::Bucket", ("BucketName",), "aws_s3_bucket", ("bucket",), "s3:::{name}"),
    Kind(
        "AWS::Logs::LogGroup", ("LogGroupName",), "aws_cloudwatch_log_group", ("name",), "logs:{region}:{account}:log-group:{name}"
    ),
    Kind("AWS::IAM::Role", ("RoleName",), "aws_iam_role", ("name",), "iam::{account}:role/{name}"),
    Kind(
        "AWS::Lambda::Function",
        ("FunctionName",),
        "aws_lambda_function",
        ("function_name",),
        "lambda:{region}:{account}:function:{name}",
    ),
    Kind(
        "AWS::Lambda::Alias",
        ("FunctionName", "Name"),
        "aws_lambda_alias",
        ("function_name", "name"),
        "lambda:{region}:{account}:function:{name}",
        ref_is_arn=True,
    ),
    Kind(
        "AWS::Lambda::EventSourceMapping",
        ("no name",),
        "aws_lambda_event_source_mapping",
        ("no name",),
        "lambda:{region}:{account}:event-source-mapping:{name}",
    ),
]
BY_CLOUDFORMATION = {kind.cloudformation: kind for kind in KINDS}
BY_TERRAFORM = {kind.terraform: kind for kind in KINDS}
DATA = {
    "aws_caller_identity": {"account_id": ACCOUNT, "id": ACCOUNT},
    "aws_partition": {"partition": PARTITION, "id": PARTITION, "dns_suffix": "amazonaws.com"},
    "aws_region": {"region": REGION, "name": REGION, "id": REGION},
}


def named(kind: Kind, values: dict, parts: tuple[str, ...]) -> str:
    """The name of one resource. Where nobody says it, AWS makes it up; there is at most one such of each kind."""
    given = [values.get(part) for part in parts]
    if all(isinstance(part, str) for part in given):
        return ":".join(given)
    return "made-up-" + kind.terraform.removeprefix("aws_").replace("_", "-")


def arn(kind: Kind, name: str) -> str:
    return f"arn:{PARTITION}:" + kind.arn.format(region=REGION, account=ACCOUNT, name=name)


def ref(type_name: str, properties: dict) -> str:
    """What CloudFormation's Ref gives."""
    kind = BY_CLOUDFORMATION[type_name]
    name = named(kind, properties, kind.properties)
    return arn(kind, name) if kind.ref_is_arn else name


def get_att(type_name: str, properties: dict, attribute: str) -> str:
    if (type_name, attribute) == ("AWS::Lambda::Version", "Version"):
        return "1"
    kind = BY_CLOUDFORMATION[type_name]
    if attribute != "Arn":
        raise KeyError(f"{type_name} has no attribute {attribute} here: add it to {__file__}")
    return arn(kind, named(kind, properties, kind.properties))


def answer(type_name: str, attribute: str, values: dict):
    """What the provider would compute: for `SchemaServer`."""
    if type_name in DATA:
        return DATA[type_name].get(attribute)
    if (type_name, attribute) == ("aws_lambda_function", "version"):
        return "1"
    kind = BY_TERRAFORM.get(type_name)
    if kind is None:
        # Resources that only say more of another are known by it: settings of a bucket by the bucket.
        return values.get("bucket") if attribute == "id" else None
    name = named(kind, values, kind.attributes)
    if attribute == "arn":
        return arn(kind, name)
    return name if attribute in ("id", "uuid", *kind.attributes) else None
