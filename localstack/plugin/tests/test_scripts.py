"""localstack/up, status and down."""

import contextlib
import ipaddress
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request

import boto3
import psutil
import pytest
from conftest import LOCALSTACK
from fourstroke_localstack.stop import of


def client(service: str, endpoint: str):
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-central-1")
    return session.client(service, endpoint_url=endpoint)


def table_and_stream(endpoint: str) -> None:
    """A table is Java, a stream is Node.js."""
    kinesis, dynamodb = client("kinesis", endpoint), client("dynamodb", endpoint)
    kinesis.create_stream(StreamName="flights", ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName="flights", WaiterConfig={"Delay": 1})
    kinesis.put_record(StreamName="flights", Data=b"{}", PartitionKey="one")
    dynamodb.create_table(
        TableName="flights",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.put_item(TableName="flights", Item={"pk": {"S": "one"}})


def test_up_twice_is_one_and_status_tells_of_it(started):
    script, endpoint = started
    main = {process.pid for process in of(str(script.folder))}
    told = script("up")
    assert "runs already" in told and f"AWS_ENDPOINT_URL={endpoint}" in told
    assert "AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1" in told
    assert main <= {process.pid for process in of(str(script.folder))}
    status = script("status")
    assert f"LocalStack runs at {endpoint}" in status
    assert json.load(urllib.request.urlopen(f"{endpoint}/_localstack/health"))["version"] == "4.14.0"


def test_it_listens_on_loopback_alone(started):
    script, endpoint = started
    table_and_stream(endpoint)
    listening = {}
    for process in of(str(script.folder)):
        addresses = {at.laddr.ip for at in process.net_connections("tcp") if at.status == psutil.CONN_LISTEN}
        listening.setdefault(process.name(), set()).update(addresses)
    assert {"java", "node"} < listening.keys()
    assert all(ipaddress.ip_address(address).is_loopback for addresses in listening.values() for address in addresses), listening
    assert all(listening[name] for name in ("java", "node"))


def test_what_s3_keeps_is_an_instance_s_own_and_ends_with_it(started, script):
    # The same bucket in both, and objects that are too large for memory: those are files, without a name, in a bucket's folder.
    first, second = client("s3", started[1]), client("s3", script.up())
    for s3 in (first, second):
        s3.create_bucket(Bucket="shared", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        s3.put_object(Bucket="shared", Key="object", Body=b"0" * 1_000_000)
    assert all((folder / "s3/shared").is_dir() for folder in (started[0].folder, script.folder))
    second.delete_object(Bucket="shared", Key="object")
    second.delete_bucket(Bucket="shared")
    script("down")
    assert not script.folder.exists()
    first.put_object(Bucket="shared", Key="another", Body=b"1" * 1_000_000)
    assert {found["Key"] for found in first.list_objects_v2(Bucket="shared")["Contents"]} == {"object", "another"}


def test_down_ends_what_a_killed_localstack_left(script):
    endpoint = script.up()
    table_and_stream(endpoint)
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


def test_up_that_is_ended_leaves_nothing(script):
    up = subprocess.Popen(
        [LOCALSTACK / "up", "--in", script.folder, "--port", "0", "--processes"], stderr=subprocess.PIPE, text=True
    )
    try:
        for line in up.stderr:
            if "starts at" in line:
                up.send_signal(signal.SIGTERM)
                break
        up.communicate(timeout=60)
    finally:
        up.kill()
    assert up.returncode == 1
    assert of(str(script.folder)) == []
    assert not script.folder.exists()


def test_a_port_that_is_taken_is_told(started, script):
    port = started[1].rpartition(":")[2]
    assert "something else listens" in script("up", "--port", port, "--processes", code=1)


@pytest.mark.parametrize("port", ["http", "70000", "-1"])
def test_a_port_is_a_number(script, port):
    assert f"--port {port}: a port is a number" in script("up", "--port", port, code=2)
    assert not script.folder.exists()


def test_a_folder_with_something_of_others_is_left_alone(script):
    script.folder.mkdir()
    (script.folder / "how").write_text("I did it\n")
    (script.folder / "endpoint").write_text("http://127.0.0.1:1\n")
    assert "is not empty" in script("up", "--port", "0", "--processes", code=2)
    assert "does not run" in script("down")
    assert sorted(path.name for path in script.folder.iterdir()) == ["endpoint", "how"]


def test_a_folder_has_one_name_however_it_is_reached(script, tmp_path):
    (tmp_path / "checkout").symlink_to(LOCALSTACK.parent)
    (tmp_path / "link").symlink_to(tmp_path)
    through = [tmp_path / "checkout/localstack/up", "--in", tmp_path / "link/state", "--port", "0", "--processes"]
    up = subprocess.run(through, capture_output=True, text=True)
    assert up.returncode == 0, up.stderr
    # The lines that tell what to do next are about this one.
    assert f"localstack/down --in {script.folder} ends it" in up.stderr
    assert f"localstack/up --in {script.folder})" in script("status")
    assert of(str(script.folder)) != []
    script("down")
    assert of(str(script.folder)) == []


DOCKER = """#!/bin/sh
# In place of Docker, which few machines of tests have: what is asked of it, and a server that is healthy.
[ ! -e {folder}/gone ] || {{ echo "Cannot connect to the Docker daemon" >&2; exit 1; }}
echo "$@" >>{folder}/asked
case "$*" in
    *" up "*) {python} {folder}/healthy.py $PORT >/dev/null 2>&1 & echo $! >{folder}/pid ;;
    *" down "*) kill "$(cat {folder}/pid)" ;;
    "compose version") [ ! -e {folder}/no-compose ] ;;
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


@pytest.fixture
def docker(tmp_path, monkeypatch):
    """Its folder."""
    (tmp_path / "healthy.py").write_text(HEALTHY)
    docker = tmp_path / "docker"
    docker.write_text(DOCKER.format(folder=tmp_path, python=sys.executable))
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    yield tmp_path
    if (tmp_path / "pid").exists():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_where_docker_answers_it_is_asked(script, docker):
    told = script("up", "--port", "0")
    port = told.rpartition("AWS_ENDPOINT_URL=http://127.0.0.1:")[2].split()[0]
    assert f"http://127.0.0.1:{port}, by docker" in script("status")
    script("down")
    project = f"compose --project-name fourstroke-{port} --file compose.yaml"
    assert (docker / "asked").read_text().splitlines() == [
        "info",
        "compose version",
        f"{project} up --detach --wait --quiet-pull",
        f"{project} down --volumes --timeout 30",
    ]
    assert not script.folder.exists()


def test_docker_without_compose_is_no_docker(script, docker):
    (docker / "no-compose").touch()
    assert ", by processes" in script("up", "--port", "0")
    assert (docker / "asked").read_text().splitlines() == ["info", "compose version"]


def test_where_docker_has_gone_the_way_is_clear(script, docker):
    told = script("up", "--port", "0")
    port = told.rpartition("AWS_ENDPOINT_URL=http://127.0.0.1:")[2].split()[0]
    (docker / "gone").touch()
    told = script("down", code=1)
    assert "Cannot connect to the Docker daemon" in told
    assert f"docker compose --project-name fourstroke-{port} down --volumes" in told
    assert "does not run" in script("status", code=1)
    assert ", by processes" in script("up", "--port", "0", "--processes")


def test_up_goes_on_where_docker_has_gone_with_its_localstack(script, docker):
    script("up", "--port", "0")
    os.kill(int((docker / "pid").read_text()), signal.SIGKILL)
    (docker / "gone").touch()
    told = script("up", "--port", "0")
    assert "Docker did not end the LocalStack" in told and ", by processes" in told


def test_what_a_script_wants_is_told(script, tmp_path, monkeypatch):
    # All that it runs until then.
    for name in ("bash", "dirname", "mkdir", "cat"):
        (tmp_path / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "up: curl is not here" in script("up", "--port", "0", "--processes", code=1)
    assert "status: curl is not here" in script("status", code=1)


def test_scripts_say_what_they_do():
    for name in ("up", "down", "status"):
        help = subprocess.run([LOCALSTACK / name, "--help"], capture_output=True, text=True, check=True)
        assert f"localstack/{name}" in help.stdout
        wrong = subprocess.run([LOCALSTACK / name, "--no"], capture_output=True, text=True)
        assert wrong.returncode == 2 and "--no" in wrong.stderr
