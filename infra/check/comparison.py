"""What SAM makes and what Terraform makes, side by side.

Both are brought to the same form first: settings of a resource that a tool keeps in resources beside it are folded into it,
lists of names with values become what they mean, policies their statements by name. Then every setting of either side must have its
counterpart in correspondence.py with the same value, or stand in ONE_SIDED there with a reason: what is forgotten on one side
is found.
"""

import policies
from cloudformation import Stack
from correspondence import (
    ANY,
    FOLDED_IN_CLOUDFORMATION,
    FOLDED_IN_TERRAFORM,
    KINDS,
    PAIRS,
    UNSET,
    Same,
    one_sided,
    within,
)

Made = dict[tuple[str, str], dict[str, object]]


def made_by_sam(stack: Stack) -> Made:
    """Each resource by its kind (Terraform's word) and key, with its settings by path (CloudFormation's words)."""
    resources = [(of["Type"], dict(of["Properties"])) for of in stack.resources.values()]
    kept = []
    for type_name, properties in resources:
        if type_name not in FOLDED_IN_CLOUDFORMATION:
            kept.append((type_name, properties))
            continue
        owner_type, reference, key = FOLDED_IN_CLOUDFORMATION[type_name]
        owner = next(values for name, values in resources if name == owner_type and values[key] == properties[reference])
        if type_name == "AWS::S3::BucketPolicy":
            owner["Policy"] = properties["PolicyDocument"]
        else:
            owner["Published"] = True
    return _by_kind_and_key(kept, 0)


def made_by_terraform(state: dict, schema: dict) -> Made:
    """The same, out of `terraform show -json`, with paths in Terraform's words; without what one cannot set."""
    # Providers let one set id and arn, and nobody does.
    resources = [
        (of["type"], _settable(of["values"], schema["resource_schemas"][of["type"]]["block"], but=("id", "arn")))
        for of in state["values"]["root_module"]["resources"]
        if of["mode"] == "managed"
    ]
    kept = []
    for type_name, values in resources:
        if type_name not in FOLDED_IN_TERRAFORM:
            kept.append((type_name, values))
            continue
        owner_type, reference, key, part = FOLDED_IN_TERRAFORM[type_name]
        owner = next(one for name, one in resources if name == owner_type and one[key] == values[reference])
        if part == "inline":
            owner.setdefault(part, []).append({"name": values["name"], "policy": values["policy"]})
        elif part == "attached":
            owner.setdefault(part, []).append(values["policy_arn"])
        else:
            owner[part] = {name: value for name, value in values.items() if name not in (reference, "function_name")}
    return _by_kind_and_key(kept, 1)


def _by_kind_and_key(resources: list[tuple[str, dict]], side: int) -> Made:
    kinds = {(kind.cloudformation, kind.terraform)[side]: kind for kind in KINDS}
    made = {}
    for type_name, values in resources:
        assert type_name in kinds, f"{type_name} is in no row of correspondence.py: add one, with what the other tool calls it"
        kind, settings = kinds[type_name], flat(values)
        key = settings.pop(kind.key[side]) if kind.key else ""
        assert (kind.terraform, key) not in made, f"two of {kind.terraform} are called {key!r}"
        made[kind.terraform, key] = settings
    return made


def differences(sam: Made, terraform: Made) -> list[str]:
    """Every way in which the two are not the same, a line each."""
    found = [f"{' '.join(one)}: only SAM makes it" for one in sorted(set(sam) - set(terraform))]
    found += [f"{' '.join(one)}: only Terraform makes it" for one in sorted(set(terraform) - set(sam))]
    kinds = {kind.terraform: kind for kind in KINDS}
    for one in sorted(set(sam) & set(terraform)):
        found += [f"{' '.join(one)}: {line}" for line in _unequal(kinds[one[0]], sam[one], terraform[one])]
    return found


def _unequal(kind: Same, sam: dict, terraform: dict):
    common = []
    for tool, type_name, settings, paths in (
        ("SAM", kind.cloudformation, sam, kind.settings),
        ("Terraform", kind.terraform, terraform, {path: path for path in kind.settings.values()}),
    ):
        shared = {}
        for path, value in settings.items():
            known = next((known for known in paths if within(path, known)), None)
            if known:
                shared[paths[known] + path.removeprefix(known)] = value
            else:
                yield from _alone(tool, type_name, path, value)
        common.append(shared)
    one, other = common
    for path in sorted(set(one) | set(other)):
        meant = [None if side.get(path) == UNSET.get((kind.terraform, path)) else side.get(path) for side in common]
        if meant[0] != meant[1]:
            yield f"{path} is {one.get(path)!r} in SAM and {other.get(path)!r} in Terraform"


def _alone(tool: str, type_name: str, path: str, value):
    known = one_sided(type_name, path)
    if known is None:
        yield f"{path} = {value!r} stands in {tool} alone"
    elif known[0] not in (ANY, value):
        yield f"{path} is {value!r} in {tool}, not {known[0]!r}"


def _settable(values: dict, block: dict, but: tuple[str, ...] = ()) -> dict:
    """Values that a configuration could have said."""
    kept = {}
    for name, value in values.items():
        if name in block["block_types"]:
            nested = block["block_types"][name]["block"]
            kept[name] = [_settable(one, nested) for one in (value if isinstance(value, list) else [value]) if one]
        elif name not in but and block["attributes"][name].keys() & {"required", "optional"}:
            kept[name] = value
    return kept


def flat(values, path: str = "") -> dict[str, object]:
    """Settings by path. A list of one is that one: of most blocks there may be no more, and CloudFormation has lists there too."""
    if policies.is_policy(values):
        values = policies.by_name(values)
    if isinstance(values, list):
        pair = next((pair for pair in PAIRS if values and all(_is_pair(one, pair) for one in values)), None)
        if pair:
            values = {one[pair[0]]: one[pair[1]] for one in values}
        elif not any(isinstance(one, (dict, list)) for one in values):
            return {path: sorted(values)} if values else {}
        else:
            values = dict(enumerate(values)) if len(values) > 1 else values[0]
    if isinstance(values, dict):
        found = {}
        for name, value in values.items():
            found |= flat(value, f"{path}.{name}" if path else str(name))
        return found
    # Parameters of a template are text, and so is what is made of them.
    plain = {"true": True, "false": False}.get(values, values) if isinstance(values, str) else values
    return {} if plain is None else {path: plain}


def _is_pair(value, pair: tuple[str, str]) -> bool:
    return isinstance(value, dict) and {name for name, one in value.items() if one is not None} == set(pair)
