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
FOLDER = LOCALSTACK.parent / "target/localstack-demo"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_demo_that_is_ended_leaves_nothing(tmp_path, how):
    if not (STAND_INS / "sam.installed").exists():
        pytest.skip("sam is not installed: localstack/install sam")
    # A laptop tool that takes its time, and says when it has begun.
    os.mkfifo(tmp_path / "begun")
    begun = os.open(tmp_path / "begun", os.O_RDONLY | os.O_NONBLOCK)
    slow = tmp_path / "fourstroke"
    slow.write_text(f"#!/bin/sh\necho $$ >{tmp_path}/begun\nexec sleep 600\n")
    slow.chmod(0o755)
    demo = subprocess.Popen(
        [STAND_INS / "sam/bin/python", LOCALSTACK / "demo", "--processes", "--binary", slow, "--fourstroke", slow]
    )
    assert select.select([begun], [], [], 120)[0]
    tool = int(os.read(begun, 100))
    os.close(begun)
    assert of(str(FOLDER)) != []
    demo.send_signal(how)
    assert demo.wait() == 128 + how
    assert of(str(FOLDER)) == []
    assert not FOLDER.exists()
    assert not psutil.pid_exists(tool)
