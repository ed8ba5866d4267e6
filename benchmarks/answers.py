"""Answers to questions about real clips: accuracy by kind, grounding, and how often a confident answer is right.

    python benchmarks/answers.py [--clips ../shared/videos] [--memory FILE] [--only ID]...

The folder holds the clips and a questions.json (see docs/benchmarks.md for its format). Two controls see no video:
chance, and a text-only guess (the better of two habits: the option nearest to the question in meaning, the longest
option). A written answer counts as right when it holds the truth and at most four times as many letters.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vidence
from common import Bar, write_results
from vidence.evaluation.options import letter
from vidence.evaluation.parsing import holds
from vidence.evaluation.systems import nearest
from vidence.mcr.concepts import number_in
from vidence.timeline import Span


@dataclass
class Row:
    """One question and what came of it."""

    id: str
    kind: str
    right: bool | None  # None: grounding has no right or wrong
    iou: float | None
    confidence: float
    confident: bool
    status: str
    given: str
    truth: str
    seconds: float
    text_only: bool | None
    chance: float | None


def main() -> None:
    arguments = _arguments()
    questions = json.loads((arguments.clips / "questions.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for clip in questions["videos"]:
            wanted = [
                q for q in clip["qa"] if not arguments.only or any(o in q["id"] for o in arguments.only)
            ]
            if wanted:
                video = vidence.open(
                    arguments.clips / clip["file"], memory=arguments.memory or Path(folder) / "m.sqlite"
                )
                video.index()
                rows += [_ask(video, q, arguments.verbose) for q in wanted]
    _report(rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, default=Path("../shared/videos"))
    parser.add_argument(
        "--memory", type=Path, help="keep what is perceived here instead of in a temporary file"
    )
    parser.add_argument(
        "--only", action="append", default=[], help="ask only questions whose id holds this text"
    )
    parser.add_argument("--verbose", action="store_true", help="print the belief behind each answer")
    return parser.parse_args()


def _ask(video: Any, q: dict[str, Any], verbose: bool) -> Row:
    options = tuple(q.get("options") or ())
    started = time.perf_counter()
    answer = video.ask(q["question"], choices=options)
    seconds = time.perf_counter() - started
    right, iou = score(answer, q, options)
    row = Row(
        q["id"], q["type"], right, iou, answer.confidence, answer.confident, answer.status, answer.text,
        str(q.get("answer_text") or q["answer"]), seconds, _text_only(q["question"], options, q["answer"]),
        1 / len(options) if options else None,
    )  # fmt: skip
    mark = f"IoU {iou:.2f}" if iou is not None else "right" if right else "wrong"
    head = f"{row.id:28} {row.kind:9} {mark:9} {'*' if row.confident else ' '}{row.confidence:.2f} {seconds:5.1f}s"
    print(f"{head}  {row.given[:40]!r} / {row.truth[:40]!r}", flush=True)
    if verbose:
        _explain(video.last_situation, answer)
    return row


def _explain(situation: Any, answer: Any) -> None:
    print(f"    read as {situation.question.kind}; actions {dict(answer.receipt.actions)}; {answer.lacking}")
    for hypothesis, p in zip(situation.belief.hypotheses, situation.belief.probabilities(), strict=True):
        print(
            f"    {p:.2f} {hypothesis.text[:60]!r}",
            *(f"[{c.channel} {c.weight:+.2f} {c.why[:50]}]" for c in hypothesis.clues),
        )
    for claim in answer.claims:
        print(f"    claim {claim.verdict.kind}: {claim.text[:90]} ({claim.verdict.checked_by[:90]})")


def score(answer: Any, q: dict[str, Any], options: tuple[str, ...]) -> tuple[bool | None, float | None]:
    if q["type"] == "grounding":
        truth = Span.of(*q["answer"])
        return None, answer.spans[0].iou(truth) if answer.spans else 0.0
    if options:
        return answer.choice is not None and answer.choice.letter == q["answer"], None
    if q["type"] == "count":
        return number_in(answer.text) == q["answer"], None
    return holds(answer.text, str(q["answer"])), None


def _text_only(question: str, options: tuple[str, ...], answer: Any) -> bool | None:
    """Guess without the video: by the nearest option in meaning."""
    if not options:
        return None
    return letter(nearest(question, options)) == answer


def _report(rows: list[Row]) -> None:
    table = []
    for kind in sorted({r.kind for r in rows}):
        here = [r for r in rows if r.kind == kind]
        table.append(_summary(kind, here))
    choice = [r for r in rows if r.chance is not None]
    table.append(_summary("all multiple choice", choice))
    confident = [r for r in rows if r.confident and (r.right is not None or r.iou is not None)]
    good = [r for r in confident if (r.right if r.right is not None else (r.iou or 0) >= 0.5)]
    table.append(
        {
            "kind": "confident answers",
            "questions": len(confident),
            "right": len(good),
            "share": _share(len(good), len(confident)),
        }
    )
    ocr = [r for r in rows if r.kind == "ocr"]
    longest = [r for r in choice if r.text_only]
    accuracy = _share(sum(bool(r.right) for r in choice), len(choice))
    control = max(_share(len(longest), len(choice)), _share(sum(r.chance or 0 for r in choice), len(choice)))
    ious = [r.iou for r in rows if r.iou is not None]
    bars = [
        Bar("on-screen text right", _share(sum(bool(r.right) for r in ocr), len(ocr)), "share", ">= 0.70"),
        Bar("multiple choice over the better control", accuracy - control, "share", ">= 0.10"),
        Bar("confident answers right", _share(len(good), len(confident)), "share", ">= 0.80"),
        Bar("grounding mIoU", _share(sum(ious), len(ious)), "IoU", "reported"),
        Bar(
            "median seconds a question, indexed",
            sorted(r.seconds for r in rows)[len(rows) // 2] if rows else 0.0,
            "s",
            "<= 2.0",
        ),
    ]
    write_results("answers", table + [r.__dict__ for r in rows], bars)


def _summary(kind: str, rows: list[Row]) -> dict[str, Any]:
    judged = [r for r in rows if r.right is not None]
    ious = [r.iou for r in rows if r.iou is not None]
    chances = [r.chance for r in rows if r.chance is not None]
    return {
        "kind": kind,
        "questions": len(rows),
        "right": sum(bool(r.right) for r in judged),
        "share": _share(sum(bool(r.right) for r in judged), len(judged)) if judged else None,
        "mIoU": _share(sum(ious), len(ious)) if ious else None,
        "chance": _share(sum(chances), len(chances)) if chances else None,
        "text only": _share(sum(bool(r.text_only) for r in rows), len(rows)) if chances else None,
    }


def _share(part: float, whole: float) -> float:
    return round(part / whole, 4) if whole else 0.0


if __name__ == "__main__":
    main()
