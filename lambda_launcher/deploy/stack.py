"""The CloudFormation stack: what would change, and that it is changed, step by step."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lambda_launcher.deploy.account import Account
from lambda_launcher.deploy.artifacts import OURS
from lambda_launcher.deploy.trouble import Trouble, code_of

Say = Callable[[str], None]

MAYBE = "perhaps replaced"
PAUSE = 1.0  # seconds between two looks

_NOTHING = ("didn't contain changes", "No updates are to be performed")
_KEPT = {"AWS::DynamoDB::Table", "AWS::S3::Bucket"}
_WORDS = {
    "CREATE": ("is being made", "is made", "could not be made"),
    "UPDATE": ("is being changed", "is changed", "could not be changed"),
    "DELETE": ("is being removed", "is removed", "could not be removed"),
}
_HOW = {"IN_PROGRESS", "COMPLETE", "FAILED"}
_HINTS = {
    "already exist": "Choose another name for the stack with --stack, or remove what has the name.",
    "not authorized": "Ask who runs the account to allow it.",
    "AccessDenied": "Ask who runs the account to allow it.",
    "LimitExceeded": "Ask for more in the console's Service Quotas, or remove what you do not need.",
    "certificate": "Look at the certificate in ACM in us-east-1: it must be issued, and for the domain.",
}


@dataclass(frozen=True)
class Change:
    """What would become of one resource."""

    what: str  # added, changed, replaced, removed
    resource: str
    type: str
    parts: tuple[str, ...]

    def __str__(self) -> str:
        parts = f" ({', '.join(self.parts)})" if self.parts else ""
        lost = ""
        if self.type in _KEPT and self.what in ("removed", "replaced"):
            lost = " WHAT IS IN IT IS LOST"
        elif self.type in _KEPT and MAYBE in self.parts:
            lost = " WHAT IS IN IT MAY BE LOST"
        return f"{self.what:<9}{self.resource}, {self.type.removeprefix('AWS::')}{parts}{lost}"


@dataclass(frozen=True)
class Proposal:
    """A change set."""

    id: str
    stack: str
    is_first: bool
    changes: tuple[Change, ...]


class Stack:
    """A stack, by its name."""

    def __init__(self, account: Account, name: str) -> None:
        self.name = name
        self._client = account.client("cloudformation")

    def look(self) -> Any:
        """What CloudFormation knows of it; None if there is no such stack."""
        try:
            (found,) = self._client.describe_stacks(StackName=self.name)["Stacks"]
        except self._client.exceptions.ClientError as error:
            if code_of(error) == "ValidationError" and "does not exist" in str(error):
                return None
            raise
        proposed = found["StackStatus"] == "REVIEW_IN_PROGRESS"  # has no tags yet
        if not proposed and {"Key": OURS, "Value": self.name} not in found.get("Tags", []):
            raise Trouble(
                f"There is a stack '{self.name}' that is not of VisualNeurons.", "Choose another name with --stack."
            )
        return found

    def parameters(self) -> dict[str, str]:
        """What it was told; nothing if it is not there yet."""
        found = self.look()
        if not found or found["StackStatus"] == "REVIEW_IN_PROGRESS":
            return {}
        return {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}

    def outputs(self) -> dict[str, str]:
        """What it tells."""
        found = self.look()
        return {each["OutputKey"]: each["OutputValue"] for each in (found or {}).get("Outputs", [])}

    def settle(self, say: Say) -> None:
        """Wait until nobody else is changing it, and refuse what no change set can be made for."""
        found = self.look()
        status = found["StackStatus"] if found else "REVIEW_IN_PROGRESS"
        if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            say(f"The stack '{self.name}' is being changed already ({status}); waiting for that to end.")
            status = self.follow(found["StackId"], set(), say)[0]
        if status == "UPDATE_ROLLBACK_FAILED":
            hint = (
                f"Mend what stopped it, then run: aws cloudformation continue-update-rollback --stack-name {self.name}"
            )
            raise Trouble(f"The stack '{self.name}' could not go back to what it was ({status}).", hint)
        if status in ("CREATE_FAILED", "DELETE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"):
            hint = f"Remove what is left of it: visualneurons destroy --stack {self.name}"
            raise Trouble(f"The stack '{self.name}' is of no use any more ({status}).", hint)

    def propose(self, template: str, parameters: Mapping[str, str]) -> Proposal | None:
        """What would change; None if nothing would."""
        found = self.look()
        is_first = not found or found["StackStatus"] in ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE")
        made = self._client.create_change_set(
            StackName=self.name,
            ChangeSetName=f"deploy-{uuid.uuid4()}",
            ChangeSetType="CREATE" if is_first else "UPDATE",
            TemplateURL=template,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
            Tags=[{"Key": OURS, "Value": self.name}],
            # A first try that fails leaves nothing behind, not even a stack of no use.
            **({"OnStackFailure": "DELETE"} if is_first else {}),
        )
        proposal = Proposal(made["Id"], made["StackId"], is_first, ())
        while (described := self._describe(proposal.id))["Status"] in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
            time.sleep(PAUSE)
        if described["Status"] == "FAILED":
            self.withdraw(proposal)
            reason = described.get("StatusReason", "no reason given").rstrip(".")
            if any(each in reason for each in _NOTHING):
                return None
            raise Trouble(f"CloudFormation does not take the template: {reason}.", _hint(reason))
        changes = [_change(each["ResourceChange"]) for each in described["Changes"] if "ResourceChange" in each]
        return Proposal(
            proposal.id, proposal.stack, is_first, tuple(sorted(changes, key=lambda c: (c.what, c.resource)))
        )

    def withdraw(self, proposal: Proposal) -> None:
        """Leave it as it is."""
        self._client.delete_change_set(ChangeSetName=proposal.id)
        if proposal.is_first:
            self._client.delete_stack(StackName=proposal.stack)

    def carry_out(self, proposal: Proposal, say: Say) -> None:
        """Change it, or say of what it failed."""
        before = {each["EventId"] for each in self._events(proposal.stack, set())}
        self._client.execute_change_set(ChangeSetName=proposal.id)
        status, failure = self.follow(proposal.stack, before, say)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            reason = failure or f"The stack is {status}."
            undone = "Nothing of it is left." if proposal.is_first else "All is as it was before."
            raise Trouble(f"{reason} {undone}", f"{_hint(reason)} Then run it again.")

    def remove(self, say: Say) -> str:
        """Have it removed; return of what that failed, or nothing."""
        found = self.look()
        if not found:
            return ""
        before = {each["EventId"] for each in self._events(found["StackId"], set())}
        self._client.delete_stack(StackName=found["StackId"])
        status, failure = self.follow(found["StackId"], before, say)
        return "" if status == "DELETE_COMPLETE" else failure or f"The stack is {status}."

    def follow(self, stack: str, seen: set[str], say: Say) -> tuple[str, str]:
        """Say what happens until nothing does any more; return the stack's state, and of what it failed first."""
        began, failure = time.monotonic(), ""
        while True:
            # The state is asked for before what has happened, so that nothing is missed of what led to it.
            status: str = self._client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
            for event in reversed(self._events(stack, seen)):
                seen.add(event["EventId"])
                doing, _, how = event["ResourceStatus"].partition("_")
                if event.get("PhysicalResourceId") == stack or doing not in _WORDS or how not in _HOW:
                    continue
                reason = event.get("ResourceStatusReason", "").rstrip(".")
                going, done, failed = _WORDS[doing]
                words = {"IN_PROGRESS": going, "COMPLETE": done, "FAILED": f"{failed}: {reason}"}[how]
                if how == "FAILED" and "cancelled" in reason.lower():
                    words = "was not gone on with"
                elif how == "FAILED":
                    failure = failure or f"{event['LogicalResourceId']} {words}."
                if not (how == "IN_PROGRESS" and reason):  # which is told twice: once asked for, once begun
                    say(f"{time.monotonic() - began:5.0f} s  {event['LogicalResourceId']} {words}")
            if not status.endswith("_IN_PROGRESS"):
                return status, failure
            time.sleep(PAUSE)

    def _events(self, stack: str, seen: set[str]) -> list[Any]:
        """What has happened since, the newest first."""
        new: list[Any] = []
        for page in self._client.get_paginator("describe_stack_events").paginate(StackName=stack):
            for each in page["StackEvents"]:
                if each["EventId"] in seen:
                    return new
                new.append(each)
        return new

    def _describe(self, change_set: str) -> Any:
        described = self._client.describe_change_set(ChangeSetName=change_set)
        page = described
        while page.get("NextToken"):
            page = self._client.describe_change_set(ChangeSetName=change_set, NextToken=page["NextToken"])
            described["Changes"] += page["Changes"]
        return described


def _change(told: Any) -> Change:
    replacement = told.get("Replacement", "False")
    what = {"Add": "added", "Remove": "removed"}.get(told["Action"], "replaced" if replacement == "True" else "changed")
    targets = (each.get("Target", {}) for each in told.get("Details", []))
    parts = sorted({str(each.get("Name") or each.get("Attribute")) for each in targets})
    if replacement == "Conditional":
        parts.append(MAYBE)
    return Change(what, told["LogicalResourceId"], told["ResourceType"], tuple(parts))


def _hint(reason: str) -> str:
    return next((hint for sign, hint in _HINTS.items() if sign in reason), "Mend that.")
