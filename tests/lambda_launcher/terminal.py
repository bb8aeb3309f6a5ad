"""The commands as a person runs them, without a new process for each."""

from __future__ import annotations

import contextlib
import io
import os
from dataclasses import dataclass, replace
from typing import NamedTuple

import pytest

from lambda_launcher.deploy import site
from lambda_launcher.deploy.packed import Packed
from tests.lambda_launcher.account import Cloud
from visualneurons import main


class Ended(NamedTuple):
    """How a command has ended, and what it has said."""

    code: int
    out: str
    err: str


@dataclass
class Terminal:
    """Runs commands in this process, with an account, and with what is packed once for all of them."""

    cloud: Cloud
    ready: Packed

    def run(self, *words: str, says: str = "", **environment: str | None) -> Ended:
        """Run one, with `says` on its standard input; `environment` is what is otherwise there (None: not at all)."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            for name in [name for name in os.environ if name.startswith("AWS_")]:
                patch.delenv(name)
            for name, value in {**self.cloud.environment, **environment}.items():
                if value is None:
                    patch.delenv(name, raising=False)
                else:
                    patch.setenv(name, value)
            patch.setattr("lambda_launcher.deploy.command.packed", self._packed)
            patch.setattr("sys.stdin", io.StringIO(says))
            code = main(words)
        return Ended(code, out.getvalue(), err.getvalue())

    def _packed(self, days: int) -> Packed:
        return replace(self.ready, pages=tuple(site.pages(days)))
