"""Benchmarks that are made rather than downloaded: videos in a folder, and a line of JSON a question."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vidence.evaluation.files import find, need, place, rows, span
from vidence.evaluation.item import Item


def write_items(path: Path, items: Sequence[Item]) -> None:
    """Write questions, all of them or, where the process is killed, none."""
    part = path.with_name(f".{path.name}.part")
    lines = (json.dumps(_written(item), ensure_ascii=False) for item in items)
    part.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    part.replace(path)


def read_items(folder: Path, name: str) -> list[Item]:
    """Read the questions of a benchmark that `vidence bench make` wrote.

    Raises:
        UsageError: there are none, or a line is damaged.
    """
    path = find(folder, f"{name}.jsonl")
    return [_read(row, path, at) for at, row in enumerate(rows(path))]


def _written(item: Item) -> dict[str, Any]:
    found: dict[str, Any] = {"id": item.id, "video": item.video, "question": item.question}
    found |= {"options": list(item.options), "answer": item.answer} if item.options else {}
    found |= {"number": item.number} if item.number is not None else {}
    found |= {"text": item.text} if item.text else {}
    for field, spans in (("spans", item.spans), ("evidence", item.evidence)):
        found |= {field: [[str(one.start), str(one.end)] for one in spans]} if spans else {}
    return found | {"groups": dict(item.groups)}


def _read(row: dict[str, Any], path: Path, at: int) -> Item:
    name, video, question = need(row, ["id", "video", "question"], path, at)
    spans, evidence = (
        tuple(span(times, place(path, at)) for times in row.get(field, ())) for field in ("spans", "evidence")
    )
    return Item(
        name,
        video,
        question,
        tuple(row.get("options", ())),
        row.get("answer"),
        spans,
        row.get("number"),
        row.get("text", ""),
        evidence,
        groups=row.get("groups", {}),
    )
