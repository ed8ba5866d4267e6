"""Run a benchmark: one line a question as soon as it is answered, so that a run killed at any moment goes on.

A run is a folder: manifest.json (all that decides what is shown and asked), results.jsonl, summary.json, report.html.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from vidence.errors import UsageError
from vidence.evaluation.asking import Asking
from vidence.evaluation.files import Media
from vidence.evaluation.item import Benchmark, Item
from vidence.evaluation.judge import Judge
from vidence.evaluation.plan import Plan
from vidence.evaluation.record import Record
from vidence.evaluation.report import render
from vidence.evaluation.subtitles import Subtitles
from vidence.evaluation.summary import summary
from vidence.evaluation.systems import System
from vidence.memory import Memory

PACKAGES = ("vidence", "av", "numpy", "onnxruntime", "rapidocr", "torch", "transformers", "openai")
Told = Callable[[int, int, Record], None]


def run(
    benchmark: Benchmark,
    data: Path,
    system: System,
    plan: Plan,
    out: Path,
    *,
    settings: Mapping[str, Any],
    judge: Judge | None = None,
    memory: Path | None = None,
    told: Told | None = None,
) -> dict[str, Any]:
    """Ask what was not asked yet, and return the summary. `settings` are the system's, for the manifest.

    `judge` looks for each claim of a loop where it cites.

    Raises:
        UsageError: the folder holds a run of another manifest, or the data folder no annotations, no videos or, where
            they are to be given, no subtitles.
    """
    everything, videos, path = benchmark.load(data, plan.split), Media(data), out / "results.jsonl"
    if everything and not any(videos.of(item.video) for item in everything):
        named = len({item.video for item in everything})
        raise UsageError(f"{data}: holds none of the {named} videos, such as {everything[0].video}")
    lines = _subtitles(benchmark, data, everything) if plan.subtitles else None
    items, order = plan.chosen(everything), {item.id: at for at, item in enumerate(everything)}
    out.mkdir(parents=True, exist_ok=True)
    manifest = _manifest(benchmark, system, plan, settings) | {"judge": judge.name if judge else None}
    _begin(out, manifest)
    done = {one["id"] for one in results(path)} if path.is_file() else set()
    with Memory.open(memory or out / "memory.sqlite") as kept, path.open("a", encoding="utf-8") as file:
        left = [item for item in items if item.id not in done]
        new = Asking(benchmark, videos, lines, system, judge, plan.control).records(left, order, kept)
        for at, found in enumerate(new, len(done) + 1):
            file.write(json.dumps(found, ensure_ascii=False) + "\n")
            file.flush()
            if told is not None:
                told(at, len(items), found)
    wanted = {item.id for item in items}
    records = [one for one in results(path) if one["id"] in wanted]
    told_of = summary(benchmark, records)
    (out / "summary.json").write_text(
        json.dumps(told_of, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    page = render(manifest, told_of, records)
    (out / "report.html").write_text(page, encoding="utf-8")
    return told_of


def results(path: Path) -> list[Record]:
    """Read a run's lines; the last may have been cut off by a kill, and is dropped from the file.

    Raises:
        UsageError: another line is damaged.
    """
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        path.write_bytes(whole)
    try:
        return [json.loads(line) for line in whole.decode("utf-8").splitlines()]
    except (UnicodeDecodeError, json.JSONDecodeError) as fault:
        raise UsageError(f"{path}: is damaged: {fault}") from fault


def _subtitles(benchmark: Benchmark, data: Path, items: Sequence[Item]) -> Subtitles:
    if not benchmark.subtitles:
        raise UsageError(f"{benchmark.name} comes with no subtitles; leave out --subtitles")
    found = Subtitles(data)
    if not any(found.have(item) for item in items):
        raise UsageError(
            f"{data}: holds no subtitles, such as {items[0].subtitles}; unpack them beside the videos"
        )
    return found


def _manifest(
    benchmark: Benchmark, system: System, plan: Plan, settings: Mapping[str, Any]
) -> dict[str, Any]:
    versions = dict[str, str]()
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "benchmark": benchmark.name,
        "plan": asdict(plan),
        "prompt": benchmark.form,
        "frames": asdict(benchmark.frames),
        "system": system.name,
        "settings": dict(settings),
        "versions": versions,
        "python": platform.python_version(),
        "decoder": "PyAV, frame-exact",
    }


def _begin(out: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest, or check that what is there is the same."""
    path = out / "manifest.json"
    if not path.is_file():
        path.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        return
    before = json.loads(path.read_text("utf-8"))
    now = json.loads(json.dumps(manifest))
    if differing := [key for key in now if before.get(key) != now[key]]:
        raise UsageError(
            f"{out}: holds a run with other {', '.join(differing)}; name another folder, or go on as it was begun"
        )
