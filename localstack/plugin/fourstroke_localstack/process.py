"""A package's `bootstrap` as a process of this machine, with a Runtime API of its own."""

import os
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

import psutil

from fourstroke_localstack.runtime_api import RuntimeApi

# Of what is written between two answers, so much is kept.
LOG_BYTES = 1024 * 1024

# All that a function gets of LocalStack's own environment. By the last one `localstack/down` knows it.
INHERITED = ("PATH", "TMPDIR", "FOURSTROKE_LOCALSTACK")


class Process:
    def __init__(self, task_root: Path, environment: dict[str, str]) -> None:
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        self.api = RuntimeApi()
        # A file, not a pipe: what was written before an answer is in it when the answer is there.
        with tempfile.NamedTemporaryFile("ab") as log:
            self._log = open(log.name, "rb")
            try:
                self._child = subprocess.Popen(
                    [task_root / "bootstrap"],
                    cwd=task_root,
                    env=inherited
                    | environment
                    | {"AWS_LAMBDA_RUNTIME_API": self.api.address, "LAMBDA_TASK_ROOT": str(task_root)},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    process_group=0,
                )
            except OSError:
                self._log.close()
                self.api.close()
                raise
        self._lock = threading.Lock()
        self.alive = True
        self._watch = threading.Thread(target=self._wait, name="function-process", daemon=True)
        self._watch.start()

    def _wait(self) -> None:
        # Not reaped yet: until then nobody else's group has this number.
        os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            self._kill()
            code = self._child.wait()
            self.alive = False
        self.api.process_ended(code)

    def _kill(self) -> None:
        try:
            os.killpg(self._child.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            # macOS says the second of a group where all have ended.
            pass

    def stop(self) -> None:
        """Ends it, and what it started. Its log can still be read."""
        with self._lock:
            if self.alive:
                self._kill()
        self._watch.join()
        self.api.close()

    def memory_mb(self) -> int:
        try:
            return psutil.Process(self._child.pid).memory_info().rss // (1024 * 1024)
        except psutil.NoSuchProcess:
            return 0

    def new_log(self) -> str:
        """What was written since this was asked last."""
        written = self._log.read(LOG_BYTES)
        left_out = os.fstat(self._log.fileno()).st_size - self._log.tell()
        text = written.decode(errors="replace")
        if left_out > 0:
            self._log.seek(0, os.SEEK_END)
            text += f"\n[{left_out} bytes are left out]\n"
        return text
