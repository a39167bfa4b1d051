"""template.yaml as CloudFormation gets it: what the SAM transform makes of it."""

import os
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"
# The transform wants a region, and asks AWS for one where none is set.
os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")

from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402


class _NoManagedPolicies:
    """The list of AWS's policies is AWS's own to give; we use none."""

    def load(self) -> dict:
        return {}


def source() -> dict:
    """The template as it is written, fresh for whoever changes it."""
    return yaml_parse(TEMPLATE.read_text())


def expand(template: dict) -> dict:
    """Plain CloudFormation. Code must be somewhere in S3 by then, as `sam deploy` sees to."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://artifacts/function.zip"
    return transform(template, {}, _NoManagedPolicies())
