"""All that is deployed, packed on this machine: the Lambdas, the template, what the image is made from, the page."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lambda_launcher import template
from lambda_launcher.bundle import bundle
from lambda_launcher.deploy import image, site, wheel
from lambda_launcher.deploy.artifacts import Artifacts


@dataclass(frozen=True)
class Packed:
    """What is ready to be sent."""

    launcher: bytes
    template: bytes
    image: image.Material
    pages: tuple[site.Page, ...]

    @property
    def parameters(self) -> dict[str, str]:
        """Its part of the template's parameters: where it lies among the artifacts."""
        return {"LauncherZip": f"launcher/{_mark(self.launcher)}.zip", "ImageFiles": self.image.prefix}

    @property
    def template_key(self) -> str:
        """Where the template lies among them: it may be larger than a request to CloudFormation."""
        return f"template/{_mark(self.template)}.yaml"

    def send(self, artifacts: Artifacts) -> None:
        """Lay all but the page among the artifacts."""
        artifacts.put(self.parameters["LauncherZip"], self.launcher)
        artifacts.put(self.template_key, self.template)
        for name, content in self.image.files.items():
            artifacts.put(f"{self.image.prefix}/{name}", content)

    def __str__(self) -> str:
        files = len(self.pages), sum(len(page.content) for page in self.pages)
        made_from = len(self.image.files), sum(map(len, self.image.files.values()))
        return (
            f"  launcher  {len(self.launcher):>9,} bytes\n"
            f"  template  {len(self.template):>9,} bytes, {len(template.resources())} resources\n"
            f"  image     {made_from[1]:>9,} bytes in {made_from[0]} files\n"
            f"  site      {files[1]:>9,} bytes in {files[0]} files"
        )


def packed(days: int) -> Packed:
    """Pack it; the page is to say for how many days a painting is kept."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        launcher = bundle(folder / "launcher.zip").read_bytes()
        made_from = image.material(wheel.built(folder))
    return Packed(launcher, template.rendered().encode(), made_from, tuple(site.pages(days)))


def _mark(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
