"""localstack/up, status and down."""

import json
import os
import signal
import subprocess
import sys
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


DOCKER = """#!/bin/sh
# In place of Docker, which few machines of tests have: what is asked of it, and a server that is healthy.
echo "$@" >>{folder}/asked
case "$*" in
    *" up "*) {python} {folder}/healthy.py $PORT >/dev/null 2>&1 & echo $! >{folder}/pid ;;
    *" down "*) kill "$(cat {folder}/pid)" ;;
esac
"""
HEALTHY = """
import http.server, sys
class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Healthy).serve_forever()
"""


def test_where_docker_answers_it_is_asked(tmp_path, monkeypatch):
    (tmp_path / "healthy.py").write_text(HEALTHY)
    docker = tmp_path / "docker"
    docker.write_text(DOCKER.format(folder=tmp_path, python=sys.executable))
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    script = Script(tmp_path / "state")
    told = script("up", "--port", "0")
    port = told.rpartition("AWS_ENDPOINT_URL=http://127.0.0.1:")[2].split()[0]
    assert f"http://127.0.0.1:{port}, by docker" in script("status")
    script("down")
    project = f"compose --project-name fourstroke-{port} --file compose.yaml"
    assert (tmp_path / "asked").read_text().splitlines() == [
        "info",
        f"{project} up --detach --wait --quiet-pull",
        f"{project} down --volumes --timeout 30",
    ]
    assert not script.folder.exists()


def test_scripts_say_what_they_do():
    for name in ("up", "down", "status"):
        help = subprocess.run([LOCALSTACK / name, "--help"], capture_output=True, text=True, check=True)
        assert f"localstack/{name}" in help.stdout
        wrong = subprocess.run([LOCALSTACK / name, "--no"], capture_output=True, text=True)
        assert wrong.returncode == 2 and "--no" in wrong.stderr
