"""What was asked and how it was answered: every step of every run, kept as it happens."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vidence.errors import UsageError
from vidence.memory.database import Database


@dataclass(frozen=True, slots=True)
class RunStep:
    """One step of the context, as it was appended."""

    index: int
    kind: str
    content: str
    data: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {"index": self.index, "kind": self.kind, "content": self.content, "data": dict(self.data)}


@dataclass(frozen=True, slots=True)
class Run:
    """One question put to one medium. `answer` is None where the run was cut off before it had one.

    `steps` are empty in a list of runs. `asked` is in seconds since 1970.
    """

    id: int
    medium: str  # content hash
    path: str  # where the medium lay
    question: str
    choices: tuple[str, ...]
    policy: str
    budget: Mapping[str, Any]
    asked: float
    answer: Mapping[str, Any] | None
    steps: tuple[RunStep, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {
            "id": self.id,
            "medium": self.medium,
            "path": self.path,
            "question": self.question,
            "choices": list(self.choices),
            "policy": self.policy,
            "budget": dict(self.budget),
            "asked": self.asked,
            "answer": None if self.answer is None else dict(self.answer),
            "steps": [step.to_json() for step in self.steps],
        }


_COLUMNS = "run.id, hash, path, question, choices, policy, budget, asked, answer"


class Runs:
    """The runs that a memory file keeps; they go with the medium when that is forgotten."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(
        self, medium: str, question: str, choices: Sequence[str], policy: str, budget: Mapping[str, Any]
    ) -> int | None:
        """Enter a run of a known medium; return its number, or None where the file may only be read."""
        if self._database.read_only:
            return None
        values = (question, _text(list(choices)), policy, _text(budget), time.time(), medium)
        with self._database.transaction() as db:
            return db.execute(
                "INSERT INTO run(question, choices, policy, budget, asked, medium_id) "
                "SELECT ?, ?, ?, ?, ?, id FROM medium WHERE hash = ?",
                values,
            ).lastrowid

    def step(self, run: int, index: int, kind: str, content: str, data: Mapping[str, Any]) -> None:
        """Keep a step; what was kept before stays whatever happens next."""
        with self._database.transaction() as db:
            db.execute("INSERT INTO step VALUES (?, ?, ?, ?, ?)", (run, index, kind, content, _text(data)))

    def finish(self, run: int, answer: Mapping[str, Any]) -> None:
        """Keep the answer."""
        with self._database.transaction() as db:
            db.execute("UPDATE run SET answer = ? WHERE id = ?", (_text(answer), run))

    def list(self, *, medium: str | None = None, limit: int = 50) -> list[Run]:
        """Return the newest runs first, without their steps."""
        where = "WHERE hash = ?" if medium else ""
        rows = self._database.read(
            f"SELECT {_COLUMNS} FROM run JOIN medium ON medium.id = medium_id {where} ORDER BY run.id DESC LIMIT ?",
            ((medium, limit) if medium else (limit,)),
        )
        return [_run(row) for row in rows]

    def get(self, run: int) -> Run:
        """Return a run with its steps.

        Raises:
            UsageError: there is none of that number.
        """
        rows = self._database.read(
            f"SELECT {_COLUMNS} FROM run JOIN medium ON medium.id = medium_id WHERE run.id = ?", (run,)
        )
        if not rows:
            raise UsageError(f"there is no run {run}; `vidence runs` lists those that are kept")
        steps = self._database.read(
            'SELECT "index", kind, content, data FROM step WHERE run_id = ? ORDER BY "index"', (run,)
        )
        return _run(
            rows[0],
            tuple(RunStep(index, kind, content, json.loads(data)) for index, kind, content, data in steps),
        )

    def forget(self, run: int) -> None:
        """Remove a run.

        Raises:
            UsageError: there is none of that number.
        """
        self.get(run)
        with self._database.transaction() as db:
            db.execute("DELETE FROM run WHERE id = ?", (run,))


def _run(row: tuple[Any, ...], steps: tuple[RunStep, ...] = ()) -> Run:
    number, medium, path, question, choices, policy, budget, asked, answer = row
    return Run(
        number,
        medium,
        path,
        question,
        tuple(json.loads(choices)),
        policy,
        json.loads(budget),
        asked,
        None if answer is None else json.loads(answer),
        steps,
    )


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
