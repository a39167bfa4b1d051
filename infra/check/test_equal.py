"""template.yaml and infra/aws make the same, whatever the parameters, and take the same parameters."""

import pytest

import comparison
import correspondence
import deployments
from cloudformation import Stack

WAYS = list(deployments.ALL)
# Parameters that one tool has alone.
TERRAFORM_ALONE = {
    "package": "template.yaml has CodeUri",
    "environment": "template.yaml has the function's Environment block to add to",
}
SAM_ALONE = {"Pipeline": "Terraform reads it from the package's manifest"}


@pytest.fixture
def stack(expanded):
    return lambda way: Stack(expanded(), deployments.for_sam(deployments.ALL[way]))


@pytest.mark.parametrize("way", WAYS)
def test_they_make_the_same(way, stack, applied, schema):
    sam = comparison.made_by_sam(stack(way))
    terraform = comparison.made_by_terraform(applied(way), schema("aws"))
    found = comparison.differences(sam, terraform)
    assert not found, "\n".join(found)
    assert len(sam) > 15


@pytest.mark.parametrize("way", WAYS)
def test_whatever_differs_is_noticed(way, stack, applied, schema):
    """Each setting of each resource, on either side: changed, left out, and one more than there is."""
    made = comparison.made_by_sam(stack(way)), comparison.made_by_terraform(applied(way), schema("aws"))
    types = {kind.terraform: (kind.cloudformation, kind.terraform) for kind in correspondence.KINDS}
    unnoticed = []

    def differ(side: int, one: tuple[str, str], settings: dict | None, what: str):
        sides = [dict(made[0]), dict(made[1])]
        if settings is None:
            del sides[side][one]
        else:
            sides[side][one] = settings
        if not comparison.differences(*sides):
            unnoticed.append((one, what))

    for side in (0, 1):
        for one, settings in made[side].items():
            differ(side, one, None, "the whole")
            differ(side, one, settings | {"Another": 1}, "another setting")
            for path in settings:
                if correspondence.one_sided(types[one[0]][side], path) is None:
                    differ(side, one, settings | {path: "something else"}, f"{path} changed")
                    if settings[path] != correspondence.UNSET.get((one[0], path)):
                        differ(side, one, {name: value for name, value in settings.items() if name != path}, f"{path} left out")
    assert not unnoticed


@pytest.mark.parametrize("way", WAYS)
def test_they_tell_the_same(way, stack, applied):
    """Outputs: the same names, the same values."""
    told = {name: of["value"] for name, of in applied(way)["values"]["outputs"].items()}
    assert stack(way).outputs == {deployments.camel(name): value for name, value in told.items()}


def test_parameters_are_the_same(expanded, on_schemas):
    module = on_schemas("aws")
    module.assign({"package": "tests/package/function.zip"})
    variables = module.plan()["configuration"]["root_module"]["variables"]
    defaults = {
        deployments.camel(name): deployments.for_sam({"it": of["default"]})["It"] if "default" in of else None
        for name, of in variables.items()
        if name not in TERRAFORM_ALONE
    }
    parameters = {name: str(of.get("Default")) for name, of in expanded()["Parameters"].items() if name not in SAM_ALONE}
    assert parameters == defaults
    assert TERRAFORM_ALONE.keys() <= variables.keys()


def test_each_parameter_is_set_somewhere(expanded):
    """Or a parameter of one tool could do nothing, or another thing than the other's."""
    tried = {deployments.camel(name) for way in deployments.ALL.values() for name in way}
    assert tried == set(expanded()["Parameters"])
