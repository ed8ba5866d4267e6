"""The scores that authors report, by hand: means of tasks, and groups of questions that hold together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vidence.cli.bench import _told
from vidence.errors import UsageError
from vidence.evaluation.benchmarks import benchmark, benchmarks
from vidence.evaluation.report import render
from vidence.evaluation.summary import summary


def record(name: str, video: str, right: float | None, **groups: str) -> dict[str, Any]:
    spent = {"frames": [], "tokens": 0, "seconds": 0.0}
    return {"id": name, "video": video, "groups": groups, "right": right, "parsed": True, "said": "A"} | spent


def official(name: str, records: list[dict[str, Any]]) -> float | None:
    declared = benchmark(name).official
    assert declared is not None
    found = declared(records)
    return None if found is None else found.mean


def test_three_levels_of_direction_are_one_task_of_vsi_bench() -> None:
    levels = {"easy": [1.0, 1.0], "medium": [0.0], "hard": [1.0, 0.0]}
    records = [
        record(f"{level}{at}", "a", right, task="object_rel_direction", type=f"object_rel_direction_{level}")
        for level, some in levels.items()
        for at, right in enumerate(some)
    ]
    records += [
        record(f"n{at}", "b", right, task="object_counting", type="object_counting")
        for at, right in enumerate([0.4, 0.8])
    ]
    assert official("vsi-bench", records) == pytest.approx(((1 + 0 + 0.5) / 3 + 0.6) / 2)


def test_mlvu_weighs_tasks_alike_and_counts_the_unanswerable_as_wrong() -> None:
    records = [record(f"p{at}", "a", 1.0, task="plotQA") for at in range(6)]
    records += [record("n1", "b", 1.0, task="findNeedle"), record("n2", "c", None, task="findNeedle")]
    assert official("mlvu", records) == pytest.approx((1 + 0.5) / 2)
    found = summary(benchmark("mlvu"), records)
    assert (found["all"]["score"]["mean"], found["all"]["without_truth"]) == (1.0, 1)
    assert found["official"]["mean"] == 0.75
    assert official("mlvu", [record("s", "a", None, task="summary")]) is None  # open words, judged outside


def group(video: str, right: str, kind: str, structure: str = "") -> list[dict[str, Any]]:
    return [
        record(f"{video}-{at}", video, float(each), group_type=kind, group_structure=structure)
        for at, each in enumerate(right, 1)
    ]


@pytest.mark.parametrize(
    ("kind", "structure", "right", "points"),
    [
        ("relevance", "", "0000", 0),
        ("relevance", "", "0100", 1 / 16),
        ("relevance", "", "1101", 9 / 16),
        ("relevance", "", "1111", 1),
        ("logic", "[1,2,3,4]", "0111", 0),  # the first is wrong: nothing holds
        ("logic", "[1, 2, 3, 4]", "1101", 4 / 16),
        ("logic", "[1, 2, 3, 4]", "1110", 9 / 16),
        ("logic", "[1, [2, 3], 4]", "1000", 1 / 12),
        ("logic", "[1, [2, 3], 4]", "1100", 4 / 12),
        ("logic", "[1, [2, 3], 4]", "1010", 4 / 12),  # the third stands beside the second
        ("logic", "[1, [2, 3], 4]", "1011", 4 / 12),  # but the fourth needs both
        ("logic", "[1, [2, 3], 4]", "1110", 7 / 12),
        ("logic", "[[1, 2], 3, 4]", "0111", 1 / 10),
        ("logic", "[[1, 2], 3, 4]", "1011", 1 / 10),
        ("logic", "[[1, 2], 3, 4]", "1100", 2 / 10),
        ("logic", "[[1, 2], 3, 4]", "1110", 5 / 10),
        ("logic", "[[1, 2], 3, 4]", "1111", 1),
    ],
)
def test_groups_of_video_mme_v2(kind: str, structure: str, right: str, points: float) -> None:
    assert official("video-mme-v2", group("001", right, kind, structure)[::-1]) == pytest.approx(points)


def test_groups_weigh_alike_and_broken_ones_are_left_out() -> None:
    records = group("001", "1111", "relevance") + group("002", "1100", "relevance")
    assert official("video-mme-v2", records + group("003", "111", "relevance")) == pytest.approx(
        (1 + 4 / 16) / 2
    )
    assert official("video-mme-v2", group("003", "111", "relevance")) is None
    assert summary(benchmark("video-mme-v2"), records)["official"]["videos"] == 2


def test_a_structure_that_nobody_knows_is_named(tmp_path: Path) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    row = {"video_id": "001", "question_id": "001-1", "question": "?", "options": "A. a\nB. b", "answer": "B"}
    rows = [row | {"group_type": "logic", "group_structure": "[1, [2, 3, 4]]"}]
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "test.parquet")
    with pytest.raises(UsageError, match=r"row 1: group_structure '\[1, \[2, 3, 4\]\]' is none of"):
        benchmark("video-mme-v2").load(tmp_path, "test")


def test_it_stands_in_the_report_and_only_where_it_is_another() -> None:
    assert {one.name for one in benchmarks().values() if one.official is not None} == {
        *("video-mme-v2", "mlvu", "mvbench", "vsi-bench"),
    }
    records = [
        record("1", "a", 1.0, task="x"),
        record("2", "b", 1.0, task="x"),
        record("3", "c", 0.0, task="y"),
    ]
    found = summary(benchmark("mvbench"), records)
    assert found["official"]["mean"] == 0.5
    manifest = {"benchmark": "mvbench", "system": "s", "plan": {"split": "test"}}
    assert "Official score" in render(manifest, found, records)
    assert "official" not in summary(benchmark("nextqa"), records)
    json.dumps([_told(one) for one in benchmarks().values()])
