"""The states of a painting, and the one table of moves between them."""

from __future__ import annotations

from typing import Literal

from model.errors import Refusal

State = Literal["queued", "painting", "recovering", "paused", "finished", "failed", "cancelled"]
Move = Literal[
    "begin", "lose", "yield", "complete", "fail", "pause", "resume", "finish", "more", "rewind", "steer", "cancel"
]

# What the owner may do leads somewhere from most states; what happens of itself does so from few.
MOVES: dict[State, dict[Move, State]] = {
    "queued": {
        "begin": "painting",
        "complete": "finished",  # the easel was done just when it was asked to rest
        "fail": "failed",
        "pause": "paused",
        "finish": "queued",
        "more": "queued",
        "rewind": "queued",
        "steer": "queued",
        "cancel": "cancelled",
    },
    "painting": {
        "lose": "recovering",
        "yield": "queued",
        "complete": "finished",
        "fail": "failed",
        "pause": "paused",
        "finish": "painting",
        "more": "painting",
        "rewind": "queued",
        "steer": "painting",
        "cancel": "cancelled",
    },
    "recovering": {
        "begin": "painting",
        "fail": "failed",
        "pause": "paused",
        "finish": "recovering",
        "more": "recovering",
        "rewind": "recovering",
        "steer": "recovering",
        "cancel": "cancelled",
    },
    "paused": {
        "complete": "finished",
        "fail": "failed",
        "resume": "queued",
        "finish": "queued",
        "more": "paused",
        "rewind": "paused",
        "steer": "paused",
        "cancel": "cancelled",
    },
    "finished": {"more": "queued", "rewind": "queued", "steer": "finished", "cancel": "cancelled"},
    "failed": {"resume": "queued", "rewind": "queued", "steer": "failed", "cancel": "cancelled"},
    "cancelled": {},
}

WAITING: frozenset[State] = frozenset({"queued", "recovering"})
DONE: frozenset[State] = frozenset({"finished", "failed", "cancelled"})
"""Nothing more is painted of these, unless their owner asks for it."""

_VERBS: dict[str, str] = {
    "begin": "begun",
    "lose": "recovered",
    "yield": "put aside",
    "complete": "completed",
    "fail": "given up",
    "pause": "paused",
    "resume": "resumed",
    "finish": "finished early",
    "more": "painted further",
    "rewind": "rewound",
    "steer": "steered",
    "cancel": "cancelled",
}


def moved(state: State, move: Move) -> State:
    """The state that `move` leads to, or a refusal by name."""
    try:
        return MOVES[state][move]
    except KeyError:
        article = "An" if state[0] in "aeiou" else "A"
        possible = ", ".join(each for each in MOVES[state] if each not in _OF_ITSELF) or "nothing"
        problem = f"{article} {state} painting cannot be {_VERBS[move]}."
        raise Refusal("move_illegal", problem, f"What can be done with it: {possible}.") from None


_OF_ITSELF = frozenset({"begin", "lose", "yield", "complete", "fail"})
