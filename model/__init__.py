"""Style transfer as a generator: engines, losses, pictures in and out. It knows nothing of sockets.

`StyleTransfer` is an engine, loaded once; its `paint()` yields an `Iteration` after each step and takes changes by
`send()`. Two engines have one interface (`engine.Engine`): `vgg19` needs weights, `patches` does not. `recipe.Recipe`
is everything that decides a painting, `checkpoint.Checkpoint` a painting put aside, `pictures` reads and writes files.

The room imports none of the others. TensorFlow (or JAX) is loaded with `StyleTransfer` and not before: all else here
starts at once. `command` is `visualneurons paint`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from model.errors import Refusal
from model.recipe import Recipe

if TYPE_CHECKING:
    from model.style_transfer import Iteration, StyleTransfer

__all__ = ["Iteration", "Recipe", "Refusal", "StyleTransfer"]


def __getattr__(name: str) -> Any:
    if name in ("Iteration", "StyleTransfer"):
        import model.style_transfer

        return getattr(model.style_transfer, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
