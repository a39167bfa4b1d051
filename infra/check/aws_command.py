"""A command of the AWS CLI, read as the CLI would: which call it is, with which parameters."""

import re
import shlex
from dataclasses import dataclass

import botocore.session
import jmespath
from botocore import xform_name

# Options that every call takes, and those of calls whose answers come in pages.
OF_ALL = {"--query", "--output", "--region", "--endpoint-url", "--max-items"}
# Commands that are the CLI's own and no calls: the options we use, and whether a value comes with them.
OWN = {
    ("s3", "ls"): {"--recursive": False},
    ("s3", "cp"): {},
    ("s3", "mv"): {},
    ("s3", "sync"): {},
    ("logs", "tail"): {"--since": True, "--format": True, "--filter-pattern": True},
}


@dataclass
class Call:
    service: str
    operation: str
    # By the names that boto3 has; a list's values with spaces between.
    parameters: dict[str, str]


def read(text: str) -> Call:
    return read_words(shlex.split(text))


def read_words(words: list[str]) -> Call:
    """Whoever cannot be read is no command: AssertionError."""
    assert len(words) > 2, f"no command of the AWS CLI: {words}"
    program, service, operation, *options = words
    assert program == "aws", f"{program} is not the AWS CLI"
    if (service, operation) in OWN:
        return _own(service, operation, options)
    session = botocore.session.get_session()
    service = {"s3api": "s3"}.get(service, service)
    assert service in session.get_available_services(), f"there is no service {service}"
    model = session.get_service_model(service)
    if operation == "wait":
        waiters = session.get_waiter_model(service)
        names = {xform_name(name, "-"): waiters.get_waiter(name).operation for name in waiters.waiter_names}
        operation, options = options[0], options[1:]
    else:
        names = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in names, f"{service} has no {operation}"
    shape = model.operation_model(names[operation]).input_shape
    members = shape.members if shape else {}
    parameters = {}
    for option, values in _grouped(options):
        if option in OF_ALL:
            assert len(values) == 1, f"{option} has one value, not {values}"
            if option == "--query":
                jmespath.compile(values[0])
            continue
        name, value = _parameter(members, option, values)
        parameters[name] = value
    assert set(shape.required_members if shape else ()) <= parameters.keys(), f"{operation} wants {shape.required_members}"
    return Call(service, names[operation], parameters)


def _grouped(options: list[str]) -> list[tuple[str, list[str]]]:
    """Each option with the values behind it."""
    grouped: list[tuple[str, list[str]]] = []
    for word in options:
        if word.startswith("--"):
            grouped.append((word, []))
        else:
            assert grouped, f"{word} stands before any option"
            grouped[-1][1].append(word)
    return grouped


def _parameter(members: dict, option: str, values: list[str]) -> tuple[str, str]:
    names = {f"--{xform_name(name, '-')}": name for name in members}
    negated = re.sub("^--no-", "--", option)
    if option not in names and negated in names and members[names[negated]].type_name == "boolean":
        assert not values, f"{option} has no value"
        return names[negated], "false"
    assert option in names, f"there is no {option} among {sorted(names)}"
    shape = members[names[option]]
    if shape.type_name == "boolean":
        assert not values, f"{option} has no value"
        return names[option], "true"
    assert values and (len(values) == 1 or shape.type_name == "list"), f"{option} does not take {values}"
    of = shape.member if shape.type_name == "list" else shape
    for value in values:
        # What a variable or a word in capitals stands for is not known here.
        if "$" in value:
            continue
        assert value in getattr(of, "enum", ()) or not getattr(of, "enum", ()), f"{option} is none of {of.enum}: {value}"
        assert of.type_name not in ("integer", "long") or re.fullmatch(r"-?\d+", value), f"{option} is no number: {value}"
    return names[option], " ".join(values)


def _own(service: str, operation: str, options: list[str]) -> Call:
    known = OWN[service, operation]
    given = [word for word in options if word.startswith("--")]
    assert set(given) <= known.keys(), f"aws {service} {operation} has no {set(given) - known.keys()}, or {__file__} does not know it"
    wanted = {"ls": 1, "tail": 1}.get(operation, 2) + sum(1 + known[option] for option in given)
    assert len(options) == wanted, f"aws {service} {operation} takes other words than {options}"
    return Call(service, operation, {})
