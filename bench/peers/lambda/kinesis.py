"""The flights as Lambda gets them from a Kinesis stream, field by field."""

import base64
import json
from datetime import datetime
from pathlib import Path

import zstandard

FLIGHTS = Path(__file__).parents[3] / "examples/flights/data/2013-q4.jsonl.zst"
FIRST = 49590338271490256608559692538361571095921575989136588898


def flights() -> list[bytes]:
    with zstandard.open(FLIGHTS, "rb") as file:
        return file.read().splitlines()


def invocation(events: list[bytes], first: int) -> bytes:
    """The payload of one invocation, whose first record is number `first` of the stream."""
    return json.dumps({"Records": [record(event, FIRST + first + place) for place, event in enumerate(events)]}).encode()


def record(event: bytes, sequence: int) -> dict:
    flight = json.loads(event)
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": flight["tailnum"] or flight["id"],
            "sequenceNumber": str(sequence),
            "data": base64.b64encode(event).decode(),
            "approximateArrivalTimestamp": datetime.fromisoformat(flight["at"]).timestamp(),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000000:{sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::123456789012:role/flights",
        "awsRegion": "eu-west-1",
        "eventSourceARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/flights",
    }
