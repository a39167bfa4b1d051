"""Are the peers' decisions the pipeline's? `python same_work.py OUT`, the folder that a run of bench/flights.yaml wrote its decision log
and its actions to. What differs by nature is left out: version, times of the run, sizes of batches, the last digits of float32 sums."""

import sys
from pathlib import Path

import orjson
from decide import finish, look_up
from kinesis import flights

BY_NATURE = {"version", "decided_at", "event_age_ms", "batch_size", "us"}


def shown(line: bytes) -> dict:
    entry = orjson.loads(line)
    for seen in entry.get("enriched", {}).values():
        del seen["age_ms"]
    return {name: value for name, value in entry.items() if name not in BY_NATURE}


def about(line: bytes) -> tuple:
    """The pipeline writes a batch's outcomes after its decisions: both logs are put in one order."""
    entry = orjson.loads(line)
    return entry["event_id"], "outcome_of" in entry


def same(here, there) -> bool:
    if isinstance(here, dict) and isinstance(there, dict):
        return list(here) == list(there) and all(same(here[name], there[name]) for name in here)
    if isinstance(here, list) and isinstance(there, list):
        return len(here) == len(there) and all(map(same, here, there))
    if isinstance(here, float) and isinstance(there, float):
        return abs(here - there) < 1e-5
    return here == there


def hold(name: str, here: list[bytes], order) -> None:
    there = (Path(sys.argv[1]) / name).read_bytes().splitlines()
    assert len(here) == len(there), f"{name}: {len(here)} lines here, {len(there)} there"
    for ours, its in zip(sorted(here, key=order), sorted(there, key=order)):
        assert same(shown(ours), shown(its)), f"{name}, here:\n{ours.decode()}\nthere:\n{its.decode()}"
    print(f"{name}: {len(here)} lines are the same")


events = flights()
log, actions = [], []
for start in range(0, len(events), 1000):
    lines, acted = finish([look_up(orjson.loads(event)) for event in events[start : start + 1000]], 1000)
    log += lines
    actions += acted
hold("decisions.jsonl", log, about)
hold("rebooking.jsonl", actions, lambda line: orjson.loads(line)["id"])
