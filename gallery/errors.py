"""What the gallery says when it cannot do what was asked: each is a sentence for people."""

from __future__ import annotations


class Full(Exception):
    """There is no room left; what was kept before is whole and can be read."""


class Unavailable(Exception):
    """The gallery cannot be reached, read or written just now; what is kept there is as it was."""


class Gone(Exception):
    """There is no such painting, or it was deleted meanwhile."""

    def __init__(self, painting: str) -> None:
        super().__init__(f"There is no painting {painting} in the gallery.")


class Taken(Exception):
    """Another studio has the painting: nothing of it was changed."""

    def __init__(self, painting: str) -> None:
        super().__init__(f"The painting {painting} is another studio's.")
