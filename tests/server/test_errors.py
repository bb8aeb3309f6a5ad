"""The table of refusals, held to the code that refuses, and the envelope."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import pytest

from controller import Refusal
from server.errors import CODES, envelope, retry_after, status, unexpected

ROOT = Path(__file__).resolve().parent.parent.parent
ROOMS = ("controller", "model", "server")

# What refuses at a command line or while an engine is loaded, which a visitor hears of as `engine_unavailable`.
NO_VISITOR_IN = ("model/command/", "model/backend.py", "model/download.py", "model/weights.py")
# What the rest of the model says only of files with names and of engines that are chosen by an option.
NO_VISITOR_MEETS = {
    "checkpoint_missing",
    "engine_unknown",
    "not_writable",
    "picture_missing",
    "recipe_missing",
    "recipe_unreadable",
}


@dataclass
class Raised:
    """The codes that the sources under a folder raise, each with the places, and the places where none can be told."""

    codes: dict[str, list[str]] = field(default_factory=dict)
    untold: list[str] = field(default_factory=list)

    def places(self, code: str) -> list[str]:
        return [place for place in self.codes.get(code, []) if not place.startswith(NO_VISITOR_IN)]


def raised(root: Path) -> Raised:
    """Read the sources of the rooms under `root`.

    A code is told by a call of Refusal, or of a function that passes a parameter of its own on as the code, or by the
    data of an `error` that was written down as such. A refusal made again from another one (its code, its fields) was
    told where it was made first.
    """
    modules = {
        path.relative_to(root).as_posix(): ast.parse(path.read_bytes())
        for room in ROOMS
        for path in sorted((root / room).rglob("*.py"))
    }
    makers = {"Refusal": (0, "code")}  # where in their arguments the code is: by position, and by name
    while new := {name: place for name, place in _passing_on(modules.values(), makers) if name not in makers}:
        makers |= new
    found = Raised()
    for module, tree in modules.items():
        for call, code, parameters in _calls(tree, makers):
            place = f"{module}:{call.lineno}"
            for each in _choices(code):
                match each:
                    case ast.Constant(value=str(literal)):
                        found.codes.setdefault(literal, []).append(place)
                    case ast.Attribute(attr="code") | ast.Subscript(slice=ast.Constant(value="code")) | ast.Starred():
                        pass
                    case ast.Name(id=name) if name in parameters:
                        pass
                    case _:
                        found.untold.append(place)
        for node in ast.walk(tree):
            match node:
                case ast.Dict(keys=[ast.Constant(value="code"), *_], values=[ast.Constant(value=str(literal)), *_]):
                    found.codes.setdefault(literal, []).append(f"{module}:{node.lineno}")
    return found


def _passing_on(
    trees: Iterable[ast.Module], makers: dict[str, tuple[int, str]]
) -> Iterator[tuple[str, tuple[int, str]]]:
    """The functions that take the code of a refusal as a parameter."""
    for tree in trees:
        for function in _functions(tree):
            parameters = _parameters(function)
            for _, code, _ in _calls(function, makers):
                for each in _choices(code):
                    if isinstance(each, ast.Name) and each.id in parameters:
                        positional = [name for name in parameters if name not in ("self", "cls")]
                        yield function.name, (positional.index(each.id), each.id)


def _calls(
    tree: ast.AST, makers: dict[str, tuple[int, str]], parameters: tuple[str, ...] = ()
) -> Iterator[tuple[ast.Call, ast.expr | None, tuple[str, ...]]]:
    """The calls that make a refusal, with what each gives as the code and the parameters of the function it is in."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in makers:
                yield node, _code(node, *makers[name]), parameters
        inside = (*parameters, *_parameters(node)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else None
        yield from _calls(node, makers, parameters if inside is None else inside)


def _code(call: ast.Call, position: int, name: str) -> ast.expr | None:
    if any(isinstance(argument, ast.Starred) for argument in call.args[: position + 1]):
        return call.args[0]
    if len(call.args) > position:
        return call.args[position]
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    return ast.Starred(given[None]) if None in given else given.get(name)


def _choices(code: ast.expr | None) -> Iterator[ast.expr | None]:
    """What an expression may come to be: both ends of an `if`, each side of an `or`."""
    match code:
        case ast.IfExp(body=one, orelse=other):
            yield from _choices(one)
            yield from _choices(other)
        case ast.BoolOp(values=sides):
            for side in sides:
                yield from _choices(side)
        case _:
            yield code


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, ...]:
    arguments = function.args
    return tuple(each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs))


