"""The events of an evening on which many flights were late, and what is decided about them on this machine."""

import io
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import zstandard
from local_aws import ROOT, Failed

EVENING = ("2013-12-23T18", "2013-12-24T00")
# Cut off in the middle of a line, as by a sender that ran out of space.
POISON = b'{"id":"2013-12-23-UA1545-EWR","type":"boarding","at":"2013-12-23T2'


@dataclass(frozen=True)
class Event:
    data: bytes
    key: str


@dataclass(frozen=True)
class Decided:
    """Lines of JSON, as each sink got them."""

    entries: list[dict]
    actions: list[dict]
    dead_letters: list[dict]


def all_events():
    with open(ROOT / "examples/flights/data/2013-q4.jsonl.zst", "rb") as packed:
        for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(packed)):
            yield line.rstrip("\n"), json.loads(line)


def event(line: str, fields: dict) -> Event:
    return Event(line.encode(), fields["tailnum"] or fields["flight_id"])


def of_an_evening() -> list[Event]:
    events = [event(line, fields) for line, fields in all_events() if EVENING[0] <= fields["at"] < EVENING[1]]
    events.insert(len(events) // 3, Event(POISON, "poison"))
    return events


def one() -> Event:
    """One that is not of that evening."""
    return event(*next(all_events()))


def decided_here(fourstroke: Path, events: list[Event], folder: Path) -> Decided:
    here = folder / "here"
    here.mkdir()
    (here / "flights.jsonl").write_bytes(b"".join(event.data + b"\n" for event in events))
    variables = {
        "FLIGHTS": f"file:{here}/flights.jsonl",
        "STATE": f"redb:{here}/state.redb",
        "ACTIONS": f"file:{here}/actions.jsonl",
        "DECISIONS": f"file:{here}/decisions.jsonl",
        "DEAD_LETTERS": f"file:{here}/dead.jsonl",
    }
    done = subprocess.run(
        [fourstroke, "run", ROOT / "examples/flights/pipeline.yaml"], env=variables, capture_output=True, text=True
    )
    # It is 1 for the dead letter.
    if done.returncode != 1:
        raise Failed(f"{done.stderr}\nfourstroke run failed")
    read = [(here / name).read_text().splitlines() for name in ("decisions.jsonl", "actions.jsonl", "dead.jsonl")]
    return Decided(*([json.loads(line) for line in lines] for lines in read))


def before_the_last_action(events: list[Event], decided: Decided) -> int:
    """The place of the event that the last action is about."""
    flight = decided.actions[-1]["subject"].encode()
    return next(place for place, event in enumerate(events) if event.data.startswith(b'{"id":"' + flight + b'"'))
