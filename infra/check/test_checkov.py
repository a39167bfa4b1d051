"""checkov finds nothing in template.yaml and infra/ but what is skipped there, beside the resource, for a reason."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import sam
import terraform

CHECKOV = terraform.ROOT / "target/venv-checkov/bin/checkov"
CHECKED = ["template.yaml", *terraform.folders()]
SKIP_LINE = re.compile(r"^ *#\s*checkov:skip=.*\n", re.M)
SKIP_METADATA = re.compile(r"^( +)checkov:\n(?:\1 .*\n)+", re.M)
# One way in each to be less safe, and the check that says so.
LESS_SAFE = {
    "template.yaml": ("PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false", "CKV_AWS_28"),
    "aws": ("block_public_acls       = true", "block_public_acls       = false", "CKV_AWS_53"),
}


@pytest.fixture
def copied(tmp_path):
    """What is checked, where it can be changed: with `change` applied to each text."""

    def get(what: str, change=lambda text: text) -> Path:
        source = sam.TEMPLATE if what == "template.yaml" else terraform.INFRA / what
        copy = tmp_path / str(len(list(tmp_path.iterdir()))) / what
        copy.parent.mkdir()
        if source.is_file():
            shutil.copy(source, copy)
        else:
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns(".terraform*", "tests"))
        for file in [copy] if copy.is_file() else copy.glob("*.tf"):
            file.write_text(change(file.read_text()))
        return copy

    return get


def checkov(path: Path) -> dict:
    if not CHECKOV.exists():
        pytest.skip("checkov is not installed")
    where = ["-f", path.name, "--framework", "cloudformation"] if path.is_file() else ["-d", path.name, "--framework", "terraform"]
    # Without a key of its maker's it asks for nothing.
    command = [CHECKOV, "--skip-download", "--compact", "-o", "json", *where]
    env = {key: value for key, value in os.environ.items() if not key.startswith(("BC_", "CKV_", "AWS_"))}
    ran = subprocess.run(command, cwd=path.parent, env=env, capture_output=True, text=True, timeout=120)
    report = json.loads(ran.stdout)
    assert report["summary"]["parsing_errors"] == 0 and report["summary"]["passed"] > 0, report["summary"]
    return report["results"]


def told(checks: list[dict]) -> set[tuple[str, str]]:
    return {(check["check_id"], check["resource"]) for check in checks}


@pytest.mark.parametrize("what", CHECKED)
def test_nothing_is_found_but_what_is_skipped(what, copied):
    results = checkov(copied(what))
    assert told(results["failed_checks"]) == set()
    unskipped = checkov(copied(what, lambda text: SKIP_LINE.sub("", SKIP_METADATA.sub("", text))))
    assert told(unskipped["failed_checks"]) == told(results["skipped_checks"]), "a skip that skips nothing, or skips too much"
    for check in results["skipped_checks"]:
        reason = check["check_result"].get("suppress_comment") or ""
        assert len(reason.split()) >= 5, f"{check['check_id']} of {check['resource']} is skipped without a reason: {reason!r}"


@pytest.mark.parametrize("what", LESS_SAFE)
def test_what_is_less_safe_is_found(what, copied):
    safe, less, check = LESS_SAFE[what]
    changed = copied(what, lambda text: text.replace(safe, less))
    assert check in {found for found, _ in told(checkov(changed)["failed_checks"])}