RAISED = raised(ROOT)


def test_every_code_can_be_told_from_the_sources() -> None:
    assert RAISED.untold == []


def test_every_refusal_that_a_visitor_can_meet_is_in_the_table() -> None:
    met = {code: places for code in RAISED.codes if (places := RAISED.places(code))}
    assert {code: places for code, places in met.items() if code not in CODES.keys() | NO_VISITOR_MEETS} == {}


def test_no_refusal_in_the_table_is_unused() -> None:
    assert sorted(code for code in CODES if not RAISED.places(code)) == []


def test_what_no_visitor_meets_is_said_by_the_model_alone_and_not_in_the_table() -> None:
    assert NO_VISITOR_MEETS.isdisjoint(CODES)
    for code in NO_VISITOR_MEETS:
        assert RAISED.places(code)
        assert all(place.startswith("model/") for place in RAISED.places(code))
    assert all((ROOT / path).exists() for path in NO_VISITOR_IN)


@pytest.mark.parametrize(
    ("source", "codes"),
    [
        ('raise Refusal("a", "…")', {"a"}),
        ('raise Refusal(code="a", message="…")', {"a"}),
        ('def no():\n    return errors.Refusal("a", "…") if late else Refusal("b", "…")', {"a", "b"}),
        ('raise Refusal("a" if late else "b", "…")', {"a", "b"}),
        ('def no(why, code):\n    raise Refusal(code, why)\nno("…", "a")\nno(code="b", why="…")', {"a", "b"}),
        (
            "class Door:\n    async def no(self, code):\n        raise Refusal(code, '…')\n"
            "    def shut(self):\n        self.no('a')",
            {"a"},
        ),
        ("def no(code):\n    return Refusal(code)\ndef never(code):\n    raise no(code)\nnever('a')", {"a"}),
        ('data = {"code": "a", "message": "…", "hint": "…"}', {"a"}),
        ('raise Refusal(refusal.code, "…")\nRefusal(facts["code"], "…")\nRefusal(*facts)\nRefusal(**facts)', set()),
        ('class Refusal(ValueError):\n    def __init__(self, code):\n        self.code = code\nprint("a")', set()),
    ],
)
def test_codes_are_found_where_they_are_told(tmp_path: Path, source: str, codes: set[str]) -> None:
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "door.py").write_text(source)
    found = raised(tmp_path)
    assert found.codes.keys() == codes
    assert found.untold == []


@pytest.mark.parametrize("source", ["Refusal(code)", "Refusal(f'{kind}_large')", "Refusal(make())", "Refusal()"])
def test_a_code_that_cannot_be_told_is_found(tmp_path: Path, source: str) -> None:
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "door.py").write_text(f"\n{source}")
    assert raised(tmp_path).untold == ["server/door.py:2"]


@pytest.mark.parametrize("code", CODES)
def test_an_entry_has_a_status_of_an_error_and_a_short_line(code: str) -> None:
    assert HTTPStatus(status(code)).value >= 400
    assert 10 <= len(CODES[code].when) <= 80
    assert not CODES[code].when.endswith(".")
    seconds = retry_after(code)
    assert seconds is None or (1 <= seconds <= 60 and status(code) in (409, 429, 503))


def test_the_envelope_is_the_same_everywhere() -> None:
    refusal = Refusal("queue_full", "100 paintings wait, and no more may.", "Try again in a minute.")
    assert json.loads(json.dumps(envelope(refusal))) == {
        "state": "error",
        "data": {
            "code": "queue_full",
            "message": "100 paintings wait, and no more may.",
            "hint": "Try again in a minute.",
        },
    }
    assert (status("queue_full"), retry_after("queue_full")) == (503, 30)


def test_what_is_no_visitors_business_is_told_as_an_error_of_the_server() -> None:
    refusal = Refusal("not_writable", "'/home/somebody/gallery' cannot be written: permission denied.", "Check it.")
    assert envelope(refusal) == envelope(unexpected())
    assert "somebody" not in str(envelope(refusal))
    assert (status("not_writable"), retry_after("not_writable")) == (500, None)
