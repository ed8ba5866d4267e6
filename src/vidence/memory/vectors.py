"""The vectors of one medium in one matrix, and the search for the nearest.

Legend: N vectors, D dimensions. Brute force takes 69 to 119 ms for 100,000 x 512; a library for more goes in through
`Nearest`. The matrices are kept until the medium changes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vidence.memory.database import Database
from vidence.memory.rows import unit

CACHE_BYTES = 256 << 20


class Nearest(Protocol):
    """Finds the rows of a matrix that lie nearest to a query."""

    def scores(self, query_D: np.ndarray) -> np.ndarray:
        """Return the cosine of every row with the query, shape (N,); rows not looked at may say -1."""
        ...


@dataclass(frozen=True, slots=True)
class BruteForce:
    """Compares with every row: exact."""

    rows_ND: np.ndarray

    def scores(self, query_D: np.ndarray) -> np.ndarray:
        """Return the cosine of every row with the query."""
        return self.rows_ND @ query_D


@dataclass(frozen=True, slots=True)
class Gathered:
    """Observations and their vectors: observation n has row `row[n]`; rows may be shared (the same text many times)."""

    ids: np.ndarray  # (M,) observation ids
    row: np.ndarray  # (M,) index into the matrix
    start_s: np.ndarray  # (M,)
    end_s: np.ndarray  # (M,)
    sense: np.ndarray  # (M,) names
    nearest: Nearest
    nbytes: int

    def scores(self, query_D: np.ndarray) -> np.ndarray:
        """Return the cosine of every observation with the query, shape (M,)."""
        return self.nearest.scores(query_D)[self.row] if len(self.ids) else np.zeros(0, np.float32)


class Vectors:
    """Matrices by (medium, space), made when asked for and remade when the medium has another revision."""

    def __init__(self, database: Database, build: Callable[[np.ndarray], Nearest] = BruteForce) -> None:
        self._database, self._build = database, build
        self._kept: OrderedDict[tuple[int, str], tuple[int, Gathered]] = OrderedDict()
        self._spaces: dict[int, tuple[int, tuple[str, ...]]] = {}  # medium → (revision, names)
        self._lock = threading.Lock()

    def of_texts(self, medium_id: int, revision: int) -> Gathered:
        """Return the vectors of the texts of one medium."""
        return self._get(medium_id, revision, "", self._gather_texts)

    def of_looks(self, medium_id: int, revision: int, space: str) -> Gathered:
        """Return the vectors that senses gave, in one space."""
        return self._get(medium_id, revision, space, lambda medium: self._gather_looks(medium, space))

    def spaces(self, medium_id: int, revision: int) -> tuple[str, ...]:
        """Name the spaces in which a medium has vectors from its senses."""
        with self._lock:
            known = self._spaces.get(medium_id)
        if known is None or known[0] != revision:
            rows = self._database.read(
                "SELECT DISTINCT space FROM observation WHERE medium_id = ? AND hidden = 0 AND space IS NOT NULL",
                (medium_id,),
            )
            known = (revision, tuple(space for (space,) in rows))
            with self._lock:
                self._spaces[medium_id] = known
        return known[1]

    def _get(self, medium_id: int, revision: int, space: str, gather: Callable[[int], Gathered]) -> Gathered:
        with self._lock:
            kept = self._kept.get((medium_id, space))
            if kept is None or kept[0] != revision:
                kept = self._kept[medium_id, space] = (revision, gather(medium_id))
                while (
                    len(self._kept) > 1
                    and sum(found.nbytes for _, found in self._kept.values()) > CACHE_BYTES
                ):
                    self._kept.popitem(last=False)
            self._kept.move_to_end((medium_id, space))
            return kept[1]

    def _gather_texts(self, medium_id: int) -> Gathered:
        rows = self._database.read(
            "SELECT o.id, o.start_s, o.end_s, p.sense, o.text FROM observation o JOIN producer p "
            "ON p.id = o.producer_id WHERE o.medium_id = ? AND o.hidden = 0 AND o.text <> ''",
            (medium_id,),
        )
        vectors = dict(
            self._database.read(
                "SELECT text, vector FROM text_vector WHERE text IN "
                "(SELECT text FROM observation WHERE medium_id = ? AND hidden = 0)",
                (medium_id,),
            )
        )
        place = {text: n for n, text in enumerate(vectors)}
        found = [(*row[:4], place[row[4]]) for row in rows if row[4] in place]
        return self._pack(found, list(vectors.values()))

    def _gather_looks(self, medium_id: int, space: str) -> Gathered:
        rows = self._database.read(
            "SELECT o.id, o.start_s, o.end_s, p.sense, o.vector FROM observation o JOIN producer p "
            "ON p.id = o.producer_id WHERE o.medium_id = ? AND o.hidden = 0 AND o.space = ?",
            (medium_id, space),
        )
        return self._pack([(*row[:4], n) for n, row in enumerate(rows)], [row[4] for row in rows])

    def _pack(self, found: list[tuple[int, float, float, str, int]], blobs: list[bytes]) -> Gathered:
        matrix = unit(np.frombuffer(b"".join(blobs), np.float16).reshape(len(blobs), -1)) if blobs else _EMPTY
        ids, start_s, end_s, sense, row = zip(*found, strict=True) if found else ((),) * 5
        return Gathered(
            np.array(ids, np.int64),
            np.array(row, np.int64),
            np.array(start_s, float),
            np.array(end_s, float),
            np.array(sense, object),
            self._build(matrix),
            matrix.nbytes,
        )


_EMPTY = np.zeros((0, 1), np.float32)
