"""Terraform validates and tests each folder, against schemas and on the real provider; what is wrong is refused."""

import re

import pytest

import terraform

FOLDERS = terraform.folders()


def test_there_is_terraform():
    assert FOLDERS, "no folder of infra/ has a *.tf"


@pytest.mark.parametrize("folder", FOLDERS)
def test_it_is_formatted(folder, terraform_is_here):
    terraform.Terraform(terraform.INFRA / folder).run("fmt", "-check", "-recursive", "-diff")


@pytest.mark.parametrize("folder", FOLDERS)
def test_against_schemas(folder, on_schemas):
    module = on_schemas(folder)
    module.validate()
    assert re.search(r"^Success! [1-9]\d* passed, 0 failed\.", module.test(), re.M)


@pytest.mark.parametrize("folder", FOLDERS)
def test_on_real_providers(folder, on_real_providers):
    module = on_real_providers(folder)
    module.validate()
    assert re.search(r"^Success! [1-9]\d* passed, 0 failed\.", module.test(), re.M)
