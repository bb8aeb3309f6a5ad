"""The image from which studios boot: what it is made from, and whether it is made already."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambda_launcher import template
from lambda_launcher.deploy import wheel
from lambda_launcher.deploy.account import Account
from lambda_launcher.deploy.artifacts import OURS

FOLDER = template.ROOT / "ami"
FIRST = "1.0.0"
BAKES = 45
"""Minutes that it takes to bake one, about."""

_RECIPE = ("ImageRecipe", "InstallComponent", "SmokeComponent")
_AT_WORK = {"PENDING", "CREATING", "BUILDING", "TESTING", "DISTRIBUTING", "INTEGRATING"}


@dataclass(frozen=True)
class Material:
    """What an image is made from: the files by their names, and the mark of all of it, by which a change is seen."""

    files: Mapping[str, bytes]
    mark: str

    @property
    def prefix(self) -> str:
        """Where it lies among the artifacts."""
        return f"image/{self.mark}"


def material(built: Path) -> Material:
    """The folder ami/ and the wheel."""
    files = {
        path.relative_to(FOLDER.parent).as_posix(): path.read_bytes()
        for path in sorted(FOLDER.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }
    digest = hashlib.sha256()
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    for name, of_file in sorted((hashes | wheel.contents(built)).items()):
        digest.update(f"{name} {of_file}\n".encode())
    resources = template.resources()
    for resource in _RECIPE:  # of which none can be changed but by a new version
        digest.update(resources[resource].encode())
    return Material({**files, built.name: built.read_bytes()}, digest.hexdigest()[:16])


def version(deployed: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """The version of the recipe that is wanted: the one that is deployed, or if anything has changed the next."""
    if "ImageVersion" not in deployed:
        return FIRST
    if all(deployed.get(name) == wanted.get(name) for name in ("ImageFiles", "BaseImage")):
        return deployed["ImageVersion"]
    major, minor, patch = deployed["ImageVersion"].split(".")
    return f"{major}.{minor}.{int(patch) + 1}"


def bake(client: Any, pipeline: str, wanted: str) -> str:
    """Have the image baked unless it is, or is being so; say how it stands, or nothing if it is there."""
    builds = [each for each in images(client, pipeline) if each["version"].startswith(f"{wanted}/")]
    states = {each["state"]["status"]: each["state"].get("reason", "") for each in builds}
    if "AVAILABLE" in states:
        return ""
    again = f"Run 'visualneurons deploy' again to see whether it is done; it takes about {BAKES} minutes."
    if at_work := _AT_WORK & states.keys():
        return f"The machine's image {wanted} is being baked ({min(at_work).lower()}). {again}"
    client.start_image_pipeline_execution(imagePipelineArn=pipeline, clientToken=str(uuid.uuid4()))
    failed = f" The last try failed: {states['FAILED'] or 'no reason given'}." if "FAILED" in states else ""
    return f"The machine's image {wanted} is being baked from now on.{failed} {again}"


def images(client: Any, pipeline: str) -> list[Any]:
    """What a pipeline has made and is making."""
    found, page = [], client.list_image_pipeline_images(imagePipelineArn=pipeline)
    while True:
        found += page["imageSummaryList"]
        if not page.get("nextToken"):
            return found
        page = client.list_image_pipeline_images(imagePipelineArn=pipeline, nextToken=page["nextToken"])


def parameter(stack: str) -> str:
    """The parameter by which studios find the newest image."""
    return f"/imagebuilder/{stack}/image"


def machine_images(ec2: Any, stack: str) -> dict[str, set[str]]:
    """The machine images of a stack, each with its snapshots, which from now on have the stack's tag, too."""
    ours = [{"Name": f"tag:{OURS}", "Values": [stack]}]
    found = {
        each["ImageId"]: {
            disk["Ebs"]["SnapshotId"]
            for disk in each.get("BlockDeviceMappings", [])
            if disk.get("Ebs", {}).get("SnapshotId")
        }
        for each in ec2.describe_images(Owners=["self"], Filters=ours)["Images"]
    }
    # By their tag they are found, whatever happens between an image's end and theirs.
    if snapshots := sorted(set().union(*found.values())):
        ec2.create_tags(Resources=snapshots, Tags=[{"Key": OURS, "Value": stack}])
    return found


def forget_older(account: Account, stack: str) -> int:
    """Remove the images from which no studio boots any more, since they are paid for; return how many."""
    ec2, ssm = account.client("ec2"), account.client("ssm")
    try:
        newest = ssm.get_parameter(Name=parameter(stack))["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        return 0
    older = {name: disks for name, disks in machine_images(ec2, stack).items() if name != newest}
    for name, disks in older.items():
        ec2.deregister_image(ImageId=name)
        for disk in sorted(disks):
            ec2.delete_snapshot(SnapshotId=disk)
    return len(older)
