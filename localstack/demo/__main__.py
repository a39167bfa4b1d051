"""A pipeline on AWS, end to end, on this machine: `make localstack-demo`.

Starts a LocalStack of its own, deploys template.yaml with sam, puts flights on the stream with one poisoned record among them,
shows what became of all, compares it with `fourstroke run` of the same flights, and takes everything down again.
"""

import argparse
import signal
import sys
from pathlib import Path

import checks
import deploy
import flights
import results
import show
from local_aws import FOLDER, LocalAws
from stream import put, read


def main() -> int:
    parser = argparse.ArgumentParser(prog="localstack/demo", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--binary", type=Path, required=True, metavar="FILE", help="the Lambda handler, `bootstrap`")
    parser.add_argument("--fourstroke", type=Path, required=True, metavar="FILE", help="the laptop tool")
    parser.add_argument("--processes", action="store_true", help="without Docker, also where that is")
    parser.add_argument(
        "--in", type=Path, default=FOLDER, metavar="FOLDER", dest="folder",
        help="for what is kept while it runs: a new or an empty one, which is gone at the end; target/localstack-demo without it",
    )
    arguments = parser.parse_args()
    for file in (arguments.binary, arguments.fourstroke):
        if not file.is_file():
            parser.error(f"{file} is not there")
    # Whoever ends this ends what it started.
    for how in (signal.SIGTERM, signal.SIGHUP):
        # `nohup` has it ignored, and so it stays.
        if signal.getsignal(how) != signal.SIG_IGN:
            signal.signal(how, lambda number, _: sys.exit(128 + number))
    with LocalAws(arguments.folder.resolve(), arguments.processes) as aws:
        return run(aws, arguments.binary.resolve(), arguments.fourstroke.resolve())


def run(aws: LocalAws, binary: Path, fourstroke: Path) -> int:
    show.step("The same events on this machine, with `fourstroke run`")
    events = flights.of_an_evening()
    expected = flights.decided_here(fourstroke, events, aws.folder)
    show.line(f"{len(events)} records, {len(expected.actions)} actions, {len(expected.dead_letters)} dead letter")

    show.step("Package and deploy")
    package = deploy.package(fourstroke, binary, aws)
    stack = deploy.deploy(aws, package)

    show.step(f"Put {len(events)} records on {stack['StreamArn']}")
    # The last ones alone, when the function is warm and nothing waits: how long does it take from event to action?
    last = flights.before_the_last_action(events, expected)
    put(aws, stack["StreamArn"], events[:last])
    results.wait_for_all(aws, stack, last)
    put(aws, stack["StreamArn"], events[last:])
    seen = results.wait_for_all(aws, stack, len(events))
    held = checks.Checks()
    show.step("What must be so")
    checks.everything_ended(held, events, seen)
    checks.same_as_here(held, expected, seen)
    show.decisions(seen)
    show.event_age(seen, read(aws, stack["StreamArn"])[last:])
    show.poison(seen)

    show.step("The state table is gone: what the mapping gives up on")
    lost = flights.one()
    records = results.given_up(aws, stack, lost)
    checks.payload_is_kept(held, records, lost)
    for record in records:
        show.given_up(record)
    # Whatever came meanwhile came twice.
    checks.nothing_came_later(held, seen, results.actions(aws, stack))

    show.mapping(aws, stack)
    return held.tell()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
