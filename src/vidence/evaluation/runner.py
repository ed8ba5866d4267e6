"""Run a benchmark: one line a question as soon as it is answered, so that a run killed at any moment goes on.

A run is a folder: manifest.json (all that decides what is shown and asked), results.jsonl, summary.json, report.html.
"""

from __future__ import annotations

import itertools
import json
import platform
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import vidence
from vidence.errors import MediaError, UsageError
from vidence.evaluation.files import Media
from vidence.evaluation.item import Benchmark, Item
from vidence.evaluation.judge import Judge, judged
from vidence.evaluation.record import Record, failed, record
from vidence.evaluation.report import render
from vidence.evaluation.subtitles import Subtitles
from vidence.evaluation.summary import summary
from vidence.evaluation.systems import Reply, SinglePass, System
from vidence.memory import Memory
from vidence.video import Video

PACKAGES = ("vidence", "av", "numpy", "onnxruntime", "rapidocr", "torch", "transformers", "openai")
Told = Callable[[int, int, Record], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """Which questions are asked: of a split `limit` drawn by `seed`, and of those every `shards`-th from `shard`."""

    split: str
    limit: int | None = None
    seed: int = 0
    shard: int = 0
    shards: int = 1
    control: bool = True  # each is guessed without the video as well
    subtitles: bool = False  # what is said is given in writing, as the benchmark comes with it

    def chosen(self, items: Sequence[Item]) -> list[Item]:
        """Return the questions of this run, by video, so that each is opened once."""
        some = list(items)
        if self.limit is not None and self.limit < len(some):
            some = random.Random(self.seed).sample(some, self.limit)
        order = {item.id: at for at, item in enumerate(items)}
        some.sort(key=lambda item: (item.video, order[item.id]))
        return some[self.shard :: self.shards] if self.shards > 1 else some


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
        new = _records(benchmark, left, order, videos, lines, system, judge, plan, kept)
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


def _records(
    benchmark: Benchmark,
    items: Sequence[Item],
    order: Mapping[str, int],
    videos: Media,
    lines: Subtitles | None,
    system: System,
    judge: Judge | None,
    plan: Plan,
    memory: Memory,
) -> Iterator[Record]:
    """Yield a record a question, each video opened once; `order` is the split's."""
    for name, of_video in itertools.groupby(items, key=lambda item: item.video):
        same, path = list(of_video), videos.of(name)
        if path is None:
            yield from (failed(item, order[item.id], "the video is missing") for item in same)
            continue
        put = 0
        try:
            with vidence.open(path, memory=memory) as video:
                if video.media.info.video is None:
                    raise MediaError(f"{path}: has no picture")
                cues = lines.of(same[0], video.media) if lines else None
                # Without subtitles means without those inside the file or beside it, too.
                video.media.subtitle(cues or ())
                told = {"subtitles": None if cues is None else len(cues)} if lines else {}
                for item in same:
                    reply = _answered(system, item, _key(benchmark, item), video, videos)
                    guess = system.guess(item, _key(benchmark, item)) if plan.control else None
                    found = record(item, order[item.id], _key(benchmark, item), reply, guess) | told
                    if judge is not None and reply.answer is not None:
                        found["judged"] = judged(reply.answer, video, judge)
                    put += 1
                    yield found
        except MediaError as fault:
            yield from (failed(item, order[item.id], str(fault)) for item in same[put:])


def _answered(system: System, item: Item, key: str, video: Video, videos: Media) -> Reply:
    """Ask of a video, and of what is shown after it.

    Raises:
        MediaError: that is missing or damaged, or the system looks at one medium alone.
    """
    if not item.also:
        return system.answer(item, key, video)
    if not isinstance(system, SinglePass):
        raise MediaError("asks about several videos or pictures, which only --single-pass can be shown")
    with ExitStack() as opened:
        also = list[Video]()
        for name in item.also:
            path = videos.of(name)
            if path is None:
                raise MediaError(f"{name} is missing")
            also.append(opened.enter_context(vidence.open(path, memory=video.memory)))
        return system.answer_of([video, *also], item, key)


def _subtitles(benchmark: Benchmark, data: Path, items: Sequence[Item]) -> Subtitles:
    if not benchmark.subtitles:
        raise UsageError(f"{benchmark.name} comes with no subtitles; leave out --subtitles")
    found = Subtitles(data)
    if not any(found.have(item) for item in items):
        raise UsageError(
            f"{data}: holds no subtitles, such as {items[0].subtitles}; unpack them beside the videos"
        )
    return found


def _key(benchmark: Benchmark, item: Item) -> str:
    """Tell how an item is asked and judged: a benchmark may have questions of several forms."""
    if item.options:
        return "choice"
    if item.text:
        return "words" if benchmark.form == "words" else "open"
    if item.number is not None:
        return "number"
    return "grounding" if item.spans else benchmark.form


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
