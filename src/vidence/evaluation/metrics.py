"""Scores that say how sure they are: shares clustered by video, paired differences, intervals, calibration.

Sources: clustered standard errors and paired tests as in arXiv 2411.00640, sections 2 and 4; expected calibration error
as in arXiv 1706.04599, equation 3.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from vidence.timeline import Span, union

LEVELS = (0.3, 0.5, 0.7)
"""Overlaps at which an interval counts as recalled."""


@dataclass(frozen=True, slots=True)
class Share:
    """A mean with its standard error, over `count` questions about `clusters` videos."""

    mean: float
    error: float
    count: int
    clusters: int

    @property
    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval of the mean."""
        return self.mean - 1.96 * self.error, self.mean + 1.96 * self.error


def share(values: Sequence[float], clusters: Sequence[Hashable]) -> Share:
    """Return the mean of values, and its standard error where those of a cluster hang together.

    Raises:
        ValueError: there are no values, or not as many clusters.
    """
    if not values or len(values) != len(clusters):
        raise ValueError(f"{len(values)} values in {len(clusters)} clusters")
    mean = math.fsum(values) / len(values)
    sums = defaultdict[Hashable, float](float)
    for value, cluster in zip(values, clusters, strict=True):
        sums[cluster] += value - mean
    spread = math.sqrt(math.fsum(each * each for each in sums.values())) / len(values)
    return Share(mean, spread, len(values), len(sums))


def nested_share(
    values: Sequence[float], clusters: Sequence[Hashable], groups: Sequence[tuple[Hashable, ...]]
) -> Share:
    """Return the mean of means of means: values are in groups, each named by those around it, outermost first.

    Groups within one group weigh alike, however many values they hold. The error takes groups as given: what is drawn
    by chance are the videos within them.

    Raises:
        ValueError: there are no values, or not as many clusters and groups.
    """
    if not values or not len(values) == len(clusters) == len(groups):
        raise ValueError(f"{len(values)} values in {len(clusters)} clusters and {len(groups)} groups")
    inner, held = defaultdict[tuple[Hashable, ...], set[Hashable]](set), Counter(groups)
    sums = defaultdict[tuple[Hashable, ...], float](float)
    for value, group in zip(values, groups, strict=True):
        sums[group] += value
        for depth in range(len(group)):
            inner[group[:depth]].add(group[depth])
    weight = {
        group: math.prod(1 / len(inner[group[:depth]]) for depth in range(len(group))) / count
        for group, count in held.items()
    }
    mean = math.fsum(weight[group] * whole for group, whole in sums.items())
    apart = defaultdict[Hashable, float](float)
    for value, cluster, group in zip(values, clusters, groups, strict=True):
        apart[cluster] += weight[group] * (value - sums[group] / held[group])
    return Share(mean, math.sqrt(math.fsum(each * each for each in apart.values())), len(values), len(apart))


@dataclass(frozen=True, slots=True)
class Difference:
    """How two runs differ on the same questions: mean of B less A, its clustered error, and how likely by chance."""

    mean: float
    error: float
    p: float
    only_a: int  # questions that A alone got right
    only_b: int
    count: int


def paired(a: Mapping[str, float], b: Mapping[str, float], clusters: Mapping[str, Hashable]) -> Difference:
    """Compare two runs on the questions that both answered, by a paired z-test with clustered errors.

    Raises:
        ValueError: they have no question in common.
    """
    common = sorted(set(a) & set(b))
    if not common:
        raise ValueError("the two runs have no question in common")
    found = share([b[id] - a[id] for id in common], [clusters[id] for id in common])
    z = abs(found.mean) / found.error if found.error else math.inf if found.mean else 0.0
    only_a, only_b = (sum(x[id] > y[id] for id in common) for x, y in ((a, b), (b, a)))
    return Difference(found.mean, found.error, math.erfc(z / math.sqrt(2)), only_a, only_b, len(common))


def iou(given: Sequence[Span], true: Sequence[Span]) -> float:
    """Return the intersection over union in time of two sets of intervals."""
    left, right = union(given), union(true)
    shared = sum(float(both.duration) for one in left for other in right if (both := one.intersection(other)))
    whole = sum(float(span.duration) for span in (*left, *right)) - shared
    return shared / whole if whole else 0.0


def recalled(ious: Sequence[float]) -> dict[float, float]:
    """Return the share of intervals found, R@1, at each level of overlap."""
    return {level: sum(value >= level for value in ious) / len(ious) for level in LEVELS} if ious else {}


def cited(given: Sequence[Span], true: Sequence[Span]) -> tuple[float, float]:
    """Return precision and recall of citations: of the seconds cited, and of the seconds where the evidence lies.

    A citation within the evidence is as precise as can be, however short; evidence counts as recalled where any part of
    an interval of it was cited, for one look suffices.
    """
    if not given or not true:
        return 0.0, 0.0
    left, right = union(given), union(true)
    shared = sum(float(both.duration) for one in left for other in right if (both := one.intersection(other)))
    length = sum(float(span.duration) for span in left)
    hit = sum(any(one.overlaps(other) for one in left) for other in right)
    return (shared / length if length else 0.0), hit / len(right)


def calibration_error(confidences: Sequence[float], right: Sequence[float], bins: int = 10) -> float:
    """Return the expected calibration error: how far, on average, confidence lies from the share that is right."""
    held = defaultdict[int, list[tuple[float, float]]](list)
    for confidence, value in zip(confidences, right, strict=True):
        held[min(int(confidence * bins), bins - 1)].append((confidence, value))
    gaps = (abs(math.fsum(c for c, _ in each) - math.fsum(r for _, r in each)) for each in held.values())
    return math.fsum(gaps) / len(confidences) if confidences else 0.0


def relative_accuracy(said: float | None, true: float) -> float:
    """Return VSI-Bench's mean relative accuracy of a number: the share of thresholds .5, .55, ... .95 that it meets."""
    if said is None or not true:
        return float(said == true)
    off = abs(said - true) / abs(true)
    thresholds = [0.5 + 0.05 * at for at in range(10)]
    return sum(off <= 1 - threshold + 1e-9 for threshold in thresholds) / len(thresholds)
