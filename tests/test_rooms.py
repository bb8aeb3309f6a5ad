"""The rooms and the one way in which imports run between them."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# What each room may import of the others.
MAY_IMPORT = {
    "server": {"controller", "gallery"},
    "controller": {"model", "gallery"},
    "model": set(),
    "gallery": set(),
    "lambda_launcher": set(),
    "rehearsal": {"lambda_launcher"},
}
# No room may import these: they stand on the rooms, not beside them.
ABOVE_THE_ROOMS = {"benchmarks", "tests", "visualneurons"}
# The launcher ships as its own small zip, so even what it takes from outside is counted.
LAUNCHER_MAY_IMPORT = {"aws_lambda_powertools", "boto3", "botocore", "jwt"} | sys.stdlib_module_names


def imported(module: Path) -> Iterator[tuple[int, str]]:
    """Line and top-level name of every absolute import in a module, in functions and by import_module("...") too."""
    for node in ast.walk(ast.parse(module.read_bytes(), str(module))):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name.partition(".")[0]) for alias in names)
            case ast.ImportFrom(module=str(name), level=0):
                yield node.lineno, name.partition(".")[0]
            case ast.Call(
                func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ) if not name.startswith("."):
                yield node.lineno, name.partition(".")[0]


def wrong_imports(root: Path) -> list[str]:
    """One sentence for each import that runs the wrong way in the rooms under `root`."""
    wrong = []
    for room, allowed in MAY_IMPORT.items():
        forbidden = (MAY_IMPORT.keys() | ABOVE_THE_ROOMS) - allowed - {room}
        for module in sorted((root / room).rglob("*.py")):
            for line, name in imported(module):
                too_big = room == "lambda_launcher" and name not in LAUNCHER_MAY_IMPORT | {room}
                if name in forbidden or too_big:
                    wrong.append(f"{module.relative_to(root).as_posix()}:{line} must not import {name}")
    return wrong


def modules(room: str) -> list[str]:
    """The dotted names of a room's modules."""
    paths = (path.relative_to(ROOT).with_suffix("") for path in sorted((ROOT / room).rglob("*.py")))
    return [".".join(path.parts).removesuffix(".__init__") for path in paths if path.name != "__main__"]


def test_imports_run_one_way() -> None:
    assert wrong_imports(ROOT) == []


@pytest.mark.parametrize(
    ("path", "source", "name"),
    [
        ("model/painter.py", "import server.application", "server"),
        ("model/painter.py", "import os, gallery as keeper", "gallery"),
        ("gallery/folder.py", "from model.pictures import read", "model"),
        ("gallery/folder.py", "def keep():\n    if True:\n        from controller import states", "controller"),
        ("controller/deep/easel.py", "from server import application", "server"),
        ("controller/easel.py", "import importlib\nimportlib.import_module('server.application')", "server"),
        ("server/site.py", "__import__('model')", "model"),
        ("server/site.py", "from visualneurons import main", "visualneurons"),
        ("lambda_launcher/launch.py", "import numpy", "numpy"),
        ("lambda_launcher/launch.py", "from gallery import folder", "gallery"),
        ("rehearsal/machine.py", "from server import application", "server"),
    ],
)
def test_an_import_that_runs_the_wrong_way_is_found(tmp_path: Path, path: str, source: str, name: str) -> None:
    module = tmp_path / path
    module.parent.mkdir(parents=True)
    module.write_text(source)
    line = source.count("\n") + 1
    assert wrong_imports(tmp_path) == [f"{path}:{line} must not import {name}"]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("server/paint.py", "import controller, tornado.web\nfrom gallery import folder\nfrom . import site"),
        ("controller/easel.py", "from model import StyleTransfer\nfrom . import states\nimport gallery"),
        ("rehearsal/stack.py", "import boto3, tornado.web\nfrom lambda_launcher import template"),
        ("lambda_launcher/launch.py", "import json, boto3, jwt\nfrom botocore import errors\nimport lambda_launcher.x"),
    ],
)
def test_an_import_that_runs_the_right_way_is_let_be(tmp_path: Path, path: str, source: str) -> None:
    module = tmp_path / path
    module.parent.mkdir(parents=True)
    module.write_text(source)
    assert wrong_imports(tmp_path) == []


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_every_room_says_what_it_is_for(room: str) -> None:
    docstring = ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert len(docstring.split()) >= 50
    assert "import" in docstring.lower()


@pytest.mark.parametrize("room", ["server", "controller", "gallery"])
def test_importing_a_room_loads_no_keras_backend(room: str) -> None:
    script = (
        f"import importlib, sys\n"
        f"for name in {modules(room)}: importlib.import_module(name)\n"
        "print(sorted({'jax', 'keras', 'tensorflow'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
