"""Group shots into scenes, and keep the hierarchy until the observations change.

Kernel change-point detection: the film is a row of units (shots, cut into pieces of about `UNIT_S`), each with a
vector of looks, colours and topic. Borders are placed by dynamic programming so that the scatter within scenes, in
seconds times squared distance, plus a price for each border, is least (Arlot, Celisse and Harchaoui 2019, arXiv
1202.3878, with a linear kernel). Alternating shots of a dialogue stay together: each border would cost its price.

Legend: N units, D dimensions, F features after reduction.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from vidence.memory.database import Database
from vidence.memory.meanings import Meanings
from vidence.memory.moments import shots_of
from vidence.memory.outline import Scene, pack_scene, unpack_scene
from vidence.memory.reading import observations
from vidence.memory.rows import unit
from vidence.memory.titles import Corpus
from vidence.senses.colour_names import NAMES
from vidence.senses.observation import Observation
from vidence.timeline import Span, windows

BUILDER = "scenes 1"  # stored beside the hierarchy: another value and it is built anew
UNIT_S = 10
# At a cut, in seconds of a unit squared distance: 3 to 8 give F1 0.84 to 0.90 on joined clips.
BORDER_PRICE_S = 4.0
INSIDE_FACTOR = 3.0  # within a shot a border needs that much more
TOPIC_REACH_S = 15  # words from this far around a unit tell its topic
WEIGHTS = {"colour": 1.0, "looks": 1.0, "topic": 0.8}
_FEATURES = 64
_LONGEST = 2_000  # units in one scene


@dataclass(frozen=True, slots=True)
class _Unit:
    span: Span
    cut: bool  # a shot begins here


def outline(database: Database, meanings: Meanings, medium: str, whole: Span) -> list[Scene]:
    """Return the scenes of a medium, as stored where they are up to date, else built and stored."""
    meanings.complete(database.value("SELECT id FROM medium WHERE hash = ?", (medium,)))
    rows = database.read(
        "SELECT o.tree FROM outline o JOIN medium m ON m.id = o.medium_id "
        "WHERE m.hash = ? AND o.revision = m.revision AND o.builder = ?",
        (medium, BUILDER),
    )
    if rows:
        return [unpack_scene(scene) for scene in json.loads(zlib.decompress(rows[0][0]))]
    revision = database.value("SELECT revision FROM medium WHERE hash = ?", (medium,))
    scenes = build(observations(database, medium), _text_vectors(database, medium), whole)
    if not database.read_only:
        tree = zlib.compress(json.dumps([pack_scene(s) for s in scenes], ensure_ascii=False).encode())
        with database.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO outline SELECT id, ?, ?, ? FROM medium WHERE hash = ?",
                (revision, BUILDER, tree, medium),
            )
    return scenes


def _text_vectors(database: Database, medium: str) -> dict[str, np.ndarray]:
    rows = database.read(
        "SELECT v.text, v.vector FROM text_vector v WHERE v.text IN (SELECT o.text FROM observation o "
        "JOIN medium m ON m.id = o.medium_id WHERE m.hash = ? AND o.hidden = 0 "
        "AND o.modality IN ('speech', 'text'))",
        (medium,),
    )
    return {text: unit(np.frombuffer(vector, np.float16)) for text, vector in rows}


def build(seen: Sequence[Observation], vectors: dict[str, np.ndarray], whole: Span) -> list[Scene]:
    """Build the hierarchy of one medium from its observations and the vectors of their texts."""
    if not seen:
        return []
    known = min(s.span.start for s in seen), max(s.span.end for s in seen)
    shots = shots_of(seen, Span(*known).clipped(whole))
    units = _units([shot.span for shot in shots])
    spans = group(units, _features(units, seen, vectors))
    corpus = Corpus(seen, spans)
    return [
        Scene(
            span,
            corpus.title(n),
            corpus.summary(n),
            tuple(shot for shot in shots if span.start <= shot.span.start < span.end)
            # a scene that begins within a shot shows the rest of that shot
            or tuple(shot for shot in shots if shot.span.overlaps(span))[:1],
        )
        for n, span in enumerate(spans)
    ]


def _units(shots: Sequence[Span]) -> list[_Unit]:
    units = []
    for shot in shots:
        pieces = max(round(shot.duration / UNIT_S), 1)
        length = max(shot.duration / pieces, Fraction(1, 1000))
        units += [_Unit(piece, n == 0) for n, piece in enumerate(windows(shot, length))]
    return units


def group(units: Sequence[_Unit], features_NF: np.ndarray) -> list[Span]:
    """Cut the units into scenes; returns their spans in order."""
    weights_N = np.array([min(float(u.span.duration), 2.0 * UNIT_S) for u in units])
    prices_N = [BORDER_PRICE_S * (1.0 if u.cut else INSIDE_FACTOR) for u in units]
    first = borders(features_NF, weights_N, prices_N)
    ends = [*first[1:], len(units)]
    return [Span(units[a].span.start, units[b - 1].span.end) for a, b in zip(first, ends, strict=True)]


def borders(rows_NF: np.ndarray, weights_N: np.ndarray, prices_N: Sequence[float]) -> list[int]:
    """Return the index of each scene's first unit: the cheapest segmentation, in O(N^2 F)."""
    count = len(rows_NF)
    mass = np.concatenate([[0.0], np.cumsum(weights_N)])
    sums = np.concatenate([np.zeros((1, rows_NF.shape[1])), np.cumsum(rows_NF * weights_N[:, None], 0)])
    squares = np.concatenate([[0.0], np.cumsum((rows_NF**2).sum(1) * weights_N)])
    best, came = np.zeros(count + 1), np.zeros(count + 1, int)
    starts_price = np.array([0.0, *prices_N[1:]])
    for end in range(1, count + 1):
        low = max(end - _LONGEST, 0)
        part = sums[end] - sums[low:end]
        scatter = (squares[end] - squares[low:end]) - (part**2).sum(1) / (mass[end] - mass[low:end])
        total = best[low:end] + starts_price[low:end] + scatter
        came[end] = low + int(total.argmin())
        best[end] = total[came[end] - low]
    first, end = [], count
    while end > 0:
        end = int(came[end])
        first.append(end)
    return first[::-1]


