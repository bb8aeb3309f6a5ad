"""The install script, run into a clean folder with the wheel of this checkout, as far as that goes without a GPU."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lambda_launcher.deploy.wheel import built
from tests.ami.test_units import AMI, UNITS, unit

INSTALL = AMI / "install.sh"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("wheel"))


def install(wheel: Path, root: Path) -> str:
    command = ["sh", INSTALL, "--wheel", wheel, "--root", root, "--offline"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def root(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("machine")
    assert install(wheel, root).endswith("install.sh: done\n")
    return root


def files(root: Path) -> dict[str, bytes]:
    """What is under `root`, but for the program's own folder: links by where they lead."""
    return {
        path.relative_to(root).as_posix(): os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in root.rglob("*")
        if (path.is_symlink() or path.is_file()) and "opt" not in path.relative_to(root).parts
    }


def test_the_program_is_in_an_environment_of_its_own(root: Path) -> None:
    program = root / "opt" / "visualneurons"
    asking = "import importlib.metadata, sys; print(importlib.metadata.version('visualneurons'), sys.prefix)"
    done = subprocess.run([program / "bin" / "python", "-I", "-c", asking], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0.1.0", str(program)]
    assert (program / "bin" / "visualneurons").is_file()
    assert len(list(program.glob("lib/python3*/site-packages/website/index.html"))) == 1


def test_everything_lies_where_the_units_look_for_it(root: Path) -> None:
    library = root / "usr" / "lib"
    for path in UNITS:
        assert (library / "systemd" / "system" / path.name).read_bytes() == path.read_bytes()
    for script in ("deadline.sh", "smoke.sh", "watch.sh"):
        assert os.access(library / "visualneurons" / script, os.X_OK)
    assert (library / "visualneurons" / "start_studio.py").is_file()
    assert (library / "sysusers.d" / "visualneurons.conf").read_text().startswith("u visualneurons ")


def test_what_is_to_run_from_the_boot_on_is_enabled(root: Path) -> None:
    wanted = {
        f"etc/systemd/system/{target}.wants/{path.name}": f"/usr/lib/systemd/system/{path.name}".encode()
        for path in UNITS
        for target in unit(path.name).get("Install", {}).get("WantedBy", [])
    }
    assert len(wanted) == 3
    assert {name: content for name, content in files(root).items() if name.startswith("etc/")} == wanted


def test_nothing_of_one_studio_is_in_the_image(root: Path) -> None:
    assert not (root / "etc" / "visualneurons").exists()


def test_installed_again_it_is_as_it_was(root: Path, wheel: Path) -> None:
    before = files(root)
    unit_there = root / "usr" / "lib" / "systemd" / "system" / "visualneurons.service"
    unit_there.write_text("something old")
    install(wheel, root)
    assert files(root) == before


def test_systemd_takes_the_units(root: Path, tmp_path: Path) -> None:
    """Where systemd is: on a machine without, test_units.py has looked at them."""
    analyze = shutil.which("systemd-analyze")
    folder = tmp_path / "units"
    folder.mkdir()
    for path in UNITS:
        # What is started has to be there, so the units are pointed into the folder.
        text = (
            path.read_text(encoding="utf-8").replace("/opt/", f"{root}/opt/").replace("/usr/lib/", f"{root}/usr/lib/")
        )
        (folder / path.name).write_text(text, encoding="utf-8")
    assert len(list(folder.iterdir())) == 6
    if analyze:
        verify = [analyze, "verify", "--man=no", "--recursive-errors=no", *(path.name for path in UNITS)]
        told = os.environ | {"SYSTEMD_UNIT_PATH": f"{folder}:"}
        done = subprocess.run(verify, env=told, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "There is no wheel ''."),
        (["--wheel", "nothing.whl"], "There is no wheel 'nothing.whl'."),
        (["--wheel"], "--wheel needs a value."),
        (["--weels", "x"], "There is no --weels."),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(arguments: list[str], why: str, tmp_path: Path) -> None:
    done = subprocess.run(["sh", INSTALL, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith(f"install.sh: {why}")
    assert list(tmp_path.iterdir()) == []
