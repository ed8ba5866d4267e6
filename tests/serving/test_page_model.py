"""A model that decides, on the web page: chosen there, and a contradiction that it finds shown side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

pytest.importorskip("openai")

from chat_server import serving
from conftest import write_video
from serving.browsing import PHONE, visit
from serving.conftest import Served, ended, put, running
from vidence.serving.site import Model

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

SAID = "The train leaves from platform twelve."
CLAIM = "The train leaves from platform 7."


def reply(request: dict[str, Any]) -> Any:
    """Play the judge, who believes what is cited, and the planner, who recalls and then answers with both sides."""
    role = request["messages"][0]["content"]
    if role.startswith("You check a statement"):
        trap = "EXIT 4" in str(request) and "is written there" not in str(request)
        return json.dumps({"verdict": "unsupported" if trap else "supported", "score": 0.9, "why": "it does"})
    lines = [line for line in request["messages"][1]["content"].splitlines() if line.startswith("[")]
    shown = [line.split("]")[0][1:] for line in lines if "PLATFORM 7" in line]
    said = [line.split("]")[0][1:] for line in lines if SAID in line]
    if not shown or not said:
        return {
            "name": "recall",
            "arguments": {"thought": "What is known of platforms?", "query": "platform"},
        }
    claim = {"text": CLAIM, "evidence": shown[:1], "against": said[:1]}
    given = {"thought": "The board counts.", "text": "Platform 7", "confidence": 0.8, "claims": [claim]}
    return {"name": "answer", "arguments": given}


def board(number: int) -> np.ndarray:
    """Paint a board that names a platform."""
    picture = np.full((240, 320, 3), (20, 60, 30), np.uint8)
    cv2.putText(
        picture, "PLATFORM 7", (20, 130), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (240, 240, 240), 3, cv2.LINE_AA
    )
    return picture


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("library")
    with (
        serving(reply) as model,
        running(
            folder, models=[Model("reader", model.address, "k")], senses=("shots", "text", "speech")
        ) as one,
    ):
        yield one


@pytest.fixture(scope="module")
def station(served: Served, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Six seconds in which the board and the voice name different platforms; its id on the page."""
    path = tmp_path_factory.mktemp("station") / "station.mp4"
    write_video(path, frames=60, fps=10, size=(320, 240), paint=board, cues=[(2.0, 4.0, SAID)])
    with served.client() as client:
        return ended(client, put(client, path)["id"])["media_id"]


def placed(one: Locator, *sides: str) -> list[float]:
    """Return where sides of an element lie, in CSS pixels."""
    return one.evaluate("(one, sides) => sides.map((side) => one.getBoundingClientRect()[side])", list(sides))


def test_a_contradiction_stands_side_by_side_and_each_side_plays(
    served: Served, station: str, chromium: Browser
) -> None:
    with visit(chromium, served.address) as seen:
        page = seen.go(f"#/video/{station}")
        page.get_by_role("button", name="Options").click()
        page.get_by_label("Who decides").select_option("reader")
        page.fill("#question", "Which platform does the train leave from?")
        page.get_by_role("button", name="Ask", exact=True).click()
        conflict = page.get_by_role("region", name="Contradiction")
        conflict.wait_for()
        left, right = conflict.get_by_role("figure").all()
        assert "PLATFORM 7" in left.inner_text()
        assert SAID in right.inner_text()
        (top, edge), (other_top, start) = placed(left, "y", "right"), placed(right, "y", "left")
        assert top == other_top
        assert edge <= start
        (within,) = placed(conflict, "right")
        assert all(placed(chip, "right")[0] < within for chip in conflict.locator(".chip").all())
        seen.shot("conflict", full_page=True)
        for side, start in ((right, 2.0), (left, 0.0)):
            side.locator("button.clip").click()
            side.locator("video").wait_for()
            seen.until(
                "([start]) => document.querySelector('.side video')?.currentTime > start + 0.1", arg=[start]
            )
            side.locator("button.clip").click()
            side.locator("video").wait_for(state="detached")
        assert page.locator("[data-lane=evidence] .mark").count() == 2


def test_on_a_phone_the_sides_stand_one_below_the_other(
    served: Served, station: str, chromium: Browser
) -> None:
    with served.client() as client:
        asked = {"media": [station], "question": "Which platform?", "policy": "reader"}
        assert client.post("/api/ask", json=asked).json()["answers"][0]["conflicts"]
    with visit(chromium, served.address, color_scheme="dark", **PHONE) as seen:
        page = seen.go(f"#/video/{station}")
        page.locator(".run-open").first.click()
        page.locator(".conflict").wait_for()
        first, second = page.locator(".conflict .side").all()
        assert placed(first, "bottom") < placed(second, "top")
        assert seen.width() <= 375
        seen.shot("conflict-phone", full_page=True)
