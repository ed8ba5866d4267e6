"""Find what was perceived: by words, by fragments, by meaning and by looks, fused by reciprocal rank and explained."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from vidence.errors import VidenceError
from vidence.memory.database import Database
from vidence.memory.meanings import LANGUAGE_SPACE, Encoder
from vidence.memory.vectors import Gathered, Vectors
from vidence.memory.words import word_query
from vidence.senses.observation import Observation
from vidence.timeline import Span

RANK_OFFSET = 60  # of reciprocal rank fusion (Cormack, Clarke and Büttcher 2009)
WEIGHTS = {"words": 1.0, "pieces": 0.5, "meaning": 1.0, "looks": 0.7}
LEAST_COSINE = {
    "meaning": 0.15,
    "looks": 0.15,
}  # unrelated texts lie at or below 0.07; a question and its answer at 0.16
_DEPTH = 200  # ranks taken from each route


@dataclass(frozen=True, slots=True)
class Hit:
    """One find. `score` is 1.0 for what every route puts first; `why` holds rank and raw score of each route.

    Neighbours of the same kind and words count as one: `span` covers all of them, `others` are the ids of the rest.
    """

    medium: str
    observation: Observation
    score: float
    why: dict[str, float]
    span: Span
    others: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Write as JSON: medium, span, modality, sense, text, score, why."""
        seen = self.observation
        return {
            "medium": self.medium,
            **self.span.to_json(),
            "sense": seen.sense,
            "modality": seen.modality,
            "text": seen.text,
            "confidence": round(seen.confidence, 4),
            "score": round(self.score, 4),
            "why": {name: round(value, 4) for name, value in self.why.items()},
            "observation": seen.id,
            "others": list(self.others),
        }


@dataclass(frozen=True, slots=True)
class Filter:
    """What to search in: media by id with their revisions; senses, and the time they must touch; None for all."""

    media: Mapping[int, int]
    senses: tuple[str, ...] | None = None
    span: Span | None = None

    def sql(self) -> tuple[str, list[Any]]:
        """Return a condition on observation o and producer p, with its values."""
        where, values = (
            "o.hidden = 0 AND o.medium_id IN (SELECT value FROM json_each(?))",
            [json.dumps([*self.media])],
        )
        if self.senses is not None:
            where += " AND p.sense IN (SELECT value FROM json_each(?))"
            values.append(json.dumps(self.senses))
        if self.span is not None:
            where += " AND o.start_s < ? AND o.end_s > ?"
            values += [float(self.span.end), float(self.span.start)]
        return where, values

    def mask(self, found: Gathered) -> np.ndarray:
        """Say which gathered observations pass, shape (M,) bool."""
        passed = np.ones(len(found.ids), bool)
        if self.senses is not None:
            passed &= np.isin(found.sense.astype(str), list(self.senses))
        if self.span is not None:
            passed &= (found.start_s < float(self.span.end)) & (found.end_s > float(self.span.start))
        return passed


Ranking = list[tuple[int, float]]
"""(observation id, score), best first."""


class Searcher:
    """Runs the routes and fuses them."""

    def __init__(self, database: Database, encoders: Mapping[str, Encoder], vectors: Vectors) -> None:
        self._database, self._encoders, self._vectors = database, encoders, vectors

    def rank(self, query: str, within: Filter) -> list[tuple[int, float, dict[str, float]]]:
        """Return (observation id, fused score, why), best first."""
        routes = {"words": self._by_words(query, within), "pieces": self._by_pieces(query, within)}
        routes |= self._by_vectors(query, within)
        return fuse({name: ranking for name, ranking in routes.items() if ranking})

    def _by_words(self, query: str, within: Filter) -> Ranking:
        asked = word_query(query)
        return self._full_text("words", asked.words, within) if asked.words else []

    def _by_pieces(self, query: str, within: Filter) -> Ranking:
        asked = word_query(query)
        found = self._full_text("pieces", asked.pieces, within) if asked.pieces else []
        return found or self._scan(asked.short, within)

    def _full_text(self, table: str, match: str, within: Filter) -> Ranking:
        """Rank within the index and filter the best; where too few of them pass, filter all that match.

        At 100,000 sentences that takes a seventh of the time of ranking the join.
        """
        found = self._filtered(table, match, within, _DEPTH * 10)
        return found if len(found) == _DEPTH else self._filtered(table, match, within, -1)

    def _filtered(self, table: str, match: str, within: Filter, depth: int) -> Ranking:
        where, values = within.sql()
        rows = self._database.read(
            f"SELECT f.id, f.score FROM (SELECT rowid AS id, rank AS score FROM {table} WHERE {table} MATCH ? "
            "ORDER BY rank LIMIT ?) f JOIN observation o ON o.id = f.id "
            f"JOIN producer p ON p.id = o.producer_id WHERE {where} ORDER BY f.score LIMIT {_DEPTH}",
            (match, depth, *values),
        )
        return [(id, -score) for id, score in rows]

    def _scan(self, fragments: Collection[str], within: Filter) -> Ranking:
        if not fragments:
            return []
        where, values = within.sql()
        count = " + ".join("(instr(o.text, ?) > 0)" for _ in fragments)
        rows = self._database.read(
            f"SELECT o.id, {count} AS found FROM observation o JOIN producer p ON p.id = o.producer_id "
            f"WHERE found > 0 AND {where} ORDER BY 2 DESC LIMIT {_DEPTH}",
            (*fragments, *values),
        )
        return [(id, float(found)) for id, found in rows]

    def _by_vectors(self, query: str, within: Filter) -> dict[str, Ranking]:
        queries = _Queries(query, self._encoders)
        meaning: Ranking = []
        looks: Ranking = []
        for medium_id, revision in within.media.items():
            if (vector := queries.get(LANGUAGE_SPACE)) is not None:
                found = self._vectors.of_texts(medium_id, revision)
                meaning += _nearest(found, vector, within, LEAST_COSINE["meaning"])
            for space in self._vectors.spaces(medium_id, revision):
                if (vector := queries.get(space)) is not None:
                    found = self._vectors.of_looks(medium_id, revision, space)
                    looks += _nearest(found, vector, within, LEAST_COSINE["looks"])
        return {
            name: sorted(ranking, key=lambda found: -found[1])[:_DEPTH]
            for name, ranking in (("meaning", meaning), ("looks", looks))
        }


