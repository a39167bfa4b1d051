"""Each alarm has its section in docs/RUNBOOK.md and each section its alarm; what wakes somebody up points there."""

import re
import subprocess

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


def of_alarms() -> dict[str, str]:
    """Sections that are called as an alarm is; the others, in plain words, are what several of them do."""
    return {name: text for name, text in sections().items() if re.fullmatch(r"[a-z-]+", name)}


@pytest.mark.parametrize("tool", ["SAM", "Terraform"])
def test_alarms_and_sections_are_the_same(tool, alarms):
    assert set(alarms(tool)) == set(of_alarms())
    assert len(alarms(tool)) >= 5


@pytest.mark.parametrize("tool", ["SAM", "Terraform"])
def test_an_alarm_says_where_to_read_on(tool, alarms):
    for name, description in alarms(tool).items():
        assert description.endswith(f"docs/RUNBOOK.md#{name}")


def test_a_section_says_what_it_means_what_to_look_at_and_what_to_do():
    for name, text in of_alarms().items():
        parts = re.findall(r"^\*\*(.+?)\.\*\*(.+?)(?=^\*\*|\Z)", text, re.M | re.S)
        assert [title for title, _ in parts] == ["Means", "Look at", "Do"], name
        assert all(len(words.split()) >= 5 for _, words in parts), name


def test_what_is_linked_is_there_and_all_is_linked():
    places = {name.lower().replace(" ", "-") for name in sections()}
    linked = set(re.findall(r"\]\(#([\w-]+)\)", RUNBOOK.read_text()))
    assert linked <= places
    assert places <= linked | of_alarms().keys()


def test_commands_are_shell():
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", RUNBOOK.read_text(), re.M | re.S)
    assert len(blocks) >= len(of_alarms())
    for block in blocks:
        read = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True)
        assert not read.returncode and not read.stderr, f"{read.stderr}{block}"
