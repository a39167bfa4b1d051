"""The demo itself runs in `make test-localstack`; here it is cut short."""

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
    slow = tmp_path / "fourstroke"
    slow.write_text(f"#!/bin/sh\necho $$ >{tmp_path}/pid\nexec sleep 600\n")
    slow.chmod(0o755)
    demo = subprocess.Popen(
        [STAND_INS / "sam/bin/python", LOCALSTACK / "demo", "--processes", "--binary", slow, "--fourstroke", slow],
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in demo.stdout:
        if "fourstroke run" in line:
            assert of(str(FOLDER)) != []
            demo.send_signal(how)
            break
    demo.communicate()
    assert demo.returncode == 128 + how
    assert of(str(FOLDER)) == []
    assert not FOLDER.exists()
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))
