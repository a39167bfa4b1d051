"""What the demo prints."""

import base64
import json
import os
import sys
import time

BEGAN = time.monotonic()
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(text: str, code: int) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if COLOUR else text


def line(text: str = "") -> None:
    print(text, flush=True)


def step(text: str) -> None:
    line(f"\n{paint(text, 1)}  {time.monotonic() - BEGAN:.0f} s")


def good(text: str) -> None:
    line(f"{paint('holds', 32)}  {text}")


def bad(text: str) -> None:
    line(f"{paint('FAILS', 31)}  {text}")


def shown(text: str, width: int = 140) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def decisions(seen) -> None:
    step(f"{len(seen.actions)} actions on the output stream")
    line(f"{'flight':<24} {'route':<8} {'late':>5} {'seats':>6}   id of the action")
    for action in seen.actions[:5]:
        data = action["data"]
        line(f"{data['flight']:<24} {data['route']:<8} {data['probability']:>5.0%} {data['seats']:>6}   {action['id'][:16]}…")
    if len(seen.actions) > 5:
        line(f"… and {len(seen.actions) - 5} more")
    line(f"\n{len(seen.entries)} entries in {len(seen.log_objects)} objects of the decision log, such as {seen.log_objects[0]}:")
    for entry in [entry for entry in seen.entries if entry.get("disposition") == "acted"][:1]:
        line(shown(json.dumps({key: entry[key] for key in ("decision_id", "event_id", "disposition", "actions")}), 400))


def event_age(seen, last: list) -> None:
    """Of the actions about these records. An action's subject is its flight, which is the id of the event it was boarding with."""
    arrived = {json.loads(record.data)["id"]: record.arrived for record in last}
    ages = [
        record.arrived - arrived[action["subject"]]
        for record, action in zip(seen.records, seen.actions)
        if action["subject"] in arrived
    ]
    if not ages:
        line("\nno action is about the last records put: from event to action nothing is measured")
        return
    slowest = max(ages).total_seconds()
    line(f"\n{slowest:.2f} s from event to action, warm; LocalStack's polls and the mapping's window (WindowSeconds) are in it")


def poison(seen) -> None:
    step("What the poisoned record did")
    for letter in seen.dead_letters:
        line(f"object:  {seen.dead_objects[0]}")
        line(f"reason:  {letter['stage']}, {letter['code']}: {letter['reason']}")
        line(f"bytes:   {base64.b64decode(letter['body_base64'])!r}")
    line("The invocation succeeded: nothing was delivered again for its sake.\n")


def given_up(record: dict) -> None:
    context, batch = record["requestContext"], record["KinesisBatchInfo"]
    invocations = context["approximateInvokeCount"]
    line(f"{context['condition']} after {invocations} invocations: {batch['batchSize']} record, from {batch['shardId']}")
    line(f"the function said: {json.dumps(record['responseContext'])}")


def mapping(aws, stack: dict[str, str]) -> None:
    step("The event source mapping")
    mapping = aws.client("lambda").get_event_source_mapping(UUID=stack["MappingId"])
    kept = ("State", "BatchSize", "MaximumBatchingWindowInSeconds", "MaximumRetryAttempts", "FunctionResponseTypes")
    line(json.dumps({key: mapping[key] for key in kept}))
    line("LocalStack's mapping is simpler than Lambda's: it halves no batches, has one batch of a shard at a time whatever")
    line("ParallelizationFactor says, keeps no checkpoint over a restart, and puts no metrics.")
