"""Lambda's Runtime API for one process: it asks for what to do and answers."""

import queue
import threading
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass

from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.routing import Map, Rule
from werkzeug.serving import WSGIRequestHandler, make_server

from fourstroke_localstack.outcome import READY, Outcome

ANSWER_BYTES = 6 * 1024 * 1024 + 100

_ROUTES = Map(
    [
        Rule("/2018-06-01/runtime/invocation/next", methods=["GET"], endpoint="next"),
        Rule("/2018-06-01/runtime/invocation/<id>/response", methods=["POST"], endpoint="response"),
        Rule("/2018-06-01/runtime/invocation/<id>/error", methods=["POST"], endpoint="error"),
        Rule("/2018-06-01/runtime/init/error", methods=["POST"], endpoint="init_error"),
    ]
)


@dataclass(frozen=True)
class Invocation:
    id: str
    arn: str
    trace_id: str
    payload: bytes
    deadline_ms: int


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *args) -> None:
        pass


class RuntimeApi:
    """`ready` ends with the init, what `give` returns with the invocation: by the process, or by its end."""

    def __init__(self) -> None:
        self.ready: Future[Outcome] = Future()
        self._lock = threading.Lock()
        self._current: tuple[str, Future[Outcome]] | None = None
        self._exit_code: int | None = None
        self._waiting: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._server = make_server("127.0.0.1", 0, self._serve, threaded=True, request_handler=_Quiet)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="runtime-api", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def give(self, invocation: Invocation) -> "Future[Outcome]":
        outcome: Future[Outcome] = Future()
        with self._lock:
            if self._exit_code is None:
                self._current = (invocation.id, outcome)
                self._waiting.put(invocation)
            else:
                outcome.set_result(Outcome.exited(self._exit_code, invocation.id))
        return outcome

    def process_ended(self, code: int) -> None:
        with self._lock:
            self._exit_code = code
            _end(self.ready, Outcome.exited(code))
            if self._current:
                id, outcome = self._current
                _end(outcome, Outcome.exited(code, id))

    def close(self) -> None:
        # Who waits for an invocation is let go first.
        self._waiting.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _serve(self, environ, start_response):
        request = Request(environ)
        # One more than may be: what comes in chunks is cut here without a word.
        request.max_content_length = ANSWER_BYTES + 1
        try:
            endpoint, values = _ROUTES.bind_to_environ(environ).match()
            answer = getattr(self, f"_{endpoint}")(request, **values)
        except HTTPException as refused:
            answer = refused
        return answer(environ, start_response)

    def _next(self, request: Request) -> Response:
        _end(self.ready, READY)
        invocation = self._waiting.get()
        if invocation is None:
            return Response(status=410)
        return Response(
            invocation.payload,
            content_type="application/json",
            headers={
                "Lambda-Runtime-Aws-Request-Id": invocation.id,
                "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
                "Lambda-Runtime-Trace-Id": invocation.trace_id,
                "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            },
        )

    def _response(self, request: Request, id: str) -> Response:
        outcome, status = _sent(request)
        return self._answered(id, outcome, status)

    def _error(self, request: Request, id: str) -> Response:
        outcome, status = _sent(request, is_error=True)
        return self._answered(id, outcome, status)

    def _init_error(self, request: Request) -> Response:
        outcome, status = _sent(request, is_error=True)
        _end(self.ready, outcome)
        return Response(status=status)

    def _answered(self, id: str, outcome: Outcome, status: int) -> Response:
        with self._lock:
            current = self._current
            if current and current[0] == id and _end(current[1], outcome):
                return Response(status=status)
        # What answers late, or twice, is told so.
        return Response('{"errorType": "InvalidRequestID"}', status=400, content_type="application/json")


def _sent(request: Request, is_error: bool = False) -> tuple[Outcome, int]:
    """What the process says, and how that is answered. The server reads what is too large to its end."""
    try:
        body = request.get_data()
        if len(body) > ANSWER_BYTES:
            raise RequestEntityTooLarge
        return Outcome(body, is_error), 202
    except RequestEntityTooLarge:
        message = f"Response payload size exceeded maximum allowed payload size ({ANSWER_BYTES} bytes)."
        return Outcome.error("Function.ResponseSizeTooLarge", message), 413


def _end(future: "Future[Outcome]", outcome: Outcome) -> bool:
    """The first one decides."""
    try:
        future.set_result(outcome)
    except InvalidStateError:
        return False
    return True
