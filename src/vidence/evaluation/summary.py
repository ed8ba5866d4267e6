"""The scores of a run, whole and by group, each with how sure it is, beside what could be had without the video."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from vidence.evaluation.item import Benchmark
from vidence.evaluation.metrics import LEVELS, Share, calibration_error, recalled, share
from vidence.evaluation.record import Record


def summary(benchmark: Benchmark, records: Sequence[Record]) -> dict[str, Any]:
    """Sum up a run. Questions that could not be put are counted and named, and are in no score."""
    asked = [one for one in records if "fault" not in one]
    faults = [one for one in records if "fault" in one]
    groups: dict[str, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for one in asked:
        for kind, value in one["groups"].items():
            groups[kind][value].append(one)
    by_group = {
        kind: {value: scores(benchmark, some) for value, some in sorted(found.items())}
        for kind, found in groups.items()
    }
    told = {
        "benchmark": benchmark.name,
        "metric": benchmark.metric,
        "all": scores(benchmark, asked),
        "by": by_group,
    }
    if benchmark.official is not None and (official := benchmark.official(asked)) is not None:
        told["official"] = _told(official)
    if given := [one for one in asked if "subtitles" in one]:
        without = [one["video"] for one in given if one["subtitles"] is None]
        told["subtitles"] = {"questions_without": len(without), "videos_without": sorted(set(without))}
    return told | {
        "not_put": len(faults),
        "faults": [{"id": one["id"], "video": one["video"], "fault": one["fault"]} for one in faults],
    }


def scores(benchmark: Benchmark, records: Sequence[Record]) -> dict[str, Any]:
    """Score some questions."""
    known = [one for one in records if one["right"] is not None]
    told: dict[str, Any] = {"questions": len(records), "without_truth": len(records) - len(known)}
    if not known:
        return told
    told["score"] = _share(known, "right")
    for name, field in (("strict", "strict"), ("control", "control"), ("chance", "chance")):
        if all(one.get(field) is not None for one in known):
            told[name] = _share(known, field)
    told["unparsable"] = statistics.mean(not one["parsed"] for one in known)
    if benchmark.form == "grounding":
        shares = recalled([one["right"] for one in known])
        told["recall"] = {str(level): shares[level] for level in LEVELS}
    if judged := [one for one in known if "confidence" in one]:
        told |= _of_loop(judged) | _of_judge(judged)
    for name in ("tokens", "seconds"):
        told[name] = statistics.mean(one[name] for one in records)
    told["frames"] = statistics.mean(len(one["frames"]) for one in records)
    return told


def _of_loop(records: Sequence[Record]) -> dict[str, Any]:
    """Score what only a loop gives: confidence, refusals, citations and what the check found of them."""
    told: dict[str, Any] = {
        "calibration_error": calibration_error(
            [one["confidence"] for one in records], [one["right"] for one in records]
        ),
        "refused": statistics.mean(one["status"] != "answered" for one in records),
        "confident": statistics.mean(one["confident"] for one in records),
        "steps": statistics.mean(one["steps"] for one in records),
    }
    if sure := [one["right"] for one in records if one["confident"]]:
        told["confident_right"] = statistics.mean(sure)
    if claims := [kind for one in records for _, kind in one["claims"]]:
        told["claims_supported"] = statistics.mean(kind == "supported" for kind in claims)
    if cited := [one for one in records if "citation_precision" in one]:
        told["citation_precision"] = statistics.mean(one["citation_precision"] for one in cited)
        told["citation_recall"] = statistics.mean(one["citation_recall"] for one in cited)
        told["grounded"] = statistics.mean(one["citation_precision"] > 0 for one in cited)
    return told


def _of_judge(records: Sequence[Record]) -> dict[str, Any]:
    """Score what a judge found of the claims, where they cite and elsewhere."""
    claims = [{"video": one["video"], **each} for one in records for each in one.get("judged", ())]
    told = dict[str, Any]()
    for name, field in (("judged_grounded", "found"), ("judged_elsewhere", "elsewhere")):
        if some := [one for one in claims if one[field] is not None]:
            told[name] = _share(some, field) | {"claims": len(some)}
    return told


def _share(records: Sequence[Record], field: str) -> dict[str, Any]:
    return _told(share([float(one[field]) for one in records], [one["video"] for one in records]))


def _told(found: Share) -> dict[str, Any]:
    low, high = found.interval
    return {
        "mean": round(found.mean, 4),
        "error": round(found.error, 4) if found.clusters > 1 else None,  # one video tells nothing of others
        "low": round(low, 4),
        "high": round(high, 4),
        "videos": found.clusters,
    }
