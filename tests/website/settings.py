"""Writes what the page has to know of the settings: ``python -m tests.website.settings``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from model.recipe import Recipe, settings

FILE = Path(__file__).resolve().parents[2] / "website" / "settings.json"


def told() -> dict[str, Any]:
    """Every setting of the recipe, as the page reads it."""
    return {
        name: {
            "meaning": setting.description,
            "unit": setting.unit,
            "least": setting.low,
            "most": setting.high,
            "choices": setting.choices,
            "default": getattr(Recipe(), name),
            "steered": setting.steerable,
        }
        for name, setting in settings().items()
    }


def text() -> str:
    """The file's text."""
    return json.dumps(told(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
