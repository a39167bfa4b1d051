"""Each alarm has its section in docs/RUNBOOK.md and each section its alarm; what wakes somebody up points there."""

import re

import pytest

import deployments
import terraform
from cloudformation import Stack

RUNBOOK = terraform.ROOT / "docs/RUNBOOK.md"
NAME = "fourstroke"


@pytest.fixture
def alarms(expanded, applied):
    """Description of each alarm by its name, without what the names of everything begin with."""

    def get(tool: str) -> dict[str, str]:
        if tool == "SAM":
            made = Stack(expanded(), deployments.for_sam(deployments.DEFAULTS)).of_type("AWS::CloudWatch::Alarm")
            told = {of["AlarmName"]: of["AlarmDescription"] for of in made.values()}
        else:
            resources = applied("defaults")["values"]["root_module"]["resources"]
            made = [of["values"] for of in resources if of["type"] == "aws_cloudwatch_metric_alarm"]
            told = {of["alarm_name"]: of["alarm_description"] for of in made}
        assert all(name.startswith(f"{NAME}-") for name in told)
        return {name.removeprefix(f"{NAME}-"): description for name, description in told.items()}

    return get


def sections() -> dict[str, str]:
    found = re.split(r"^## +(.+?) *$", RUNBOOK.read_text(), flags=re.M)[1:]
    return dict(zip(found[::2], found[1::2]))


@pytest.mark.parametrize("tool", ["SAM", "Terraform"])
def test_alarms_and_sections_are_the_same(tool, alarms):
    assert set(alarms(tool)) == set(sections())
    assert len(alarms(tool)) >= 5


@pytest.mark.parametrize("tool", ["SAM", "Terraform"])
def test_an_alarm_says_where_to_read_on(tool, alarms):
    for name, description in alarms(tool).items():
        assert description.endswith(f"docs/RUNBOOK.md#{name}")


def test_a_section_has_something_to_say():
    for name, text in sections().items():
        assert len(text.split()) >= 30, f"docs/RUNBOOK.md, {name}: what it means, what to look at, what to do"
