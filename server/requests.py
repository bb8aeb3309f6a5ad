"""From what a stranger sends to what is meant: messages and orders, each field checked and named when it is wrong."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from controller import SETTINGS, Cut, Format, Order, Refusal
from server.artworks import Artworks

ITERATIONS = 10
"""How many there are if nothing is said of it: as in the original."""

FORMATS: dict[str, Format] = {"png": "png", "jpeg": "jpeg", "webp": "webp"}

MOST_COMMAS = 10_000
"""A message has some dozens, and base64 has none. To read millions of values would keep everybody else waiting."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_KEY = re.compile(r"[\x21-\x7e]{8,128}", re.ASCII)
_DATA_URL = re.compile(r"data:[^,]{0,200},", re.ASCII)
_SPACE = b" \t\n\r\f\v"

# The fields of each action, and what each is for: the protocol's page is held to this.
ORDER_FIELDS = {
    "content_image": "the photo, in base64, with or without a data: prefix (PNG, JPEG, WebP, GIF, BMP or TIFF)",
    "style_image": "the artwork, likewise",
    "style_images": "several artworks, a list",
    "artwork": "the name of an artwork of the collection, or a list of names",
    "iterations": f"steps; {ITERATIONS} if not given",
    "painting": "an id of your own making: letters, digits, _ and -, at most 64; sent again, it is not painted again",
    "key": "an owner's key of your own making: 8 to 128 characters without spaces",
    "format": "what frames are: png (the default), jpeg or webp",
}
ACTIONS: dict[str, dict[str, str]] = {
    "request_image": {
        **ORDER_FIELDS,
        **{name: each.description for name, each in SETTINGS.items() if name != "iterations"},
    },
    "close": {},
    "watch": {
        "painting": "the id",
        "key": "the owner's key, for those who want to steer",
        "from": "show what was kept from this iteration on, before what comes",
        "format": "what frames are: png (the default), jpeg or webp",
    },
    "steer": {name: each.description for name, each in SETTINGS.items() if each.steerable},
    "pause": {},
    "resume": {},
    "finish": {},
    "more": {"iterations": "how many more"},
    "rewind": {"iteration": "go back to the newest checkpoint that is not after this one"},
}


@dataclass(frozen=True)
class Message:
    """An action and its data."""

    action: str
    data: Mapping[str, Any]


def message_in(text: str | bytes) -> Message:
    """The message in what came through a socket."""
    if isinstance(text, bytes):
        raise _invalid("A binary message came; messages are text.")
    value = json_in(text)
    if not isinstance(value, dict) or not isinstance(value.get("action"), str):
        raise _invalid("The message is not an object with an action.")
    action, data = value["action"], value.get("data")
    if action not in ACTIONS:
        raise Refusal("action_unknown", f"There is no action {_shown(action)}.", f"Actions are {', '.join(ACTIONS)}.")
    if data is not None and not isinstance(data, dict):
        raise _invalid(f"The data of {action} is not an object.")
    data = data or {}
    unknown = sorted(data.keys() - ACTIONS[action].keys())
    if unknown:
        known = ", ".join(ACTIONS[action]) or "none"
        raise Refusal("field_invalid", f"{action} has no field {_shown(unknown[0])}.", f"Its fields: {known}.")
    return Message(action, data)


def json_in(text: str | bytes) -> Any:
    """The JSON value in a text, or a refusal."""
    commas = text.count(",") if isinstance(text, str) else text.count(b",")
    if commas > MOST_COMMAS:
        raise _invalid(f"The message has {commas:,} commas; {MOST_COMMAS:,} are taken here.")
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _invalid(f"This is not JSON: {_why(error)}.") from error


