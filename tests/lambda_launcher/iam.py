"""Whether a role's policies allow a request, by the rules of IAM, as far as the template's policies use them.

Covered: Allow and Deny, Action and Resource with * and ?, and the condition operators below, with `IfExists` and
`ForAllValues:`. An element that is not covered is an error, never passed over. What is not decided here: which
resources and facts EC2 really brings forward for a request (`test_template_iam.py` names those that its documentation
does), permission boundaries, service control policies, and what resources' own policies allow.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from typing import Any

Facts = Mapping[str, str | list[str]]


def allows(policies: list[dict[str, Any]], action: str, resource: str, facts: Facts | None = None) -> bool:
    """Whether the policies allow `action` on `resource`, in a request of which `facts` are known."""
    lowered = {name.lower(): value for name, value in (facts or {}).items()}
    effects = {
        statement["Effect"]
        for policy in policies
        for statement in policy["Statement"]
        if _applies(statement, action, resource, lowered)
    }
    return effects == {"Allow"}


def _applies(statement: dict[str, Any], action: str, resource: str, facts: Facts) -> bool:
    assert statement.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"}, statement.keys()
    return (
        any(_like(action.lower(), pattern.lower()) for pattern in listed(statement["Action"]))
        and any(_like(resource, pattern) for pattern in listed(statement["Resource"]))
        and all(
            _holds(operator, wanted, facts.get(name.lower()))
            for operator, tests in statement.get("Condition", {}).items()
            for name, wanted in tests.items()
        )
    )


def _holds(operator: str, wanted: Any, fact: str | list[str] | None) -> bool:
    if operator == "Null":
        return (fact is None) == (wanted == "true")
    if operator.startswith("ForAllValues:"):
        operator = operator.removeprefix("ForAllValues:")
        facts = listed(fact) if fact is not None else []  # which holds of none at all
    else:
        if fact is None:
            return operator.endswith("IfExists")
        assert isinstance(fact, str), "several values need ForAllValues or ForAnyValue"
        facts = [fact]
    matches = {
        "ArnEquals": _like,
        "Bool": lambda one, other: one.lower() == other.lower(),
        "StringEquals": lambda one, other: one == other,
        "StringLike": _like,
    }[operator.removesuffix("IfExists")]
    return all(any(matches(each, str(pattern)) for pattern in listed(wanted)) for each in facts)


def listed(value: Any) -> list[Any]:
    """One or several as several."""
    return value if isinstance(value, list) else [value]


def _like(text: str, pattern: str) -> bool:
    """IAM's * and ?, and no other wildcard."""
    return re.fullmatch(fnmatch.translate(re.sub(r"\[", "[[]", pattern)), text) is not None
