"""What the function left: actions on a stream, the decision log, dead letters, and what the mapping gave up on."""

import gzip
import json
import time
from dataclasses import dataclass

from flights import Decided, Event
from local_aws import Failed, LocalAws
from stream import Record, put, read

# How long something may take that takes a few seconds.
SECONDS = 120


@dataclass(frozen=True)
class Seen(Decided):
    """What each sink got, with the records of the actions and the objects of the log and of the dead letters."""

    records: list[Record]
    log_objects: list[str]
    dead_objects: list[str]


def objects(aws: LocalAws, bucket: str, prefix: str) -> dict[str, bytes]:
    s3 = aws.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def lines(packed: dict[str, bytes]) -> list[dict]:
    return [json.loads(line) for content in packed.values() for line in gzip.decompress(content).splitlines()]


def until(what: str, look):
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.2)
    raise Failed(f"after {SECONDS} s: {what}")


def wait_for_all(aws: LocalAws, stack: dict[str, str], count: int) -> Seen:
    log = {}

    def all_logged() -> list[dict] | None:
        log.update(objects(aws, stack["LogBucket"], "decisions/"))
        entries = lines(log)
        return entries if sum("disposition" in entry for entry in entries) >= count else None

    try:
        entries = until("not every record has its entry in the decision log", all_logged)
    except Failed as failed:
        raise Failed(f"{function_log(aws, stack)}\n{failed}") from None
    dead = objects(aws, stack["DeadLettersBucket"], "dead-letters/")
    records = actions(aws, stack)
    return Seen(
        entries, [json.loads(record.data) for record in records], lines(dead), records, list(log), list(dead)
    )


def actions(aws: LocalAws, stack: dict[str, str]) -> list[Record]:
    stream = aws.client("kinesis").describe_stream_summary(StreamName=stack["ActionsStream"])["StreamDescriptionSummary"]
    return read(aws, stream["StreamARN"])


def given_up(aws: LocalAws, stack: dict[str, str], event: Event) -> list[dict]:
    """What the mapping writes about an event that the function cannot take, as it has no state any more."""
    dynamodb = aws.client("dynamodb")
    dynamodb.delete_table(TableName=stack["StateTable"])
    dynamodb.get_waiter("table_not_exists").wait(TableName=stack["StateTable"], WaiterConfig={"Delay": 1})
    put(aws, stack["StreamArn"], [event])
    look = lambda: objects(aws, stack["DeadLettersBucket"], "aws/lambda/")
    return [json.loads(content) for content in until("the mapping has not given up on the record", look).values()]


def function_log(aws: LocalAws, stack: dict[str, str]) -> str:
    logs = aws.client("logs")
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=stack["LogGroup"])
    return "".join(event["message"] for page in pages for event in page["events"])
