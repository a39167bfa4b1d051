"""The package, and the stack that template.yaml makes of it."""

import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

import show
from local_aws import REGION, ROOT, Failed, LocalAws

STACK = "flights"
ARCHITECTURE = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")


def package(fourstroke: Path, binary: Path, aws: LocalAws) -> Path:
    began = time.monotonic()
    target = aws.folder / "out/function.zip"
    aws.run(
        "package",
        [fourstroke, "package", ROOT / "examples/flights/pipeline.yaml", "--for", "lambda", "--architecture", ARCHITECTURE]
        # Without Docker it runs on this machine, whose glibc may be newer than Lambda's.
        + (["--glibc", os.confstr("CS_GNU_LIBC_VERSION").split()[-1]] if aws.on_this_machine else [])
        + ["--binary", stripped(binary, aws.folder), "--to", target],
    )
    show.line(f"fourstroke package: {target.stat().st_size / 1e6:.1f} MB in {time.monotonic() - began:.1f} s")
    return target


def stripped(binary: Path, folder: Path) -> Path:
    """Debug builds carry hundreds of megabytes that Lambda does not take."""
    if binary.stat().st_size < 100e6 or not shutil.which("strip"):
        return binary
    copy = folder / "bootstrap"
    subprocess.run(["strip", "-o", copy, binary], check=True)
    return copy


def deploy(aws: LocalAws, package: Path) -> dict[str, str]:
    """What the stack puts out."""
    began = time.monotonic()
    bucket = "fourstroke-demo-packages"
    aws.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    # It stays where it is; its package is beside this copy.
    template = shutil.copy(ROOT / "template.yaml", package.parent.parent)
    # One shard, so that the stream's order is that of the events; few retries, so that a failing batch is given up soon.
    parameters = [f"Architecture={ARCHITECTURE}", "Shards=1", "ActionShards=1", "RetryAttempts=1", "KeepData=false"]
    aws.run(
        "sam-deploy",
        [Path(sys.executable).with_name("sam"), "deploy", "--template-file", template, "--stack-name", STACK]
        + ["--region", REGION, "--s3-bucket", bucket, "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"]
        + ["--no-progressbar", "--parameter-overrides", *parameters],
    )
    stack = aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise Failed(f"the stack is {stack['StackStatus']}")
    made = aws.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    show.line(f"sam deploy: {len(made)} resources in {time.monotonic() - began:.0f} s")
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
