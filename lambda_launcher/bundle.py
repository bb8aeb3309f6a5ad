"""The Lambdas' zip: this room's modules, and the packages that the runtime lacks.

The same modules and packages make the same zip, so that its hash says whether anything has changed.
"""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from lambda_launcher.deploy.trouble import Trouble

HERE = Path(__file__).parent

PACKAGES = ("aws-lambda-powertools", "PyJWT", "jmespath", "typing-extensions")
"""What the zip has of others, with all that these need; boto3 comes with the runtime."""

_AT_HOME = {"bundle.py", "command.py", "template.py"}  # what deploys, and is deployed by nobody

RUNTIME = ("--platform", "manylinux2014_aarch64", "--implementation", "cp", "--python-version", "3.13")
MOST = 5 * 2**20
"""Bytes that the zip may have: Lambda takes more, but a visitor waits while a cold start unpacks them."""

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest moment that a zip knows


def bundle(target: Path, local: bool = False) -> Path:
    """Write the zip to `target`; a `local` one is for an interpreter that has the packages already."""
    with tempfile.TemporaryDirectory() as folder:
        if not local:
            _install(Path(folder))
        files = dict(sorted([*_modules(), *_installed(Path(folder))]))
        target.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, path in files.items():
                entry = zipfile.ZipInfo(name, _LONG_AGO)
                entry.external_attr = 0o100644 << 16
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)
    size = target.stat().st_size
    if size > MOST:
        raise Trouble(
            f"The launcher's zip has {size} bytes, more than {MOST}.", "Look at what its packages bring along."
        )
    return target


def _modules() -> Iterator[tuple[str, Path]]:
    """The room's own modules, without what deploys them, most of which is in folders of its own."""
    for path in sorted({*HERE.glob("*.py")} - {HERE / name for name in _AT_HOME}):
        yield f"{HERE.name}/{path.name}", path


def _installed(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if path.is_file() and path.suffix != ".pyc" and not name.parts[0].endswith((".dist-info", "bin")):
            yield name.as_posix(), path


def _install(folder: Path) -> None:
    """Fetch the packages as the runtime needs them, in the versions that are installed here, and so were tested."""
    try:
        wanted = [f"{name}=={importlib.metadata.version(name)}" for name in PACKAGES]
    except importlib.metadata.PackageNotFoundError as error:
        hint = "Install what the cloud needs: pip install 'visualneurons[cloud]'."
        raise Trouble(f"The launcher needs {error.name}, which is not installed.", hint) from error
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    done = subprocess.run(
        [*pip, "--no-deps", "--no-compile", "--only-binary=:all:", *RUNTIME, "--target", folder, *wanted],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip() or "no reason given").splitlines()[-1].removeprefix("ERROR: ")
        hint = "Look whether this machine reaches PyPI."
        raise Trouble(f"pip cannot fetch the launcher's packages: {reason.rstrip('.')}.", hint)
