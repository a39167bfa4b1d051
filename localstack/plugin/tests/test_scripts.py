"""localstack/up, status and down."""

import json
import signal
import subprocess
import urllib.request

import boto3
import psutil
from conftest import LOCALSTACK, Script
from fourstroke_localstack.stop import of


def test_up_twice_is_one_and_status_tells_of_it(started):
    script, endpoint = started
    main = {process.pid for process in of(str(script.folder))}
    told = script("up")
    assert "runs already" in told and f"AWS_ENDPOINT_URL={endpoint}" in told
    assert main <= {process.pid for process in of(str(script.folder))}
    status = script("status")
    assert f"LocalStack runs at {endpoint}" in status
    assert json.load(urllib.request.urlopen(f"{endpoint}/_localstack/health"))["version"] == "4.14.0"


def test_it_listens_on_loopback_alone(started):
    script, endpoint = started
    main = min(of(str(script.folder)), key=lambda process: process.create_time())
    addresses = {at.laddr.ip for at in main.net_connections("tcp") if at.status == psutil.CONN_LISTEN}
    assert addresses <= {"127.0.0.1", "::1"} and addresses


def test_down_ends_what_a_killed_localstack_left(tmp_path):
    script = Script(tmp_path / "state")
    endpoint = script.up()
    # A table is Java, a stream is Node.js.
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-central-1")
    session.client("kinesis", endpoint_url=endpoint).list_streams()
    session.client("dynamodb", endpoint_url=endpoint).list_tables()
    running = of(str(script.folder))
    assert {"java", "node"} <= {process.name() for process in running}
    main = next(process for process in running if "localstack.runtime.main" in process.cmdline())
    main.kill()
    psutil.wait_procs([main], timeout=10)
    assert "does not run" in script("status", code=1)
    script("down")
    assert of(str(script.folder)) == []
    assert not script.folder.exists()
    assert "does not run" in script("down")


def test_up_that_is_ended_leaves_nothing(tmp_path):
    script = Script(tmp_path / "state")
    up = subprocess.Popen(
        [LOCALSTACK / "up", "--in", script.folder, "--port", "0", "--processes"], stderr=subprocess.PIPE, text=True
    )
    for line in up.stderr:
        if "starts at" in line:
            up.send_signal(signal.SIGTERM)
            break
    up.communicate()
    assert up.returncode == 1
    assert of(str(script.folder)) == []
    assert not script.folder.exists()


def test_a_port_that_is_taken_is_told(started, tmp_path):
    port = started[1].rpartition(":")[2]
    told = Script(tmp_path / "state")("up", "--port", port, "--processes", code=1)
    assert "something else listens" in told


def test_scripts_say_what_they_do():
    for name in ("up", "down", "status"):
        help = subprocess.run([LOCALSTACK / name, "--help"], capture_output=True, text=True, check=True)
        assert f"localstack/{name}" in help.stdout
        wrong = subprocess.run([LOCALSTACK / name, "--no"], capture_output=True, text=True)
        assert wrong.returncode == 2 and "--no" in wrong.stderr
