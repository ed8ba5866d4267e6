"""The embedded default against what one would build in an afternoon: same films, same questions, same small models.

    python benchmarks/peers.py [--clips ../shared/videos] [--length 10:00]... [--world 10:00]... [--keep DIR]

"words": every ten seconds a frame is read (OCR) and what is said meanwhile put beside it; windows are searched with
BM25 (SQLite's). "captions": every ten seconds a frame is told in words (what the classifier and the detector see in it,
what is written and said), and windows are searched by meaning, with the text vectors that the default has too. Both
choose the option that, after the question, finds the best window; an interval is that window, a count the first number
in it, words its longest line; the window is the citation. "nothing": the option nearest to the question, no video seen.

Films are needle films of the clips (`vidence bench make needle-films`), worlds WorldBench's.
"""

from __future__ import annotations

import argparse
import re
import sqlite3
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import numpy as np

import vidence
from common import Bar, write_results
from vidence.evaluation.benchmarks import benchmark
from vidence.evaluation.item import Item
from vidence.evaluation.metrics import cited, iou
from vidence.evaluation.needle_films import make_needle_films
from vidence.evaluation.parsing import holds
from vidence.evaluation.systems import nearest
from vidence.evaluation.worldbench import make_worldbench
from vidence.mcr.concepts import number_in
from vidence.memory import Memory
from vidence.senses.language import embed
from vidence.senses.looks.embedded_eye import EmbeddedEye
from vidence.senses.text.reading import read_image
from vidence.timeline import Span, instant
from vidence.video import Video

EVERY_S = 10


@dataclass(frozen=True, slots=True)
class Window:
    """Ten seconds: what was read in its middle, and all that is known of it in words."""

    span: Span
    lines: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Given:
    """An answer: an option's index, an interval, or words; and what it cites."""

    choice: int | None = None
    span: Span | None = None
    words: str = ""
    cites: tuple[Span, ...] = ()


class Peer(Protocol):
    """Searches windows."""

    def scores(self, query: str) -> np.ndarray:
        """Return how well each window fits (higher is better)."""
        ...


class Words:
    """BM25 over what was read and said."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self._table, self._count = sqlite3.connect(":memory:"), len(windows)
        self._table.execute("create virtual table windows using fts5(words, tokenize='porter unicode61')")
        self._table.executemany(
            "insert into windows(rowid, words) values (?, ?)",
            [(at, window.words) for at, window in enumerate(windows)],
        )

    def scores(self, query: str) -> np.ndarray:
        """Return BM25 of each window that has a word of the query, 0 for the others."""
        found, terms = np.zeros(self._count), re.findall(r"\w+", query)
        if terms:
            asked = " or ".join(f'"{term}"' for term in terms).replace(" or ", " OR ")
            given = self._table.execute(
                "select rowid, -bm25(windows) from windows where windows match ?", (asked,)
            )
            for at, score in given:
                found[at] = score
        return found


class Meaning:
    """Cosine of text vectors over captions."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self._vectors_ND = embed([window.words for window in windows])

    def scores(self, query: str) -> np.ndarray:
        """Return the cosine of each window."""
        return self._vectors_ND @ embed([query])[0]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=Path, default=Path("../shared/videos"))
    parser.add_argument("--length", action="append", help="of a film; default: 10:00")
    parser.add_argument("--world", action="append", help="length of a world; default: 10:00")
    parser.add_argument("--worlds", type=int, default=2, help="of each length")
    parser.add_argument("--keep", type=Path, help="keep films, worlds and what is perceived here")
    arguments = parser.parse_args()
    lengths, worlds = (
        [Fraction(instant(text)) for text in given or ["10:00"]]
        for given in (arguments.length, arguments.world)
    )
    rows = list[dict[str, Any]]()
    with tempfile.TemporaryDirectory() as folder:
        work = arguments.keep or Path(folder)
        make_needle_films(work / "films", arguments.clips, lengths_s=lengths)
        make_worldbench(work / "worlds", lengths_s=worlds, worlds=arguments.worlds)
        with Memory.open(work / "memory.sqlite") as memory:
            for name, data in (("needle-films", work / "films"), ("worldbench", work / "worlds")):
                rows += measured(name, data, memory)
    bars = list[Bar]()
    for data in ("needle-films", "worldbench"):
        by = {row["system"]: row for row in rows if row["data"] == data}
        best = max(by[name]["choice"] for name in ("words", "captions"))
        bars.append(
            Bar(f"{data}: choices right, less the better peer's", by["vidence"]["choice"] - best, "", "> 0")
        )
        best = max(by[name]["grounded"] for name in ("words", "captions"))
        bars.append(
            Bar(
                f"{data}: answers grounded, less the better peer's",
                by["vidence"]["grounded"] - best,
                "",
                "> 0",
            )
        )
    write_results("peers", rows, bars)


