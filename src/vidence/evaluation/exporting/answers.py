"""What a run answered, in the split's order, its shards put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidence.errors import UsageError
from vidence.evaluation.options import letter
from vidence.evaluation.record import Record
from vidence.evaluation.stored import stored


@dataclass(frozen=True, slots=True)
class Answers:
    """The records of a run. `whole`: every question of the split was asked."""

    benchmark: str
    split: str
    records: tuple[Record, ...]
    whole: bool

    @property
    def unanswered(self) -> int:
        """Count the questions that could not be put, or whose answer nobody could read."""
        return sum(not one.get("parsed") for one in self.records)


def gathered(folders: Sequence[Path]) -> Answers:
    """Read the folders of a run, each of a shard.

    Raises:
        UsageError: one holds no run, they are of different runs, or the questions were not kept.
    """
    runs = [stored(folder) for folder in folders]
    first = _but_shard(runs[0][0])
    for folder, (manifest, _) in zip(folders, runs, strict=True):
        if _but_shard(manifest) != first:
            raise UsageError(f"{folder}: is of another run than {folders[0]}; export them one by one")
    found = dict[str, Record]()
    for one in (one for _, records in runs for one in records):
        if "question" not in one:
            raise UsageError(
                f"{folders[0]}: was made when questions were not kept with their answers; run it again"
            )
        # A video that broke off half way has its questions listed twice.
        if one["id"] not in found or "fault" in found[one["id"]]:
            found[one["id"]] = one
    plan = runs[0][0]["plan"]
    ended = all((folder / "summary.json").is_file() for folder in folders)
    shards = {manifest["plan"]["shard"] for manifest, _ in runs}
    whole = ended and plan["limit"] is None and len(shards) == plan["shards"]
    records = tuple(sorted(found.values(), key=lambda one: one["at"]))
    return Answers(runs[0][0]["benchmark"], plan["split"], records, whole)


def lettered(options: Sequence[str]) -> list[str]:
    """Put letters before options, as most annotations write them."""
    return [f"{letter(at)}. {option}" for at, option in enumerate(options)]


def _but_shard(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {**manifest, "plan": {**manifest["plan"], "shard": None}}
