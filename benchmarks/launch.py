"""Run a command and say what it took, below its own words: ``python -m benchmarks.launch COMMAND [ARGUMENT ...]``.

A process of its own, and a small one, because Linux counts in a child's peak memory what its parent held at the fork.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

MEBI = 2**20
UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


def main() -> int:
    """Return the command's exit code."""
    started = time.perf_counter()
    process = subprocess.Popen(sys.argv[1:])
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    print(json.dumps({"seconds": seconds, "peak": usage.ru_maxrss * UNIT / MEBI}))
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
