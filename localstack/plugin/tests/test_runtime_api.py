"""What a process may say to its Runtime API, and what it is answered."""

import http.client
import json

import pytest
from fourstroke_localstack.runtime_api import Invocation, RuntimeApi

TOO_MUCH = b"0" * 7_000_000


@pytest.fixture
def api():
    api = RuntimeApi()
    yield api
    api.close()


def call(api: RuntimeApi, method: str, path: str, body: bytes | None = None, **more) -> int:
    connection = http.client.HTTPConnection(api.address, timeout=20)
    connection.request(method, f"/2018-06-01/runtime/{path}", body, **more)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


@pytest.mark.parametrize("what", ["response", "error"])
@pytest.mark.parametrize("chunked", [False, True])
def test_what_is_too_large_ends_the_invocation(api, what, chunked):
    given = api.give(Invocation("1", "arn", "trace", b"{}", 0))
    assert call(api, "GET", "invocation/next") == 200
    body = iter([TOO_MUCH]) if chunked else TOO_MUCH
    assert call(api, "POST", f"invocation/1/{what}", body, encode_chunked=chunked) == 413
    outcome = given.result(0)
    assert outcome.is_error and not outcome.ends_process
    assert json.loads(outcome.payload)["errorType"] == "Function.ResponseSizeTooLarge"
    # It has answered, with that.
    assert call(api, "POST", "invocation/1/response", b"late") == 400


def test_an_init_error_that_is_too_large_ends_the_init(api):
    assert call(api, "POST", "init/error", TOO_MUCH) == 413
    assert json.loads(api.ready.result(0).payload)["errorType"] == "Function.ResponseSizeTooLarge"
