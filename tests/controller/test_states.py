"""The table of moves: where each leads, and how what it does not know is refused."""

from __future__ import annotations

from typing import get_args

import pytest

from controller.states import DONE, MOVES, WAITING, Move, State, moved
from model.errors import Refusal

STATES: tuple[State, ...] = get_args(State)
OWNER = {"pause", "resume", "finish", "more", "rewind", "steer", "cancel"}


def test_the_table_knows_every_state_and_every_move() -> None:
    assert MOVES.keys() == set(STATES)
    assert {move for moves in MOVES.values() for move in moves} == set(get_args(Move))
    assert {state for moves in MOVES.values() for state in moves.values()} == set(STATES)
    assert set(STATES) >= WAITING | DONE
    assert not WAITING & DONE


@pytest.mark.parametrize("state", STATES)
def test_what_is_legal_leads_somewhere_and_what_is_not_is_refused_by_name(state: State) -> None:
    for move in get_args(Move):
        if move in MOVES[state]:
            assert moved(state, move) == MOVES[state][move]
            continue
        with pytest.raises(Refusal) as refused:
            moved(state, move)
        assert refused.value.code == "move_illegal"
        assert refused.value.message.startswith(f"{'An' if state[0] in 'aeiou' else 'A'} {state} painting cannot be ")
        possible = refused.value.hint.removeprefix("What can be done with it: ").removesuffix(".").split(", ")
        assert set(possible) == (OWNER & MOVES[state].keys() or {"nothing"})


def test_all_that_is_unfinished_can_end_in_every_way() -> None:
    for state in set(STATES) - DONE:
        ends = {state}
        while (more := {end for each in ends for end in MOVES[each].values()}) - ends:
            ends |= more
        assert ends >= DONE


def test_nothing_can_be_done_with_what_is_cancelled_and_all_else_can_be() -> None:
    assert MOVES["cancelled"] == {}
    assert all(MOVES[state]["cancel"] == "cancelled" for state in STATES if state != "cancelled")


def test_steering_changes_no_state() -> None:
    assert {state for state in STATES if "steer" in MOVES[state]} == set(STATES) - {"cancelled"}
    assert all(moves["steer"] == state for state, moves in MOVES.items() if "steer" in moves)
