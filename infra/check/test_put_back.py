"""What docs/RUNBOOK.md sends again is sent once, and moved away only when all of it was: its commands, with an AWS CLI that
refuses what it is told to."""

import base64
import json
import shutil
import subprocess

import pytest

import runbook

# Takes objects from a folder instead of a bucket, refuses the nth record, and writes down what it was asked.
AWS = """#!/bin/bash
echo "$*" >>"$ASKED"
case "$1 $2" in
"s3 sync") mkdir -p "$4" && cp -R "$BUCKET/." "$4" && touch "$BUCKET/came-since" ;;
"kinesis put-record") [ "$(grep -c '^kinesis put-record' "$ASKED")" != "$REFUSED" ] ;;
esac
"""
OBJECTS = {"shard-0/one": ["a", "b"], "shard-1/two": ["c"]}


def on_failure_object(bodies: list[str]) -> str:
    records = [{"kinesis": {"partitionKey": f"key {body}", "data": base64.b64encode(body.encode()).decode()}} for body in bodies]
    return json.dumps({"payload": json.dumps({"Records": records})})


@pytest.fixture
def run(tmp_path):
    """Runs the commands in a shell, where the nth record is refused; gives what the CLI was asked for and what was told."""
    if not shutil.which("jq"):
        pytest.skip("jq is not here")
    aws, bucket, asked = tmp_path / "bin/aws", tmp_path / "bucket", tmp_path / "asked"
    aws.parent.mkdir()
    aws.write_text(AWS)
    aws.chmod(0o755)
    for name, bodies in OBJECTS.items():
        (bucket / name).parent.mkdir(parents=True)
        (bucket / name).write_text(on_failure_object(bodies))

    def get(commands: str, refused: int) -> tuple[list[str], str]:
        env = {"PATH": f"{aws.parent}:/usr/bin:/bin", "TMPDIR": str(tmp_path), "ASKED": str(asked), "BUCKET": str(bucket)}
        env |= {"DEAD": "dead", "MAPPING": "mapping", "STREAM": "stream", "REFUSED": str(refused)}
        told = subprocess.run(["bash", "-c", commands], env=env, cwd=bucket, capture_output=True, text=True).stderr
        return asked.read_text().splitlines(), told

    return get


COMMANDS = "\n".join([runbook.function("put_back"), runbook.block_with("on-failure")])


def of(asked: list[str], call: str) -> list[str]:
    return [line for line in asked if line.startswith(call)]


def test_all_is_sent_and_then_moved(run):
    asked, _ = run(COMMANDS, refused=0)
    sent = of(asked, "kinesis put-record")
    assert [line.split("--partition-key ")[1].split(" --data")[0] for line in sent] == ["key a", "key b", "key c"]
    # Not what has come since.
    moved = [f"s3 mv s3://dead/aws/lambda/mapping/{name} s3://dead/sent-again/{name}" for name in OBJECTS]
    assert sorted(of(asked, "s3 mv")) == moved
    assert asked[-len(moved) :] == of(asked, "s3 mv")


def test_nothing_is_moved_when_one_is_refused(run):
    asked, told = run(COMMANDS, refused=2)
    assert len(of(asked, "kinesis put-record")) == 2
    assert of(asked, "s3 mv") == []
    assert "stopped at line 2 of chosen" in told


def test_what_cannot_be_read_stays(run, tmp_path):
    (tmp_path / "bucket/shard-1/half").write_text('{"payload": "{"}')
    asked, told = run(COMMANDS, refused=0)
    assert len(of(asked, "kinesis put-record")) == 3
    assert len(of(asked, "s3 mv")) == len(OBJECTS)
    assert "stays: on-failure/shard-1/half" in told


def test_it_goes_on_where_it_stopped(run):
    go_on = "tail -n +2 chosen >chosen.rest; put_back chosen.rest"
    asked, told = run(f"{COMMANDS}\n{go_on} && move_away", refused=2)
    assert go_on in told
    keys = [line.split("--partition-key ")[1].split(" --data")[0] for line in of(asked, "kinesis put-record")]
    assert keys == ["key a", "key b", "key b", "key c"]
    assert len(of(asked, "s3 mv")) == len(OBJECTS)
