from __future__ import annotations

import json
import math

import pytest

from model.command.progress import Forecast, Report
from model.scales import Scale


def forecasts(scales: list[Scale], paces: list[float]) -> list[tuple[float | None, float]]:
    """What is forecast after each iteration and what comes, if a step takes so long at each scale."""
    durations = [pace for scale, pace in zip(scales, paces, strict=True) for _ in range(scale.steps)]
    places = [index for index, scale in enumerate(scales) for _ in range(scale.steps)]
    forecast, told, elapsed = Forecast(scales), [], 0.0
    for number, (place, duration) in enumerate(zip(places, durations, strict=True)):
        elapsed += duration
        told.append((forecast.seconds_left(number, place, elapsed), sum(durations[number + 1 :])))
    return told


class TestForecast:
    def test_nothing_is_known_of_a_single_step(self) -> None:
        told = forecasts([Scale(100, 100, 3)], [2.0])
        assert told == [(None, 4.0), (2.0, 2.0), (0.0, 0.0)]

    def test_a_step_that_grows_with_the_pixels_is_forecast_rightly(self) -> None:
        scales = [Scale(64, 64, 10), Scale(128, 128, 10), Scale(256, 256, 10)]
        told = forecasts(scales, [0.01, 0.04, 0.16])
        assert all(left == pytest.approx(comes) for left, comes in told[1:])

    def test_it_learns_how_small_pictures_are_slow(self) -> None:
        scales = [Scale(32, 32, 10), Scale(64, 64, 10), Scale(128, 128, 10)]
        told = forecasts(scales, [0.1, 0.11, 0.15])
        first, later = (left / comes for left, comes in (told[9], told[12]) if left)
        assert abs(math.log(later)) < abs(math.log(first))
        assert told[-1][0] == 0

    def test_it_starts_in_the_middle(self) -> None:
        forecast = Forecast([Scale(64, 64, 10), Scale(128, 128, 10)])
        assert forecast.seconds_left(14, 1, 100.0) is None
        assert forecast.seconds_left(15, 1, 101.0) == pytest.approx(4.0)


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
