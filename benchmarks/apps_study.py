"""Studying against known truth: made lectures (`vidence.worlds.lecture`), and the screens of a real recording told by
eye (benchmarks/truth/study.json). What a lecture says is heard (a synthetic voice, the embedded recogniser), and once
more read from its subtitles: the difference is the recogniser's.

Slides match by heading; dedup precision is the share of found slides that are a true slide for the first time. A
chapter counts as found within `SLACK_S` of the true one. Terms match by name, their definitions by three quarters of
the letters (what is heard is misspelt), learned plurals as their singular. Arrows of the concept map match
by both names.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from common import Bar
from matching import Tally, near
from vidence.apps.study import Study, study
from vidence.apps.study.passages import term_stems
from vidence.senses.language import normalise
from vidence.video import open as open_video
from vidence.worlds.lecture import Lecture, keys

TRUTH = json.loads((Path(__file__).parent / "truth/study.json").read_text(encoding="utf-8"))
SLACK_S = 3.0
SAME = 0.75
UNSEEN = ("sound", "kitchen")  # at which the rules were not tried while they were written


def measure(videos: Path, memory: Path) -> tuple[list[dict[str, Any]], list[Bar]]:
    """Return the rows and bars."""
    rows: list[dict[str, Any]] = []
    totals: dict[str, dict[str, Tally]] = {"heard": {}, "subtitles": {}, "heard, unseen": {}}
    spent_s = media_s = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for key in keys():
            lecture = Lecture.of(key)
            for how in ("heard", "subtitles"):
                # without a voice the file is another one, so that what was heard of the first is not taken for it
                path = Path(folder) / f"{key}-{how}.mp4"
                lecture.write(path, sound=how == "heard", subtitles=how == "subtitles")
                with open_video(path, memory=memory) as video:
                    started_s = time.process_time()
                    told = study(video)
                    spent_s += time.process_time() - started_s
                    media_s += float(video.media.info.duration)
                for what, tally in compared(told, lecture).items():
                    for name in (how, f"{how}, unseen"):
                        if name in totals and (name == how or key in UNSEEN):
                            totals[name][what] = totals[name].get(what, Tally()) + tally
                    rows.append(_row(f"{key}, {how}", what, tally))
    screens = Tally()
    for name, truth in TRUTH["screens"].items():
        if (videos / name).is_file():
            with open_video(videos / name, memory=memory) as video:
                told = study(video, checks=0)
            named = [_first_named(truth, slide.text) for slide in told.slides]
            tally = Tally(len(truth), len(named), len({name for name in named if name}))
            rows.append(_row(name, "screens", tally))
            screens += tally
    heard, read = totals["heard"], totals["subtitles"]
    bars = [
        Bar("slide dedup precision, lectures", heard["slides"].precision, "", ">= 0.95"),
        Bar("slide recall, lectures", heard["slides"].recall, "", ">= 0.95"),
        Bar("screen dedup precision, a real recording", screens.precision, "", "reported"),
    ]
    for how, total, least in (("heard", heard, (0.7, 0.7, 0.6)), ("from subtitles", read, (0.8, 0.95, 0.95))):
        bars += [
            Bar(f"chapters, F1 within 3 s, {how}", _f1(total["chapters"]), "", f">= {least[0]}"),
            Bar(f"terms, recall, {how}", total["terms"].recall, "", f">= {least[1]}"),
            Bar(f"definitions, recall, {how}", total["definitions"].recall, "", f">= {least[2]}"),
            Bar(f"concept map, precision, {how}", total["needs"].precision, "", "reported"),
            Bar(f"concept map, recall, {how}", total["needs"].recall, "", "reported"),
        ]
    unseen = totals["heard, unseen"]
    bars += [
        Bar("terms, recall, heard, lectures unseen by the rules", unseen["terms"].recall, "", ">= 0.7"),
        Bar(
            "definitions, recall, heard, lectures unseen by the rules",
            unseen["definitions"].recall,
            "",
            ">= 0.6",
        ),
    ]
    speed = media_s / max(spent_s, 1e-6)
    bars.append(Bar("study, hours of footage an hour of CPU, perceiving included", speed, "", "reported"))
    return rows, bars


def compared(told: Study, lecture: Lecture) -> dict[str, Tally]:
    """Hold what was found against the truth of a lecture."""
    titles = [slide.title for slide in lecture.slides]
    found = [next((t for t in titles if _like(t, slide.title)), None) for slide in told.slides]
    slides = Tally(len(titles), len(found), len({title for title in found if title}))
    starts = [float(chapter.span.start) for chapter in told.chapters]
    chapters = near(starts, [float(time_) for time_, _ in lecture.chapters], SLACK_S)
    names = {
        term: next((p for p in told.points if set(term_stems(p.name)) == set(term_stems(term))), None)
        for term in lecture.needs
    }
    defined = [
        (line, point)
        for term, point in names.items()
        if (line := lecture.definition(term)) is not None and point is not None and point.definition
    ]
    same = sum(_like(line.text, point.definition) for line, point in defined)
    arrows = {
        (frozenset(term_stems(a)), frozenset(term_stems(b)))
        for a, needed in lecture.needs.items()
        for b in needed
    }
    known = {frozenset(term_stems(term)) for term in lecture.needs}
    mine = {
        (frozenset(term_stems(told.point(n.point).name)), frozenset(term_stems(told.point(n.needs).name)))
        for n in told.needs
    }
    mine = {arrow for arrow in mine if arrow[0] in known and arrow[1] in known}
    signs = [
        line.strip() for slide in lecture.slides for line in slide.lines if any(c in line for c in "=<>+(")
    ]
    shown = "\n".join(one.text for one in told.on_screen)
    right = sum(any(_like(sign, line) for line in shown.splitlines()) for sign in signs)
    return {
        "slides": slides,
        "chapters": chapters,
        "terms": Tally(len(names), len(names), sum(point is not None for point in names.values())),
        "definitions": Tally(len(names), len(defined), same),
        "needs": Tally(len(arrows), len(mine), len(arrows & mine)),
        "formulas and code": Tally(len(signs), len(shown.splitlines()), right),
    }


def _first_named(truth: Sequence[str], text: str) -> str | None:
    """Return the last of the true screens that a slide's lines name: one that has grown over another shows both."""
    lines = text.splitlines()
    return next((name for name in reversed(truth) if any(_like(name, line) for line in lines)), None)


def _like(left: str, right: str) -> bool:
    return SequenceMatcher(None, normalise(left), normalise(right), autojunk=False).ratio() >= SAME


def _f1(tally: Tally) -> float:
    return 2 * tally.precision * tally.recall / max(tally.precision + tally.recall, 1e-9)


def _row(video: str, what: str, tally: Tally) -> dict[str, Any]:
    return {
        "video": video, "what": what, "truth": tally.truth, "found": tally.found, "right": tally.right,
        "precision": round(tally.precision, 3), "recall": round(tally.recall, 3),
    }  # fmt: skip
