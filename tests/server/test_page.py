"""The page, served by a real server to a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page that must not complain."""
    complaints: list[str] = []
    page = chromium.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    yield page
    page.close()
    assert complaints == []


def test_it_says_what_the_program_is_and_how_the_server_is(page: Page, address: str) -> None:
    page.goto(address)
    expect(page).to_have_title("VisualNeurons")
    expect(page.get_by_role("heading", level=1)).to_have_text("VisualNeurons")
    expect(page.get_by_role("main")).to_contain_text("visualneurons paint photo.jpg artwork.png -o painting.png")
    expect(page.get_by_role("status")).to_contain_text("The server is well")


def test_it_fits_a_small_telephone(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 320, "height": 568})
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_it_is_dark_where_dark_is_liked(page: Page, address: str) -> None:
    page.goto(address)
    brightness = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness[scheme] = sum(int(part) for part in color.strip("rgb()").split(","))
    assert brightness["light"] > 600
    assert brightness["dark"] < 150
