"""A function is a process: what comes of it is told as Lambda tells it, and no process is left."""

import contextlib
import io
import json
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import boto3
import psutil
import pytest
from botocore.config import Config
from conftest import until

# It runs with this Python, whatever python3 is on PATH.
BOOTSTRAP = f"#!{sys.executable}\n" + Path(__file__).with_name("bootstrap.py").read_text()
NUMBERS = count()


@pytest.fixture(scope="session")
def client(started):
    def make(service: str):
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-central-1")
        return session.client(service, endpoint_url=started[1], config=Config(retries={"total_max_attempts": 1}))

    return make


class Function:
    def __init__(self, client, name: str) -> None:
        self.lambda_, self.logs, self.name = client("lambda"), client("logs"), name
        self.invocations = 0

    def invoke(self, event: dict, **more) -> dict:
        self.invocations += 1
        answer = self.lambda_.invoke(FunctionName=self.name, Payload=json.dumps(event), **more)
        return {"error": answer.get("FunctionError"), "says": json.load(answer["Payload"])}

    def pid(self, **more) -> int:
        return self.invoke({"do": "answer"}, **more)["says"]["pid"]

    def log(self) -> str:
        """As soon as the last invocation's is there."""

        def whole() -> str | None:
            with contextlib.suppress(self.logs.exceptions.ResourceNotFoundException):
                events = self.logs.filter_log_events(logGroupName=f"/aws/lambda/{self.name}")["events"]
                log = "".join(event["message"] for event in events)
                return log if log.count("REPORT") == self.invocations else None

        return until(f"{self.invocations} invocations are not in the log", whole)


@pytest.fixture
def function(client):
    lambda_, made = client("lambda"), []

    def create(timeout: int = 20, **variables: str) -> Function:
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as zip:
            file = zipfile.ZipInfo("bootstrap")
            file.external_attr = 0o755 << 16
            zip.writestr(file, BOOTSTRAP)
        name = f"function-{next(NUMBERS)}"
        lambda_.create_function(
            FunctionName=name,
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role="arn:aws:iam::000000000000:role/any",
            Code={"ZipFile": package.getvalue()},
            Timeout=timeout,
            Environment={"Variables": variables},
        )
        made.append(name)
        lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        return Function(client, name)

    yield create
    for name in made:
        with contextlib.suppress(lambda_.exceptions.ResourceNotFoundException):
            lambda_.delete_function(FunctionName=name)


def test_it_gets_what_lambda_gives_it_and_stays_warm(function, started):
    flights = function(STATE="dynamodb://state")
    first = flights.invoke({"do": "answer"})["says"]
    environment = first["environment"]
    assert environment["STATE"] == "dynamodb://state"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == flights.name
    assert environment["AWS_ENDPOINT_URL"] == started[1]
    assert environment["AWS_REGION"] == "eu-central-1"
    assert 15_000 < first["left_ms"] <= 20_000
    assert first["arn"].endswith(f":function:{flights.name}")
    assert flights.pid() == first["pid"]


def test_what_it_writes_is_in_its_log_group(function):
    flights = function()
    flights.invoke({"do": "answer", "mark": 1})
    log = flights.log()
    start, end = log.index("START RequestId: "), log.index("END RequestId: ")
    assert start < log.index('asked for {"do": "answer", "mark": 1}') < end < log.index("REPORT RequestId: ")
    assert "Init Duration" in log


def test_an_error_is_told_and_the_process_goes_on(function):
    flights = function()
    pid = flights.pid()
    told = flights.invoke({"do": "error"})
    assert told == {"error": "Unhandled", "says": {"errorType": "Fatal", "errorMessage": "no such table"}}
    assert flights.pid() == pid


