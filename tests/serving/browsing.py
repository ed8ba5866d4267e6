"""A real browser for the tests of the page: what it asks for and complains of is kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from serving.conftest import PATIENCE_S, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
FLAGS = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--disable-dev-shm-usage"]

PHONE = {"viewport": {"width": 375, "height": 812}, "has_touch": True, "is_mobile": True}


@contextmanager
def browser() -> Iterator[Browser]:
    """Start the browser of this machine, without a window; skip where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser on this machine: none of {', '.join(BROWSERS)}")
    with sync_api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=found, args=FLAGS, timeout=1000 * PATIENCE_S)
        yield started
        started.close()


@dataclass
class Visit:
    """A page on show, with all that it asked for and complained of."""

    page: Page
    address: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str = "") -> Page:
        """Open a place of the server."""
        self.page.goto(f"{self.address}/{path}")
        self.page.wait_for_selector("main")
        return self.page

    def shot(self, name: str, **how: Any) -> None:
        """Keep a picture of the page, once its own pictures are there, where $VIDENCE_SCREENSHOTS says."""
        if folder := os.environ.get("VIDENCE_SCREENSHOTS"):
            self.page.evaluate("scrollTo(0, 0)")
            self.until(
                "[...document.images].every((one) => one.complete || one.getBoundingClientRect().top > innerHeight)"
            )
            self.page.screenshot(path=Path(folder) / f"{name}.png", **how)

    def until(self, expression: str, arg: Any = None) -> None:
        """Wait until it holds. Playwright's own way evaluates text in the page, which its content policy forbids."""
        until(lambda: self.page.evaluate(expression, arg), bool)

    def width(self) -> int:
        """Return how wide the page is, in CSS pixels."""
        return self.page.evaluate("document.documentElement.scrollWidth")


@contextmanager
def visit(
    browser: Browser, address: str, *, refused: tuple[int, ...] = (), broken: str = "", **how: Any
) -> Iterator[Visit]:
    """Open a page in a fresh profile. At the end it must have asked only its own server, and complained of nothing.

    `refused` are statuses that the test provokes, and `broken` is the name of a failure of the network that it feigns:
    of both the browser will complain.
    """
    how = {"locale": "en-US", "viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"} | how
    context = browser.new_context(accept_downloads=True, **how)
    context.set_default_timeout(1000 * PATIENCE_S)
    page = context.new_page()
    seen = Visit(page, address)
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("console", lambda line: line.type in ("error", "warning") and seen.complaints.append(line.text))
    page.on("dialog", lambda dialog: seen.complaints.append(f"a dialog: {dialog.message}"))
    try:
        yield seen
    finally:
        context.close()
    outside = [url for url in seen.requests if not url.startswith((f"{address}/", "blob:", "data:"))]
    assert outside == []
    expected = [f"responded with a status of {status}" for status in refused] + ([broken] if broken else [])
    assert [line for line in seen.complaints if not any(part in line for part in expected)] == []


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """Return the rules of accessibility that a page breaks, each with where."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page).response["violations"]
    return [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found]
