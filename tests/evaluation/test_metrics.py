"""Scores against cases computed by hand, and against scipy, or the least squares of a textbook, for the same."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from scipy import stats

from vidence.evaluation.metrics import (
    calibration_error,
    cited,
    iou,
    nested_share,
    paired,
    recalled,
    relative_accuracy,
    share,
)
from vidence.timeline import Span


def spans(*pairs: tuple[float, float]) -> list[Span]:
    return [Span.of(*pair) for pair in pairs]


def test_alone_in_its_cluster_a_value_has_the_usual_error() -> None:
    values = [1.0, 0.0, 1.0, 1.0]
    found = share(values, range(4))
    assert found.mean == 0.75
    assert found.error == pytest.approx(stats.tstd(values) / 2 * math.sqrt(3 / 4))  # by n, not n - 1
    assert (found.count, found.clusters) == (4, 4)


def test_questions_about_one_video_that_stand_and_fall_together_count_as_one() -> None:
    alone = share([1.0, 0.0, 1.0, 0.0], "abcd")
    together = share([1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0], "aaabbbcccddd")
    assert together.error == pytest.approx(alone.error)


def sandwich(values: list[float], clusters: list[str], groups: list[Any]) -> tuple[float, float]:
    """Mean of the groups' means by least squares on a column a group, with the cluster-robust covariance (CR0)."""
    names = sorted(set(groups))
    X = np.array([[float(group == name) for name in names] for group in groups])
    y = np.array(values)
    bread = np.linalg.inv(X.T @ X)
    beta = bread @ X.T @ y
    meat = np.zeros_like(bread)
    for name in set(clusters):
        own = np.array([cluster == name for cluster in clusters])
        each = X[own].T @ (y - X @ beta)[own]
        meat += np.outer(each, each)
    weight = np.full(len(names), 1 / len(names))
    return float(weight @ beta), float(np.sqrt(weight @ bread @ meat @ bread @ weight))


