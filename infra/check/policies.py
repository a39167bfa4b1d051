"""IAM policies: in one form to compare them, and what in them allows more than it names."""

import json
import re

# Where a wildcard is no more than a name's open end: objects below a bucket or a prefix of one, and the streams of a log group.
OPEN_ENDS = (re.compile(r"arn:[\w-]+:s3:::[^*?/]+/(?:[^*?]+/)?\*"), re.compile(r"arn:[\w-]+:logs:[^*?]+:log-group:[^*?]+:\*"))
AWS_MANAGED = re.compile(r"arn:[\w-]+:iam::aws:policy/")


def statements(policy: dict | str) -> list[dict]:
    policy = json.loads(policy) if isinstance(policy, str) else policy
    return listed(policy["Statement"])


def listed(value) -> list:
    return value if isinstance(value, list) else [value]


def is_policy(value) -> bool:
    if isinstance(value, str):
        return value.startswith("{") and '"Statement"' in value
    return isinstance(value, dict) and "Statement" in value


def by_name(policy: dict | str) -> dict[str, dict]:
    """What a policy says: statements by their Sid, or their place, with lists wherever there may be one."""
    many = ("Action", "Resource", "NotAction", "NotResource")
    return {
        statement.get("Sid", str(place)): {key: listed(value) if key in many else value for key, value in statement.items()}
        for place, statement in enumerate(statements(policy))
    }


def too_wide(policy: dict | str) -> list[str]:
    """Each action, resource or principal of an Allow that is not named whole. A Deny may be as wide as it likes."""
    found = []
    for statement in statements(policy):
        if statement["Effect"] == "Deny":
            continue
        name = statement.get("Sid", "a statement")
        found += [f"{name}: {key}" for key in ("NotAction", "NotResource", "NotPrincipal") if key in statement]
        found += [f"{name}: action {action}" for action in listed(statement.get("Action", [])) if re.search(r"[*?]", action)]
        for resource in listed(statement.get("Resource", [])):
            if re.search(r"[*?]", resource) and not any(end.fullmatch(resource) for end in OPEN_ENDS):
                found.append(f"{name}: resource {resource}")
        found += [f"{name}: principal {who}" for who in _principals(statement.get("Principal", {})) if "*" in who]
    return found


def _principals(principal) -> list[str]:
    if isinstance(principal, str):
        return [principal]
    return [who for value in principal.values() for who in listed(value)]


def written_in(values, path: str = "") -> list[tuple[str, object]]:
    """Every policy within a resource's properties or attributes, by where it stands."""
    if is_policy(values):
        return [(path, values)]
    found = []
    if isinstance(values, dict):
        for key, value in values.items():
            found += written_in(value, f"{path}.{key}" if path else key)
    elif isinstance(values, list):
        for place, value in enumerate(values):
            found += written_in(value, f"{path}.{place}")
    return found


def managed_by_aws(values) -> list[str]:
    """ARNs of policies that AWS writes, and widens as it likes."""
    return AWS_MANAGED.findall(json.dumps(values))
