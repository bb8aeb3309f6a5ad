"""A checkpoint: a painting put aside after an iteration, to be gone on with elsewhere as if it had never stopped.

The file is a zip of plain arrays (numpy's .npz) and a JSON text: no pickle, so it is safe to load from a stranger.
It holds the photo and the artworks at their working size, so nothing else is needed to go on.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from model.errors import Refusal
from model.pictures import Picture
from model.recipe import Recipe

VERSION = 1
LARGEST = 2 << 30  # bytes of arrays


@dataclass(frozen=True)
class Checkpoint:
    """All that goes on with a painting after `iteration`."""

    recipe: Recipe
    iteration: int
    elapsed: float
    fingerprint: str  # of the engine's weights
    content: Picture
    styles: tuple[Picture, ...]
    state: Mapping[str, NDArray[Any]]

    def to_bytes(self) -> bytes:
        """The checkpoint as a file."""
        facts = {
            "visualneurons": VERSION,
            "recipe": self.recipe.to_dict(),
            "iteration": self.iteration,
            "elapsed": self.elapsed,
            "fingerprint": self.fingerprint,
        }
        arrays = {"facts": np.frombuffer(json.dumps(facts).encode(), np.uint8), "content": self.content}
        arrays |= {f"style{number}": style for number, style in enumerate(self.styles)}
        arrays |= {f"state.{name}": value for name, value in self.state.items()}
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, **arrays)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Checkpoint:
        """The checkpoint in a file, which may come from a stranger."""
        arrays = _arrays(data)
        try:
            facts = json.loads(arrays.pop("facts").tobytes())
            version = facts["visualneurons"]
            if version != VERSION:
                problem = f"This checkpoint has version {version}; this program reads version {VERSION}."
                raise Refusal("checkpoint_version", problem, "Go on with the program that made it.")
            state = {name[6:]: arrays.pop(name) for name in sorted(arrays) if name.startswith("state.")}
            content = _picture(arrays.pop("content"))
            styles = tuple(_picture(arrays.pop(f"style{number}")) for number in range(len(arrays)))
            elapsed = float(facts["elapsed"])
            if not math.isfinite(elapsed):
                raise ValueError("elapsed is not finite")
            recipe, iteration = Recipe.from_dict(facts["recipe"]), int(facts["iteration"])
            if not 0 <= iteration < recipe.total:
                raise ValueError(f"iteration {iteration} of {recipe.total}")
            if max(max(picture.shape) for picture in (content, *styles)) > recipe.size:
                raise ValueError("a picture larger than the painting")
            return cls(recipe, iteration, elapsed, str(facts["fingerprint"]), content, styles, state)
        except Refusal:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError) as error:
            raise _unreadable(f"something is missing or wrong in it ({error!r})") from error

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """The checkpoint at `path`."""
        try:
            return cls.from_bytes(path.read_bytes())
        except OSError as error:
            problem = f"The checkpoint {path} cannot be read: {error.strerror}."
            raise Refusal("checkpoint_missing", problem, "Give the path of a file that --checkpoint wrote.") from error


def _arrays(data: bytes) -> dict[str, NDArray[Any]]:
    """The arrays in a file, none of them larger than it says before it is read."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            members = file.infolist()
            if len(members) > 100 or sum(member.file_size for member in members) > LARGEST:
                raise _unreadable("it is larger than any painting's")
            arrays = {}
            for member in members:
                if member.compress_type != zipfile.ZIP_STORED or not member.filename.endswith(".npy"):
                    raise _unreadable("it holds something else than plain arrays")
                with file.open(member) as stream:
                    array = npy.read_array(stream, allow_pickle=False)
                if array.dtype.kind not in "fiu":
                    raise _unreadable(f"it holds {array.dtype}, not numbers")
                arrays[member.filename.removesuffix(".npy")] = array
            return arrays
    except Refusal:
        raise
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, KeyError, NotImplementedError, MemoryError) as error:
        raise _unreadable(str(error) or type(error).__name__) from error


def _picture(array: NDArray[Any]) -> Picture:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or min(array.shape[:2]) < 16:
        raise ValueError(f"a picture of shape {array.shape} and type {array.dtype}")
    return array


def _unreadable(why: str) -> Refusal:
    return Refusal(
        "checkpoint_unreadable", f"This is not a checkpoint: {why}.", "Give a file that was saved as a checkpoint."
    )
