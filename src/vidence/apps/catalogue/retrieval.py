"""Find shots again: by words, by a picture, by an example shot, by what is said; and put them into an edit list."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidence.apps.catalogue import vocabulary as vocabularies
from vidence.apps.catalogue.takes import alike
from vidence.errors import UsageError
from vidence.exports.edit import Clip, EditList, cut
from vidence.senses.language import normalise, stems
from vidence.timeline import Instant, Span, clock

if TYPE_CHECKING:
    from vidence.apps.catalogue.catalogue import Catalogue
    from vidence.apps.catalogue.trait import ShotRecord
    from vidence.apps.catalogue.vocabulary import Vocabulary
    from vidence.exports.edit import Grid
    from vidence.media import Image
    from vidence.memory import Memory
    from vidence.senses.looks import Eye

DEPTH = 400  # of what memory finds
SECOND = 0.3  # weight of a shot's second find
TAG, NAMED = 1.0, 1.0  # weights of a term of the vocabulary that is named, and of a class that is
LAYOUT = 0.5  # weight of how a picture is laid out, beside what it looks like
LEAST_TEXT = 0.1
TEXT_SENSES = ("speech", "text", "objects", "faces", "looks", "captions", "motion", "colour", "sound")


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for; what is given counts together. `like` is a shot of a file: (name of the file, a time in it)."""

    text: str = ""
    said: str = ""
    image: Path | None = None
    like: tuple[str, Instant] | None = None

    def __bool__(self) -> bool:
        return bool(self.text or self.said or self.image or self.like)


@dataclass(frozen=True, slots=True)
class Found:
    """A shot that fits a query. `score`, 0 to 1, is the share of what was asked for that it bears out."""

    catalogue: Catalogue
    shot: ShotRecord
    score: float
    why: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {
            "file": self.catalogue.file,
            "medium": self.catalogue.coverage.medium,
            "shot": self.shot.number,
            **self.shot.span.to_json(),
            "score": round(self.score, 4),
            "why": list(self.why),
        }


Key = tuple[int, int]
"""Which catalogue, and which of its shots, both from 0."""

Scores = dict[Key, tuple[float, str]]


def find(
    query: Query,
    catalogues: Sequence[Catalogue],
    memory: Memory,
    *,
    vocabulary: Vocabulary | None = None,
    limit: int = 20,
) -> list[Found]:
    """Rank the shots of one or many videos by how they fit.

    Raises:
        UsageError: nothing is asked for, the picture cannot be read, or there is no such shot.
    """
    if not query:
        raise UsageError("say what to find: words, a picture, a shot like it, or what is said")
    parts: list[Scores] = []
    if query.text:
        parts.append(_by_text(query.text, catalogues, memory, vocabulary or vocabularies.standard()))
    if query.said:
        parts.append(_by_speech(query.said, catalogues, memory))
    if query.image:
        parts.append(_by_picture(_read(query.image), catalogues))
    if query.like:
        parts.append(_by_example(_example(query.like, catalogues), catalogues))
    totals: dict[Key, float] = {}
    why: dict[Key, list[str]] = {}
    for part in parts:
        for key, (score, reason) in part.items():
            totals[key] = totals.get(key, 0.0) + score / len(parts)
            why.setdefault(key, []).append(reason)
    ranked = sorted(totals, key=lambda key: (-totals[key], key))[:limit]
    return [
        Found(catalogues[c], catalogues[c].shots[s], totals[(c, s)], tuple(why[(c, s)])) for c, s in ranked
    ]


def edit_list(found: Sequence[Found], grids: Mapping[str, Grid], title: str) -> EditList:
    """Put found shots into a list for editing programs, in their order; `grids` by the media's hashes."""
    return EditList(title, tuple(shot_clip(one.catalogue, one.shot, grids, one) for one in found))


