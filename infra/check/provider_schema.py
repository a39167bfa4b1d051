"""The schema of a Terraform provider, read out of its CDK for Terraform bindings.

The bindings are compiled TypeScript, but each file's source map holds the TypeScript it was generated into, and that says of
every attribute whether it is computed, optional or required, of which type it is, and which ones are blocks:

    // kms_key_id - computed: false, optional: true, required: false
    private _kmsKeyId?: string;
    public get kmsKeyId() {
      return this.getStringAttribute('kms_key_id');
    }

What comes out has the form of `terraform providers schema -json`. It lacks what the bindings do not know: defaults, which
values are allowed, which arguments exclude each other.
"""

import base64
import json
import re
from dataclasses import dataclass

SOURCE_MAP = re.compile(r"sourceMappingURL=data:application/json;base64,(\S+)")
INTERFACE = re.compile(r"^export interface (\w+) (?:extends [\w.]+ )?\{\n(.*?)^\}", re.M | re.S)
CLASS = re.compile(r"^export class (\w+) extends cdktf\.(\w+) \{\n(.*?)^\}", re.M | re.S)
FIELD = re.compile(r"/\*\*(?P<doc>(?:(?!\*/).)*?)\*/\s+readonly \w+(?P<optional>\??): (?P<type>.*?);$", re.M | re.S)
DOCUMENTED = re.compile(r"#(\w+) \w+#\1\}")
MEMBER = re.compile(
    r"^  // (?P<name>\w+) - computed: (?P<computed>\w+), optional: (?P<optional>\w+), required: (?P<required>\w+)\n"
    r"(?P<made>.*?)public get \w+\(\) \{\n(?P<getter>.*?)\n  \}",
    re.M | re.S,
)
NESTED = re.compile(r"= new (\w+?)(OutputReference|ListList|List|Map)\(this, \"\w+\"(?:, (true|false))?\)")
MAP_OF = re.compile(r"= new cdktf\.(String|Number|Boolean|Any)Map(List)?\(")
GETTER = re.compile(r"get(String|Number|Boolean|Any)?(List|Map)?Attribute\(")
RESOURCE_TYPE = re.compile(r'tfResourceType = "(\w+)"')
KINDS = {"TerraformResource": "resource_schemas", "TerraformDataSource": "data_source_schemas", "TerraformProvider": "provider"}
SIMPLE = {"String": "string", "Number": "number", "Boolean": "bool", "Any": "dynamic"}
WRITTEN = {"string": "string", "number": "number", "boolean | cdktf.IResolvable": "bool", "any": "dynamic"}


def type_script(javascript: str) -> str:
    """The source that a file was compiled from; nothing for files that only name others."""
    found = SOURCE_MAP.search(javascript)
    return json.loads(base64.b64decode(found[1]))["sourcesContent"][0] if found else ""


def read(folders: dict[str, list[str]]) -> dict:
    """The schema out of the sources of each folder: one resource, data source or the provider itself a folder."""
    schema = {"provider": None, "resource_schemas": {}, "data_source_schemas": {}}
    for folder, sources in folders.items():
        try:
            _Folder("\n".join(sources)).add_to(schema)
        except _Unreadable as mistake:
            raise ValueError(f"{folder}: {mistake}: the bindings are written in another way than this reader knows") from None
    if schema["provider"] is None:
        raise ValueError("the bindings have no class of the provider itself")
    return schema


class _Unreadable(Exception):
    pass


@dataclass
class _Field:
    """What an interface says of one attribute."""

    written: str
    optional: bool
    block: bool


