"""Each command of the AWS CLI that documents tell to run is one: the call is there, and its options are."""

import re

import pytest

import aws_command
import shell
import terraform

# And how many commands there are at least, so that none goes unread.
DOCUMENTS = {"docs/RUNBOOK.md": 35, "docs/AWS.md": 8, "infra/aws/README.md": 4}


def told(document: str) -> list[list[str]]:
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", (terraform.ROOT / document).read_text(), re.M | re.S)
    return [words for block in blocks for words in shell.commands(block, "aws")]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_is_one(document):
    for words in told(document):
        aws_command.read_words(words)
    assert len(told(document)) >= DOCUMENTS[document]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_one_with_another_option_is_none(document):
    for words in told(document):
        with pytest.raises(AssertionError):
            aws_command.read_words(words + ["--no-such-option", "x"])


WRONG = [
    "aws lambda update-event-source-mapping --uuid x --maximum-retry-attempts many",
    "aws lambda update-event-source-mapping --uuid x --enabled false",
    "aws lambda update-event-source-mapping --maximum-retry-attempts 3",
    "aws lambda create-event-source-mapping --function-name f --starting-position NOW",
    "aws lambda get-alias --function-name f --name a b",
    "aws dynamodb wait table-is-there --table-name t",
    "aws s3 mv s3://bucket/key",
    "aws s3 cp --forever s3://bucket/key -",
    "aws kinetics put-record",
    "aws",
]


@pytest.mark.parametrize("command", WRONG)
def test_what_is_wrong_is_seen(command):
    with pytest.raises(AssertionError):
        aws_command.read(command)