def _features(
    units: Sequence[_Unit], seen: Sequence[Observation], vectors: dict[str, np.ndarray]
) -> np.ndarray:
    """Describe each unit, shape (N, F); what is not known of a unit is the film's mean, and so says nothing."""
    colour = [(s.span, _colours(s)) for s in seen if s.sense == "colour"]
    looks = [(s.span, s.vector) for s in seen if s.vector is not None]
    topic = [
        (s.span, vectors[s.text]) for s in seen if s.modality in ("speech", "text") and s.text in vectors
    ]
    parts = [
        WEIGHTS["colour"] * _means(units, colour, 0),
        WEIGHTS["looks"] * _means(units, looks, 0),
        WEIGHTS["topic"] * _means(units, topic, TOPIC_REACH_S),
    ]
    rows = np.concatenate(parts, 1)
    return _reduced(rows - rows.mean(0))


def _reduced(rows_ND: np.ndarray) -> np.ndarray:
    """Keep the principal axes, at most `_FEATURES`; distances stay as they are where there are fewer units."""
    count, size = rows_ND.shape
    if count <= size:  # the small Gram matrix has the same axes: 60 units take 2 ms, 1,036 dimensions 400
        values, sides = np.linalg.eigh(rows_ND @ rows_ND.T)
        return (sides * np.sqrt(np.maximum(values, 0.0)))[:, -_FEATURES:]
    _, axes = np.linalg.eigh(rows_ND.T @ rows_ND)
    return rows_ND @ axes[:, -_FEATURES:]


def _means(units: Sequence[_Unit], samples: Sequence[tuple[Span, np.ndarray]], reach_s: int) -> np.ndarray:
    """Average the vectors that lie in each unit, by the time shared; unit rows."""
    if not samples:
        return np.zeros((len(units), 1))
    starts = np.array([float(span.start) for span, _ in samples])
    ends = np.array([float(span.end) for span, _ in samples])
    matrix = np.array([vector for _, vector in samples], np.float64)
    rows = np.full((len(units), matrix.shape[1]), np.nan)
    for n, u in enumerate(units):
        low, high = float(u.span.start) - reach_s, float(u.span.end) + reach_s
        shared = np.minimum(ends, high) - np.maximum(starts, low)
        if (inside := shared > 0).any():
            mean = (matrix[inside] * shared[inside, None]).sum(0)
            rows[n] = mean / max(float(np.linalg.norm(mean)), 1e-9)
    known = ~np.isnan(rows[:, 0])
    rows[~known] = rows[known].mean(0) if known.any() else 0.0
    return rows


def _colours(seen: Observation) -> np.ndarray:
    """Root of the shares of the named colours, so that distances are those of Hellinger; with brightness."""
    shares = dict(seen.data.get("colours") or ())
    vector = np.sqrt([float(shares.get(name, 0.0)) for name in NAMES])
    return np.append(vector, [float(seen.data.get("brightness", 0.5))])
