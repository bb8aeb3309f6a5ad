"""A studio that has one easel and says what that says, line by line, until it is killed."""

from __future__ import annotations

from tests.controller.easel import Talk

if __name__ == "__main__":
    talk = Talk()
    while True:
        said = talk.next()
        print(type(said).__name__, talk.process.pid, flush=True)
        if type(said).__name__ in ("Loaded", "Rested"):
            talk.begin()
