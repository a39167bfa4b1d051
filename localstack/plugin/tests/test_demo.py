"""The demo itself runs in `make test-localstack`; here it is cut short."""

import os
import select
import signal
import subprocess

import psutil
import pytest
from conftest import LOCALSTACK
from fourstroke_localstack.stop import of

STAND_INS = LOCALSTACK.parent / "target/stand-ins"
pytestmark = pytest.mark.skipif(
    not (STAND_INS / "sam.installed").exists(), reason="sam is not installed: localstack/install sam"
)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_demo_that_is_ended_leaves_nothing(script, tmp_path, how):
    # A laptop tool that takes its time, and says when it has begun.
    os.mkfifo(tmp_path / "begun")
    begun = os.open(tmp_path / "begun", os.O_RDONLY | os.O_NONBLOCK)
    slow = tmp_path / "fourstroke"
    slow.write_text(f"#!/bin/sh\necho $$ >{tmp_path}/begun\nexec sleep 600\n")
    slow.chmod(0o755)
    demo = subprocess.Popen(
        [STAND_INS / "sam/bin/python", LOCALSTACK / "demo", "--processes", "--in", script.folder]
        + ["--binary", slow, "--fourstroke", slow]
    )
    try:
        assert select.select([begun], [], [], 120)[0]
        tool = int(os.read(begun, 100))
        assert of(str(script.folder)) != []
        demo.send_signal(how)
        assert demo.wait(60) == 128 + how
        assert of(str(script.folder)) == []
        assert not script.folder.exists()
        assert not psutil.pid_exists(tool)
    finally:
        os.close(begun)
        demo.kill()
        demo.wait()


# Nothing was decided or given up on, and then one action came: with the demo's own Python, which has what it wants.
FAILING_RUN = """
import checks, flights, results, show
from stream import Record
seen = results.Seen([], [], [], [], ["decisions/one"], [])
held = checks.Checks()
checks.everything_ended(held, [flights.one()], seen)
checks.same_as_here(held, flights.Decided([], [], []), seen)
show.decisions(seen)
show.event_age(seen, [])
show.poison(seen)
checks.payload_is_kept(held, [], flights.one())
checks.nothing_came_later(held, seen, [Record(b"{}", "key", None)])
raise SystemExit(held.tell())
"""


def test_a_run_that_fails_is_told():
    run = subprocess.run([STAND_INS / "sam/bin/python", "-c", FAILING_RUN], cwd=LOCALSTACK / "demo", capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (1, "")
    failed = [line for line in run.stdout.splitlines() if line.startswith("FAILS")]
    assert any("has one entry in the decision log: it is not so (0 entries" in line for line in failed)
    assert any("one on-failure object: it is not so" in line for line in failed)
    assert any("no action came again" in line for line in failed)
