"""What the page's files say of other files: the settings, and what is kept for when there is no network."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.website import settings

WEBSITE = Path(__file__).resolve().parents[2] / "website"
NAMES = {"http://www.w3.org/2000/svg", "http://ns.adobe.com/xap"}  # of formats; nothing is fetched from there
NO_PART_OF_THE_SHELL = {"service_worker.js", "config.json"}


def test_the_page_knows_the_settings_as_they_are() -> None:
    hint = "the settings have changed: python -m tests.website.settings"
    assert settings.FILE.read_text(encoding="utf-8") == settings.text(), hint


def test_all_of_the_page_is_kept_for_when_there_is_no_network() -> None:
    text = (WEBSITE / "service_worker.js").read_text(encoding="utf-8")
    listed = re.search(r"const SHELL = (\[.*?\]);", text, re.DOTALL)
    assert listed
    kept = json.loads(re.sub(r",\s*\]", "]", listed[1]))
    modules = list(WEBSITE.rglob("*.js")) + list(WEBSITE.rglob("*.css")) + list(WEBSITE.rglob("*.json"))
    files = {path.relative_to(WEBSITE).as_posix() for path in modules} - NO_PART_OF_THE_SHELL
    small = {path.relative_to(WEBSITE).as_posix() for path in WEBSITE.glob("*/small/*.jpg")}
    rest = {"./", "config.json", "favicon.svg", "manifest.webmanifest", "icons/192.png", "icons/512.png"}
    assert set(kept) == files | small | rest
    assert kept == sorted(kept)


def test_nothing_of_the_page_comes_from_elsewhere() -> None:
    for path in [*WEBSITE.rglob("*.js"), *WEBSITE.rglob("*.css"), WEBSITE / "index.html"]:
        addresses = set(re.findall(r"https?://[^\s\"'`]+", path.read_text(encoding="utf-8")))
        assert addresses <= NAMES, path


def test_no_style_or_script_is_in_the_page_itself() -> None:
    page = (WEBSITE / "index.html").read_text(encoding="utf-8")
    assert "<style" not in page
    assert not re.search(r"\s(style|on[a-z]+)=", page)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
