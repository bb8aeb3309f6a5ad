"""VGG19's weights: finding them, reading them, or drawing random ones.

Only the sixteen convolutions count; nothing here needs Keras.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.download import Patience, Progress, Source, fetch, is_whole
from model.errors import Refusal

if TYPE_CHECKING:
    import h5py

# By layer: a kernel (3, 3, in, out) and a bias (out,).
Weights = dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]

FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
URL = f"https://storage.googleapis.com/tensorflow/keras-applications/vgg19/{FILE}"
MD5 = "253f8cb515780f3b799900260a226db6"  # as in keras.applications.vgg19


def _kernels() -> Iterator[tuple[str, tuple[int, int, int, int]]]:
    channels = 3
    for block, (convolutions, width) in enumerate([(2, 64), (2, 128), (4, 256), (4, 512), (4, 512)], start=1):
        for convolution in range(1, convolutions + 1):
            yield f"block{block}_conv{convolution}", (3, 3, channels, width)
            channels = width


# The shape of each convolution's kernel, in the order of the network.
KERNELS = dict(_kernels())


def find(
    choice: str, progress: Progress | None = None, source: Source | None = None, patience: Patience | None = None
) -> Path:
    """The file with the weights: the path that was chosen or, for "auto", Keras' cache, downloaded into it if need be.

    A cached file counts only if its checksum is right (0.2 s), so a half-written one is fetched again and never used.
    """
    if choice != "auto":
        path = Path(choice).expanduser()
        if path.is_file():
            return path
        problem = f"{path} is a folder, not a file." if path.is_dir() else f"There is no file {path}."
        raise Refusal("weights_missing", problem, "Give --weights the path of a VGG19 .h5 file, random or auto.")
    source = source or Source(os.environ.get("VISUALNEURONS_WEIGHTS_URL", URL), MD5)
    path = cache_folder() / FILE
    if is_whole(path, source.md5):
        return path
    try:
        fetch(source, path, progress or (lambda done, total: None), patience or Patience())
    except Refusal as refusal:
        if not path.exists():
            raise
        problem = f"The cached {path} is damaged (its MD5 is not {source.md5}) and was not replaced: {refusal.message}"
        raise Refusal(refusal.code, problem, refusal.hint) from refusal
    return path


def cache_folder() -> Path:
    """Where Keras keeps the weights of its applications."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "models"


def random(seed: int) -> Weights:
    """He-normal kernels and zero biases, always the same for the same seed."""
    generator = np.random.default_rng(seed)
    weights: Weights = {}
    for layer, shape in KERNELS.items():
        kernel = generator.standard_normal(shape, dtype=np.float32)
        kernel *= np.float32(np.sqrt(2 / np.prod(shape[:3])))
        weights[layer] = kernel, np.zeros(shape[3], np.float32)
    return weights


def load(path: Path) -> Weights:
    """Read a file of Keras' older kind (`.h5`, with or without the top) or of Keras 3 (`.weights.h5`)."""
    import h5py  # Here, because finding and drawing weights do without it.

    try:
        with h5py.File(path, "r") as file:
            root = file.get("model_weights", file)  # There are the layers if a whole model was saved.
            layers = _older_layers(root) if "layer_names" in root.attrs else _newer_layers(file)
            arrays = _match(path, layers)
            return {layer: _layer(path, layer, *arrays[layer]) for layer in KERNELS}
    except Refusal:
        raise
    except (OSError, KeyError, TypeError, ValueError, RuntimeError) as error:  # whatever HDF5 meets in a damaged file
        raise _unfit(path, f"it cannot be read as HDF5 ({error})") from error


def _unfit(path: Path, why: str) -> Refusal:
    problem = f"{path} does not hold VGG19's weights: {why}."
    return Refusal("weights_unfit", problem, "Give a VGG19 .h5 or .weights.h5 file that Keras saved.")


Layer = tuple[str, list[Any]]


def _older_layers(root: h5py.Group) -> Iterator[Layer]:
    """The layers as their list names them, and their arrays as each layer's list does."""
    for layer in map(_text, root.attrs["layer_names"]):
        group = root[layer]
        yield layer, [group[_text(weight)] for weight in group.attrs["weight_names"]]


def _newer_layers(file: h5py.File) -> Iterator[Layer]:
    """The layers of a Keras 3 file: `layers/conv2d_7/vars/0`, the layer's own name an attribute in later versions."""
    found: dict[str, Any] = {}
    file.visititems(lambda name, item: found.__setitem__(name, item) if name.endswith("/vars") else None)
    for name in sorted(found, key=_natural):
        group = found[name]
        yield _text(group.attrs.get("name", name)), [group[key] for key in sorted(group, key=_natural)]


def _match(path: Path, layers: Iterator[Layer]) -> dict[str, list[Any]]:
    """The convolutions by VGG19's names, which they bear or, if none of them does, get in their order."""
    convolutions = {layer: arrays for layer, arrays in layers if arrays and arrays[0].ndim == 4}
    if not convolutions.keys() & KERNELS.keys():
        if len(convolutions) != len(KERNELS):
            raise _unfit(path, f"it has {len(convolutions)} convolutions, VGG19 has {len(KERNELS)}")
        return dict(zip(KERNELS, convolutions.values(), strict=True))
    for layer in KERNELS:
        if layer not in convolutions:
            raise _unfit(path, f"it has no convolution {layer}")
    return convolutions


def _layer(path: Path, layer: str, *arrays: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    shapes = [KERNELS[layer], KERNELS[layer][3:]]
    if [array.shape for array in arrays] != shapes:
        found = " and ".join(str(array.shape) for array in arrays)
        raise _unfit(path, f"{layer} has the shape {found}, not {shapes[0]} and {shapes[1]}")
    kernel, bias = (_array(path, layer, array) for array in arrays)
    return kernel, bias


def _array(path: Path, layer: str, stored: Any) -> NDArray[np.float32]:
    if not np.issubdtype(stored.dtype, np.floating):
        raise _unfit(path, f"{layer} holds {stored.dtype}, not floating-point numbers")
    with np.errstate(over="ignore"):
        array: NDArray[np.float32] = stored[()].astype(np.float32)
    if not np.isfinite(array).all():
        raise _unfit(path, f"{layer} {array.shape} holds numbers that are not finite")
    return array


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts conv2d, conv2d_2, conv2d_10 in this order."""
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"(\d+)", name)]