def drawn(count: int) -> tuple[list[float], list[str], list[str]]:
    draw = random.Random(2)
    clusters = [str(draw.randrange(count // 5)) for _ in range(count)]
    groups = [draw.choice("aabc") for _ in range(count)]
    values = [float(draw.random() < (0.8 if int(cluster) % 2 else 0.4)) for cluster in clusters]
    return values, clusters, groups


def test_clustered_errors_are_those_of_least_squares() -> None:
    values, clusters, groups = drawn(400)
    found = share(values, clusters)
    assert (found.mean, found.error) == pytest.approx(sandwich(values, clusters, ["all"] * 400))
    nested = nested_share(values, clusters, [(group,) for group in groups])
    assert (nested.mean, nested.error) == pytest.approx(sandwich(values, clusters, groups))


def test_clusters_of_one_size_have_the_error_of_their_means() -> None:
    values, _, _ = drawn(400)
    found = share(values, [at // 4 for at in range(400)])
    assert found.error == pytest.approx(stats.sem(np.reshape(values, (100, 4)).mean(axis=1), ddof=0))


def test_means_of_means() -> None:
    found = nested_share([1, 0, 1, 1], ["x", "y", "x", "z"], [("a",), ("a",), ("b",), ("b",)])
    assert (found.mean, found.count, found.clusters) == (0.75, 4, 3)
    assert found.error == pytest.approx(
        math.sqrt(2 * (0.25 * 0.5) ** 2)
    )  # x and y are half off, z not at all
    nested = [("a", "1"), ("a", "2"), ("a", "2"), ("b", "b")]
    assert nested_share([1, 1, 0, 0], "wxyz", nested).mean == pytest.approx(((1 + 0.5) / 2 + 0) / 2)
    values, clusters, _ = drawn(100)
    assert nested_share(values, clusters, [()] * 100) == share(values, clusters)
    with pytest.raises(ValueError, match="0 values"):
        nested_share([], [], [])


def test_a_difference_is_that_of_the_questions_in_common() -> None:
    a = {"1": 1.0, "2": 0.0, "3": 0.0, "4": 1.0, "only a": 1.0}
    b = {"1": 1.0, "2": 1.0, "3": 1.0, "4": 0.0, "only b": 0.0}
    found = paired(a, b, {id: id for id in (*a, *b)})
    assert (found.mean, found.only_a, found.only_b, found.count) == (0.25, 1, 2, 4)
    with pytest.raises(ValueError, match="no question in common"):
        paired({"1": 1.0}, {"2": 1.0}, {"1": 1, "2": 2})


def test_the_paired_test_agrees_with_scipy_where_nothing_is_clustered() -> None:
    draw = random.Random(1)
    a = {str(at): float(draw.random() < 0.5) for at in range(4000)}
    b = {id: float(value or draw.random() < 0.05) for id, value in a.items()}
    found = paired(a, b, {id: id for id in a})
    reference = stats.ttest_rel(list(b.values()), list(a.values()))
    assert found.p == pytest.approx(float(reference.pvalue), rel=0.05)
    same = paired(a, a, {id: id for id in a})
    assert (same.mean, same.p) == (0.0, 1.0)


def test_overlap_in_time() -> None:
    assert iou(spans((0, 10)), spans((5, 15))) == pytest.approx(1 / 3)
    assert iou(spans((0, 2), (1, 4)), spans((0, 4))) == 1.0
    assert iou(spans((0, 2), (8, 10)), spans((1, 9))) == pytest.approx(2 / 10)
    assert iou([], spans((0, 1))) == 0.0
    assert recalled([0.2, 0.3, 0.6, 0.9]) == {0.3: 0.75, 0.5: 0.5, 0.7: 0.25}


def test_citations() -> None:
    true = spans((10, 20), (40, 50))
    assert cited(spans((12, 14)), true) == (1.0, 0.5)
    assert cited(spans((0, 60)), true) == (pytest.approx(1 / 3), 1.0)
    assert cited(spans((21, 30)), true) == (0.0, 0.0)
    assert cited([], true) == (0.0, 0.0)


def test_calibration() -> None:
    assert calibration_error([0.95] * 4, [1, 1, 1, 1]) == pytest.approx(0.05)
    assert calibration_error([0.9, 0.9, 0.1, 0.1], [1, 0, 0, 0]) == pytest.approx(0.5 * 0.4 + 0.5 * 0.1)
    assert calibration_error([1.0], [0.0]) == 1.0


def test_calibration_is_the_gap_of_each_bin_weighed_by_what_is_in_it() -> None:
    draw = np.random.default_rng(3)
    sure = draw.random(2000)
    right = (draw.random(2000) < sure**2).astype(float)
    at = np.digitize(sure, np.linspace(0, 1, 11)[1:-1])
    gaps = [
        abs(sure[at == each].mean() - right[at == each].mean()) * (at == each).mean() for each in range(10)
    ]
    assert calibration_error(sure.tolist(), right.tolist()) == pytest.approx(sum(gaps))
    counts = stats.binned_statistic(sure, right, "mean", bins=10, range=(0, 1))
    centres = stats.binned_statistic(sure, sure, "mean", bins=10, range=(0, 1))
    shares = np.bincount(counts.binnumber, minlength=11)[1:] / 2000
    assert calibration_error(sure.tolist(), right.tolist()) == pytest.approx(
        float(shares @ np.abs(counts.statistic - centres.statistic))
    )


def test_a_paired_test_with_clusters_is_that_of_their_means() -> None:
    values, _, _ = drawn(4000)
    other = [float(value or at % 7 == 0) for at, value in enumerate(values)]
    a, b = ({str(at): each for at, each in enumerate(some)} for some in (values, other))
    found = paired(a, b, {id: int(id) // 4 for id in a})
    means = (np.array(other) - np.array(values)).reshape(1000, 4).mean(axis=1)
    reference: Any = stats.ttest_1samp(means, 0.0)
    assert found.mean == pytest.approx(means.mean())
    assert found.mean / found.error == pytest.approx(float(reference.statistic), rel=1e-3)  # by n, not n - 1
    few = dict(list(a.items())[:40]), dict(list(b.items())[:40])
    small = paired(*few, {id: int(id) // 4 for id in a})
    z = small.mean / small.error
    assert small.p == pytest.approx(2 * float(stats.norm.sf(z)))


@pytest.mark.parametrize(
    ("said", "true", "score"), [(10, 10, 1.0), (9, 10, 0.9), (4, 10, 0.0), (None, 10, 0.0)]
)
def test_a_number_is_right_by_degrees(said: float | None, true: float, score: float) -> None:
    assert relative_accuracy(said, true) == pytest.approx(score)
