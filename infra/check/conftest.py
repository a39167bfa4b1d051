"""What tests share: schemas, the server of them, Terraform in scratch folders. What is not on this machine skips its tests."""

import copy
import json
from pathlib import Path

import pytest

import aws_names
import deployments
import provider_mirror
import provider_packages
import sam
import terraform
from provider_server import SchemaServer


def pytest_sessionstart(session):
    """Fetches the schemas that are wanted, once, before tests begin in several processes."""
    if hasattr(session.config, "workerinput"):
        return
    for provider in sorted({name for folder in terraform.folders() for name in terraform.providers(folder)}):
        if provider in provider_packages.PACKAGES:
            try:
                provider_packages.fetch(provider)
            except provider_packages.NotHere as why:
                print(f"SKIPPED: the schema of {provider}: {why}")


@pytest.fixture(scope="session")
def terraform_is_here():
    why = terraform.missing()
    if why:
        pytest.skip(why)


@pytest.fixture(scope="session")
def schema():
    """The schema of a provider by name."""
    read = {}

    def get(provider: str) -> dict:
        assert provider in provider_packages.PACKAGES, f"hashicorp/{provider} has no package in provider_packages.py: name one"
        file = provider_packages.kept(provider)
        if not file.exists():
            pytest.skip(f"the schema of {provider} could not be fetched: npm pack {provider_packages.PACKAGES[provider].name}")
        if provider not in read:
            read[provider] = json.loads(file.read_text())
        return read[provider]

    return get


@pytest.fixture(scope="session")
def schema_server(schema):
    """A server of the providers that a folder names."""
    running = {}

    def get(folder: str) -> SchemaServer:
        if folder not in running:
            text = terraform.text(folder)
            running[folder] = SchemaServer(
                {name: _named_in(text, schema(name)) for name in terraform.providers(folder)}, aws_names.answer
            )
        return running[folder]

    yield get
    for server in running.values():
        server.stop()


def _named_in(text: str, schema: dict) -> dict:
    """Only the types that are named: each command of Terraform's reads the whole schema first, and there are thousands."""
    kinds = ("resource_schemas", "data_source_schemas")
    return schema | {kind: {name: of for name, of in schema[kind].items() if f'"{name}"' in text} for kind in kinds}


@pytest.fixture
def on_schemas(terraform_is_here, schema_server, tmp_path):
    """Terraform on a copy of a folder, against the schemas of its providers."""
    return lambda folder: terraform.Terraform.with_schemas(folder, tmp_path, schema_server(folder)).init()


@pytest.fixture(scope="session")
def mirrors():
    """Where the real providers are that a folder names."""

    def get(folder: str) -> set[Path]:
        found = {name: provider_mirror.find(name, terraform.constraint(folder, name)) for name in terraform.providers(folder)}
        missing = [name for name, mirror in found.items() if mirror is None]
        if missing:
            wanted = ", ".join(f"{name} {terraform.constraint(folder, name)}".strip() for name in missing)
            pytest.skip(f"no mirror on this machine has the provider {wanted} (TERRAFORM_MIRROR names one)")
        return set(found.values())

    return get


@pytest.fixture
def on_real_providers(terraform_is_here, mirrors, tmp_path):
    """Terraform on a copy of a folder, with the real providers."""
    return lambda folder: terraform.Terraform.with_mirrors(folder, tmp_path, mirrors(folder)).init()


@pytest.fixture(scope="session")
def expanded():
    """template.yaml as plain CloudFormation; a copy for each test, to break."""
    made = sam.expand(sam.source())
    return lambda: copy.deepcopy(made)


@pytest.fixture(scope="session")
def applied(terraform_is_here, schema_server, tmp_path_factory):
    """infra/aws applied against the schemas in one of the ways of `deployments`: what Terraform says there is then."""
    states = {}

    def get(way: str) -> dict:
        if way not in states:
            module = terraform.Terraform.with_schemas("aws", tmp_path_factory.mktemp("applied"), schema_server("aws")).init()
            module.assign(deployments.for_terraform(deployments.ALL[way], module.folder))
            states[way] = module.apply()
        return states[way]

    return get
