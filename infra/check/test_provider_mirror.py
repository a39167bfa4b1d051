"""A mirror is taken where it has a provider in a version that is allowed, packed or unpacked."""

import platform

import pytest

import provider_mirror
import terraform

MACHINE = f"{platform.system().lower()}_{provider_mirror.MACHINES.get(platform.machine(), platform.machine())}"
OURS = terraform.constraint("aws", "aws")


@pytest.fixture
def mirror(tmp_path):
    def make(name: str, file: str):
        made = tmp_path / name / "registry.example/hashicorp/aws" / file
        made.parent.mkdir(parents=True)
        made.touch()
        return tmp_path / name

    return make


@pytest.mark.parametrize("file", ["{0}/{1}/terraform-provider-aws_v{0}_x5", "terraform-provider-aws_{0}_{1}.zip"])
def test_one_of_another_version_is_passed_by(file, mirror, monkeypatch):
    made = {version: mirror(version, file.format(version, MACHINE)) for version in ("4.67.0", "7.0.0", "5.100.0", "6.25.0")}
    monkeypatch.setattr(provider_mirror, "places", lambda: list(made.values()))
    assert provider_mirror.find("aws", OURS) == made["5.100.0"]
    assert provider_mirror.find("aws", "") == made["4.67.0"]
    assert provider_mirror.find("aws", ">= 8") is None
    assert provider_mirror.find("google", "") is None


def test_one_for_another_machine_is_passed_by(mirror, monkeypatch):
    made = mirror("one", "terraform-provider-aws_5.100.0_plan9_mips.zip")
    monkeypatch.setattr(provider_mirror, "places", lambda: [made])
    assert provider_mirror.find("aws", OURS) is None


def test_ours_says_which_versions():
    assert OURS.startswith(">=")


def test_the_one_that_is_named_comes_first(tmp_path, monkeypatch):
    monkeypatch.setenv("TERRAFORM_MIRROR", str(tmp_path))
    assert provider_mirror.places()[0] == tmp_path