class _Folder:
    def __init__(self, source: str):
        self.interfaces = {name: dict(_fields(body)) for name, body in INTERFACE.findall(source)}
        self.classes = {name: (base, body) for name, base, body in CLASS.findall(source)}

    def add_to(self, schema: dict):
        for name, (base, body) in self.classes.items():
            if base not in KINDS:
                continue
            described = {"version": 0, "block": self.block(f"{name}Config", body, base == "TerraformProvider")}
            if base == "TerraformProvider":
                schema["provider"] = described
            else:
                schema[KINDS[base]][RESOURCE_TYPE.search(body)[1]] = described

    def block(self, interface: str, body: str, provider=False) -> dict:
        """A block with the fields of an interface, and what only the class, `body`, knows: what is computed and how it is read."""
        fields = self.interfaces.get(interface, {})
        attributes, blocks = {}, {}
        for member in MEMBER.finditer(body):
            name = member["name"]
            flags = {flag: True for flag in ("required", "optional", "computed") if member[flag] == "true"}
            field = fields.get(name)
            nested = NESTED.search(member["made"])
            if provider and field and field.block:
                blocks[name] = self.provider_block(field, flags)
            elif nested and field and field.block:
                blocks[name] = self.nested_block(nested, flags)
            elif nested:
                attributes[name] = {"type": self.object_type(nested)} | flags
            elif provider:
                attributes[name] = {"type": _written_type(field.written)} | flags
            else:
                attributes[name] = {"type": _attribute_type(member, field)} | flags
        if not attributes and not blocks:
            attributes = {name: _plain(field) for name, field in fields.items()}
        return {"attributes": attributes, "block_types": blocks}

    def nested_block(self, nested: re.Match, flags: dict) -> dict:
        mode, single = self.nesting(nested)
        body = self.nested_body(nested[1])
        if mode == "single":
            return {"nesting_mode": mode, "block": body}
        if mode == "set":
            _close(body)
        bounds = {"min_items": 1} if flags.get("required") else {}
        if single:
            bounds["max_items"] = 1
        return {"nesting_mode": mode, "block": body} | bounds

    def nested_body(self, name: str) -> dict:
        return self.block(name, self.body(f"{name}OutputReference"))

    def body(self, name: str) -> str:
        if name not in self.classes:
            raise _Unreadable(f"there is no class {name}")
        return self.classes[name][1]

    def nesting(self, nested: re.Match) -> tuple[str, bool]:
        """Whether it is a list, a set, a map or alone, and whether there is at most one."""
        name, kind, is_set = nested.groups()
        if kind in ("List", "ListList"):
            return ("set" if is_set == "true" else "list"), False
        if kind == "Map":
            return "map", False
        made = re.search(r"super\(terraformResource, terraformAttribute(.*?)\)", self.body(f"{name}OutputReference"))
        return {", false, 0": ("list", True), ", true, 0": ("set", True)}.get(made[1], ("single", True))

    def object_type(self, nested: re.Match):
        """An attribute that holds objects: nobody writes it as a block."""
        body = self.nested_body(nested[1])
        inner = {name: attribute["type"] for name, attribute in body["attributes"].items()}
        if body["block_types"]:
            raise _Unreadable(f"{nested[1]} is an attribute and has blocks")
        mode, _ = self.nesting(nested)
        if mode == "single":
            return ["object", inner]
        return [mode, ["list", ["object", inner]] if nested[2] == "ListList" else ["object", inner]]

    def provider_block(self, field: _Field, flags: dict) -> dict:
        """Bindings of a provider read nothing back, so there is no class. List or set makes no difference to who writes it."""
        name = re.match(r"\w+", field.written)[0]
        bounds = {"min_items": 1} if flags.get("required") else {}
        fields = self.interfaces[name]
        return {
            "nesting_mode": "list",
            "block": {
                "attributes": {key: _plain(inner) for key, inner in fields.items() if not inner.block},
                "block_types": {key: self.provider_block(inner, {}) for key, inner in fields.items() if inner.block},
            },
        } | bounds


def _close(block: dict):
    """Terraform takes no schema where something of any type is within a set; the bindings have that where they stop at a depth."""
    for attribute in block["attributes"].values():
        if attribute["type"] == "dynamic":
            attribute["type"] = "string"
    for nested in block["block_types"].values():
        _close(nested["block"])


def _fields(body: str):
    for field in FIELD.finditer(body):
        name = DOCUMENTED.search(field["doc"])
        if name:
            block = re.search(rf"^\s*\* {name[1]} block$", field["doc"], re.M) is not None
            yield name[1], _Field(field["type"], field["optional"] == "?", block)


def _plain(field: _Field) -> dict:
    return {"type": _written_type(field.written), ("optional" if field.optional else "required"): True}


def _attribute_type(member: re.Match, field: _Field | None):
    maps = MAP_OF.search(member["made"])
    if maps:
        of = ["map", SIMPLE[maps[1]]]
        return ["list", of] if maps[2] else of
    if "interpolationForAttribute(" in member["getter"]:
        return _written_type(field.written) if field else "dynamic"
    read_by = GETTER.search(member["getter"])
    if not read_by:
        raise _Unreadable(f"{member['name']} is read by {member['getter'].strip()}")
    of = SIMPLE[read_by[1] or "String"]
    if read_by[2] == "Map":
        return ["map", of]
    if read_by[2] == "List":
        return ["set" if "Fn.tolist(" in member["getter"] else "list", of]
    return of


def _written_type(written: str):
    """A type as TypeScript writes it."""
    written = written.strip()
    if written in WRITTEN:
        return WRITTEN[written]
    written = re.sub(r" \| cdktf\.IResolvable$", "", written)
    if written.startswith("(") and written.endswith(")"):
        return _written_type(written[1:-1])
    if written.endswith("[]"):
        return ["list", _written_type(written[:-2])]
    keyed = re.fullmatch(r"\{ \[key: string\]: (.*) \}", written)
    if keyed:
        return ["map", _written_type(keyed[1])]
    return "dynamic"
