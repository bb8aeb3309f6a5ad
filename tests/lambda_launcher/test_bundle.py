"""The Lambdas' zip: what is in it, and that it is the same whenever it is made of the same."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from lambda_launcher import bundle as bundling
from lambda_launcher.bundle import MOST, PACKAGES, bundle
from lambda_launcher.deploy import wheel
from lambda_launcher.deploy.trouble import Trouble

IMPORTS = """
import sys
sys.path.insert(0, sys.argv[1])
import lambda_launcher.handlers, aws_lambda_powertools, jwt
print(lambda_launcher.handlers.__file__, aws_lambda_powertools.__file__, jwt.__file__, sep="\\n")
"""


def test_the_same_modules_make_the_same_zip(tmp_path: Path) -> None:
    one, other = bundle(tmp_path / "one.zip", local=True), bundle(tmp_path / "deep" / "other.zip", local=True)
    assert one.read_bytes() == other.read_bytes()
    with ZipFile(one) as archive:
        entries = archive.infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}


def test_it_has_what_the_lambdas_run_and_not_what_deploys_them(tmp_path: Path) -> None:
    with ZipFile(bundle(tmp_path / "launcher.zip", local=True)) as archive:
        names = set(archive.namelist())
    assert {"lambda_launcher/__init__.py", "lambda_launcher/handlers.py", "lambda_launcher/launcher.py"} <= names
    assert not {name for name in names if re.search(r"bundle|command|template|deploy|destroy|studios|\.pyc", name)}


@pytest.mark.slow
def test_it_runs_with_nothing_but_what_the_runtime_has(tmp_path: Path) -> None:
    target = bundle(tmp_path / "launcher.zip")
    assert target.stat().st_size <= MOST
    with ZipFile(target) as archive:
        names = archive.namelist()
    assert {name.partition("/")[0] for name in names} == {
        "aws_lambda_powertools",
        "jmespath",
        "jwt",
        "lambda_launcher",
        "typing_extensions.py",
    }
    assert not [name for name in names if name.endswith((".pyc", ".so"))]
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, target], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert all(line.startswith(f"{target}/") for line in done.stdout.splitlines())


def test_the_packages_are_all_that_each_of_them_needs() -> None:
    listed = {name.replace("_", "-").lower() for name in PACKAGES}
    for name in PACKAGES:
        for needed in importlib.metadata.requires(name) or []:
            if ";" not in needed:
                assert re.split(r"[^\w-]", needed.replace("_", "-").lower())[0] in listed, needed


def test_without_an_index_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Trouble, match=r"^pip cannot fetch the launcher's packages: .+ Look whether .+ PyPI\.$"):
        bundle(tmp_path / "launcher.zip")
    assert not (tmp_path / "launcher.zip").exists()


def test_without_a_package_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundling, "PACKAGES", ("no-such-package",))
    sentence = r"needs no-such-package, which is not installed\. .*pip install 'visualneurons\[cloud\]'\."
    with pytest.raises(Trouble, match=sentence):
        bundle(tmp_path / "launcher.zip")


def test_one_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundling, "MOST", 100)
    with pytest.raises(Trouble, match=r"zip has \d+ bytes, more than 100\."):
        bundle(tmp_path / "launcher.zip", local=True)


@pytest.mark.slow
def test_a_wheel_that_cannot_be_built_is_a_sentence(tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "setup.py").write_text("raise SystemExit('broken')", encoding="utf-8")
    with pytest.raises(Trouble, match=r"^The program's wheel cannot be built: .+ Look whether .+ reaches PyPI\.$"):
        wheel.built(tmp_path, root)


def test_a_program_that_is_no_checkout_and_not_installed_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"^The program is neither in a checkout nor installed by pip\."):
        wheel.built(tmp_path, tmp_path)
