"""An easel as the studio sees it: a child process, a pipe, and two threads that mind the pipe.

The threads keep the event loop from ever waiting for an easel that hangs, or for a large checkpoint to arrive.
"""

from __future__ import annotations

import multiprocessing
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnProcess
from typing import Any

from controller import easel, messages

_SPAWN = multiprocessing.get_context("spawn")


class EaselProcess:
    """One child process; when it has ended, so has this object's work."""

    def __init__(
        self,
        engine: str,
        weights: str,
        hear: Callable[[EaselProcess, Any], None],
        ended: Callable[[EaselProcess, str], None],
    ) -> None:
        """`hear` is called with each message and `ended` once, in a thread."""
        self._hear, self._ended = hear, ended
        self._outbox = queue.SimpleQueue[Any]()
        self._ours, self._theirs = _SPAWN.Pipe()
        # Painting stops with the studio, not with its terminal: Ctrl-C is the studio's to hear.
        self._process: SpawnProcess = _SPAWN.Process(
            target=easel.main, args=(self._theirs, engine, weights), name="easel", daemon=True
        )
        self._reason = ""
        threading.Thread(target=self._run, name="easel", daemon=True).start()

    @property
    def pid(self) -> int | None:
        """Its number on this machine, once it has been started."""
        return self._process.pid

    def send(self, message: object) -> None:
        """Say something to the easel; it hears it soon."""
        self._outbox.put(message)

    def kill(self, reason: str) -> None:
        """End the process now."""
        self._reason = self._reason or reason
        if self._process.pid is not None:
            self._process.kill()

    def _run(self) -> None:
        if sys.platform != "win32":
            resource_tracker.ensure_running()  # else it would be started with the first easel, and undo what follows
        try:
            with _deaf_to_signals():
                self._process.start()
        except OSError as error:
            self._ended(self, f"The easel could not be started: {error.strerror}.")
            return
        if self._reason:
            self._process.kill()
        self._theirs.close()
        writer = threading.Thread(target=self._write, name="easel-writer", daemon=True)
        writer.start()
        try:
            while True:
                message = self._ours.recv()
                if isinstance(message, messages.Fault):
                    self._reason = message.reason
                else:
                    self._hear(self, message)
        except (EOFError, OSError):
            pass
        self._outbox.put(None)
        writer.join()
        self._process.join(5)
        if self._process.is_alive():  # it has closed the pipe, but does not end
            self._process.kill()
            self._process.join()
        self._ours.close()
        self._ended(self, self._reason or _cause(self._process.exitcode))

    def _write(self) -> None:
        while (message := self._outbox.get()) is not None:
            try:
                self._ours.send(message)
            except OSError:
                return


@contextmanager
def _deaf_to_signals() -> Iterator[None]:
    """Children started meanwhile inherit that this thread hears neither Ctrl-C nor SIGTERM."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _cause(exitcode: int | None) -> str:
    if exitcode is None or exitcode >= 0:
        return f"The easel ended with exit code {exitcode}."
    try:
        return f"The easel was ended by {signal.Signals(-exitcode).name}."
    except ValueError:  # a real-time signal, which has no name
        return f"The easel was ended by signal {-exitcode}."
