"""A run's answers as files that others read: VLMEvalKit's tables, and what benchmarks' own scripts and servers take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vidence.errors import UsageError
from vidence.evaluation.exporting.answers import Answers, gathered
from vidence.evaluation.exporting.submission import write_submission
from vidence.evaluation.exporting.vlmevalkit import write_vlmevalkit

FORMATS = {"vlmevalkit": write_vlmevalkit, "submission": write_submission}
"""Each writes answers to a file, whose suffix says of which kind."""


def export(folders: Sequence[Path], form: str, out: Path) -> Answers:
    """Write the answers of a run (or of all its shards) to `out`, and return them.

    Raises:
        UsageError: the folders hold no run, or several; the format has no such benchmark, split or suffix; or the file
            cannot be written.
    """
    if form not in FORMATS:
        raise UsageError(f"there is no format {form!r}; there are {', '.join(FORMATS)}")
    answers = gathered(folders)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        FORMATS[form](answers, out)
    except OSError as fault:
        raise UsageError(f"{out}: cannot be written: {fault}") from fault
    return answers