def measured(name: str, data: Path, memory: Memory) -> list[dict[str, Any]]:
    """Ask all systems the questions of a benchmark."""
    chosen, found = benchmark(name), defaultdict[str, list[dict[str, Any]]](list)
    by_video = defaultdict[str, list[Item]](list)
    for item in chosen.load(data, "all"):
        by_video[item.video].append(item)
    spent = defaultdict[str, float](float)
    for file, items in by_video.items():
        with vidence.open(data / file, memory=memory) as video:
            start = time.monotonic()
            video.index()
            spent["vidence"] += time.monotonic() - start
            for peer, make in (("words", Words), ("captions", Meaning)):
                start = time.monotonic()
                windows = told(video, seen=peer == "captions")
                search: Peer = make(windows)
                spent[peer] += time.monotonic() - start
                found[peer] += [
                    judged(item, timed(lambda i, s=search, w=windows: answered(i, s, w), item))
                    for item in items
                ]
            found["vidence"] += [judged(item, timed(lambda i: asked(video, i), item)) for item in items]
            found["nothing"] += [judged(item, timed(guessed, item)) for item in items]
        print(f"{name}: {file} done", flush=True)
    return [summed(name, system, some, spent[system]) for system, some in found.items()]


def told(video: Video, *, seen: bool) -> list[Window]:
    """Put ten seconds each into words: what is read in the middle and said; with `seen`, what is in the picture too."""
    spans, span = list[Span](), video.media.info.span
    at = span.start
    while at < span.end:
        spans.append(Span(at, min(at + EVERY_S, span.end)))
        at += EVERY_S
    said = video.observations("speech")
    things = video.observations("objects") if seen else []
    eye, windows = EmbeddedEye(), list[Window]()
    for each in spans:
        (middle,) = each.middles(1)
        (frame,) = video.media.frames_at([middle])
        lines = tuple(line.text for line in read_image(frame.image))
        words = [*lines, *(one.text for one in said if one.span.overlaps(each))]
        if seen:
            look = eye.look(frame.image)
            words += [name for name, mass in look.data["classes"] if mass > 0.1]
            words += [one.text for one in things if middle in one.span]
        windows.append(Window(each, lines, "; ".join(words)))
    return windows


def answered(item: Item, search: Peer, windows: Sequence[Window]) -> Given:
    """Answer from the windows that are found."""
    if item.options:
        scores = np.stack([search.scores(f"{item.question} {option}") for option in item.options])
        own = np.stack(
            [search.scores(option) for option in item.options]
        )  # where the question's words drown it
        choice = int((scores.max(1) + own.max(1)).argmax())
        best = int((scores[choice] + own[choice]).argmax())
        return Given(choice, cites=(windows[best].span,))
    best = windows[int(search.scores(item.question).argmax())]
    longest = max(best.lines, key=len, default="")
    return Given(None, best.span, best.words if item.number is not None else longest, (best.span,))


def asked(video: Video, item: Item) -> Given:
    """Ask the embedded default."""
    question = f"When does this happen: {item.question}" if item.spans else item.question
    answer = video.ask(question, choices=item.options)
    cites = tuple(dict.fromkeys(e.span for claim in answer.claims for e in claim.evidence))
    choice = answer.choice.index if answer.choice else None
    return Given(choice, answer.spans[0] if answer.spans else None, answer.text, cites)


def guessed(item: Item) -> Given:
    """Guess without the video."""
    return Given(nearest(item.question, item.options)) if item.options else Given()


def timed(answer: Any, item: Item) -> tuple[Given, float]:
    start = time.monotonic()
    return answer(item), time.monotonic() - start


def judged(item: Item, given: tuple[Given, float]) -> dict[str, Any]:
    """Judge an answer by what its question asks for."""
    answer, seconds = given
    found: dict[str, Any] = {"seconds": seconds, "task": item.groups.get("task", item.groups.get("type"))}
    found["grounded"] = float(cited(answer.cites, item.evidence)[0] > 0) if item.evidence else None
    if item.options:
        return found | {"choice": float(answer.choice == item.answer)}
    if item.spans:
        return found | {"iou": iou([answer.span], item.spans) if answer.span else 0.0}
    if item.number is not None:
        return found | {"count": float(number_in(answer.words) == item.number)}
    return found | {"words": float(holds(answer.words, item.text))}


def summed(data: str, system: str, found: Sequence[dict[str, Any]], prepared_s: float) -> dict[str, Any]:
    """Sum up a system's answers."""
    row: dict[str, Any] = {"data": data, "system": system, "questions": len(found)}
    for field in ("choice", "words", "count", "iou", "grounded"):
        values = [one[field] for one in found if one.get(field) is not None]
        row[field] = round(statistics.mean(values), 4) if values else None
    tasks = defaultdict[str, list[float]](list)
    for one in found:
        if "choice" in one:
            tasks[str(one["task"])].append(one["choice"])
    row["seconds_a_question"] = round(statistics.median(one["seconds"] for one in found), 4)
    row["seconds_to_prepare"] = round(prepared_s, 1)
    return row | {
        "tasks": {task: [round(statistics.mean(v), 3), len(v)] for task, v in sorted(tasks.items())}
    }


if __name__ == "__main__":
    main()
