"""The table at the terminal: what each studio does and costs, and what is left of the day's budget."""

from __future__ import annotations

from collections.abc import Iterable

from lambda_launcher.deploy.prices import Prices
from lambda_launcher.studio import Studio
from rehearsal.view import View

_HEADINGS = ("studio", "type", "phase", "runs for", "paints", "lease", "costs")
_WIDTHS = (16, 12, 10, 9, 7, 6, 7)
_PRICES = Prices({})


def lines(view: View) -> list[str]:
    """The whole of it."""
    rows = [_row(each, view.now) for each in view.studios]
    nobody = [] if rows else ["no studio: nobody has asked for one yet"]
    return [_joined(_HEADINGS), *map(_joined, rows), *nobody, money(view)]


def money(view: View) -> str:
    """What was spent."""
    cost = sum(_cost(each, view.now) for each in view.studios)
    return f"today: {view.used} GPU-seconds used, {view.reserved} reserved; in EC2 this would have cost ${cost:.3f}"


def news(before: View | None, view: View) -> Iterable[str]:
    """What has changed, a line for each studio."""
    known = {each.id: (each.phase, each.busy) for each in before.studios} if before else {}
    for each in view.studios:
        if known.get(each.id) != (each.phase, each.busy):
            painting = f", paints {each.busy}" if each.busy else ""
            ran = f"after {_run(each, view.now):.0f} s"
            yield f"studio {each.id} ({each.type or 'no machine yet'}): {each.phase}{painting}, {ran}; {money(view)}"


def _row(studio: Studio, now: float) -> tuple[str, ...]:
    minutes, seconds = divmod(int(_run(studio, now)), 60)
    lives = studio.phase in ("loading", "ready")
    return (
        studio.id,
        studio.type or "–",
        studio.phase,
        f"{minutes}:{seconds:02}",
        f"{studio.busy}" if lives else "–",
        f"{max(0, studio.lease - now):.0f} s" if lives else "–",
        f"${_cost(studio, now):.3f}",
    )


def _run(studio: Studio, now: float) -> float:
    """Seconds for which it has run: this time, if it was stopped in between."""
    return (studio.left if studio.phase in ("stopped", "ended") else now) - studio.began


def _cost(studio: Studio, now: float) -> float:
    return _PRICES.run(studio.type, _run(studio, now), studio.runs == 1) if studio.type else 0.0


def _joined(cells: Iterable[str]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()
