"""No policy allows what it does not name, neither in template.yaml nor in infra/aws, and none is AWS's own to widen."""

import copy
import json

import pytest

import deployments
import policies
from cloudformation import Stack

WAYS = list(deployments.ALL)
# The role's, who may take it, and that of each of three buckets.
AT_LEAST = 5


def of_terraform(state: dict) -> dict[str, dict]:
    resources = state["values"]["root_module"]["resources"]
    return {of["address"]: of["values"] for of in resources if of["mode"] == "managed"}


@pytest.fixture
def made(expanded, request):
    """Resources by name, with their settings, of each tool."""

    def get(tool: str, way: str) -> dict[str, dict]:
        if tool == "Terraform":
            # Asked for here, as SAM's half runs without Terraform.
            return of_terraform(request.getfixturevalue("applied")(way))
        stack = Stack(expanded(), deployments.for_sam(deployments.ALL[way]))
        return {name: of["Properties"] for name, of in stack.resources.items()}

    return get


def too_wide(resources: dict[str, dict]) -> list[str]:
    found = []
    for name, settings in resources.items():
        for place, policy in policies.written_in(settings):
            found += [f"{name} {place}: {what}" for what in policies.too_wide(policy)]
        found += [f"{name} has AWS's policy {arn}" for arn in policies.managed_by_aws(settings)]
    return found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("tool", ["SAM", "Terraform"])
def test_all_is_named(tool, way, made):
    resources = made(tool, way)
    assert sum(len(policies.written_in(settings)) for settings in resources.values()) >= AT_LEAST
    assert too_wide(resources) == []


WIDE = {
    "every action": {"Action": "*"},
    "actions of a service": {"Action": ["kinesis:PutRecords", "dynamodb:*"]},
    "actions that begin so": {"Action": "s3:Get*"},
    "every resource": {"Resource": "*"},
    "every table": {"Resource": ["arn:aws:dynamodb:eu-central-1:123456789012:table/*"]},
    "streams that begin so": {"Resource": "arn:aws:kinesis:eu-central-1:123456789012:stream/fourstroke-*"},
    "every bucket": {"Resource": "arn:aws:s3:::*"},
    "objects of every bucket": {"Resource": "arn:aws:s3:::*/decisions/*"},
    "buckets that begin so": {"Resource": "arn:aws:s3:::fourstroke-*/decisions/*"},
    "a prefix that begins so": {"Resource": "arn:aws:s3:::fourstroke-log/deci*"},
    "every log group": {"Resource": "arn:aws:logs:eu-central-1:123456789012:log-group:*"},
    "one letter": {"Resource": "arn:aws:dynamodb:eu-central-1:123456789012:table/fourstroke-stat?"},
    "all but an action": {"NotAction": "iam:CreateUser"},
    "all but a resource": {"NotResource": "arn:aws:s3:::secret"},
    "whoever asks": {"Principal": "*"},
    "whoever asks of AWS": {"Principal": {"AWS": ["*"]}},
}


@pytest.mark.parametrize("tool", ["SAM", "Terraform"])
@pytest.mark.parametrize("what", WIDE)
def test_what_is_wide_is_found(what, tool, made):
    """In whichever policy and statement it stands; the statement is made an Allow, or it would be none."""
    resources = copy.deepcopy(made(tool, "defaults"))
    for name, settings in resources.items():
        for _, policy in policies.written_in(settings):
            for place, statement in enumerate(policies.statements(policy)):
                broken = copy.deepcopy(policies.statements(policy))
                broken[place] = statement | {"Effect": "Allow"} | WIDE[what]
                text = json.dumps({"Version": "2012-10-17", "Statement": broken})
                assert too_wide({name: {"policy": text}}), f"{name}: {text}"


@pytest.mark.parametrize("setting", ["ManagedPolicyArns", "managed_policy_arns", "policy_arn"])
def test_a_policy_of_aws_is_found(setting):
    arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaKinesisExecutionRole"
    assert too_wide({"role": {setting: arn if setting == "policy_arn" else [arn]}})
