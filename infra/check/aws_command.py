"""A command of the AWS CLI as text, read as the CLI would: which call it is, with which parameters."""

import shlex
from dataclasses import dataclass

import botocore.session
from botocore import xform_name


@dataclass
class Call:
    service: str
    operation: str
    # By the names that boto3 has.
    parameters: dict[str, str]


def read(text: str) -> Call:
    program, service, operation, *options = shlex.split(text)
    assert program == "aws", f"{program} is not the AWS CLI"
    service = {"s3api": "s3"}.get(service, service)
    model = botocore.session.get_session().get_service_model(service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in operations, f"{service} has no {operation}"
    shape = model.operation_model(operations[operation]).input_shape
    names = {f"--{xform_name(name, '-')}": name for name in shape.members}
    assert len(options) % 2 == 0, f"an option without a value: {options}"
    given = dict(zip(options[::2], options[1::2]))
    assert given.keys() <= names.keys(), f"{operation} has no {given.keys() - names.keys()}"
    parameters = {names[option]: value for option, value in given.items()}
    assert set(shape.required_members) <= parameters.keys(), f"{operation} wants {shape.required_members}"
    return Call(service, operations[operation], parameters)