def shot_clip(
    catalogue: Catalogue, shot: ShotRecord, grids: Mapping[str, Grid], found: Found | None = None
) -> Clip:
    """Make a clip of a shot, with what is told of it as notes."""
    notes = {
        "shot": str(shot.number),
        "size": shot.value("size") or "",
        "camera": ", ".join(shot.values("camera")),
        "tags": ", ".join(tag.label for tag in shot.tags),
        "flags": ", ".join(shot.values("flag")),
        "take": f"{shot.take.setup}/{shot.take.number}{' best' if shot.take.best else ''}"
        if shot.take
        else "",
        "dialogue": shot.said,
        "text": shot.written,
        "why": "; ".join(found.why) if found else "",
    }
    stem = Path(catalogue.file).stem
    return cut(grids[catalogue.coverage.medium], shot.span, f"{stem} shot {shot.number}", notes)


def _by_text(text: str, catalogues: Sequence[Catalogue], memory: Memory, vocabulary: Vocabulary) -> Scores:
    """By terms of the vocabulary that are named, by classes that are named, and by all that memory finds."""
    terms, rest = vocabulary.named_in(text)
    alone = bool(terms) and not rest  # nothing but terms: what else has these words is not meant
    searched = {} if alone else _by_memory(text, catalogues, memory, TEXT_SENSES)
    named = {} if alone else _by_named_looks(text, catalogues, memory)
    whole = TAG * len(terms) + (NAMED if named else 0.0) + (0.0 if alone else 1.0)
    scores: Scores = {}
    for c, catalogue in enumerate(catalogues):
        for s, shot in enumerate(catalogue.shots):
            tags = {tag.id: tag for tag in shot.tags}
            fitting = [tags[term.id] for term in terms if term.id in tags]
            score, reasons = sum(TAG * tag.confidence for tag in fitting), [tag.label for tag in fitting]
            if (chance := named.get((c, s), 0.0)) >= LEAST_TEXT:
                score += NAMED * chance
                reasons.append(f"looks like it: {chance:.2f}")
            if (c, s) in searched:
                value, reason = searched[(c, s)]
                score += value
                reasons.append(reason)
            if score > 0:
                scores[(c, s)] = min(score / whole, 1.0), ", ".join(reasons)
    return scores


def _by_speech(said: str, catalogues: Sequence[Catalogue], memory: Memory) -> Scores:
    """By words and meaning of what is said; a shot in which the very words are said comes first."""
    scores = _by_memory(said, catalogues, memory, ("speech",))
    asked, wanted = normalise(said), set(stems(said))
    told: Scores = {}
    for c, catalogue in enumerate(catalogues):
        for s, shot in enumerate(catalogue.shots):
            value, reason = scores.get((c, s), (0.0, ""))
            shared = len(wanted & set(stems(shot.said))) / max(len(wanted), 1) if shot.said else 0.0
            literal = bool(asked) and asked in normalise(shot.said)
            if total := value + shared + literal:
                told[(c, s)] = min(total / 3, 1.0), reason or f"“{shot.said[:80]}”"
    return told


def _by_memory(text: str, catalogues: Sequence[Catalogue], memory: Memory, senses: Sequence[str]) -> Scores:
    hashes = {catalogue.coverage.medium: c for c, catalogue in enumerate(catalogues)}
    finds: dict[Key, list[tuple[float, str]]] = {}
    for hit in memory.search(text, media=list(hashes), senses=senses, limit=DEPTH):
        c = hashes[hit.medium]
        for s in _touched(catalogues[c].shots, hit.span):
            words = " ".join(hit.observation.text.split())
            finds.setdefault((c, s), []).append((hit.score, f"{hit.observation.sense}: “{words[:80]}”"))
    scores: Scores = {}
    for key, found in finds.items():
        best, *rest = sorted(found, reverse=True)
        scores[key] = best[0] + SECOND * (rest[0][0] if rest else 0.0), best[1]
    return scores


def _by_named_looks(text: str, catalogues: Sequence[Catalogue], memory: Memory) -> dict[Key, float]:
    """Return the chance that a class or kind named in the query is seen, by shot."""
    from vidence.senses.looks import matches, names_in

    if not names_in(text):
        return {}
    chances: dict[Key, float] = {}
    for c, catalogue in enumerate(catalogues):
        looks = memory.observations(catalogue.coverage.medium, senses=["looks"])
        for match in matches(text, looks):
            for s in _touched(catalogue.shots, match.observation.span):
                chances[(c, s)] = max(chances.get((c, s), 0.0), match.p)
    return chances


