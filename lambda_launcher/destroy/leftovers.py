"""Everything that there may be of a stack, and how it goes; each step finds nothing to do where it was done before."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lambda_launcher.deploy.account import Account
from lambda_launcher.deploy.artifacts import OURS, Artifacts
from lambda_launcher.deploy.image import machine_images, parameter
from lambda_launcher.deploy.stack import Say, Stack
from lambda_launcher.deploy.trouble import Trouble, code_of, refused

WORKSHOP = "visualneurons-workshop"
"""The tag of the machines on which images are made."""

PAUSE = 2.0  # seconds between two looks
PATIENCE = 900.0
"""Seconds that machines, and the making of images, may take to end."""

_OVER = {"AVAILABLE", "CANCELLED", "DELETED", "DEPRECATED", "DISABLED", "FAILED"}
_NOT_THERE = {
    "InvalidAMIID.NotFound",
    "InvalidAMIID.Unavailable",
    "InvalidInstanceID.NotFound",
    "InvalidSnapshot.NotFound",
    "NoSuchBucket",
    "ParameterNotFound",
    "ResourceNotFoundException",
}


class Leftovers:
    """What there is of one stack: what was removed of it, and what could not be, in words."""

    def __init__(self, account: Account, stack: str, say: Say) -> None:
        self.removed: list[str] = []
        self.left: list[str] = []
        self._account = account
        self._stack = stack
        self._say = say

    def machines(self) -> list[Any]:
        """The studios, and the machines on which images are made, that have not ended."""
        pages = self._account.client("ec2").get_paginator("describe_instances")
        found = {}
        for tag in (OURS, WORKSHOP):
            for page in pages.paginate(Filters=[{"Name": f"tag:{tag}", "Values": [self._stack]}]):
                for each in (one for some in page["Reservations"] for one in some["Instances"]):
                    found[each["InstanceId"]] = each
        return [each for each in found.values() if each["State"]["Name"] != "terminated"]

    def remove(self) -> None:
        """Remove it all, in the order in which nothing is made anew and nothing is needed any more."""
        self._close()
        self._step("what is baked", self._end_baking)
        self._step("the machines", self._end_machines)
        if self.machines():
            return  # the reaper stays as long as there is something to reap
        stack = Stack(self._account, self._stack)
        for bucket in self._buckets(stack):
            self._do(f"the contents of the bucket {bucket}", self._empty, bucket=bucket)
        self._step("Image Builder's images", self._remove_builds)
        self._do(f"the stack {self._stack}", self._remove_stack, stack=stack)
        self._step("older recipes", self._remove_recipes)
        self._step("the machine's images", self._remove_images)
        self._step("the parameter", self._remove_parameter)
        self._step("the logs", self._remove_logs)
        self._do("the bucket of the artifacts", self._remove_artifacts)
        self._step("the machines", self._end_machines)  # which a last request may have started meanwhile

    def _step(self, what: str, act: Callable[[], None]) -> None:
        """Go on with the next step even where this one cannot be begun."""
        from botocore.exceptions import ClientError

        try:
            act()
        except ClientError as error:
            self.left.append(f"{what}: {refused(error, self._account.region)}")

    def _do(self, what: str, act: Callable[..., object], **how: object) -> bool:
        """Remove something, if it is there; whether it does not stay."""
        from botocore.exceptions import ClientError

        try:
            was_there = act(**how) is not False
        except Trouble as trouble:
            self.left.append(f"{what}: {trouble}")
            return False
        except ClientError as error:
            if code_of(error) in _NOT_THERE:
                return True
            self.left.append(f"{what}: {refused(error, self._account.region)}")
            return False
        if was_there:
            self.removed.append(what)
            self._say(f"removed: {what}")
        return True

    def _close(self) -> None:
        """Let the launcher answer nobody any more, so that it starts no studio meanwhile."""
        client = self._account.client("lambda")
        name = f"{self._stack}-launcher"
        try:
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        except client.exceptions.ResourceNotFoundException:
            return
        self._say("The launcher starts no studio any more.")

    def _builds(self) -> Iterator[Any]:
        """Images as Image Builder knows them: each try to make one."""
        client = self._account.client("imagebuilder")
        ours = [{"name": "name", "values": [f"{self._stack}-studio"]}]
        for version in _all(client.list_images, "imageVersionList", owner="Self", filters=ours):
            yield from _all(client.list_image_build_versions, "imageSummaryList", imageVersionArn=version["arn"])

    def _end_baking(self) -> None:
        client = self._account.client("imagebuilder")
        cancelled = {
            arn
            for arn in self._at_work()
            if self._do(
                f"the baking of {arn}",
                client.cancel_image_creation,
                imageBuildVersionArn=arn,
                clientToken=str(uuid.uuid4()),
            )
        }
        self._wait(lambda: cancelled & self._at_work(), "the baking of")

    def _at_work(self) -> set[str]:
        """Images that are being made."""
        return {each["arn"] for each in self._builds() if each["state"]["status"] not in _OVER}

    def _end_machines(self) -> None:
        client = self._account.client("ec2")
        names = sorted(each["InstanceId"] for each in self.machines())
        ending = {
            name for name in names if self._do(f"the machine {name}", client.terminate_instances, InstanceIds=[name])
        }
        self._wait(lambda: ending & {each["InstanceId"] for each in self.machines()}, "the machine")

    def _wait(self, there: Callable[[], set[str]], what: str) -> None:
        """Wait until nothing is there any more of what has been asked to end."""
        until = time.monotonic() + PATIENCE
        while names := there():
            if time.monotonic() > until:
                self.left += [f"{what} {name}: it has not ended within {PATIENCE:.0f} s." for name in sorted(names)]
                return
            time.sleep(PAUSE)

    def _buckets(self, stack: Stack) -> list[str]:
        client = self._account.client("cloudformation")
        if not stack.look():
            return []
        pages = client.get_paginator("list_stack_resources").paginate(StackName=self._stack)
        return [
            each["PhysicalResourceId"]
            for page in pages
            for each in page["StackResourceSummaries"]
            if each["ResourceType"] == "AWS::S3::Bucket"
            and each.get("PhysicalResourceId")
            and each["ResourceStatus"] != "DELETE_COMPLETE"
        ]

    def _empty(self, bucket: str) -> bool:
        """Delete every version of every object; False if there is none."""
        client = self._account.client("s3")
        ours = {"Bucket": bucket, "ExpectedBucketOwner": self._account.id}
        any_ = False
        for page in client.get_paginator("list_object_versions").paginate(**ours):
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            if objects := [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]:
                any_ = True
                answer = client.delete_objects(**ours, Delete={"Objects": objects, "Quiet": True})
                if errors := answer.get("Errors"):
                    hint = "Ask who runs the account to allow it."
                    raise Trouble(f"{len(errors)} objects stay ({errors[0].get('Code')}).", hint)
        return any_

    def _remove_builds(self) -> None:
        client = self._account.client("imagebuilder")
        for arn in [each["arn"] for each in self._builds()]:
            self._do(f"Image Builder's image {arn}", client.delete_image, imageBuildVersionArn=arn)

    def _remove_stack(self, stack: Stack) -> bool:
        if not stack.look():
            return False
        if failure := stack.remove(self._say):
            raise Trouble(failure, "Remove what stands in its way, and run it again.")
        return True

    def _remove_recipes(self) -> None:
        """Older versions, which the stack has let go of while images were made from them."""
        client = self._account.client("imagebuilder")
        recipes = [{"name": "name", "values": [f"{self._stack}-studio"]}]
        for each in _all(client.list_image_recipes, "imageRecipeSummaryList", owner="Self", filters=recipes):
            arn = each["arn"]
            self._do(f"the recipe {arn}", client.delete_image_recipe, imageRecipeArn=arn)
        parts = [{"name": "name", "values": [f"{self._stack}-install", f"{self._stack}-smoke"]}]
        for each in _all(client.list_components, "componentVersionList", owner="Self", filters=parts):
            for build in _all(
                client.list_component_build_versions, "componentSummaryList", componentVersionArn=each["arn"]
            ):
                arn = build["arn"]
                self._do(f"the component {arn}", client.delete_component, componentBuildVersionArn=arn)

    def _remove_images(self) -> None:
        client = self._account.client("ec2")
        images = machine_images(client, self._stack)
        for name in sorted(images):
            self._do(f"the image {name}", client.deregister_image, ImageId=name)
        snapshots = set().union(*images.values())
        ours = [{"Name": f"tag:{OURS}", "Values": [self._stack]}]
        for page in client.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], Filters=ours):
            snapshots |= {each["SnapshotId"] for each in page["Snapshots"]}
        for name in sorted(snapshots):
            self._do(f"the snapshot {name}", client.delete_snapshot, SnapshotId=name)

    def _remove_parameter(self) -> None:
        name = parameter(self._stack)
        self._do(f"the parameter {name}", self._account.client("ssm").delete_parameter, Name=name)

    def _remove_logs(self) -> None:
        client = self._account.client("logs")
        for name in (
            f"/aws/lambda/{self._stack}-launcher",
            f"/aws/lambda/{self._stack}-reaper",
            f"/aws/imagebuilder/{self._stack}-studio",
        ):
            self._do(f"the log {name}", client.delete_log_group, logGroupName=name)

    def _remove_artifacts(self) -> bool:
        artifacts = Artifacts(self._account, self._stack)
        if not artifacts.is_there():
            return False
        self._empty(artifacts.name)
        artifacts.remove()
        return True


def _all(ask: Callable[..., Any], what: str, **which: object) -> Iterable[Any]:
    """All that there is, page after page."""
    page = ask(**which)
    yield from page[what]
    while page.get("nextToken"):
        page = ask(**which, nextToken=page["nextToken"])
        yield from page[what]