def order_in(data: Mapping[str, Any], artworks: Artworks, address: str) -> Order:
    """The order in the data of `request_image`. It may take a while: large ones belong into a thread."""
    unknown = sorted(data.keys() - ACTIONS["request_image"].keys())
    if unknown:
        problem = f"There is no field {_shown(unknown[0])}."
        raise Refusal("field_invalid", problem, f"Fields are {', '.join(ACTIONS['request_image'])}.")
    if data.get("content_image") is None:
        raise Refusal("field_invalid", "content_image is missing.", "Send the photo as content_image.")
    photo = picture_in("content_image", data["content_image"])
    styles: list[tuple[str, bytes]] = []
    if data.get("style_image") is not None:
        styles.append(("style_image", picture_in("style_image", data["style_image"])))
    given = data.get("style_images")
    if given is not None:
        if not isinstance(given, list):
            raise Refusal("field_invalid", "style_images is not a list.", "Send one artwork as style_image.")
        names = [f"style_images[{number}]" for number in range(len(given))]
        styles += [(name, picture_in(name, each)) for name, each in zip(names, given, strict=True)]
    styles += [(name, artworks.read(name)) for name in _names(data.get("artwork"))]
    wanted = {name: data[name] for name in SETTINGS if data.get(name) is not None}
    return Order(
        photo,
        styles,
        {"iterations": ITERATIONS, **wanted},
        painting="" if data.get("painting") is None else id_in(data["painting"]),
        key="" if data.get("key") is None else key_in(data["key"]),
        address=address,
    )


def form_in(fields: Mapping[str, Sequence[bytes]], files: Mapping[str, Sequence[bytes]]) -> dict[str, Any]:
    """The data of `request_image` in a multipart form: files as they are, settings read as JSON, all else as text."""
    data: dict[str, Any] = {}
    for name, values in files.items():
        data[name] = list(values) if name == "style_images" else values[-1]
    for name, values in fields.items():
        read = [_form_value(value) if name in SETTINGS else value.decode("utf-8", "replace") for value in values]
        data[name] = read if len(read) > 1 or name == "style_images" else read[0]
    return data


def picture_in(name: str, value: Any) -> bytes:
    """The bytes of a picture in a field."""
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise Refusal("field_invalid", f"{name} is not text.", "Send the picture in base64.")
    prefix = _DATA_URL.match(value)
    text = value[prefix.end() :] if prefix else value
    try:
        return base64.b64decode(text.encode("ascii").translate(None, _SPACE), validate=True)
    except ValueError as error:
        problem = f"{name} is not base64."
        raise Refusal("field_invalid", problem, "Encode the file's bytes in base64 (RFC 4648).") from error


def id_in(value: Any) -> str:
    """A painting's id."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        problem = f"{_shown(value)} is not the id of a painting."
        raise Refusal("painting_id_invalid", problem, "An id has 1 to 64 letters, digits, _ and -.")
    return value


def key_in(value: Any) -> str:
    """An owner's key."""
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        raise Refusal("field_invalid", "The key is not one.", "A key has 8 to 128 plain characters without spaces.")
    return value


def cut_in(data: Mapping[str, Any], binary: bool) -> Cut:
    """How frames are wanted."""
    format = data.get("format")
    if format is None:
        format = "png"
    if not isinstance(format, str) or format not in FORMATS:
        raise Refusal("format_unknown", f"Frames cannot be {_shown(format)}.", f"Ask for {', '.join(FORMATS)}.")
    return Cut(FORMATS[format], text=not binary)


def whole_in(data: Mapping[str, Any], name: str, low: int) -> int:
    """A whole number in a field."""
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= 1_000_000:
        problem = f"{name} is {_shown(value)}, not a whole number of at least {low}."
        raise Refusal("field_invalid", problem, f"Send {name}.")
    return value


def _names(value: Any) -> list[str]:
    names = [] if value is None else value if isinstance(value, list) else [value]
    if not all(isinstance(name, str) for name in names):
        raise Refusal("field_invalid", "artwork is not a name.", "Send the name of an artwork, or a list of names.")
    return names


def _form_value(value: bytes) -> Any:
    text = value.decode("utf-8", "replace")
    try:
        return json_in(text)
    except Refusal:
        return text


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _invalid(problem: str) -> Refusal:
    return Refusal("message_invalid", problem, 'Send a text such as {"action": "close", "data": null}.')


def _why(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    text = str(error)
    return text if len(text) <= 100 else text[:97] + "..."


def _shown(value: Any) -> str:
    text = repr(value) if not isinstance(value, (list, dict)) else f"a {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "..."
