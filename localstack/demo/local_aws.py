"""A LocalStack of the demo's own: at a free port, started and ended with it."""

import os
import signal
import subprocess
from pathlib import Path

import boto3
import show
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "target/localstack-demo"
REGION = "eu-central-1"


class Failed(SystemExit):
    """Ends the demo with exit code 1, after everything is taken down."""


class LocalAws:
    def __init__(self, folder: Path, processes: bool) -> None:
        self.folder = folder
        self._how = ["--processes"] if processes else []

    def __enter__(self) -> "LocalAws":
        show.step("LocalStack")
        # One that a killed demo left.
        self._script("down")
        try:
            self._up()
        except BaseException:
            self._script("down")
            raise
        return self

    def _up(self) -> None:
        told = self._script("up", "--port", "0", *self._how)
        told = dict(word.split("=", 1) for word in told.split() if "=" in word)
        self.endpoint = told["AWS_ENDPOINT_URL"]
        # Nothing of an account on this machine is read, nor anything left in its home.
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            **told,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "HOME": str(self.folder),
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_POLL_DELAY": "1",
        }

    @property
    def on_this_machine(self) -> bool:
        """Whether functions are its processes, and not in containers."""
        return (self.folder / "how").read_text().strip() == "processes"

    def __exit__(self, *_) -> None:
        # A second Ctrl-C must not cut this short.
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(how, signal.SIG_IGN)
        show.line(self._script("down").strip())

    def _script(self, name: str, *arguments: str) -> str:
        command = [ROOT / "localstack" / name, "--in", self.folder, *arguments]
        environment = {**os.environ, "AWS_REGION": REGION}
        # In a group of its own, so that Ctrl-C reaches this program alone, which ends it in its order.
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, process_group=0)
        try:
            told, _ = process.communicate()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if process.returncode:
            raise Failed(f"localstack/{name} failed")
        return told

    def client(self, service: str):
        session = boto3.Session(
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        config = Config(s3={"addressing_style": "path"}, proxies={}, retries={"max_attempts": 3})
        return session.client(service, endpoint_url=self.endpoint, config=config)

    def run(self, what: str, command: list, **more: str) -> None:
        """A command whose output matters where it fails."""
        log = self.folder / f"{what}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, env={**self.environment, **more}, cwd=ROOT, stdout=output, stderr=output)
            try:
                code = process.wait()
            except BaseException:
                process.kill()
                process.wait()
                raise
        if code:
            raise Failed(f"{log.read_text(errors='replace')}\n{what} failed")
