"""Each alarm has its section in docs/RUNBOOK.md and each section its alarm; what wakes somebody up points there."""

import re
import subprocess

import pytest

import deployments
import runbook
from cloudformation import Stack

NAME = "fourstroke"


@pytest.fixture
def alarms(expanded, request):
    """Description of each alarm by its name, without what the names of everything begin with."""

    def get(tool: str) -> dict[str, str]:
        if tool == "SAM":
            made = Stack(expanded(), deployments.for_sam(deployments.DEFAULTS)).of_type("AWS::CloudWatch::Alarm")
            told = {of["AlarmName"]: of["AlarmDescription"] for of in made.values()}
        else:
            # Asked for here, as SAM's half runs without Terraform.
            resources = request.getfixturevalue("applied")("defaults")["values"]["root_module"]["resources"]
            made = [of["values"] for of in resources if of["type"] == "aws_cloudwatch_metric_alarm"]
            told = {of["alarm_name"]: of["alarm_description"] for of in made}
        assert all(name.startswith(f"{NAME}-") for name in told)
        return {name.removeprefix(f"{NAME}-"): description for name, description in told.items()}

    return get


@pytest.mark.parametrize("tool", ["SAM", "Terraform"])
def test_alarms_and_sections_are_the_same(tool, alarms):
    assert set(alarms(tool)) == set(runbook.sections())
    assert len(alarms(tool)) >= 5


@pytest.mark.parametrize("tool", ["SAM", "Terraform"])
def test_an_alarm_says_where_to_read_on(tool, alarms):
    for name, description in alarms(tool).items():
        assert description.endswith(f"docs/RUNBOOK.md#{name}")


def test_a_section_says_what_it_means_what_to_look_at_and_what_to_do():
    for name, text in runbook.sections().items():
        parts = re.findall(r"^\*\*(.+?)\.\*\*(.+?)(?=^\*\*|\Z)", text, re.M | re.S)
        assert [title for title, _ in parts] == ["Means", "Look at", "Do"], name
        assert all(len(words.split()) >= 5 for _, words in parts), name


def test_what_is_linked_is_there_and_each_way_out_is_linked():
    titles = re.findall(r"^(#{2,3}) +(.+?) *$", runbook.text(), re.M)
    places = {re.sub(r"[^\w-]", "", title.lower().replace(" ", "-")): level for level, title in titles}
    linked = set(re.findall(r"\]\(#([\w-]+)\)", runbook.text()))
    assert linked <= places.keys()
    assert {place for place, level in places.items() if level == "###"} <= linked


def test_commands_are_shell():
    assert len(runbook.commands()) >= len(runbook.sections())
    for block in runbook.commands():
        read = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True)
        assert not read.returncode and not read.stderr, f"{read.stderr}{block}"
