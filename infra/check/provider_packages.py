"""Where the schemas of providers come from, without any of the providers: npm packages, pinned, read once and kept in target/."""

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import provider_schema

KEPT = Path(__file__).resolve().parents[2] / "target" / "provider-schemas"


@dataclass(frozen=True)
class Package:
    name: str
    # What npm says of the package, as in a package-lock.json.
    integrity: str
    # The version of the provider that the package was made from.
    provider: str


# By the provider's name, the last part of `source = "hashicorp/…"`.
PACKAGES = {
    "aws": Package(
        "@cdktf/provider-aws@21.22.1",
        "sha512-BuSHeaQFUL9l33pBzIMRT7cTQ69AM2mLtijjteCPhVQRmvuhuj9Lvfymf7knAMhYqAT6+Lrls9jiGVW/Us3zrQ==",
        "6.25.0",
    ),
    "azurerm": Package(
        "@cdktf/provider-azurerm@14.23.1",
        "sha512-3H20Ozj7dOKmIj6mqorHZEjLNo5wO/MBEVHwu6k53fln/0EciGQa9sDLWBYSb0o40Ycpih9lFp/k6SGRbFlQVg==",
        "4.55.0",
    ),
    "google": Package(
        "@cdktf/provider-google@16.12.1",
        "sha512-KqNA/5RiFT07r0PSZ6/07cJ2zESUgbj1JchVj21iBFBZVUbD+578xA/k8eq/r0cbyEgLmg9eYWeVslaYah4DCQ==",
        "6.50.0",
    ),
}


class NotHere(Exception):
    """A schema cannot be had on this machine; the text says why."""


def kept(provider: str) -> Path:
    """The file a schema is kept in. Its name changes with the package and with how it is read."""
    package = PACKAGES[provider]
    reader = Path(provider_schema.__file__).read_bytes()
    digest = hashlib.sha256(package.integrity.encode() + reader).hexdigest()[:12]
    return KEPT / f"{provider}-{package.provider}-{digest}.json"


def fetch(provider: str):
    """Reads a schema out of its package, unless it is kept."""
    if kept(provider).exists():
        return
    with tempfile.TemporaryDirectory() as scratch:
        schema = provider_schema.read(_sources(_download(PACKAGES[provider], Path(scratch))))
    KEPT.mkdir(parents=True, exist_ok=True)
    for old in KEPT.glob(f"{provider}-*"):
        old.unlink()
    half = kept(provider).with_suffix(".half")
    half.write_text(json.dumps(schema))
    half.rename(kept(provider))


def _download(package: Package, folder: Path) -> Path:
    if not shutil.which("npm"):
        raise NotHere("npm is not here")
    npm = ["npm", "pack", "--json", "--ignore-scripts", "--loglevel", "error", "--pack-destination", str(folder), package.name]
    try:
        subprocess.run(npm, stdout=subprocess.DEVNULL, check=True, timeout=300)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        raise NotHere(f"npm cannot download {package.name}") from None
    archive = next(folder.glob("*.tgz"))
    # Not npm's word for it: the bytes themselves.
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != package.integrity:
        raise ValueError(f"{package.name} is not what it was: its bytes do not match the integrity in {__file__}")
    return archive


def _sources(archive: Path) -> dict[str, list[str]]:
    """The TypeScript of each folder of the package: one resource, one data source or the provider."""
    sources = defaultdict(list)
    with tarfile.open(archive) as files:
        for file in files:
            parts = Path(file.name).parts
            if parts[1:2] == ("lib",) and len(parts) > 3 and file.name.endswith(".js"):
                sources[parts[2]].append(provider_schema.type_script(files.extractfile(file).read().decode()))
    return sources
