"""template.yaml, expanded, is sound CloudFormation. `sam validate --lint` alone stays green on most of what is broken here."""

import json

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

import aws_names


def mistakes(template: dict) -> set[str]:
    """The rules of cfn-lint that are broken, warnings too."""
    found = lint(json.dumps(template), config=ManualArgs(regions=[aws_names.REGION]))
    return {f"{match.rule.id} {match.message}" for match in found}


def test_it_is_sound(expanded):
    assert mistakes(expanded()) == set()


def properties(template: dict, type_name: str) -> dict:
    return next(of["Properties"] for of in template["Resources"].values() if of["Type"] == type_name)


def runtime(template):
    properties(template, "AWS::Lambda::Function")["Runtime"] = "provided.al2024"


def architecture(template):
    properties(template, "AWS::Lambda::Function")["Architectures"] = ["riscv"]


def memory(template):
    properties(template, "AWS::Lambda::Function")["MemorySize"] = 64


def attribute_of_nothing(template):
    properties(template, "AWS::Lambda::Function")["Role"] = {"Fn::GetAtt": ["NoSuchRole", "Arn"]}


def attribute_that_is_none(template):
    properties(template, "AWS::Lambda::Function")["Role"] = {"Fn::GetAtt": ["FunctionRole", "NoSuchAttribute"]}


def reference_to_nothing(template):
    properties(template, "AWS::Lambda::EventSourceMapping")["BatchSize"] = {"Ref": "NoSuchParameter"}


def substitution_of_nothing(template):
    properties(template, "AWS::Lambda::Function")["Environment"]["Variables"]["STATE"] = {"Fn::Sub": "dynamodb://${NoSuchTable}"}


def condition_that_is_none(template):
    properties(template, "AWS::Kinesis::Stream")["ShardCount"] = {"Fn::If": ["NoSuchCondition", 1, 2]}


def setting_that_is_none(template):
    properties(template, "AWS::Lambda::EventSourceMapping")["BisectOnError"] = True


def missing_setting(template):
    del properties(template, "AWS::Lambda::EventSourceMapping")["FunctionName"]


def parallelization(template):
    properties(template, "AWS::Lambda::EventSourceMapping")["ParallelizationFactor"] = 11


def statistic(template):
    properties(template, "AWS::CloudWatch::Alarm")["Statistic"] = "Most"


def default_out_of_range(template):
    template["Parameters"]["BatchSize"]["Default"] = 20000


def retention(template):
    properties(template, "AWS::Logs::LogGroup")["RetentionInDays"] = 31


BROKEN = [
    runtime,
    architecture,
    memory,
    attribute_of_nothing,
    attribute_that_is_none,
    reference_to_nothing,
    substitution_of_nothing,
    condition_that_is_none,
    setting_that_is_none,
    missing_setting,
    parallelization,
    statistic,
    default_out_of_range,
    retention,
]


@pytest.mark.parametrize("mistake", BROKEN, ids=lambda mistake: mistake.__name__)
def test_a_mistake_is_found(mistake, expanded):
    template = expanded()
    mistake(template)
    assert {found for found in mistakes(template) if found.startswith("E")}