@pytest.mark.parametrize(("code", "message"), [(3, "with error: exit status 3"), (0, "without providing a reason")])
def test_a_process_that_ends_is_started_again(function, code, message):
    flights = function()
    pid = flights.pid()
    told = flights.invoke({"do": "exit", "code": code})
    assert (told["error"], told["says"]["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert told["says"]["errorMessage"].endswith(f"Error: Runtime exited {message}")
    assert flights.pid() != pid


def test_a_process_that_is_killed_leaves_no_child(function):
    flights = function()
    told = flights.invoke({"do": "leave a child and die"})
    assert told["says"]["errorMessage"].endswith("Runtime exited with error: signal: killed")
    child = int(flights.log().partition("its pid is ")[2].split()[0])
    psutil.wait_procs([psutil.Process(child)] if psutil.pid_exists(child) else [], timeout=5)
    assert not psutil.pid_exists(child)


def test_time_is_up(function):
    flights = function(timeout=1)
    pid = flights.pid()
    told = flights.invoke({"do": "sleep"})
    assert (told["error"], told["says"]["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert told["says"]["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert not psutil.pid_exists(pid)
    assert flights.pid() != pid
    assert "Task timed out after 1.00 seconds" in flights.log()


def test_what_is_wrong_at_init_is_told_with_the_invocation(function):
    ends = function(INIT="exit")
    assert ends.invoke({})["says"]["errorMessage"] == "Runtime exited with error: exit status 2"
    assert "the pipeline file has a mistake" in ends.log()
    says = function(INIT="error")
    assert says.invoke({})["says"] == {"errorType": "Mistake", "errorMessage": "in the pipeline file"}


def test_an_answer_has_a_size(function):
    flights = function()
    pid = flights.pid()
    told = flights.invoke({"do": "too much"})
    assert (told["error"], told["says"]["errorType"]) == ("Unhandled", "Function.ResponseSizeTooLarge")
    # It was told so, with 413, and goes on.
    assert flights.pid() == pid
    assert "Response payload size exceeded" in flights.log() and "answered 413" in flights.log()


def test_invocations_at_the_same_time_have_processes_of_their_own(function):
    flights = function()
    with ThreadPoolExecutor() as pool:
        answers = pool.map(lambda _: flights.invoke({"do": "answer", "after": 1}), range(3))
        assert len({answer["says"]["pid"] for answer in answers}) == 3


def test_versions_are_served_beside_each_other(function):
    flights = function(STATE="one")
    lambda_, name = flights.lambda_, flights.name
    lambda_.publish_version(FunctionName=name)
    lambda_.update_function_configuration(FunctionName=name, Environment={"Variables": {"STATE": "two"}})
    lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    seen = [flights.invoke({"do": "answer"}, Qualifier=which)["says"]["environment"] for which in ("live", "$LATEST")]
    assert [(of["STATE"], of["AWS_LAMBDA_FUNCTION_VERSION"]) for of in seen] == [("one", "1"), ("two", "$LATEST")]


def test_provisioned_concurrency_is_warm_before_it_is_asked(function):
    flights = function()
    lambda_ = flights.lambda_
    lambda_.publish_version(FunctionName=flights.name)
    wanted = {"FunctionName": flights.name, "Qualifier": "1"}
    lambda_.put_provisioned_concurrency_config(**wanted, ProvisionedConcurrentExecutions=1)

    def state() -> str | None:
        state = lambda_.get_provisioned_concurrency_config(**wanted)["Status"]
        return None if state == "IN_PROGRESS" else state

    assert until("provisioned concurrency is not there", state) == "READY"
    said = flights.invoke({"do": "answer"}, Qualifier="1")["says"]["environment"]
    assert said["AWS_LAMBDA_INITIALIZATION_TYPE"] == "provisioned-concurrency"


def test_a_deleted_function_has_no_process(function):
    flights = function()
    pid = flights.pid()
    flights.lambda_.delete_function(FunctionName=flights.name)
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=5)
    assert not psutil.pid_exists(pid)


def test_status_names_it(function, started, monkeypatch):
    flights = function()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    status = started[0]("status")
    (functions,) = [line for line in status.splitlines() if line.startswith("functions, eu-central-1:")]
    assert flights.name in functions.split()
    assert "lambda" in status
