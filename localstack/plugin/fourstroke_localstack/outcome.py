"""What became of an init or an invocation, in Lambda's words."""

import json
from dataclasses import dataclass
from signal import strsignal


@dataclass(frozen=True)
class Outcome:
    payload: bytes
    is_error: bool = False
    # What Lambda itself says of it, in the log too.
    message: str = ""
    # Whether the process ends with it. One that has said something goes on.
    ends_process: bool = False

    @classmethod
    def error(cls, kind: str, message: str, request_id: str | None = None, ends_process: bool = False) -> "Outcome":
        if request_id:
            message = f"RequestId: {request_id} Error: {message}"
        return cls(json.dumps({"errorType": kind, "errorMessage": message}).encode(), True, message, ends_process)

    @classmethod
    def exited(cls, code: int, request_id: str | None = None) -> "Outcome":
        if code == 0:
            message = "Runtime exited without providing a reason"
        elif code > 0:
            message = f"Runtime exited with error: exit status {code}"
        else:
            message = f"Runtime exited with error: signal: {strsignal(-code).lower()}"
        return cls.error("Runtime.ExitError", message, request_id, ends_process=True)

    @classmethod
    def timed_out(cls, seconds: float, request_id: str | None = None) -> "Outcome":
        message = f"Task timed out after {seconds:.2f} seconds"
        return cls.error("Sandbox.Timedout", message, request_id, ends_process=True)


READY = Outcome(b"")
