"""The one place that knows TensorFlow from JAX: starting it, gradients, compiling, what the processor is good at."""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from model.errors import Refusal

Tensor = Any


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """TensorFlow's libraries greet on the process's stderr before any setting reaches them; nobody needs to read it."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextlib.contextmanager
def _without(*names: str) -> Iterator[None]:
    """Keras and TensorFlow load these where they find them, which takes a second, for what nobody here asks of them."""
    hidden: dict[str, Any] = {name: None for name in names if name not in sys.modules}
    sys.modules.update(hidden)
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def _start() -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if "KERAS_BACKEND" not in os.environ:
        only_jax = importlib.util.find_spec("jax") and not importlib.util.find_spec("tensorflow")
        os.environ["KERAS_BACKEND"] = "jax" if only_jax else "tensorflow"
    name = os.environ["KERAS_BACKEND"]
    if name not in ("tensorflow", "jax"):
        raise Refusal("backend_unknown", f"KERAS_BACKEND is {name}.", "Set it to tensorflow or jax.")
    if importlib.util.find_spec(name) is None:
        extra = {"tensorflow": "cpu", "jax": "jax"}[name]
        raise Refusal("backend_missing", f"{name} is not installed.", f"pip install 'visualneurons[{extra}]'")
    # What TensorFlow loads is no garbage: not looking for any saves a second at the start and one at the end.
    gc.disable()
    try:
        with _quiet(), _without("sklearn", *({"jax", "tensorflow"} - {name})):
            import keras
    finally:
        gc.freeze()
        gc.enable()
    return keras


keras = _start()
ops = keras.ops
NAME: str = keras.backend.backend()

if NAME == "tensorflow":
    import tensorflow as tf

    def value_and_gradient(function: Callable[..., tuple[Tensor, Tensor]]) -> Callable[..., Tensor]:
        """((value, rest), gradient) of a function of tensors that gives (value, rest), by its first argument."""

        def both(x: Tensor, *others: Tensor) -> Tensor:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(x)
                value, rest = function(x, *others)
            return (value, rest), tape.gradient(value, x)

        return both

    def compiled(function: Callable[..., Tensor], shapes: Sequence[Any]) -> Callable[..., Tensor]:
        """`function`, compiled once for all pictures: `shapes` are its arguments' (shape, type), or nests of them."""
        signature = [_described(shape) for shape in shapes]
        return tf.function(function, input_signature=signature, autograph=False)  # type: ignore[no-any-return]

    def _described(shape: Any) -> Any:
        if isinstance(shape[1], str):
            return tf.TensorSpec(*shape)
        return type(shape)(_described(part) for part in shape)

    def device() -> str:
        """The processor that paints."""
        gpus = tf.config.list_physical_devices("GPU")
        if not gpus:
            return _processor()
        return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))

    def on_gpu() -> bool:
        """Whether a GPU paints."""
        return bool(tf.config.list_physical_devices("GPU"))

else:
    import jax

    def value_and_gradient(function: Callable[..., tuple[Tensor, Tensor]]) -> Callable[..., Tensor]:
        """((value, rest), gradient) of a function of tensors that gives (value, rest), by its first argument."""
        return jax.value_and_grad(function, has_aux=True)  # type: ignore[no-any-return]

    def compiled(function: Callable[..., Tensor], shapes: Sequence[Any]) -> Callable[..., Tensor]:
        """`function`, compiled for each picture size when first met: JAX knows no varying shapes."""
        del shapes
        return jax.jit(function)  # type: ignore[no-any-return]

    def device() -> str:
        """The processor that paints."""
        return str(jax.devices()[0].device_kind) if on_gpu() else _processor()

    def on_gpu() -> bool:
        """Whether a GPU paints."""
        return bool(jax.default_backend() == "gpu")


def tensor(array: Any, kind: str = "float32") -> Tensor:
    """A tensor on the device."""
    return ops.convert_to_tensor(array, dtype=kind)


def array(value: Tensor) -> Any:
    """A tensor as a numpy array."""
    return ops.convert_to_numpy(value)


def bfloat16_is_faster() -> bool:
    """Whether half the bits take less time here: GPUs, and processors with instructions for it under TensorFlow."""
    return on_gpu() or (NAME == "tensorflow" and bool({"avx512_bf16", "amx_bf16", "bf16"} & _flags()))


def _flags() -> set[str]:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("flags", "Features")):
                return set(line.split(":", 1)[1].split())
    return set()


def _processor() -> str:
    import platform

    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
