"""The real providers, where this machine has them in a mirror: folders laid out as `terraform providers mirror` lays them."""

import os
import platform
from pathlib import Path

MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def places() -> list[Path]:
    """TERRAFORM_MIRROR, Terraform's plug-in cache, the folders it looks into by itself, and what is installed beside the system."""
    home, share = Path.home(), Path("/usr/local/share")
    named = [os.environ.get("TERRAFORM_MIRROR"), os.environ.get("TF_PLUGIN_CACHE_DIR")]
    data = [os.environ.get("XDG_DATA_HOME") or home / ".local/share", share, "/usr/share"]
    data += [folder for folder in os.environ.get("XDG_DATA_DIRS", "").split(":") if folder]
    implied = [home / ".terraform.d/plugins"] + [Path(folder) / "terraform/plugins" for folder in data]
    return [Path(place) for place in named if place] + implied + sorted(Path("/opt").glob("*"))


def find(provider: str) -> Path | None:
    """The mirror that has a provider for this machine."""
    machine = f"{platform.system().lower()}_{MACHINES.get(platform.machine(), platform.machine())}"
    unpacked = f"*/hashicorp/{provider}/*/{machine}/terraform-provider-{provider}_*"
    packed = f"*/hashicorp/{provider}/terraform-provider-{provider}_*_{machine}.zip"
    for place in places():
        if any(place.glob(unpacked)) or any(place.glob(packed)):
            return place
    return None
