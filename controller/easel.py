"""An easel: the child process that holds one loaded model and paints one picture at a time.

It hears and says the messages of `controller.messages` through a pipe; it ends when the studio at the other end does.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from collections.abc import Generator
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import numpy as np

from controller import messages
from controller.frame import finite
from controller.scribe import Scribe, Sheet
from model import pictures
from model.checkpoint import Checkpoint
from model.errors import Refusal
from model.forecast import Forecast
from model.recipe import Changes, Recipe

if TYPE_CHECKING:
    from model.style_transfer import Iteration, StyleTransfer

WARM_UP = Recipe(size=192, iterations=8)
PROGRESS_EVERY = 0.5  # seconds


def main(connection: Connection, engine: str, weights: str) -> None:
    """Load the model, then paint whatever comes, until the studio is gone."""
    for meant_for_the_studio in (signal.SIGINT, signal.SIGTERM):
        signal.signal(meant_for_the_studio, signal.SIG_IGN)
    easel = Easel(connection)
    threading.excepthook = easel.end
    try:
        if easel.load(engine, weights):
            easel.paint_for_ever()
    except Exception as error:
        easel.fault(error)
        raise


class Easel:
    """The easel's main thread paints, one listens, one (the scribe) makes frames and checkpoints."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._begun = queue.SimpleQueue[messages.Begin]()
        self._told = queue.SimpleQueue[messages.Alter | messages.PutAside]()
        self._scribe = Scribe(self.send)
        threading.Thread(target=self._listen, name="listener", daemon=True).start()

    def send(self, message: object) -> None:
        """Say something to the studio."""
        try:
            with self._sending:
                self._connection.send(message)
        except OSError:
            os._exit(0)  # the studio is gone

    def fault(self, error: BaseException | None) -> None:
        """Say what it dies of."""
        self.send(messages.Fault(f"{type(error).__name__}: {error}"))

    def end(self, failed: threading.ExceptHookArgs) -> None:
        """A thread has failed, and without it the others would wait, or paint what nobody sees."""
        self.fault(failed.exc_value)
        threading.__excepthook__(failed)
        os._exit(1)

    def _listen(self) -> None:
        while True:
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                os._exit(0)  # the studio is gone, whatever is being painted: the gallery has its last checkpoint
            match message:
                case messages.Begin():
                    self._begun.put(message)
                case messages.Alter() | messages.PutAside():
                    self._told.put(message)
                case messages.Look():
                    self._scribe.look(message)
                case messages.Want():
                    self._scribe.want(message)
                case messages.Kept():
                    self._scribe.kept(message.turn)

    def load(self, engine: str, weights: str) -> bool:
        """Load the model and paint a first small picture, so that all is compiled; return whether it can paint."""
        self.send(messages.Loading("starting"))
        from model.style_transfer import StyleTransfer

        reasons: list[str] = []
        last = 0.0

        def downloading(done: int, total: int) -> None:
            nonlocal last
            if done == total or time.monotonic() - last >= PROGRESS_EVERY:
                last = time.monotonic()
                self.send(messages.Loading("downloading", done, total))

        self.send(messages.Loading("loading"))
        try:
            self._transfer: StyleTransfer = StyleTransfer(engine, weights, reasons.append, downloading)
        except Refusal as refusal:
            self.send(messages.Unloadable(refusal.code, refusal.message, refusal.hint))
            return False
        self.send(messages.Loading("compiling"))
        checks = np.indices((128, WARM_UP.size)).sum(axis=0)[..., None] // 8 % 2
        picture = (checks * [200, 120, 60] + 20).astype(np.uint8)
        smallest = self._transfer.engine.smallest
        forecast = Forecast(picture.shape[0], picture.shape[1], WARM_UP, smallest)
        for iteration in self._transfer.paint(picture, [picture[::-1]], WARM_UP):
            forecast.after(iteration.number, iteration.elapsed)
        reason = reasons[0] if reasons else "Its weights are here." if engine == "auto" else "It was asked for."
        name, device = self._transfer.engine.name, self._transfer.device
        self.send(messages.Loaded(name, device, reason, smallest, forecast.seen))
        return True

    def paint_for_ever(self) -> None:
        """Paint one picture after the other."""
        while True:
            begin = self._begun.get()
            try:
                rested = self._paint(begin)
            except Refusal as refusal:
                rested = messages.Rested(begin.turn, -1, refusal=(refusal.code, refusal.message, refusal.hint))
            self._scribe.forget()
            self.send(rested)

    def _paint(self, begin: messages.Begin) -> messages.Rested:
        """Paint until all is painted or the studio says otherwise."""
        iterations, since = self._iterations(begin)
        done = since.iteration + 1 if since else 0
        forecast = Forecast(begin.height, begin.width, begin.recipe, self._transfer.engine.smallest, begin.paces, done)
        self._scribe.begin(begin.turn, since.iteration if since else -1)
        last: Sheet | None = None
        changes: Changes | None = None
        aside: messages.PutAside | None = None
        while aside is None:
            try:
                iteration = iterations.send(changes)
            except StopIteration:
                break
            last = Sheet(begin.turn, iteration, self._facts(iteration, forecast))
            self.send(messages.Iterated(begin.turn, last.facts))
            self._scribe.hand(last)
            changes, aside = self._orders(begin.turn)
        iterations.close()
        if last is None:  # all was painted already
            assert since
            iteration = self._transfer.shown(since)
            last = Sheet(begin.turn, iteration, self._facts(iteration, forecast))
        if aside and not aside.keep:
            return messages.Rested(begin.turn, last.number, forecast.seen)
        frame = self._scribe.end(last)
        checkpoint = last.iteration.checkpoint().to_bytes()
        picture = None if aside else last.iteration.painting("png")
        return messages.Rested(begin.turn, last.number, forecast.seen, checkpoint, picture, frame)

    def _iterations(
        self, begin: messages.Begin
    ) -> tuple[Generator[Iteration, Changes | None, None], Checkpoint | None]:
        if begin.checkpoint is None:
            recipe = _told(begin.recipe, -1, begin)
            styles = [pictures.read(artwork) for artwork in begin.artworks]
            return self._transfer.paint(pictures.read(begin.photo), styles, recipe), None
        since = Checkpoint.from_bytes(begin.checkpoint)
        since = replace(since, recipe=_told(since.recipe, since.iteration, begin))
        return self._transfer.resume(since), since

    def _orders(self, turn: int) -> tuple[Changes | None, messages.PutAside | None]:
        """What the studio has said since the last iteration."""
        changes: dict[str, Any] = {}
        while not self._told.empty():
            told = self._told.get()
            if told.turn != turn:
                continue  # it was meant for a painting that had ended meanwhile
            if isinstance(told, messages.PutAside):
                return None, told
            more = changes.pop("more", 0) + told.changes.get("more", 0)
            changes |= told.changes
            if more:
                changes["more"] = more
        if changes.get("stop"):
            changes.pop("more", None)  # it was asked for before
        return changes or None, None

    @staticmethod
    def _facts(iteration: Iteration, forecast: Forecast) -> dict[str, Any]:
        forecast.follow(iteration.recipe)
        forecast.after(iteration.number, iteration.elapsed)
        width, height = iteration.size
        left = forecast.seconds_left
        return {
            "iteration": iteration.number,
            "of": iteration.of,
            "width": width,
            "height": height,
            "scale": iteration.scale,
            "scales": iteration.scales,
            "losses": finite(iteration.losses),
            "progress": round(100 * forecast.progress, 1),
            "eta": None if left is None else round(left, 1),
            "elapsed": round(iteration.elapsed, 3),
            "at": round(time.time(), 3),
        }


def _told(recipe: Recipe, iteration: int, begin: messages.Begin) -> Recipe:
    """The recipe, to be gone on with after `iteration` with the settings and the end that its owner wants by now."""
    force = recipe.at(iteration + 1)
    changes = {name: value for name, value in begin.settings.items() if getattr(force, name) != value}
    if changes:
        recipe = recipe.changed(iteration + 1, changes)
    return recipe.ending(iteration, begin.of)
