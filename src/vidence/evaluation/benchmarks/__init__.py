"""The benchmarks, one a file; each file's BENCHMARK is listed here by its name."""

from __future__ import annotations

import importlib

from vidence.errors import UsageError
from vidence.evaluation.item import Benchmark

FILES = (
    *("video_mme", "video_mme_v2", "longvideobench", "mlvu", "lvbench", "vrbench", "egoschema"),
    *("nextqa", "perception_test", "mvbench", "tomato", "motionbench", "tempcompass"),
    *("qvhighlights", "charades_sta", "activitynet"),
    *("vsi_bench", "mmsi_bench", "mmsi_video"),
    *("worldbench", "needle_films"),
)
"""In the order of the paper's tables: long video, short video, grounding, space; then our own."""


def benchmarks() -> dict[str, Benchmark]:
    """Return all benchmarks by name."""
    found = [importlib.import_module(f"{__name__}.{file}").BENCHMARK for file in FILES]
    return {one.name: one for one in found}


def benchmark(name: str) -> Benchmark:
    """Return a benchmark.

    Raises:
        UsageError: there is none of that name, listing those that there are.
    """
    known = benchmarks()
    if name not in known:
        raise UsageError(f"there is no benchmark {name!r}; there are {', '.join(known)}")
    return known[name]
