"""Ways to deploy: parameters, under the names of Terraform's variables. Together they set each parameter there is."""

import json
from pathlib import Path

MINE = "123456789012"

DEFAULTS = {"pipeline": "fixture"}

WITH_MINE = DEFAULTS | {
    "name": "mine",
    "architecture": "arm64",
    "memory_mb": 512,
    "timeout_seconds": 60,
    "reserved_concurrency": 10,
    "provisioned_concurrency": 2,
    "policy_arns": [f"arn:aws:iam::{MINE}:policy/read-customers", f"arn:aws:iam::{MINE}:policy/read-weather"],
    "log_level": "DEBUG",
    "stream_arn": f"arn:aws:kinesis:eu-central-1:{MINE}:stream/flights",
    "action_shards": 2,
    "stream_retention_hours": 48,
    "starting_position": "LATEST",
    "batch_size": 100,
    "window_seconds": 0,
    "parallelization_factor": 4,
    "retry_attempts": 5,
    "record_age_seconds": 3600,
    "filter": '{"data":{"type":["boarding"]}}',
    "keep_data": False,
    "log_retention_days": 7,
    "decision_retention_days": 30,
    "dead_letter_retention_days": 14,
    "kms_key_arn": f"arn:aws:kms:eu-central-1:{MINE}:key/5b6d0d0b-7a0b-4a4b-9f43-5a8f3f0a9a11",
    "alarm_topic_arn": f"arn:aws:sns:eu-central-1:{MINE}:alarms",
    "iterator_age_alarm_ms": 5000,
    "event_age_alarm_ms": 800,
    "dead_letters_alarm_count": 20,
}

WITH_SHARDS = DEFAULTS | {"shards": 4}

ALL = {"defaults": DEFAULTS, "with mine": WITH_MINE, "with shards": WITH_SHARDS}


def camel(name: str) -> str:
    """The same name in template.yaml."""
    return "".join(part.capitalize() for part in name.split("_"))


def for_sam(parameters: dict) -> dict:
    """As `sam deploy --parameter-overrides` takes them: text."""
    return {camel(name): _text(value) for name, value in parameters.items()}


def for_terraform(parameters: dict, module: Path) -> dict:
    """Variables, with the module's own test package; its manifest is made to say pipeline and architecture."""
    variables = dict(parameters)
    said = {"pipeline": variables.pop("pipeline"), "architecture": variables.get("architecture", "x86_64")}
    manifest = module / "tests/package/function.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | said))
    return variables | {"package": "tests/package/function.zip"}


def _text(value) -> str:
    if isinstance(value, list):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
