"""Answers in a benchmark's own format, as its script or its server reads them.

An unanswered question counts as wrong there, as far as the format can say so; Video-MME's script leaves it out.

Sources: EgoSchema, validate.py (JSON) and its Kaggle competition (CSV); Video-MME, output_test_template.json; MLVU,
evaluation_test/test_res.json; LVBench and MotionBench, metrics/compute_accuracy.py; NExT-QA, eval_mc.py; TempCompass,
eval_multi-choice.py; QVHighlights, standalone_eval of moment_detr.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidence.errors import UsageError
from vidence.evaluation.exporting.answers import Answers, lettered
from vidence.evaluation.options import letter
from vidence.evaluation.record import Record

Records = Sequence[Record]


@dataclass(frozen=True, slots=True)
class Submission:
    """What is sent in: for which splits, and by the file's suffix its text."""

    splits: tuple[str, ...]
    written: dict[str, Callable[[Records], str]]


def write_submission(answers: Answers, out: Path) -> None:
    """Write the file that the benchmark's script or server reads.

    Raises:
        UsageError: the benchmark has none for the split, or none of that suffix.
    """
    form = SUBMISSIONS.get(answers.benchmark)
    if form is None or answers.split not in form.splits:
        known = "; ".join(f"{name} ({', '.join(one.splits)})" for name, one in SUBMISSIONS.items())
        raise UsageError(
            f"no format of its own is known of {answers.benchmark} ({answers.split}); there are {known}"
        )
    if out.suffix not in form.written:
        raise UsageError(f"{out}: {answers.benchmark} takes {' or '.join(form.written)}; name such a file")
    out.write_text(form.written[out.suffix](answers.records), encoding="utf-8")


def _json(build: Callable[[Records], object]) -> dict[str, Callable[[Records], str]]:
    return {".json": lambda records: json.dumps(build(records), indent=1, ensure_ascii=False) + "\n"}


def _egoschema(records: Records) -> dict[str, int]:
    return {one["id"]: -1 if one.get("choice") is None else one["choice"] for one in records}


def _egoschema_csv(records: Records) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("q_uid", "answer"), *_egoschema(records).items()])
    return text.getvalue()


def _video_mme(records: Records) -> list[dict[str, Any]]:
    found = dict[str, dict[str, Any]]()
    for one in records:
        # The video's number is not its name on YouTube; it leads the question's.
        video, groups = one["id"].rpartition("-")[0], one["groups"]
        about = {
            "video_id": video,
            "duration_category": groups["duration"],
            "video_category": groups["domain"],
            "video_subcategory": groups["sub_category"],
            "questions": [],
        }
        found.setdefault(video, about)["questions"].append(
            {
                "question_id": one["id"],
                "task_type": groups["task"],
                "question": one["question"],
                "choices": lettered(one["options"]),
                "answer": letter(one["truth"]),
                "response": one.get("said", ""),
            }
        )
    return list(found.values())


def _mlvu(records: Records) -> list[dict[str, str]]:
    return [
        {
            "question_id": one["id"],
            "question_type": one["groups"]["task"],
            "option": letter(one.get("choice")),
        }
        for one in records
    ]


def _by_uid(records: Records) -> dict[str, str]:
    """Name a letter by the benchmark's own number of a question; what is left out would not count at all."""
    unnamed = [one["id"] for one in records if one["id"].startswith(f"{one['video']}-")]
    if unnamed:
        raise UsageError(
            f"the annotations of this run had no uid of their questions, such as of {unnamed[0]}; run it on "
            "video_info.meta.jsonl, which has them"
        )
    return {one["id"]: letter(one.get("choice")) for one in records}


def _nextqa(records: Records) -> dict[str, dict[str, int | None]]:
    found = dict[str, dict[str, int | None]]()
    for one in records:
        video, _, number = one["id"].rpartition("-")
        found[f"{video}_{number}"] = {"prediction": one.get("choice"), "answer": one["truth"]}
    return found


def _tempcompass(records: Records) -> dict[str, dict[str, list[dict[str, str]]]]:
    found = dict[str, dict[str, list[dict[str, str]]]]()
    for one in records:
        options = lettered(one["options"])
        about = {"question": "\n".join([one["question"], *options]), "answer": options[one["truth"]]}
        of_aspect = found.setdefault(one["video"], {}).setdefault(one["groups"]["task"], [])
        of_aspect.append({**about, "prediction": letter(one.get("choice")) or one.get("said", "")})
    return found


def _qvhighlights(records: Records) -> str:
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in _windows(records))


def _windows(records: Records) -> Iterable[dict[str, Any]]:
    for one in records:
        # Its script wants a window of every query; one without length overlaps nothing.
        span = one.get("span") or {"start_s": 0.0, "end_s": 0.0}
        window = [span["start_s"], span["end_s"], one.get("confidence", 1.0)]
        yield {
            "qid": int(one["id"]),
            "query": one["question"],
            "vid": one["video"],
            "pred_relevant_windows": [window],
        }


SUBMISSIONS = {
    "egoschema": Submission(("full",), _json(_egoschema) | {".csv": _egoschema_csv}),
    "video-mme": Submission(("all", "short", "medium", "long"), _json(_video_mme)),
    "mlvu": Submission(("test",), _json(_mlvu)),
    "lvbench": Submission(("test",), _json(_by_uid)),
    "motionbench": Submission(("dev", "test"), _json(_by_uid)),
    "nextqa": Submission(("val", "test"), _json(_nextqa)),
    "tempcompass": Submission(("multi-choice",), _json(_tempcompass)),
    "qvhighlights": Submission(("val",), {".jsonl": _qvhighlights}),
}
"""By benchmark."""
