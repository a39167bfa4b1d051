"""What template.yaml refuses as a parameter, infra/aws refuses as a variable, and takes what it takes."""

import re
from itertools import zip_longest

import pytest

import deployments

# Said with every plan, so that each ends at its variables.
NOWHERE = {"package": "nowhere.zip"}
OF_ALL = {
    "kms_key_arn": "kms:eu-central-1:123456789012:key/5b6d0d0b-7a0b-4a4b-9f43-5a8f3f0a9a11",
    "alarm_topic_arn": "sns:eu-central-1:123456789012:alarms",
    "stream_arn": "kinesis:eu-central-1:123456789012:stream/flights",
}
# What is an ARN and what is none, for each.
ARNS = ["", "arn:aws:{}", "arn:aws-cn:{}", "{}", "arn:aws:{} ", "arn:aws:{}/*", "arn:aws:{}:1", "arn::{}", "arn:aws:x{}"]
ARNS += [f"arn:aws:{other}" for other in OF_ALL.values()]
# Texts for what has a pattern: some are taken, some are not.
TEXTS = {name: [text.format(right) for text in ARNS] for name, right in OF_ALL.items()} | {
    "name": ["ab", "a" * 20, "a1-b2", "a", "a" * 21, "A1", "1a", "-a", "a-", "a_b", "a.b", ""]
}


@pytest.fixture
def parameters(expanded):
    declared = expanded()["Parameters"]
    return {name: declared[deployments.camel(name)] for way in deployments.ALL.values() for name in way}


@pytest.fixture
def refused(on_schemas):
    module = on_schemas("aws")

    def get(variables: dict) -> set[str]:
        found = module.refused_variables(variables | NOWHERE)
        assert "package" in found
        return found - {"package"}

    return get


@pytest.mark.parametrize("bound, step", [("MinValue", -1), ("MaxValue", 1)])
def test_bounds_are_the_same(bound, step, parameters, refused):
    bounds = {name: of[bound] for name, of in parameters.items() if bound in of}
    assert len(bounds) > 8
    assert refused(bounds) == set()
    beyond = {name: value + step for name, value in bounds.items()}
    # A variable that looks at another one is not looked at while that is wrong.
    alone = beyond.keys() - refused(beyond)
    assert len(alone) < 3
    assert all(refused({name: beyond[name]}) == {name} for name in alone)


def test_choices_are_the_same(parameters, refused):
    choices = {name: of["AllowedValues"] for name, of in parameters.items() if "AllowedValues" in of}
    # One of each at a time.
    for values in zip_longest(*choices.values()):
        assert refused({name: value for name, value in zip(choices, values) if value is not None}) == set()
    # Of a boolean Terraform needs no list.
    others = {name: 2 if isinstance(values[0], int) else "else" for name, values in choices.items() if "true" not in values}
    assert refused(others) == others.keys()


def test_patterns_are_the_same(parameters, refused):
    patterns = {name: of["AllowedPattern"] for name, of in parameters.items() if "AllowedPattern" in of}
    # Terraform reads the pipeline's name in the manifest.
    del patterns["pipeline"]
    assert patterns.keys() == TEXTS.keys()
    for values in zip_longest(*(TEXTS[name] for name in patterns)):
        given = {name: value for name, value in zip(patterns, values) if value is not None}
        assert refused(given) == {name for name, value in given.items() if not re.fullmatch(patterns[name], value)}
