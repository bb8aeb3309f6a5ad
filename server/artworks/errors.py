"""What is said at the command line when the collection cannot be changed as somebody asks."""

from __future__ import annotations


class Declined(Exception):
    """Something that cannot be done: a sentence that says why, and one that says what to do."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(f"{problem} {hint}")
