"""What the model says when it cannot do what was asked."""

from __future__ import annotations


class Refusal(ValueError):
    """A request that cannot be met: a code for programs, a sentence for people, and a hint what to do about it."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()
