"""The wheel: what is in it, and that it serves the page where there is no checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

from lambda_launcher.deploy.wheel import built, contents
from lambda_launcher.template import rendered
from tests.server.process import get, serving

ROOT = Path(__file__).resolve().parent.parent
ROOMS = {"ami", "controller", "gallery", "lambda_launcher", "model", "rehearsal", "server", "website"}
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what pip has installed from it."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([*PIP, "install", "--no-deps", "--target", folder, wheel], check=True)
    return folder


def is_kept(path: Path) -> bool:
    """Whether a path is a file of the program, and not one that Python has just compiled, or is compiling."""
    return path.is_file() and "__pycache__" not in path.parts


def test_it_holds_the_rooms_and_the_whole_site_and_nothing_else(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert {name.partition("/")[0] for name in names} == ROOMS | {"visualneurons.py"}
    code = {path.relative_to(ROOT).as_posix() for room in ROOMS - {"website"} for path in (ROOT / room).rglob("*.py")}
    site = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "website").rglob("*")
        if is_kept(path) and path.suffix != ".py" and not path.name.startswith(".")
    }
    assert {"website/index.html", "website/main.js", "website/style/page.css"} <= site
    assert code | site | {"visualneurons.py"} <= names
    assert {name for name in names if name.startswith("website/")} == site
    machine = {path.relative_to(ROOT).as_posix() for path in (ROOT / "ami").rglob("*") if is_kept(path)}
    assert {name for name in names if name.startswith("ami/")} == machine


def test_it_says_what_it_is(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (info,) = {name.partition("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        metadata = Parser().parsestr(archive.read(f"{info}/METADATA").decode())
        entry_points = archive.read(f"{info}/entry_points.txt").decode()
        licences = [name for name in archive.namelist() if name.startswith(info) and name.endswith("LICENSE")]
    assert metadata["Name"] == "visualneurons"
    assert set(metadata["Requires-Python"].split(",")) == {">=3.10", "<3.14"}
    assert {"cpu", "gpu", "jax", "cloud", "dev"} <= set(metadata.get_all("Provides-Extra"))
    base = [line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line]
    assert not [line for line in base if line.startswith(("tensorflow", "jax"))]
    assert "visualneurons = visualneurons:main" in entry_points
    assert licences


def test_installed_it_serves_its_own_copy_of_the_site(installed: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(installed, tmp_path / "copy")
    page = copy / "website" / "index.html"
    page.write_bytes(page.read_bytes().replace(b"<h1>", b"<h1>Installed "))
    with serving(cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(copy)}) as server:
        assert b"<h1>Installed " in get(server.url).read()


DEPLOYING = """
import sys
from pathlib import Path
from lambda_launcher.deploy import image, site, wheel
from lambda_launcher.template import rendered
built = wheel.built(Path.cwd())
sys.stdout.write(rendered())
print(built, len(image.material(built).files), len(site.pages(30)), file=sys.stderr)
"""


def test_installed_it_can_deploy_all_that_a_checkout_can(wheel: Path, installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DEPLOYING],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == rendered()
    again, files, pages = done.stderr.rsplit(maxsplit=2)
    assert int(files) == sum(map(is_kept, (ROOT / "ami").rglob("*"))) + 1
    assert int(pages) > 50
    assert contents(Path(again)) == contents(wheel), "the program is put together again as it was"
    other = tmp_path / "other"
    subprocess.run([*PIP, "install", "--no-deps", "--target", other, again], check=True)
    assert (other / "visualneurons.py").read_bytes() == (ROOT / "visualneurons.py").read_bytes()
