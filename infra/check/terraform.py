"""Terraform on a copy of one of our folders, with no network and no account."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from provider_server import SchemaServer

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
# The first with validations that look at other variables.
OLDEST = (1, 9)
VARIABLES = "set.auto.tfvars.json"
RESOURCE = re.compile(r'^resource "(\w+)" "(\w+)" \{\n(.*?)^\}', re.M | re.S)
MANY = re.compile(r"^  (count|for_each)\s*=", re.M)
SOURCE = re.compile(r'source\s*=\s*"hashicorp/([\w-]+)"')


def missing() -> str | None:
    """Why nothing here can run on this machine."""
    if not shutil.which("terraform"):
        return "terraform is not here"
    version = json.loads(subprocess.check_output(["terraform", "version", "-json"]))["terraform_version"]
    if tuple(map(int, version.split("-")[0].split(".")[:2])) < OLDEST:
        return f"terraform {version} is older than {'.'.join(map(str, OLDEST))}"
    return None


def folders() -> list[str]:
    """Each folder of infra/ with Terraform in it, by name."""
    return sorted({file.parent.name for file in INFRA.glob("*/*.tf")})


def text(folder: str) -> str:
    return "\n".join(file.read_text() for file in sorted((INFRA / folder).glob("*.tf")))


def providers(folder: str) -> list[str]:
    return sorted(set(SOURCE.findall(text(folder))))


def types(folder: str, block: str) -> set[str]:
    """Types that a folder names in blocks of this kind: `resource` or `data`."""
    return set(re.findall(rf'^{block} "(\w+)"', text(folder), re.M))


def constraint(folder: str, provider: str) -> str:
    """Which versions of a provider a folder allows; all, where it says none. Only comparisons: Terraform's ~> is not Python's."""
    said = re.search(rf'source\s*=\s*"hashicorp/{provider}"\s+version\s*=\s*"([^"]*)"', text(folder))
    return said[1] if said else ""


@dataclass(frozen=True)
class Resource:
    type: str
    name: str
    # `count` or `for_each`, where there are many of it.
    many: str | None
    body: str

    @property
    def header(self) -> str:
        return f'resource "{self.type}" "{self.name}" {{\n'

    def attribute(self, name: str) -> str:
        """An expression that reads an attribute, of one of them."""
        address = f"{self.type}.{self.name}"
        return {"count": f"{address}[0].{name}", "for_each": f'{address}["any"].{name}'}.get(self.many, f"{address}.{name}")


def resources(folder: str) -> list[Resource]:
    """What a folder declares, as it is formatted by `terraform fmt`."""
    found = []
    for kind, name, body in RESOURCE.findall(text(folder)):
        many = MANY.search(body)
        found.append(Resource(kind, name, many and many[1], body))
    return found


@dataclass
class Terraform:
    """Terraform in a scratch folder: `folder` is where the copy of the module is."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    @classmethod
    def with_schemas(cls, name: str, scratch: Path, server: SchemaServer):
        return cls(_copy(name, scratch), {"TF_REATTACH_PROVIDERS": json.dumps(server.reattach)} | _configuration(scratch, []))

    @classmethod
    def with_mirrors(cls, name: str, scratch: Path, mirrors: set[Path]):
        return cls(_copy(name, scratch), _configuration(scratch, sorted(mirrors)))

    def run(self, *arguments: str, fails=False) -> subprocess.CompletedProcess:
        """Runs a command; a failure is the test's, with what Terraform said, unless it is what is asked for."""
        # Nothing of whoever runs the tests: no credentials, no settings of Terraform.
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("TF_", "AWS_", "GOOGLE_", "ARM_"))}
        env = kept | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"} | self.env
        ran = subprocess.run(["terraform", *arguments], cwd=self.folder, env=env, capture_output=True, text=True, timeout=300)
        if bool(ran.returncode) != fails:
            wanted = "was to be refused" if fails else "failed"
            raise AssertionError(f"terraform {' '.join(arguments)} {wanted}\n{ran.stdout}\n{ran.stderr}")
        return ran

    def init(self) -> "Terraform":
        self.run("init", "-backend=false", "-input=false", "-no-color")
        return self

    def validate(self) -> str:
        return self.run("validate", "-no-color").stdout

    def refusals(self) -> list[dict]:
        """What `validate` finds wrong."""
        return json.loads(self.run("validate", "-json", fails=True).stdout)["diagnostics"]

    def test(self) -> str:
        return self.run("test", "-no-color").stdout

    def assign(self, variables: dict):
        """Variables of what comes, a line each."""
        (self.folder / VARIABLES).write_text(json.dumps(variables, indent=0))

    def refused_variables(self, variables: dict) -> set[str]:
        """Which of these values a plan refuses, one at least, for what the variable says of itself."""
        self.assign(variables)
        lines = self.run("plan", "-input=false", "-json", fails=True).stdout.splitlines()
        told = [json.loads(line).get("diagnostic") for line in lines]
        places = [of["range"] for of in told if of and of["summary"] == "Invalid value for variable"]
        # The first line has the brace alone.
        return {list(variables)[place["start"]["line"] - 2] for place in places if place["filename"] == VARIABLES}

    def plan(self) -> dict:
        self.run("plan", "-input=false", "-no-color", "-out=planned")
        return self.show("planned")

    def apply(self) -> dict:
        """Applies, and gives what is there then."""
        self.run("apply", "-input=false", "-no-color", "-auto-approve")
        return self.show()

    def show(self, *file: str) -> dict:
        return json.loads(self.run("show", "-json", *file).stdout)


def _copy(name: str, scratch: Path) -> Path:
    """As deep as in the repository, so that paths out of the folder go the same way, and nothing of ours gets a .terraform."""
    copy = scratch / "infra" / name
    shutil.copytree(INFRA / name, copy, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfvars"))
    return copy


def _configuration(scratch: Path, mirrors: list[Path]) -> dict[str, str]:
    """A CLI configuration that knows these mirrors and no registry."""
    blocks = "".join(f'  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n' for mirror in mirrors)
    file = scratch / "terraform.rc"
    file.write_text(f"provider_installation {{\n{blocks}}}\n" if mirrors else "")
    return {"TF_CLI_CONFIG_FILE": str(file)}
