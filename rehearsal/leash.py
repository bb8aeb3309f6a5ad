"""Runs a command on a leash: ``python leash.py COMMAND...``, where whoever started it holds standard input open.

Once nobody does, since the owner has ended in whatever way, the command is killed with all that it has started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def _hold() -> None:
    """Wait for the end of standard input."""
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGKILL)  # the group is ours: we were started as its leader


def main() -> int:
    """Run the command; return its exit code, as a shell would."""
    asked = (signal.SIGINT, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, asked)  # until there is whom to hand them on to
    with subprocess.Popen(
        sys.argv[1:], stdin=subprocess.DEVNULL, preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, asked)
    ) as process:
        for number in asked:
            signal.signal(number, lambda *_: process.terminate())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, asked)
        threading.Thread(target=_hold, daemon=True).start()
        code = process.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
