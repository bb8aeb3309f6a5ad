from __future__ import annotations

import json
import math

import pytest

from model.command.progress import Report


def test_what_is_not_a_number_is_null_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(json=True, quiet=True)
    report.iteration(1, 2, {"total": math.inf, "style": 1.5}, None)
    told = json.loads(capsys.readouterr().out)
    assert told == {"event": "iteration", "iteration": 0, "of": 2, "losses": {"total": None, "style": 1.5}, "eta": None}


def test_a_download_is_told_by_tenths(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(json=False, quiet=False)
    for done in range(0, 80_000_001, 1_000_000):
        report.download(done, 80_000_000)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 10
    assert said[0] == " 10 %: of 80 MB of VGG19's weights"
