"""The report is whole in itself, shows what was and was not looked at, and trusts nothing in the video."""

from __future__ import annotations

import base64
import hashlib
import re
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from vidence.exports.report import gather, render
from vidence.exports.report.lanes import MOST_MARKS, MOST_ROWS, Mark, make_lane, stack, thin
from vidence.exports.report.thumbnails import STRIP
from vidence.mcr.answer import Answer
from vidence.mcr.budget import Receipt
from vidence.mcr.evidence import Claim, Conflict, Evidence, Verdict
from vidence.media import open_media
from vidence.memory import Memory
from vidence.senses.observation import Observation, Producer
from vidence.timeline import Span

EVIL = """</script><img src=x onerror="alert(1)">'"&{{ 7*7 }}"""


def seen(start: Any, end: Any, text: str, sense: str = "text") -> Observation:
    modality = {"text": "text", "speech": "speech"}.get(sense, "visual")
    return Observation(Span.of(start, end), modality, Producer(sense, "1"), text, 0.9)  # type: ignore[arg-type]


class Reader(HTMLParser):
    """Collects tags with their attributes, and the text outside script and style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.skip = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.skip = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self.skip = ""

    def handle_data(self, data: str) -> None:
        if not self.skip:
            self.words.append(data)

    def with_class(self, name: str) -> list[dict[str, str | None]]:
        return [attrs for _, attrs in self.tags if name in (attrs.get("class") or "").split()]


def evidence(medium: str, name: str, span: Span, quote: str) -> Evidence:
    return Evidence(name, medium, span, "text", quote, "text", 0.9, "recall")


@pytest.fixture
def page(make_video: Any, tmp_path: Path) -> str:
    """Render a report of a real four-second video with remembered text, speech and an answer, all of it hostile."""
    path = make_video("clip <b>.mp4", frames=100, fps=25)
    with open_media(path) as media, Memory.open(tmp_path / "m.sqlite") as memory:
        memory.add(media)
        half = Span.of(0, 2)
        for sense, items in {
            "text": [seen(0, 1, EVIL), seen(1, 2, "EXIT 25")],
            "speech": [seen("0.5", "1.5", "hello " + EVIL, "speech")],
            "shots": [seen(0, 2, "shot", "shots")],
        }.items():
            memory.write(media.hash, Producer(sense, "1"), half, items)
        memory.fail(media.hash, Producer("objects", "1"), Span.of(2, 4), "no weights " + EVIL)
        for_it = evidence(media.hash, "e1", Span.of(1, 2), EVIL)
        against = evidence(media.hash, "e2", Span.of(3, 3), "EXIT 26")
        answer = Answer(
            question="Which exit? " + EVIL,
            text=EVIL,
            status="answered",
            confidence=0.8,
            claims=(Claim("It is 25", (for_it,), Verdict("supported", 0.9, "read again"), (against,)),),
            receipt=Receipt(1.0, 0.0, 2.0, 3, 4, 0, 5, {"recall": 1}),
            coverage=memory.coverage(media.hash),
            spans=(Span.of(1, 2),),
            conflicts=(Conflict("the exit", for_it, against, "25 or 26"),),
        )
        return render(gather(media, memory, [answer]))


def test_what_a_video_says_cannot_become_markup(page: str) -> None:
    reader = Reader(page)
    assert all(attrs.get("src") != "x" for _, attrs in reader.tags)
    assert not any(name.startswith("on") for _, attrs in reader.tags for name in attrs)
    assert sum(tag == "script" for tag, _ in reader.tags) == 1
    assert EVIL in " ".join(reader.words)  # shown, letter for letter


def test_only_the_pages_own_script_may_run_and_nothing_is_fetched(page: str) -> None:
    reader = Reader(page)
    policy = next(
        a["content"] or "" for _, a in reader.tags if a.get("http-equiv") == "Content-Security-Policy"
    )
    script = page[page.index("<script>") + len("<script>") : page.index("</script>", page.index("<script>"))]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy
    links = [
        attrs[name] or "" for _, attrs in reader.tags for name in ("src", "href", "action") if name in attrs
    ]
    assert links
    assert all(link.startswith("data:image/jpeg;base64,") for link in links)
    assert not re.search(r"url\(|@import", page)


def test_pictures_of_evidence_are_the_exact_frames(page: str) -> None:
    import cv2
    import numpy as np

    from conftest import read_number

    found = re.search(r'<img src="data:image/jpeg;base64,([^"]+)" alt="Frame in the middle of 00:01', page)
    assert found
    image = cv2.imdecode(np.frombuffer(base64.b64decode(found[1]), np.uint8), cv2.IMREAD_COLOR)
    assert read_number(image) == 37  # 1.5 s at 25 fps lies in frame 37


def test_what_was_not_looked_at_is_hatched_and_what_failed_says_why(page: str) -> None:
    reader = Reader(page)
    titles = [attrs.get("title") or "" for attrs in reader.with_class("unseen")]
    assert "00:02.000–00:04.000: not looked at" in titles  # text was read in the first half only
    assert "00:00.000–00:04.000: not looked at" in titles  # nobody looked for faces
    assert reader.with_class("failed")
    assert "no weights" in " ".join(reader.words)


def test_every_control_has_a_name_and_each_lane_one_tab_stop(page: str) -> None:
    reader = Reader(page)
    marks = [attrs for tag, attrs in reader.tags if tag == "button" and "tabindex" in attrs]
    assert all(attrs.get("aria-label") for attrs in marks)
    lanes = page.split('class="track"')[2:]
    for lane in lanes:
        body = lane.split("</div>")[0]
        assert body.count('tabindex="0"') == (1 if "<button" in body else 0)
    assert all("alt" in attrs for tag, attrs in reader.tags if tag == "img")
    assert dict(reader.tags)["html"]["lang"] == "en"


def test_the_answer_is_shown_with_verdict_contradiction_and_cost(page: str) -> None:
    words = " ".join(" ".join(Reader(page).words).split())
    for expected in ("supported", "read again", "Against:", "25 or 26", "3 frames", "confidence 80 %"):
        assert expected in words


def test_a_lane_of_many_marks_stays_small_and_loses_no_count() -> None:
    marks = [Mark(Span.of(n, n + 1), f"word {n}") for n in range(10_000)]
    thinned = thin(marks, Span.of(0, 10_000))
    assert len(thinned) == MOST_MARKS
    assert sum(mark.count for mark in thinned) == 10_000
    assert max(len(mark.text) for mark in thinned) <= 300


def test_marks_that_overlap_lie_in_different_rows_until_rows_run_out() -> None:
    rows = [mark.row for mark in stack([Mark(Span.of(0, 10), str(n)) for n in range(6)])]
    assert rows[:MOST_ROWS] == list(range(MOST_ROWS))
    assert max(rows) == MOST_ROWS - 1
    in_turn = [mark.row for mark in stack([Mark(Span.of(n, n + 1), str(n)) for n in range(5)])]
    assert in_turn == [0] * 5


def test_a_lane_of_nothing_has_one_empty_row() -> None:
    lane = make_lane("text", "Text", [], Span.of(0, 5), unseen=[Span.of(0, 5)])
    assert (lane.rows, lane.total, lane.marks) == (1, 0, ())


def test_a_sound_file_has_a_report_without_pictures(make_video: Any, tmp_path: Path) -> None:
    path = make_video("only.m4a", frames=0, tone_hz=440.0)
    with open_media(path) as media, Memory.open(tmp_path / "m.sqlite") as memory:
        memory.add(media)
        page = render(gather(media, memory))
    assert "no pictures" in page
    assert "<img" not in page


def test_a_long_video_gives_a_page_of_bounded_size(
    make_video: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "vidence.exports.report.page.MOST_LINES", 200
    )  # the real one would take a minute to fill
    path = make_video("long.mp4", frames=900, fps=1, size=(64, 48), gop=60)
    with open_media(path) as media, Memory.open(tmp_path / "m.sqlite") as memory:
        memory.add(media)
        lines = [seen(n, n + Fraction(1, 2), f"line {n % 9}", "speech") for n in range(900)]
        memory.write(media.hash, Producer("speech", "1"), media.info.span, lines)
        page = gather(media, memory)
        html = render(page)
    speech = next(lane for lane in page.lanes if lane.name == "speech")
    assert len(page.strip) <= STRIP
    assert len(page.speech) == 200
    assert "700 more lines" in html
    assert speech.total == 900
    assert len(speech.marks) <= MOST_MARKS
