"""What a run tells: a line of JSON every so many steps, the same numbers for TensorBoard, and faults by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Log:
    """Write `log.jsonl` and, where TensorBoard is installed, its files; only the leading process writes."""

    def __init__(self, folder: Path, *, leads: bool, resumed_at: int) -> None:
        self.path, self.leads = folder / "log.jsonl", leads
        self._board: Any = None
        if not leads:
            return
        folder.mkdir(parents=True, exist_ok=True)
        _cut(self.path, resumed_at)
        try:
            from torch.utils.tensorboard.writer import SummaryWriter
        except ImportError:
            return
        self._board = SummaryWriter(folder / "tensorboard", purge_step=resumed_at + 1 if resumed_at else None)

    def step(self, step: int, values: Mapping[str, float]) -> None:
        """Enter numbers of a step."""
        self._line({"step": step} | {name: round(value, 6) for name, value in values.items()})
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)

    def fault(self, what: str) -> None:
        """Name a sample that could not be used."""
        self._line({"bad_sample": what})

    def close(self) -> None:
        """Write what is still held back."""
        if self._board is not None:
            self._board.close()

    def _line(self, entry: Mapping[str, Any]) -> None:
        if self.leads:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def read_log(path: Path) -> list[dict[str, Any]]:
    """Return the entries of a log's steps."""
    lines = path.read_text("utf-8").splitlines()
    return [entry for line in lines if "step" in (entry := json.loads(line))]


def _cut(path: Path, step: int) -> None:
    """Drop what was entered after the step that a run goes on from."""
    if not path.is_file():
        return
    lines = path.read_text("utf-8").split("\n")[:-1]  # what a killed process half wrote has no end
    kept = [line for line in lines if json.loads(line).get("step", 0) <= step]
    path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
