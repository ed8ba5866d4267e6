"""Needle films: clips with known questions, at known offsets in a long film, among generated scenes.

The clips' folder holds a questions.json: {"videos": [{"file", "qa": [{"id", "type", "question", "options", "answer",
"evidence": [[start, end], ...]}, ...]}, ...]}, times in seconds of the clip. A type "grounding" has an interval as its
answer, "count" a number; where there are options the answer is a letter, elsewhere words. Questions that name a stretch
of the clip ("at the start", "at 20 s") mean another in a film, and those asked of two clips have two answers: both are
left out.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidence.errors import UsageError
from vidence.evaluation.files import need, span, table
from vidence.evaluation.films import ClipReel, Piece, Reel, WorldReel, write_film
from vidence.evaluation.item import Item
from vidence.evaluation.made import write_items
from vidence.evaluation.options import index_of
from vidence.mcr.question import read_question
from vidence.media import open_media
from vidence.timeline import Instant, Span
from vidence.worlds import Setting, make_world

MANIFEST = "questions.json"
LENGTHS_S = (600, 1800, 3600)
FIRST_SEED = 50_000_000
SHORTEST_S = 2  # of a generated scene between two clips
FPS, SIZE = 10, (1280, 720)
Told = Callable[[str, float, float | None], None]


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip with what is asked about it."""

    path: Path
    duration: Fraction
    questions: tuple[dict[str, Any], ...]


def make_needle_films(
    out: Path,
    clips: Path,
    *,
    lengths_s: Sequence[Instant],
    films: int = 1,
    seed: int = 0,
    told: Told | None = None,
) -> int:
    """Write `films` films of each length with their questions; return how many there are. Films that lie there stay.

    Raises:
        UsageError: the clips' folder holds no manifest, or one that is damaged; or the clips are longer than a film.
    """
    known = read_clips(clips)
    out.mkdir(parents=True, exist_ok=True)
    items = list[Item]()
    for length in lengths_s:
        for number in range(films):
            name = f"film-{float(length) / 60:g}min-{seed + number}"
            pieces = _film(out, name, known, Fraction(length), seed + number, told)
            items += _items(name, known, pieces, Fraction(length))
    write_items(out / "needle-films.jsonl", items)
    return len(items)


def read_clips(folder: Path) -> list[Clip]:
    """Read the manifest of a folder of clips.

    Raises:
        UsageError: there is none, it is damaged, or a clip is missing.
    """
    path, found = folder / MANIFEST, list[Clip]()
    if not path.is_file():
        raise UsageError(f"{folder}: holds no {MANIFEST}, which names the clips and what is asked about them")
    for at, row in enumerate(need(table(path), ["videos"], path, 0)[0]):
        file, questions = need(row, ["file", "qa"], path, at)
        if not (folder / file).is_file():
            raise UsageError(f"{path}: names {file}, which is not there")
        with open_media(folder / file) as media:
            found.append(Clip(folder / file, media.info.span.duration, tuple(questions)))
    return found


def _film(
    out: Path, name: str, clips: Sequence[Clip], length: Fraction, seed: int, told: Told | None
) -> list[Piece]:
    """Write a film, or read where its pieces lie if that was done before."""
    listed = out / f"{name}.json"
    if not listed.is_file():
        reels = _reels(clips, length, seed)
        pieces = write_film(reels, out / f"{name}.mp4", size=SIZE, fps=FPS, length_s=int(length), told=told)
        written = [[piece.name, str(piece.span.start), str(piece.span.end)] for piece in pieces]
        listed.write_text(json.dumps(written, indent=1), encoding="utf-8")
    return [Piece(piece, Span.of(start, end)) for piece, start, end in json.loads(listed.read_text("utf-8"))]


def _reels(clips: Sequence[Clip], length: Fraction, seed: int) -> Iterator[Reel]:
    """Yield clips in another order with every seed, and generated scenes of random lengths around them."""
    rng = random.Random(f"needle film {seed} {length}")
    order = rng.sample(list(clips), len(clips))
    spare = length - sum(clip.duration for clip in clips) - SHORTEST_S * (len(clips) + 1)
    if spare < 0:
        least = sum(clip.duration for clip in clips) + SHORTEST_S * (len(clips) + 1)
        raise UsageError(f"a film of {float(length):g} s has no room for clips of {float(least):g} s")
    cuts = sorted(rng.random() for _ in clips)
    shares = [after - before for before, after in zip([0.0, *cuts], [*cuts, 1.0], strict=True)]
    for number, share in enumerate(shares):
        seconds = SHORTEST_S + round(float(spare) * share, 1)
        setting = Setting(seconds, SIZE, FPS, level=2, split="test")
        yield WorldReel(make_world(FIRST_SEED + 1000 * seed + number, setting))
        if number < len(order):
            yield ClipReel(order[number].path)


def _items(name: str, clips: Sequence[Clip], pieces: Sequence[Piece], length: Fraction) -> Iterator[Item]:
    placed = {piece.name: piece.span for piece in pieces}
    asked = Counter(str(row.get("question")) for clip in clips for row in clip.questions)
    for clip in clips:
        where = placed.get(clip.path.stem)
        if where is None:  # rounding left no room for the last
            continue
        depth = f"{min(int(5 * where.start / length), 4) * 20:02d} %"
        for at, row in enumerate(clip.questions):
            item = _item(row, clip.path.parent / MANIFEST, at, where.start)
            of_clip = read_question(item.question, Span(Fraction(0), clip.duration)).windows
            if of_clip or asked[item.question] > 1:
                continue
            groups = {"type": row["type"], "length": f"{float(length) / 60:g} min", "depth": depth}
            yield replace(item, id=f"{name}-{item.id}", video=f"{name}.mp4", groups=groups)


def _item(row: dict[str, Any], path: Path, at: int, shift: Fraction) -> Item:
    name, kind, question, answer, evidence = need(
        row, ["id", "type", "question", "answer", "evidence"], path, at
    )
    seen = tuple(_moved(times, shift, f"{path}: {name}") for times in evidence)
    if kind == "grounding":
        return Item(name, "", question, spans=(_moved(answer, shift, f"{path}: {name}"),), evidence=seen)
    if options := tuple(row.get("options") or ()):
        right = index_of(answer, options, f"{path}: {name}")
        return Item(name, "", question, options, right, evidence=seen)
    if kind == "count":
        return Item(name, "", question, number=float(answer), evidence=seen)
    return Item(name, "", question, text=str(answer), evidence=seen)


def _moved(times: Sequence[Any], shift: Fraction, where: str) -> Span:
    own = span(times, where)
    return Span(own.start + shift, own.end + shift)
