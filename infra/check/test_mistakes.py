"""The schemas have teeth: each kind of mistake, made at each resource of a folder, is refused."""

import re

import pytest

import terraform

# A mistake is a line within the resource, or text beside it; None: this resource cannot have it.


def unknown_argument(resource, block):
    return "  no_such_argument = 1\n", ""


def unknown_block(resource, block):
    return "  no_such_block {}\n", ""


def wrong_type(resource, block):
    for name, attribute in block["attributes"].items():
        free = attribute.get("optional") and not re.search(rf"^ +{name}\s*=", resource.body, re.M)
        if free and isinstance(attribute["type"], str):
            return f'  {name} = ["a", "list"]\n', ""
    return None


def missing_argument(resource, block):
    if any(attribute.get("required") for attribute in block["attributes"].values()):
        return "", f'resource "{resource.type}" "{resource.name}_again" {{}}\n'
    return None


def unknown_attribute(resource, block):
    value = resource.attribute("no_such_attribute")
    return "", f'output "{resource.type}_{resource.name}" {{\n  value = {value}\n}}\n'


def unknown_type(resource, block):
    return "", f'resource "{resource.type}_of_no_such_type" "{resource.name}" {{}}\n'


REFUSED_AS = {
    unknown_argument: "Unsupported argument",
    unknown_block: "Unsupported block type",
    wrong_type: "Incorrect attribute value type",
    missing_argument: "Missing required argument",
    unknown_attribute: "Unsupported attribute",
    unknown_type: "Invalid resource type",
}


@pytest.mark.parametrize("folder", terraform.folders())
@pytest.mark.parametrize("mistake", REFUSED_AS, ids=lambda mistake: mistake.__name__)
def test_it_is_refused(folder, mistake, on_schemas, schema):
    module = on_schemas(folder)
    types = {name: of for provider in terraform.providers(folder) for name, of in schema(provider)["resource_schemas"].items()}
    resources = terraform.resources(folder)
    made = 0
    # One at a time: what depends on something that is wrong is not looked at.
    for resource in resources:
        texts = mistake(resource, types[resource.type]["block"])
        if texts is None:
            continue
        made += 1
        within, beside = texts
        file = next(file for file in module.folder.glob("*.tf") if resource.header in file.read_text())
        right = file.read_text()
        file.write_text(right.replace(resource.header, resource.header + within) + beside)
        refused = {diagnostic["summary"] for diagnostic in module.refusals()}
        file.write_text(right)
        assert REFUSED_AS[mistake] in refused, f"{within}{beside} at {resource.header}was not refused but for {refused}"
    assert made > len(resources) / 2, "too few resources can have this mistake for the test to mean much"
