"""What must be so. All of it is looked at, and told, before the demo ends."""

import base64

import show
from flights import POISON, Decided, Event
from results import Seen
from stream import Record


class Checks:
    def __init__(self) -> None:
        self._failed = 0

    def hold(self, what: str, holds: bool, otherwise: object = "") -> None:
        if holds:
            show.good(what)
        else:
            self._failed += 1
            show.bad(show.shown(f"{what}: it is not so {otherwise}", 400))

    def tell(self) -> int:
        """The exit code."""
        return 1 if self._failed else 0


def decided(entries: list[dict]) -> list[dict]:
    """Entries of decisions, without those of outcomes."""
    return [entry for entry in entries if "disposition" in entry]


def everything_ended(checks: Checks, events: list[Event], seen: Seen) -> None:
    entries = decided(seen.entries)
    ids = {entry["decision_id"] for entry in entries}
    checks.hold(
        f"each of the {len(events)} records put has one entry in the decision log",
        len(entries) == len(ids) == len(events),
        f"({len(entries)} entries, {len(ids)} decisions)",
    )
    acted = {entry["decision_id"] for entry in entries if entry["disposition"] == "acted"}
    checks.hold(
        f"the {len(acted)} decisions that acted are the {len(seen.actions)} actions on the stream, none twice",
        len(acted) > 0 and sorted(acted) == sorted(action["decisionid"] for action in seen.actions),
    )
    checks.hold("the ids of the actions are all different", len({a["id"] for a in seen.actions}) == len(seen.actions))
    bodies = [base64.b64decode(letter["body_base64"]) for letter in seen.dead_letters]
    checks.hold("the one dead letter has the poisoned record's bytes, and a reason", bodies == [POISON] and
                bool(seen.dead_letters[0]["reason"]), bodies)
    checks.hold("all others went on", {entry["disposition"] for entry in entries} == {"acted", "passed", "dead-lettered"})


def same_as_here(checks: Checks, here: Decided, seen: Seen) -> None:
    checks.hold("all was decided as `fourstroke run` decides it", *same(decisions(here), decisions(seen)))
    checks.hold("the actions say the same", *same(actions(here), actions(seen)))
    checks.hold("outcomes were joined to the same decisions", *same(outcomes(here), outcomes(seen)))


def same(here: dict, there: dict) -> tuple[bool, str]:
    different = [key for key in here.keys() | there.keys() if here.get(key) != there.get(key)]
    first = different[0] if different else None
    return not different and bool(here), f"({len(different)} differ, such as {first}: {here.get(first)} here, {there.get(first)} there)"


def decisions(of: Decided) -> dict[str, tuple]:
    # What has no id of its own is named by where it was read; that differs.
    return {
        entry["event_id"]: (entry["decision_id"], entry["disposition"], entry["predictions"], entry["features"])
        for entry in decided(of.entries)
        if entry["disposition"] != "dead-lettered"
    }


def actions(of: Decided) -> dict[str, dict]:
    return {action["id"]: action for action in of.actions}


def outcomes(of: Decided) -> dict[str, tuple]:
    return {entry["outcome_of"]: (entry["label"], entry["event_id"]) for entry in of.entries if "outcome_of" in entry}


def payload_is_kept(checks: Checks, objects: list[dict], event: Event) -> None:
    checks.hold("the mapping wrote one on-failure object", len(objects) == 1, f"({len(objects)} objects)")
    records = [record for content in objects for record in content["payload"]["Records"]]
    checks.hold(
        "it has the record that was given up on, payload and all",
        [base64.b64decode(record["kinesis"]["data"]) for record in records] == [event.data],
    )


def nothing_came_later(checks: Checks, seen: Seen, actions: list[Record]) -> None:
    checks.hold(
        "no action came again after that",
        [action.data for action in actions] == [action.data for action in seen.records],
        f"({len(seen.records)} actions, and {len(actions)} at the end)",
    )