def _by_picture(image: Image, catalogues: Sequence[Catalogue]) -> Scores:
    import cv2

    from vidence.senses.picture import layout_of

    layout = layout_of(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    vectors: dict[str, np.ndarray] = {}

    def like(shot: ShotRecord) -> tuple[float, float]:
        if shot.space and shot.space not in vectors:
            vectors[shot.space] = np.asarray(_eye(shot.space).look(image).vector)
        looks = float(shot.vector @ vectors[shot.space]) if shot.vector is not None else 0.0
        laid = max((alike(layout, one) for one in _some(shot)), default=0.0)
        return looks, laid

    return _by_likeness(like, catalogues)


def _by_example(example: tuple[int, ShotRecord], catalogues: Sequence[Catalogue]) -> Scores:
    index, one = example
    own = {tag.id for tag in one.tags}

    def like(shot: ShotRecord) -> tuple[float, float]:
        looks = (
            float(shot.vector @ one.vector)
            if shot.vector is not None and one.vector is not None and shot.space == one.space
            else 0.0
        )
        laid = max((alike(a, b) for a in _some(one, 3) for b in _some(shot, 3)), default=0.0)
        tags = {tag.id for tag in shot.tags}
        shared = len(own & tags) / len(own | tags) if own | tags else 0.0
        return (looks + shared) / 2, laid

    scores = _by_likeness(like, catalogues)
    itself = next(s for s, shot in enumerate(catalogues[index].shots) if shot is one)
    scores.pop((index, itself), None)
    return scores


def _by_likeness(
    like: Callable[[ShotRecord], tuple[float, float]], catalogues: Sequence[Catalogue]
) -> Scores:
    scores: Scores = {}
    for c, catalogue in enumerate(catalogues):
        for s, shot in enumerate(catalogue.shots):
            looks, laid = like(shot)
            if (total := max(looks, 0.0) + LAYOUT * laid) > 0:
                scores[(c, s)] = total / (1 + LAYOUT), f"looks {looks:.2f}, layout {laid:.2f}"
    return scores


def _example(like: tuple[str, Instant], catalogues: Sequence[Catalogue]) -> tuple[int, ShotRecord]:
    name, time = like
    for c, catalogue in enumerate(catalogues):
        if name in (catalogue.file, Path(catalogue.file).stem) or Path(name).name == catalogue.file:
            for shot in catalogue.shots:
                if time in shot.span:
                    return c, shot
            raise UsageError(f"{catalogue.file} has no shot at {clock(time)}")
    raise UsageError(f"no file is called {name!r}; write FILE@TIME with one of the files given")


def _touched(shots: Sequence[ShotRecord], span: Span) -> list[int]:
    """Return the shots that a find lies in: those it shares a quarter of itself or of the shot with."""
    starts = [shot.span.start for shot in shots]
    first = max(bisect_right(starts, span.start) - 1, 0)
    found = []
    for s in range(first, len(shots)):
        if shots[s].span.start > span.end:
            break
        inside = shots[s].span.intersection(span)
        if inside is not None and inside.duration * 4 >= min(span.duration, shots[s].span.duration):
            found.append(s)
    return found


def _some(shot: ShotRecord, most: int = 5) -> list[np.ndarray]:
    if shot.layouts is None or not len(shot.layouts):
        return []
    return [shot.layouts[n * len(shot.layouts) // most] for n in range(min(most, len(shot.layouts)))]


def _eye(space: str) -> Eye:
    from vidence.senses.looks import EmbeddedEye, standard_eye

    strong = standard_eye()
    return strong if space == strong.space else EmbeddedEye()


def _read(path: Path) -> Image:
    """Read a picture as uint8 RGB.

    Raises:
        UsageError: it cannot be read, or is no picture.
    """
    import cv2

    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the picture {path}: {error.strerror or error}") from error
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if image is None:
        raise UsageError(f"{path} is no picture that can be read; give JPEG, PNG or WebP")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
