"""Measures whole Lambda handlers: each peer's process behind Amazon's Runtime Interface Emulator (RIE), fed Kinesis batches of the flights.

COMMAND is any executable that speaks Lambda's Runtime API; those here are `python -m awslambdaric plain.handler` and the like. With
AWS_ENDPOINT_URL_DYNAMODB in the environment or by --env, the table of `powertools_once` is made there anew. One line of JSON per peer and
batch size goes to standard output, a table to standard error. Anything but a reply without failures ends the run.
"""

import argparse
import contextlib
import http.client
import itertools
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3
from kinesis import flights, invocation

ROUNDS = 10
TABLE = "idempotency"
TICKS = os.sysconf("SC_CLK_TCK")
PATH = "/2015-03-31/functions/function/invocations"


class Peer:
    def __init__(self, rie: str, name: str, command: str, env: dict[str, str]):
        self.name = name
        self.log = tempfile.TemporaryFile()
        port, api = free_port(), free_port()
        self.rie = subprocess.Popen(
            [rie, "--log-level", "warn", "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
             "--runtime-api-address", f"127.0.0.1:{api}", *shlex.split(command)],
            env=env, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=900)

    def connect(self) -> None:
        for _ in range(200):
            try:
                return self.connection.connect()
            except ConnectionRefusedError:
                time.sleep(0.02)
        self.fail("RIE does not listen")

    def post(self, body: bytes) -> float:
        """Milliseconds of one invocation."""
        before = time.perf_counter()
        self.connection.request("POST", PATH, body, {"Content-Type": "application/json"})
        answer = self.connection.getresponse().read()
        took = (time.perf_counter() - before) * 1000
        try:
            reply = json.loads(answer)
        except ValueError:
            self.fail(answer)
        # RIE says 200 to a handler's error too. Null, {} and an empty list are Lambda's success.
        if reply and (reply.keys() != {"batchItemFailures"} or reply["batchItemFailures"]):
            self.fail(answer)
        return took

    def post_all(self, bodies: list[bytes], seconds: float) -> list[float]:
        """One after the other, as RIE takes no two at once; no more once the time is up."""
        end = time.monotonic() + seconds
        return [self.post(body) for body in itertools.takewhile(lambda _: time.monotonic() < end, bodies)]

    def fail(self, why) -> None:
        self.log.seek(0)
        sys.exit(f"{self.name}: {why}\n{self.log.read().decode(errors='replace')[-4000:]}")

    def processes(self) -> list[tuple[int, list[str]]]:
        """The bootstrap's process and its children's; RIE's own is not the peer's."""
        stats = {int(folder.name): stat(folder) for folder in Path("/proc").glob("[0-9]*")}
        found = [self.rie.pid]
        for parent in found:
            found += [process for process, fields in stats.items() if fields and int(fields[1]) == parent]
        return [(process, stats[process]) for process in found[1:]]

    def cpu(self) -> float:
        """Processor seconds so far, of children that have ended too."""
        return sum(int(ticks) for _, fields in self.processes() for ticks in fields[11:15]) / TICKS

    def rss(self) -> float:
        return sum(int(fields[21]) for _, fields in self.processes()) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def stop(self) -> None:
        processes = self.processes()
        self.rie.kill()
        self.rie.wait()
        for process, _ in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def stat(folder: Path) -> list[str]:
    """From the state on, as a command's name before it may hold blanks. Nothing of a process that has ended meanwhile."""
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def make_table(endpoint: str, env: dict[str, str]) -> None:
    client = boto3.client("dynamodb", endpoint_url=endpoint, region_name=env["AWS_REGION"], aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
                          aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"])
    with contextlib.suppress(client.exceptions.ResourceNotFoundException):
        client.delete_table(TableName=TABLE)
    client.create_table(
        TableName=TABLE, AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        ProvisionedThroughput={"ReadCapacityUnits": 10_000, "WriteCapacityUnits": 10_000})


class Stream:
    """Each flight comes once in a run: one that came again would be a replay to those who remember."""

    def __init__(self):
        self.events, self.at = flights(), 0

    def bodies(self, count: int, size: int) -> list[bytes]:
        starts = range(self.at, self.at + count * size, size)
        self.at += count * size
        if self.at > len(self.events):
            sys.exit(f"there are {len(self.events)} events only: fewer --records")
        return [invocation(self.events[start : start + size], start) for start in starts]


def measure(peers: list[Peer], stream: Stream, size: int, given: argparse.Namespace) -> list[dict]:
    warm = stream.bodies(max(2, given.records // size // 10), size)
    for peer in peers:
        peer.post_all(warm, 2)
    took = {peer.name: [] for peer in peers}
    # Between its invocations too: what a peer leaves for later is part of its cost.
    before = {peer.name: peer.cpu() for peer in peers}
    for _ in range(ROUNDS):
        bodies = stream.bodies(max(1, given.records // size // ROUNDS), size)
        for peer in peers:
            took[peer.name] += peer.post_all(bodies, given.seconds / ROUNDS)
    rows = []
    for peer in peers:
        times, cpu = sorted(took[peer.name]), peer.cpu() - before[peer.name]
        rows.append({
            "peer": peer.name, "batch": size, "invocations": len(times), "p50_ms": round(times[len(times) // 2], 2),
            "p99_ms": round(times[(len(times) - 1) * 99 // 100], 2), "records_per_cpu_s": round(len(times) * size / max(cpu, 1 / TICKS)),
            "cpu_s": round(cpu, 2), "rss_mib": round(peer.rss())})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rie", required=True)
    parser.add_argument("--peer", action="append", required=True, metavar="NAME=COMMAND")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 100, 1000])
    parser.add_argument("--records", type=int, default=50_000, help="per peer and batch size")
    parser.add_argument("--seconds", type=float, default=20, help="no more than these per peer and batch size")
    parser.add_argument("--env", action="append", default=[], metavar="K=V")
    given = parser.parse_args()
    # A Lambda's credentials and region are in its environment; no stand-in looks at them.
    local = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}
    env = local | os.environ | {"PYTHONPATH": str(Path(__file__).parent), "AWS_LAMBDA_FUNCTION_TIMEOUT": "900", "IDEMPOTENCY_TABLE": TABLE}
    env |= dict(pair.split("=", 1) for pair in given.env)
    if endpoint := env.get("AWS_ENDPOINT_URL_DYNAMODB"):
        make_table(endpoint, env)
    stream, peers, rows = Stream(), [], []
    try:
        for peer in given.peer:
            peers.append(Peer(given.rie, *peer.split("=", 1), env))
        [body] = stream.bodies(1, 1)
        for peer in peers:
            peer.connect()
        # RIE starts the process when it is first called.
        first = {peer.name: round(peer.post(body)) for peer in peers}
        for size in given.batch:
            for row in measure(peers, stream, size, given):
                rows.append(row | {"first_call_ms": first[row["peer"]]})
                print(json.dumps(rows[-1]), flush=True)
    finally:
        for peer in peers:
            peer.stop()
    for row in [{name: name for name in rows[0]}, *rows]:
        print("  ".join(f"{value:>20}" if name == "peer" else f"{value:>{len(name)}}" for name, value in row.items()), file=sys.stderr)


if __name__ == "__main__":
    main()
