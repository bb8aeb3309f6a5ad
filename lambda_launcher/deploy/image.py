"""The image from which studios boot: what it is made from, and whether it is made already."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambda_launcher import template
from lambda_launcher.deploy import wheel
from lambda_launcher.deploy.account import Account
from lambda_launcher.deploy.artifacts import OURS
from lambda_launcher.deploy.trouble import Trouble

FOLDER = template.ROOT / "ami"
FIRST = "1.0.0"
BAKES = 45
"""Minutes that it is reckoned to take to bake one."""

_RECIPE = ("ImageRecipe", "InstallComponent", "SmokeComponent")
_PAGE, _PAINTED_WITH = "website/", "website/artworks/"
_GIB = 2**30
_AT_WORK = {"PENDING", "CREATING", "BUILDING", "TESTING", "DISTRIBUTING", "INTEGRATING"}


@dataclass(frozen=True)
class Material:
    """What an image is made from: the files by their names, and their mark, by which a change is seen.

    The page does not count, though the wheel has it: visitors have it from the site's bucket.
    """

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
        if name.startswith(_PAINTED_WITH) or not name.startswith(_PAGE):
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


def check_base(account: Account, base: str) -> None:
    """Refuse a base image that is not there, or too large for the machine's disk: baking would fail minutes later."""
    ssm = account.client("ssm")
    try:
        name = ssm.get_parameter(Name=base)["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound as error:
        raise Trouble(f"{account.region} has no base image {base}.", "Choose another region with --region.") from error
    (found,) = account.client("ec2").describe_images(ImageIds=[name])["Images"]
    sizes = {disk["DeviceName"]: disk.get("Ebs", {}).get("VolumeSize", 0) for disk in found["BlockDeviceMappings"]}
    (room,) = map(int, re.findall(r"VolumeSize: (\d+)", template.resources()["ImageRecipe"]))
    needed = sizes[found["RootDeviceName"]]
    if needed > room:
        hint = "Take a newer VisualNeurons, or a larger VolumeSize in lambda_launcher/template.yaml, in both places."
        raise Trouble(f"The base image {name} needs a disk of {needed} GB, and the machine's has {room}.", hint)


def bake(client: Any, pipeline: str, wanted: str, anew: bool) -> str:
    """Have the image baked unless it is being so, or is there and need not be `anew`; say how it stands, or nothing."""
    every = images(client, pipeline)
    builds = [each for each in every if each["version"].startswith(f"{wanted}/")]
    last = max(builds, key=_build)["state"] if builds else {"status": ""}
    name = f"The machine's image {wanted}"
    if last["status"] in _AT_WORK:
        return f"{name} is being baked ({last['status'].lower()}). {_meanwhile(every)}"
    failed = f" The last try failed: {last.get('reason') or 'no reason given'}." if last["status"] == "FAILED" else ""
    if _is_there(builds) and not anew:
        return failed and f"{name} is not as new as it could be.{failed} Try it again with --bake."
    client.start_image_pipeline_execution(imagePipelineArn=pipeline, clientToken=str(uuid.uuid4()))
    return f"{name} is being baked from now on.{failed} {_meanwhile(every)}"


def _meanwhile(every: Iterable[Any]) -> str:
    """What there is while an image is baked."""
    before = "Studios boot from the one before" if _is_there(every) else "The page paints by itself, with its sketch,"
    again = f"Run 'visualneurons deploy' again to see whether it is done; it is reckoned at {BAKES} minutes."
    return f"{before} until it is there. {again}"


def _is_there(builds: Iterable[Any]) -> bool:
    return any(each["state"]["status"] == "AVAILABLE" for each in builds)


def _build(summary: Any) -> int:
    """The number of a build among those of its version."""
    return int(summary["version"].rpartition("/")[2])


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
    found = {each["ImageId"]: _snapshots(each) for each in ec2.describe_images(Owners=["self"], Filters=ours)["Images"]}
    # By their tag they are found, whatever happens between an image's end and theirs.
    if snapshots := sorted(set().union(*found.values())):
        ec2.create_tags(Resources=snapshots, Tags=[{"Key": OURS, "Value": stack}])
    return found


def size(account: Account, stack: str) -> float | None:
    """How many GiB EBS fills a new machine's disk with, from the newest image; None as long as there is none."""
    ec2, newest = account.client("ec2"), _newest(account, stack)
    if not newest:
        return None
    ours = [{"Name": "image-id", "Values": [newest]}]
    disks = {disk for each in ec2.describe_images(Owners=["self"], Filters=ours)["Images"] for disk in _snapshots(each)}
    if not disks:
        return None
    described = ec2.describe_snapshots(SnapshotIds=sorted(disks))["Snapshots"]
    # Where EC2, or an older boto3, does not tell what is in it: the most that can be.
    return float(sum(each.get("FullSnapshotSizeInBytes", each["VolumeSize"] * _GIB) for each in described) / _GIB)


def forget_older(account: Account, stack: str) -> int:
    """Remove the images from which no studio boots any more, since they are paid for; return how many."""
    ec2, newest = account.client("ec2"), _newest(account, stack)
    if not newest:
        return 0
    older = {name: disks for name, disks in machine_images(ec2, stack).items() if name != newest}
    for name, disks in older.items():
        ec2.deregister_image(ImageId=name)
        for disk in sorted(disks):
            ec2.delete_snapshot(SnapshotId=disk)
    return len(older)


def _newest(account: Account, stack: str) -> str:
    """The image from which studios boot; nothing if there is none yet."""
    ssm = account.client("ssm")
    try:
        return str(ssm.get_parameter(Name=parameter(stack))["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        return ""


def _snapshots(described: Any) -> set[str]:
    """The snapshots from which an image's disks are filled."""
    disks = (disk.get("Ebs", {}) for disk in described.get("BlockDeviceMappings", []))
    return {disk["SnapshotId"] for disk in disks if disk.get("SnapshotId")}
