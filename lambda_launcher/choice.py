"""Which studio a visitor is sent to. In order: one with a free easel, one with a short queue, a stopped one, a new one.

A studio that boots counts as one that runs: who comes while it does waits for it, and has no other started.
"""

from __future__ import annotations

from collections.abc import Iterable

from lambda_launcher.studio import Studio

SHORT = 2
"""Paintings for each easel that may wait before another studio is worth its boot."""
LONG = 8
"""Paintings for each easel that may wait where no other studio can be had."""
CLOSING = 240
"""Seconds before its deadline from which no more visitors are sent to a studio: a painting should not have to move."""


def current(studios: Iterable[Studio], template: str) -> list[Studio]:
    """Those that were told what is set now: no more visitors are sent to the others, nor are they started again."""
    return [each for each in studios if each.template == template]


def takes(studio: Studio, painting: str, now: float) -> bool:
    """Whether a painting may be sent to a studio, that is not near its end or expects it anyway."""
    return now < studio.deadline - CLOSING or painting in studio.coming


def running(studios: Iterable[Studio], now: float, queue: int) -> Studio | None:
    """The studio to join among those that run, if no more than `queue` paintings would wait for each easel."""
    open_ = [each for each in studios if each.is_coming(now) or (each.is_ready(now) and now < each.deadline - CLOSING)]
    free = [each for each in open_ if each.phase == "ready" and each.load(now) < each.easels]
    if free:
        return max(free, key=lambda each: each.deadline)  # so that those that have to go first grow idle, and stop
    short = [each for each in open_ if each.load(now) < each.easels * (1 + queue)]
    return min(short, key=lambda each: (each.load(now) / each.easels, each.phase != "ready"), default=None)


def stopped(studios: Iterable[Studio], pools: Iterable[tuple[str, str]]) -> Studio | None:
    """The stopped studio to start, of those in `pools` (the others would not be given a GPU)."""
    allowed = set(pools)
    asleep = [each for each in studios if each.phase == "stopped" and (each.type, each.subnet) in allowed]
    return max(asleep, key=lambda each: each.left, default=None)
