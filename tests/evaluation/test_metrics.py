"""Scores against cases computed by hand, and against scipy where it has the same."""

from __future__ import annotations

import math
import random

import pytest
from scipy import stats

from vidence.evaluation.metrics import (
    calibration_error,
    cited,
    iou,
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


@pytest.mark.parametrize(
    ("said", "true", "score"), [(10, 10, 1.0), (9, 10, 0.9), (4, 10, 0.0), (None, 10, 0.0)]
)
def test_a_number_is_right_by_degrees(said: float | None, true: float, score: float) -> None:
    assert relative_accuracy(said, true) == pytest.approx(score)
