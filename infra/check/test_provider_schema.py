"""The schemas read out of packages are the providers' own."""

import json

import pytest
from packaging.version import Version

import provider_packages
import provider_schema
import terraform


def told(block: dict, path: str):
    """Each attribute and block with what is said of it, by path. Of the most there may be, packages only know whether it is one."""
    for name, of in block.get("attributes", {}).items():
        flags = tuple(flag for flag in ("required", "optional", "computed") if of.get(flag))
        yield f"{path}.{name}", (json.dumps(of.get("type"), sort_keys=True), *flags)
    for name, of in block.get("block_types", {}).items():
        yield f"{path}.{name}", (of["nesting_mode"], of.get("min_items", 0), of.get("max_items") == 1)
        yield from told(of["block"], f"{path}.{name}")


# Where they differ in a type that infra/ names: both write and plan the same there.
KNOWN = {
    "aws_s3_bucket.region": "may be said from 6.0 on",
    "aws_s3_bucket_lifecycle_configuration.rule.noncurrent_version_expiration.newer_noncurrent_versions": "was computed too in 5",
    "aws_s3_bucket_lifecycle_configuration.rule.noncurrent_version_transition.newer_noncurrent_versions": "was computed too in 5",
}


@pytest.fixture
def real(on_real_providers):
    """A folder's real providers: schema and version of each, by name."""

    def get(folder: str) -> dict[str, tuple[dict, Version]]:
        module = on_real_providers(folder)
        schemas = json.loads(module.run("providers", "schema", "-json").stdout)["provider_schemas"]
        selected = json.loads(module.run("version", "-json").stdout)["provider_selections"]
        return {address.split("/")[-1]: (of, Version(selected[address])) for address, of in schemas.items()}

    return get


@pytest.mark.parametrize("folder", terraform.folders())
def test_it_says_what_the_real_provider_says(folder, schema, real):
    for name, (theirs, version) in real(folder).items():
        newer = version > Version(provider_packages.PACKAGES[name].provider)
        compared, named, elsewhere, missing = 0, set(), set(), set()
        for block, kind in (("resource", "resource_schemas"), ("data", "data_source_schemas")):
            assert terraform.types(folder, block) <= theirs[kind].keys() & schema(name)[kind].keys()
            for type_name in theirs[kind].keys() & schema(name)[kind].keys():
                one = dict(told(theirs[kind][type_name]["block"], type_name))
                other = dict(told(schema(name)[kind][type_name]["block"], type_name))
                both = one.keys() & other.keys()
                compared += len(both)
                ours = type_name in terraform.types(folder, block)
                (named if ours else elsewhere).update(path for path in both if one[path] != other[path])
                missing |= one.keys() - other.keys() if ours else set()
        assert named <= KNOWN.keys(), named - KNOWN.keys()
        # They are of different versions of the provider, between which a little changes.
        assert compared > 10000
        assert len(elsewhere) < compared / 100, "\n".join(sorted(elsewhere)[:100])
        if missing and newer:
            pytest.skip(f"{name} {version} is newer than its schema in provider_packages.py, which lacks {', '.join(sorted(missing))}")
        assert not missing, missing


BINDINGS = """
export interface ThingConfig extends cdktf.TerraformMetaArguments {
  /**
  * Docs: {@link https://docs/thing#name Thing#name}
  */
  readonly name: string;
  /**
  * part block
  *
  * Docs: {@link https://docs/thing#part Thing#part}
  */
  readonly part?: ThingPart;
}
export interface ThingPart {
  /**
  * Docs: {@link https://docs/thing#sizes Thing#sizes}
  */
  readonly sizes?: number[];
}
export class ThingPartOutputReference extends cdktf.ComplexObject {
  public constructor(terraformResource: cdktf.IInterpolatingParent, terraformAttribute: string) {
    super(terraformResource, terraformAttribute, false, 0);
  }
  // sizes - computed: true, optional: true, required: false
  private _sizes?: number[];
  public get sizes() {
    return this.getNumberListAttribute('sizes');
  }
}
export class Thing extends cdktf.TerraformResource {
  public static readonly tfResourceType = "cloud_thing";
  // name - computed: false, optional: false, required: true
  private _name?: string;
  public get name() {
    return this.getStringAttribute('name');
  }
  // part - computed: false, optional: true, required: false
  private _part = new ThingPartOutputReference(this, "part");
  public get part() {
    return this._part;
  }
}
export class Cloud extends cdktf.TerraformProvider {
  public static readonly tfResourceType = "cloud";
}
"""


def test_bindings_are_read():
    part = {"attributes": {"sizes": {"type": ["list", "number"], "optional": True, "computed": True}}, "block_types": {}}
    assert provider_schema.read({"thing": [BINDINGS]})["resource_schemas"]["cloud_thing"]["block"] == {
        "attributes": {"name": {"type": "string", "required": True}},
        "block_types": {"part": {"nesting_mode": "list", "max_items": 1, "block": part}},
    }


@pytest.mark.parametrize(
    "known, another",
    [
        ("this.getNumberListAttribute('sizes')", "this.sizesOfAnotherKind"),
        ("class ThingPartOutputReference", "class ThingPart"),
        ("extends cdktf.TerraformProvider", "extends cdktf.Another"),
    ],
)
def test_bindings_written_in_another_way_are_refused(known, another):
    with pytest.raises(ValueError):
        provider_schema.read({"thing": [BINDINGS.replace(known, another)]})
