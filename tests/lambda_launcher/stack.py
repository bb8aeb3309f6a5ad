"""The template as CloudFormation would read it: parameters filled in, functions worked out, what is made named.

Knows the functions that the template uses, and of what `Fn::GetAtt` gives only that it is told apart: an ARN where an
ARN is asked for, else the resource's name with the attribute's.
"""

from __future__ import annotations

import re
from typing import Any

from cfnlint.decode.cfn_yaml import loads

from lambda_launcher.template import rendered

ACCOUNT, REGION, STACK = "111122223333", "eu-central-1", "paint"
GIVEN = {
    "Vpc": "vpc-0a1b2c3d",
    "Subnets": "subnet-0aaa,subnet-0bbb",
    "EdgePrefixList": "pl-a3a144ca",
    "Artifacts": "artifacts-of-paint",
    "LauncherZip": "launcher/1.zip",
    "ImageFiles": "image/1",
    "ImageVersion": "1.0.0",
}
ARNS = {
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{{}}",
    "AWS::EC2::LaunchTemplate": f"arn:aws:ec2:{REGION}:{ACCOUNT}:launch-template/{{}}",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{}}",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
}
NOTHING = object()


class Stack:
    """One stack made from the template, with parameters."""

    def __init__(self, **parameters: str) -> None:
        self.template: dict[str, Any] = loads(rendered())
        declared = self.template["Parameters"]
        assert parameters.keys() | GIVEN.keys() <= declared.keys()
        values = {name: str(each["Default"]) for name, each in declared.items() if "Default" in each}
        values |= GIVEN | parameters
        assert values.keys() == declared.keys()
        several = {name for name, each in declared.items() if "List" in each["Type"]}
        self.parameters: dict[str, Any] = {
            name: value.split(",") if name in several else value for name, value in values.items()
        }
        self.pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::NoValue": NOTHING,
            "AWS::Region": REGION,
            "AWS::StackName": STACK,
        }

    def properties(self, resource: str) -> Any:
        """What a resource is made with."""
        return self.value(self.template["Resources"][resource]["Properties"])

    def of_type(self, kind: str) -> list[str]:
        """The names of all resources of a kind."""
        return [name for name, each in self.template["Resources"].items() if each["Type"] == kind]

    def value(self, node: Any) -> Any:
        """What stands at a place of the template."""
        if isinstance(node, list):
            worked_out = [self.value(each) for each in node]
            return [each for each in worked_out if each is not NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._function(name.removeprefix("Fn::"), argument)
        worked = {str(key): self.value(each) for key, each in node.items()}
        return {key: each for key, each in worked.items() if each is not NOTHING}

    def _function(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self._reference(argument)
            case "GetAtt":
                resource, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
                return self._attribute(resource, attribute)
            case "Sub":
                text, names = (argument, {}) if isinstance(argument, str) else argument
                return re.sub(r"\$\{([^!}]+)\}", lambda found: self._named(found[1], names), text)
            case "Join":
                return argument[0].join(self.value(argument[1]))
            case "Split":
                return self.value(argument[1]).split(argument[0])
            case "Select":
                return self.value(argument[1])[int(argument[0])]
            case "If":
                return self.value(argument[1] if self.holds(argument[0]) else argument[2])
            case "Base64":
                return self.value(argument)
        raise AssertionError(f"the template uses Fn::{name}")

    def holds(self, condition: str) -> bool:
        """Whether a condition of the template holds."""
        return self._truth(self.template["Conditions"][condition])

    def _truth(self, node: Any) -> bool:
        ((name, argument),) = node.items()
        match name:
            case "Fn::Not":
                return not self._truth(argument[0])
            case "Fn::And":
                return all(self._truth(each) for each in argument)
            case "Fn::Equals":
                return bool(self.value(argument[0]) == self.value(argument[1]))
            case "Condition":
                return self.holds(argument)
        raise AssertionError(f"the template uses {name}")

    def _reference(self, name: str) -> Any:
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        if self.template["Resources"][name]["Type"] == "AWS::SecretsManager::Secret":
            return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf"
        return name

    def _attribute(self, resource: str, attribute: str) -> str:
        kind = self.template["Resources"][resource]["Type"]
        if attribute == "Arn" and kind in ARNS:
            return ARNS[kind].format(resource)
        return f"{resource}.{attribute}"

    def _named(self, name: str, names: dict[str, Any]) -> str:
        if name in names:
            return str(self.value(names[name]))
        if "." in name:
            return self._attribute(*name.split(".", 1))
        return str(self._reference(name))
