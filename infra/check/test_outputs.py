"""What the outputs print can be run: the first event is one the flights' pipeline takes, the newest decision can be asked for."""

import json
import re
import subprocess

import jmespath
import pytest

import aws_command
import aws_names
import deployments
import first_event
from cloudformation import Stack

WAYS = list(deployments.ALL)


@pytest.fixture
def outputs(expanded, request):
    """Outputs under Terraform's names; test_equal.py holds both tools to the same."""

    def get(tool: str, way: str) -> dict[str, str]:
        if tool == "Terraform":
            # Asked for here, as SAM's half runs without Terraform.
            return {name: of["value"] for name, of in request.getfixturevalue("applied")(way)["values"]["outputs"].items()}
        told = Stack(expanded(), deployments.for_sam(deployments.ALL[way])).outputs
        return {re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower(): value for name, value in told.items()}

    return get


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("tool", ["SAM", "Terraform"])
def test_the_first_event_can_be_sent(tool, way, outputs):
    told = outputs(tool, way)
    call = aws_command.read(told["first_event"])
    assert (call.service, call.operation) == ("kinesis", "PutRecord")
    assert call.parameters["StreamARN"] == told["stream_arn"]
    event = first_event.body(call.parameters["Data"])
    assert first_event.mistakes(event, call.parameters["PartitionKey"]) == []


def test_an_event_that_is_not_taken_is_seen(outputs):
    call = aws_command.read(outputs("SAM", "defaults")["first_event"])
    event = json.loads(first_event.body(call.parameters["Data"]))
    key = call.parameters["PartitionKey"]
    assert first_event.mistakes(json.dumps(event).encode(), "another") != []
    assert first_event.mistakes(json.dumps(event | {"id": None}).encode(), key) != []
    for name in event:
        assert first_event.mistakes(json.dumps(event | {name: ["a", "list"]}).encode(), key) != []


@pytest.mark.parametrize("command", ["put-records", "put-record --stream-name", "put-record --stream events", "put-record"])
def test_a_command_that_is_none_is_seen(command):
    with pytest.raises(AssertionError):
        aws_command.read(f"aws kinesis {command}")


@pytest.mark.parametrize("tool", ["SAM", "Terraform"])
def test_the_newest_decision_can_be_asked_for(tool, outputs):
    told = outputs(tool, "defaults")
    subprocess.run(["bash", "-n", "-c", told["read_decision"]], check=True)
    within = re.search(r"\$\((.*)\)", told["read_decision"])[1]
    # As JSON: as text the CLI asks the query of each thousand objects and prints as many keys.
    listing, query = re.fullmatch(r"(.*) --query '(.*)' --output json \| jq -r \.", within).groups()
    call = aws_command.read(listing)
    assert (call.operation, call.parameters) == ("ListObjectsV2", {"Bucket": told["log_bucket"], "Prefix": "decisions/"})
    objects = [{"Key": "decisions/old", "LastModified": "2026-01-01"}, {"Key": "decisions/new", "LastModified": "2026-01-02"}]
    assert jmespath.search(query, {"Contents": objects}) == "decisions/new"
    assert jmespath.search(query, {}) is None
    assert told["read_decision"].startswith(f'aws s3 cp "s3://{told["log_bucket"]}/$(')
    assert told["log_bucket"].endswith(f"{aws_names.ACCOUNT}-{aws_names.REGION}")
