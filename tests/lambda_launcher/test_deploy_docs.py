"""What docs/deploy.md says is so."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from pathlib import Path

import pytest

from lambda_launcher import fleet
from lambda_launcher.deploy import prices
from lambda_launcher.errors import CODES
from lambda_launcher.template import parameters
from tests.lambda_launcher.stack import Stack
from visualneurons import COMMANDS

DOCS = (Path(__file__).resolve().parent.parent.parent / "docs" / "deploy.md").read_text(encoding="utf-8")
LINES = [
    line for block in re.findall(r"```sh\n(.*?)```", DOCS, re.DOTALL) for line in re.findall(r"visualneurons .*", block)
]


def parser(command: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(exit_on_error=False)
    importlib.import_module(COMMANDS[command][0]).add_arguments(made)
    return made


@pytest.mark.parametrize("line", LINES)
def test_every_command_line_is_understood(line: str) -> None:
    command, *words = shlex.split(line, comments=True)[1:]
    assert parser(command).parse_args(words)


def test_every_command_is_shown() -> None:
    assert {line.split()[1] for line in LINES} == {"deploy", "destroy", "studios"}


def test_every_option_is_told_with_what_it_is_at_first() -> None:
    options = {
        option
        for command in ("deploy", "destroy", "studios")
        for action in parser(command)._actions
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    }
    rows = [line.split(" | ") for line in DOCS.splitlines() if line.startswith("| `--")]
    told = {option: row[-1].strip(" |") for row in rows for option in re.findall(r"--[\w-]+", row[0])}
    assert told.keys() == options
    defaults = {name: each.default for name, each in parameters().items()}
    for option, parameter in {
        "--daily-budget": "DailyBudget",
        "--max-gpus": "MaxStudios",
        "--deadline": "Deadline",
        "--idle-stop": "IdleStop",
        "--idle-end": "IdleEnd",
        "--gallery-days": "GalleryDays",
        "--gallery-gigabytes": "GalleryGigabytes",
        "--types": "Types",
    }.items():
        assert told[option].strip("`") == defaults[parameter]


def test_every_refusal_and_alarm_is_spoken_of() -> None:
    assert set(CODES) <= set(re.findall(r"`(\w+)`", DOCS))
    stack = Stack()
    for alarm in [*stack.of_type("AWS::CloudWatch::Alarm"), *stack.of_type("AWS::Budgets::Budget")]:
        assert f"\n| `{alarm}` | " in DOCS


def test_the_prices_are_those_that_are_reckoned_with() -> None:
    for kind in Stack().parameters["Types"]:
        assert re.search(rf"\| `{kind}` \(\w+\) \| {prices.HOURLY[kind]} \|", DOCS)
    assert f"| its public address | {prices.ADDRESS} |" in DOCS
    assert f"| {prices.DISK:.4f} | {prices.DISK:.4f} |" in DOCS
    assert f"Each new machine costs {prices.FILL:.3f} besides" in DOCS
    assert f"as of {prices.AS_OF}" in DOCS


def test_the_idle_month_adds_up() -> None:
    table = DOCS.partition("**A month in which nobody paints**")[2].partition("| **in all**")[0]
    amounts = [float(amount) for amount in re.findall(r"\| (\d+\.\d\d) \|$", table, re.MULTILINE)]
    assert len(amounts) == 6
    assert round(sum(amounts)) == 3


def test_the_quota_is_the_one_that_is_looked_at() -> None:
    assert f"*{fleet.QUOTA_NAME}*" in DOCS.replace("\n   ", " ")
    assert f"`{fleet.QUOTA}`" in DOCS
