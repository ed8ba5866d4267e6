"""Moderation against known truth: sentences judged by hand, and words said and written in worlds.

Violations match truth of the same rule at a temporal IoU of 0.5. Cost is CPU seconds for an hour of footage, perceiving
included and from memory.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from common import Bar
from matching import Tally, tally, write_film
from vidence.apps.moderate import Policy, moderate, open_policy
from vidence.apps.moderate.policy import Rule
from vidence.senses import default_senses
from vidence.timeline import Span
from vidence.video import Video
from vidence.video import open as open_video
from vidence.worlds import Setting, World, make_world

TRUTH = json.loads((Path(__file__).parent / "truth/moderate.json").read_text(encoding="utf-8"))
EACH_S, PAUSE_S = 3, 2  # of a sentence or a sign, and between two
WORLDS = tuple(range(70, 74))
SIZE = (480, 360)
WORDS = default_senses(["speech", "text"], language="en")  # all that the truth is about


def measure(videos: Path, memory: Path) -> tuple[list[dict[str, Any]], list[Bar]]:
    """Return the rows and bars."""
    del videos, memory  # both kinds of footage are made here
    rows, bars = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        row, counted = _sentences(folder)
        rows.append(row)
        bars += _bars("sentences and signs", counted)
        row, counted = _worlds(folder)
        rows.append(row)
        bars += _bars("words in worlds", counted)
    return rows, bars


def _bars(what: str, counted: Tally) -> list[Bar]:
    return [
        Bar(f"{what}: precision at IoU 0.5", counted.precision, "", ">= 0.8"),
        Bar(f"{what}: recall at IoU 0.5", counted.recall, "", ">= 0.8"),
    ]


def _sentences(folder: Path) -> tuple[dict[str, Any], Tally]:
    cues, signs, truth = [], [], list[tuple[str, Span]]()
    at = 1
    for place, entries in (("said", TRUTH["said"]), ("written", TRUTH["written"])):
        for text, rules in entries:
            span = Span.of(at, at + EACH_S)
            (cues if place == "said" else signs).append((span, text))
            truth += [(rule, span) for rule in rules]
            at += EACH_S + PAUSE_S
    film = write_film(folder / "sentences.mp4", at + 1, SIZE, lambda time: _sign(signs, time), cues)
    with open_video(film, memory=folder / "sentences.sqlite") as video:
        video.senses = WORDS
        return _run("sentences and signs", video, open_policy("family"), truth)


def _sign(signs: Sequence[tuple[Span, str]], time: Fraction) -> np.ndarray:
    import cv2

    image = np.full((SIZE[1], SIZE[0], 3), (150, 140, 120), np.uint8)
    for span, text in signs:
        if time in span:
            cv2.rectangle(image, (20, 120), (SIZE[0] - 20, 220), (20, 60, 30), -1)
            cv2.putText(
                image, text, (40, 190), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (240, 240, 240), 3, cv2.LINE_AA
            )
    return image


def _worlds(folder: Path) -> tuple[dict[str, Any], Tally]:
    """Hold each world against a policy made of the words that are said and written in it."""
    total, cpu_s, again_s, media_s = Tally(), 0.0, 0.0, 0.0
    for seed in WORLDS:
        world = make_world(seed, Setting(duration_s=40, size=SIZE, split="test"))
        film = folder / f"world-{seed}.mp4"
        world.write(film)
        rules, truth = _rules_of(world)
        policy = Policy("world", "World", tuple(rules))
        with open_video(film, memory=folder / f"world-{seed}.sqlite") as video:
            video.senses = WORDS
            row, counted = _run(f"world {seed}", video, policy, truth)
        total = total + counted
        cpu_s, again_s = cpu_s + row["cpu_s"], again_s + row["cpu_s_from_memory"]
        media_s += row["seconds"]
    return _row("words in worlds", total, media_s, cpu_s, again_s), total


def _rules_of(world: World) -> tuple[list[Rule], list[tuple[str, Span]]]:
    """Make a rule of each telling word, with the spans in which it is said or stands in the picture."""
    said, written = dict[str, list[Span]](), dict[str, list[Span]]()
    for line in world.lines:
        for word in set(re.findall(r"[a-z]{5,}", line.text.casefold())):
            said.setdefault(word, []).append(line.span)
    for scene in world.scenes:
        for overlay in scene.overlays:
            if overlay.text and " " not in overlay.text:
                span = Span.of(overlay.start_s, overlay.end_s)
                shifted = Span(span.start + scene.span.start, span.end + scene.span.start).clipped(scene.span)
                written.setdefault(overlay.text.casefold(), []).append(shifted)
    rules, truth = [], []
    for sense, words in (("speech", said), ("text", written)):
        for word, spans in sorted(words.items()):
            name = f"{sense}-{word}"
            rules.append(Rule(name, "language", "low", words={"en": (f"{word}",)}, senses=(sense,), gap_s=0))
            truth += [(name, span) for span in spans]
    return rules, truth


def _run(
    what: str, video: Video, policy: Policy, truth: Sequence[tuple[str, Span]]
) -> tuple[dict[str, Any], Tally]:
    started_s = time.process_time()
    found = moderate(video, policy)
    spent_s, started_s = time.process_time() - started_s, time.process_time()
    moderate(video, policy)
    again_s = time.process_time() - started_s
    counted = tally([(one.kind, one.span) for one in found.violations if one.certain], truth)
    return _row(what, counted, float(video.media.info.duration), spent_s, again_s), counted


def _row(what: str, counted: Tally, media_s: float, cpu_s: float, again_s: float) -> dict[str, Any]:
    return {
        "footage": what, "seconds": media_s, "truth": counted.truth, "found": counted.found, "right": counted.right,
        "precision": counted.precision, "recall": counted.recall, "cpu_s": cpu_s, "cpu_s_from_memory": again_s,
        "hours_an_hour": media_s / cpu_s if cpu_s else 0.0,
    }  # fmt: skip
