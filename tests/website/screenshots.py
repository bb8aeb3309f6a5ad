"""Photographs the page in each of its states, on a desk and on a phone: ``python -m tests.website.screenshots``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests import browser
from tests.server.process import Server, serving
from tests.website.static import served
from tests.website.visitor import Visitor, visiting

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "page"
ARTWORK = "Harvest Road, Late Sun"
DEVICES: dict[str, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "is_mobile": True, "has_touch": True},
}


def photograph(visitor: Visitor, device: str, state: str) -> None:
    """Take the whole page as it is now, once what moves has come to rest."""
    visitor.page.wait_for_timeout(1200)
    file = FOLDER / f"{state}_{device}.jpg"
    visitor.page.screenshot(path=file, type="jpeg", quality=82, full_page=device == "phone")


def with_a_studio(chromium: Browser, studio: Server, device: str) -> None:
    """The states of the page with a studio behind it."""
    with visiting(chromium, studio.url, **DEVICES[device], service_workers="block") as visitor:
        visitor.open()
        photograph(visitor, device, "empty")
        visitor.sample()
        visitor.page.get_by_role("option", name=ARTWORK).click()
        photograph(visitor, device, "ready")
        visitor.settings(size=1024, iterations=240).paint().state("painting").beyond(90)
        photograph(visitor, device, "painting")
        visitor.button("Pause").click()
        visitor.state("paused")
        photograph(visitor, device, "paused")
        visitor.button("Resume").click()
        visitor.state("finished")
        photograph(visitor, device, "finished")
        visitor.page.get_by_label("Compare with the photo").fill("38")
        photograph(visitor, device, "compared")
        visitor.open("display?id=nowhere").state("error")
        photograph(visitor, device, "error")
        visitor.faults.clear()


def alone(chromium: Browser, url: str, device: str) -> None:
    """The sketch, on the bare site."""
    with visiting(chromium, url, **DEVICES[device], service_workers="block") as visitor:
        visitor.open().sample("Pears by the Window").settings(size=384, iterations=120)
        visitor.page.get_by_role("option", name="Window of the Valley").click()
        visitor.paint().beyond(60)
        photograph(visitor, device, "sketching")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright, serving() as studio, served() as site:
        chromium = playwright.chromium.launch(executable_path=browser.find(), args=browser.FLAGS)
        studio.loaded()
        for device in DEVICES:
            with_a_studio(chromium, studio, device)
            alone(chromium, f"{site}/", device)
        chromium.close()
