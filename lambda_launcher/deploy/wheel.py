"""The program as a wheel, which the machine's image is made with."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from lambda_launcher.deploy.trouble import Trouble
from lambda_launcher.template import ROOT

NAME = "visualneurons"
# Nothing of these is in a wheel, and some is large.
_UNWANTED = shutil.ignore_patterns(
    ".*", "__pycache__", "*.egg-info", "benchmarks", "build", "docs", "node_modules", "tests"
)
_OF_THE_INSTALLER = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json"}


def built(folder: Path, root: Path = ROOT) -> Path:
    """Make the wheel of the program that is running, from its checkout or from what is installed."""
    return _from_checkout(folder, root) if (root / "setup.py").is_file() else _from_installed(folder, root)


def contents(wheel: Path) -> dict[str, str]:
    """Hashes of what a wheel holds, by name: the same program makes the same, whenever it is built."""
    with zipfile.ZipFile(wheel) as archive:
        return {
            name: hashlib.sha256(archive.read(name)).hexdigest()
            for name in sorted(archive.namelist())
            if not name.endswith((".dist-info/RECORD", "/"))
        }


def _from_checkout(folder: Path, root: Path) -> Path:
    """Have pip build it from a copy, since building leaves its traces in the folder it builds from."""
    copy = folder / "source"
    shutil.copytree(root, copy, ignore=_UNWANTED)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "wheel", "--no-deps"]
    done = subprocess.run([*pip, "--wheel-dir", folder, copy], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise Trouble(f"The program's wheel cannot be built: {reason}.", "Look whether this machine reaches PyPI.")
    shutil.rmtree(copy)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _from_installed(folder: Path, root: Path) -> Path:
    """Put it together again from the files that pip has written."""
    installed = next(iter(importlib.metadata.distributions(name=NAME, path=[str(root)])), None)
    files = [each for each in (installed.files if installed else None) or [] if _belongs(each)]
    if not installed or not files:
        raise Trouble("The program is neither in a checkout nor installed by pip.", "Install it with pip.")
    target = folder / f"{NAME}-{installed.version}-py3-none-any.whl"
    record = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in sorted(files):
            content = Path(str(each.locate())).read_bytes()
            archive.writestr(each.as_posix(), content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{each.as_posix()},sha256={digest},{len(content)}")
        (info,) = {each.parts[0] for each in files if each.parts[0].endswith(".dist-info")}
        archive.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,", ""]))
    return target


def _belongs(path: importlib.metadata.PackagePath) -> bool:
    of_the_installer = path.name in _OF_THE_INSTALLER and path.parts[0].endswith(".dist-info")
    return ".." not in path.parts and path.suffix != ".pyc" and not of_the_installer
