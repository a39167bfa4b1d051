"""The real providers, where this machine has them in a mirror: folders laid out as `terraform providers mirror` lays them."""

import os
import platform
import re
from pathlib import Path

from packaging.specifiers import SpecifierSet

MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def places() -> list[Path]:
    """TERRAFORM_MIRROR, Terraform's plug-in cache, and the folders it looks into by itself."""
    home, share = Path.home(), Path("/usr/local/share")
    named = [os.environ.get("TERRAFORM_MIRROR"), os.environ.get("TF_PLUGIN_CACHE_DIR")]
    data = [os.environ.get("XDG_DATA_HOME") or home / ".local/share", share, "/usr/share"]
    data += [folder for folder in os.environ.get("XDG_DATA_DIRS", "").split(":") if folder]
    implied = [home / ".terraform.d/plugins"] + [Path(folder) / "terraform/plugins" for folder in data]
    return [Path(place) for place in named if place] + implied


def find(provider: str, constraint: str) -> Path | None:
    """The mirror that has a provider for this machine, in a version that its folder allows."""
    allowed = SpecifierSet(constraint)
    return next((place for place in places() if any(version in allowed for version in versions(place, provider))), None)


def versions(place: Path, provider: str) -> list[str]:
    machine = f"{platform.system().lower()}_{MACHINES.get(platform.machine(), platform.machine())}"
    unpacked = place.glob(f"*/hashicorp/{provider}/*/{machine}/terraform-provider-{provider}_*")
    packed = place.glob(f"*/hashicorp/{provider}/terraform-provider-{provider}_*_{machine}.zip")
    name = re.compile(rf"terraform-provider-{provider}_(?P<version>[^_]+)_{machine}\.zip")
    return [file.parent.parent.name for file in unpacked] + [name.fullmatch(file.name)["version"] for file in packed]
