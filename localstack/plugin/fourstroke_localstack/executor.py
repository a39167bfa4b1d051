"""LocalStack's execution environment, as a process instead of a container."""

import concurrent.futures
import math
import threading
import time

from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import LambdaRuntimeException, RuntimeExecutor

from fourstroke_localstack.outcome import Outcome
from fourstroke_localstack.process import Process
from fourstroke_localstack.runtime_api import Invocation

# What an init may take. One that fails, or takes longer, begins anew within the next invocation's time.
INIT_SECONDS = 10


class ProcessExecutor(RuntimeExecutor):
    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id, function_version)
        self._environment: dict[str, str] = {}
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._stopped = False
        # What was written since the last answer, also by processes that have ended.
        self._written = ""
        self._init_ms: float | None = None

    def start(self, env_vars: dict[str, str]) -> None:
        self._environment = {name: str(value) for name, value in env_vars.items()}
        failure = self._init(INIT_SECONDS)
        if failure and self._environment["AWS_LAMBDA_INITIALIZATION_TYPE"] == "provisioned-concurrency":
            # No invocation waits that could be told.
            raise StatusErrorException("the function does not start", payload=failure.payload)

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
        self._end_process()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        began = time.time()
        id = payload["invoke-id"]
        outcome = self._outcome(payload, began + self.function_version.config.timeout)
        milliseconds = (time.time() - began) * 1000
        # Another thread may stop it meanwhile.
        process = self._process
        memory_mb = process.memory_mb() if process else 0
        if outcome.ends_process:
            self._end_process()
        report = (
            f"REPORT RequestId: {id}\tDuration: {milliseconds:.2f} ms\tBilled Duration: {math.ceil(milliseconds)} ms\t"
            f"Memory Size: {self.function_version.config.memory_size} MB\tMax Memory Used: {memory_mb} MB"
        )
        if self._init_ms is not None:
            report += f"\tInit Duration: {self._init_ms:.2f} ms"
        start = f"START RequestId: {id} Version: {self.function_version.id.qualifier}"
        logs = "\n".join([start, self.get_logs(), outcome.message, f"END RequestId: {id}", report, ""])
        self._written, self._init_ms = "", None
        return InvocationResult(id, outcome.payload, is_error=outcome.is_error, logs=logs)

    def _outcome(self, payload: dict[str, str], deadline: float) -> Outcome:
        id, seconds = payload["invoke-id"], self.function_version.config.timeout
        process = self._process
        if process is None or not process.alive:
            self._end_process()
            if failure := self._init(seconds):
                return failure
            process = self._process
        invocation = Invocation(
            id, payload["invoked-function-arn"], payload["trace-id"], payload["payload"].encode(), int(deadline * 1000)
        )
        if process is None:
            return Outcome.error("Runtime.ExitError", "the function was stopped", id)
        try:
            return process.api.give(invocation).result(max(0.0, deadline - time.time()))
        except concurrent.futures.TimeoutError:
            return Outcome.timed_out(seconds, id)

    def _init(self, within: float) -> Outcome | None:
        """Starts a process; what went wrong, if something did."""
        began = time.perf_counter()
        with self._lock:
            if self._stopped:
                return Outcome.error("Runtime.ExitError", "the function was stopped")
            try:
                process = Process(self.function_version.config.code.get_unzipped_code_location(), self._environment)
            except OSError as error:
                return Outcome.error("Runtime.InvalidEntrypoint", f"bootstrap cannot be run: {error.strerror}")
            self._process = process
        try:
            outcome = process.api.ready.result(within)
        except concurrent.futures.TimeoutError:
            outcome = Outcome.timed_out(within)
        self._init_ms = (time.perf_counter() - began) * 1000
        if not outcome.is_error:
            return None
        self._end_process()
        return outcome

    def _end_process(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process:
            process.stop()
            self._written += process.new_log()

    def get_logs(self) -> str:
        if process := self._process:
            self._written += process.new_log()
        return self._written.rstrip()

    def get_address(self) -> str:
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        # LocalStack's init in containers wants one; a process has `AWS_LAMBDA_RUNTIME_API`.
        return ""

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        config = function_version.config
        if config.code is None or not (config.runtime or "").startswith("provided."):
            raise LambdaRuntimeException("without Docker only a zip with a bootstrap can run: of a runtime provided.*")
        config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        pass