class _Queries:
    """The vectors of one query, each made when first asked for."""

    def __init__(self, text: str, encoders: Mapping[str, Encoder]) -> None:
        self._text, self._encoders = text, encoders
        self._made: dict[str, np.ndarray | None] = {}

    def get(self, space: str) -> np.ndarray | None:
        """Return the vector, shape (D,); None where the text has no meaning or the space no encoder at hand."""
        if space not in self._made:
            try:
                vector = self._encoders[space]([self._text])[0] if space in self._encoders else None
            except VidenceError:  # its weights are missing: the other routes still find
                vector = None
            self._made[space] = vector if vector is not None and np.any(vector) else None
        return self._made[space]


def _nearest(found: Gathered, vector: np.ndarray, within: Filter, least: float) -> Ranking:
    scores = np.where(within.mask(found), found.scores(vector), -1.0)
    best = np.argsort(-scores, kind="stable")[:_DEPTH]
    return [(int(found.ids[n]), float(scores[n])) for n in best if scores[n] >= least]


def fuse(routes: dict[str, Ranking]) -> list[tuple[int, float, dict[str, float]]]:
    """Fuse rankings by weighted reciprocal rank; equal scores share a rank, so that order of writing does not count."""
    score: dict[int, float] = {}
    why: dict[int, dict[str, float]] = {}
    for name, ranking in routes.items():
        rank, last = 0, None
        for place, (id, value) in enumerate(ranking, 1):
            if last is None or value < last - 1e-6:
                rank, last = place, value
            score[id] = score.get(id, 0.0) + WEIGHTS[name] / (RANK_OFFSET + rank)
            why.setdefault(id, {}).update({f"{name}_rank": float(rank), f"{name}_score": value})
    best = sum(WEIGHTS.values()) / (RANK_OFFSET + 1)
    return sorted(
        ((id, total / best, why[id]) for id, total in score.items()), key=lambda hit: (-hit[1], hit[0])
    )


def merge(hits: Sequence[Hit], gap_s: int = 1) -> list[Hit]:
    """Make one hit of neighbours: same medium, sense and words, at most `gap_s` apart. The best stands for all."""
    kept: list[Hit] = []
    for hit in hits:
        for n, other in enumerate(kept):
            if _alike(hit, other) and _gap(hit.span, other.span) <= gap_s:
                kept[n] = _joined(other, hit)
                break
        else:
            kept.append(hit)
    return (
        kept if len(kept) == len(hits) else merge(kept, gap_s)
    )  # what has grown may now reach its next neighbour


def _joined(best: Hit, other: Hit) -> Hit:
    assert other.observation.id is not None
    others = (*best.others, other.observation.id, *other.others)
    return replace(best, span=best.span.hull(other.span), others=others)


def _gap(a: Span, b: Span) -> Fraction:
    return max(a.start - b.end, b.start - a.end)


def _alike(a: Hit, b: Hit) -> bool:
    if a.medium != b.medium or a.observation.sense != b.observation.sense:
        return False
    if a.observation.vector is not None and b.observation.vector is not None:
        return True  # samples of one view: their labels flicker
    return a.observation.text.casefold() == b.observation.text.casefold()
