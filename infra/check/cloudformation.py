"""A CloudFormation template with its parameters put in: conditions decided, functions worked out, names made up."""

import re
from functools import cached_property

import aws_names

PSEUDO = {
    "AWS::AccountId": aws_names.ACCOUNT,
    "AWS::Region": aws_names.REGION,
    "AWS::Partition": aws_names.PARTITION,
    "AWS::URLSuffix": "amazonaws.com",
}
NO_VALUE = object()
PLACE = re.compile(r"\$\{([^!}][^}]*)\}")


class Stack:
    """What a template makes with these parameters; those that are not given have their defaults."""

    def __init__(self, template: dict, parameters: dict | None = None):
        self.template = template
        declared = template.get("Parameters", {})
        unknown = set(parameters or {}) - set(declared)
        if unknown:
            raise KeyError(f"the template has no parameter {', '.join(sorted(unknown))}")
        defaults = {name: of["Default"] for name, of in declared.items() if "Default" in of}
        self.parameters = {
            name: _parameter(declared[name]["Type"], value) for name, value in (defaults | (parameters or {})).items()
        }

    @cached_property
    def resources(self) -> dict[str, dict]:
        """Type and properties of what is made, by logical id."""
        return {
            name: {"Type": of["Type"], "Properties": self.value(of.get("Properties", {}))}
            for name, of in self.template["Resources"].items()
            if "Condition" not in of or self.condition(of["Condition"])
        }

    @cached_property
    def outputs(self) -> dict[str, str]:
        return {name: self.value(of["Value"]) for name, of in self.template.get("Outputs", {}).items()}

    def of_type(self, type_name: str) -> dict[str, dict]:
        return {name: of["Properties"] for name, of in self.resources.items() if of["Type"] == type_name}

    def condition(self, name: str) -> bool:
        return self.value(self.template["Conditions"][name])

    def value(self, of):
        if isinstance(of, list):
            return [value for value in map(self.value, of) if value is not NO_VALUE]
        if not isinstance(of, dict):
            return of
        if len(of) == 1:
            function, argument = next(iter(of.items()))
            if function == "Ref" or function == "Condition" or function.startswith("Fn::"):
                return self.function(function.removeprefix("Fn::"), argument)
        values = {key: self.value(value) for key, value in of.items()}
        return {key: value for key, value in values.items() if value is not NO_VALUE}

    def function(self, name: str, argument):
        match name:
            case "Ref":
                return self.ref(argument)
            case "Condition":
                return self.condition(argument)
            case "GetAtt":
                logical, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
                return self.get_att(logical, attribute)
            case "If":
                condition, then, otherwise = argument
                return self.value(then if self.condition(condition) else otherwise)
            case "Sub":
                return self.sub(argument)
            case "Join":
                return argument[0].join(map(_text, self.value(argument[1])))
            case "Equals":
                one, other = self.value(argument)
                return _text(one) == _text(other)
            case "Not":
                return not self.value(argument)[0]
            case "And":
                return all(self.value(argument))
            case "Or":
                return any(self.value(argument))
        raise NotImplementedError(f"Fn::{name} is not worked out here: add it to {__file__}")

    def ref(self, name: str):
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.parameters:
            return self.parameters[name]
        type_name, properties = self.resource(name)
        return aws_names.ref(type_name, properties)

    def get_att(self, logical: str, attribute: str):
        type_name, properties = self.resource(logical)
        return aws_names.get_att(type_name, properties, attribute)

    def resource(self, logical: str) -> tuple[str, dict]:
        of = self.template["Resources"][logical]
        kind = aws_names.BY_CLOUDFORMATION.get(of["Type"])
        # Only what its name is made of: whole properties may go round in circles.
        own = {key: value for key, value in of["Properties"].items() if kind and key in kind.properties}
        return of["Type"], self.value(own)

    def sub(self, argument) -> str:
        text, own = argument if isinstance(argument, list) else (argument, {})

        def put(place: re.Match) -> str:
            name = place[1]
            if name in own:
                return _text(self.value(own[name]))
            return _text(self.get_att(*name.split(".", 1)) if "." in name else self.ref(name))

        return PLACE.sub(put, text)


def _parameter(of: str, value):
    if of == "CommaDelimitedList" and isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    if of == "Number" and isinstance(value, str):
        return float(value) if "." in value else int(value)
    return value


def _text(value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
