import os
import subprocess
import time
from pathlib import Path

import pytest
from fourstroke_localstack.stop import of

LOCALSTACK = Path(__file__).resolve().parents[2]


class Script:
    """localstack/up, status and down, about a folder of the tests'."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [LOCALSTACK / name, "--in", self.folder, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    def up(self) -> str:
        """Its endpoint."""
        told = self("up", "--port", "0", "--processes")
        (endpoint,) = {word.removeprefix("AWS_ENDPOINT_URL=") for word in told.split() if word.startswith("AWS_ENDPOINT_URL=")}
        return endpoint


def until(what: str, look, seconds: float = 60):
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"after {seconds} s: {what}")


@pytest.fixture(scope="session")
def started(tmp_path_factory):
    script = Script(tmp_path_factory.mktemp("localstack") / "state")
    try:
        yield script, script.up()
    finally:
        script("down")


@pytest.fixture
def script(tmp_path):
    """One of a test's own. Whatever the test comes to, nothing of it is left."""
    script = Script(tmp_path / "state")
    yield script
    subprocess.run([LOCALSTACK / "down", "--in", script.folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert of(str(script.folder)) == []


@pytest.fixture(autouse=True)
def no_account_of_this_machine(monkeypatch):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
