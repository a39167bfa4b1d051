"""The first event, out of the command that the outputs print: the bytes it sends, and whether a pipeline takes them."""

import base64
import json
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = ROOT / "examples/flights/pipeline.yaml"
TYPES = {"string": str, "timestamp": str, "float": (int, float), "integer": int, "boolean": bool}


def body(data: str) -> bytes:
    """What the CLI sends for `--data`: a file's bytes, from the root of the repository, or base64."""
    if data.startswith("fileb://"):
        return (ROOT / data.removeprefix("fileb://")).read_bytes()
    return base64.b64decode(data, validate=True)


def mistakes(event: bytes, key: str) -> list[str]:
    """Why the flights' pipeline would not take it, or not in order of its key."""
    said = yaml.safe_load(PIPELINE.read_text())["event"]
    fields = json.loads(event)
    found = []
    for name, of in said["fields"].items():
        value = fields.get(name)
        if value is None and not of.endswith("?"):
            found.append(f"{name} is missing")
        elif value is not None and not isinstance(value, TYPES[of.removesuffix("?")]):
            found.append(f"{name} is no {of}: {value!r}")
    found += [f"{name} is no field of the pipeline" for name in fields if name not in said["fields"]]
    if str(fields.get(said["key"].removeprefix("."))) != key:
        found.append(f"the partition key {key} is not the event's key {said['key']}")
    return found
