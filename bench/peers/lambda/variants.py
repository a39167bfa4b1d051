"""Writes variants of bench/flights.yaml beside it, for what is measured with services: variants.py FOLDER."""

import re
import sys
from pathlib import Path

folder = Path(sys.argv[1])
flights = (folder / "flights.yaml").read_text()


def change(text: str, *changes: tuple[str, str]) -> str:
    for pattern, instead in changes:
        text, count = re.subn(pattern, lambda _: instead, text, count=1, flags=re.DOTALL | re.MULTILINE)
        assert count == 1, pattern
    return text


# What is done about an event is done once, as DynamoDB remembers.
once = change(
    flights,
    (r"^stores:\n", "stores:\n  state: ${STATE:-dynamodb://state}\n"),
    (r"^      key: \.flight_id\n", "      key: .flight_id\n      once: state\n"),
)
# Something is done about every event.
every = change(
    once,
    (r"^      when: \.late[^\n]*\n", ""),
    (r"^      key: \.flight_id\n", "      key: .id\n"),
    (r"^      data: \|\n.*?\n        \}\n", '      data: \'{ "flight": .flight_id, "type": .type }\'\n'),
)
# All of it on AWS.
services = [
    (r"\$\{PLANES:-[^}]*\}", "dynamodb://planes"),
    (r'^  rebooking: [^\n]*\n', "  rebooking: { url: kinesis://rebooking, format: cloudevents }\n"),
    (r"^  decisions: [^\n]*\n", "  decisions: s3://flights/decisions\n"),
    (r"^  dead: [^\n]*\n", "  dead: s3://flights/dead\n"),
]
aws, aws_once = change(flights, *services), change(once, *services)
for name, text in {"once": once, "every-once": every, "aws": aws, "aws-once": aws_once}.items():
    (folder / f"flights-{name}.generated.yaml").write_text(text)
