"""Questions put to a system, video by video, and records of what came of each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import vidence
from vidence.errors import MediaError
from vidence.evaluation.files import Media
from vidence.evaluation.item import Benchmark, Item
from vidence.evaluation.judge import Judge, judged
from vidence.evaluation.record import Record, failed, record
from vidence.evaluation.subtitles import Subtitles
from vidence.evaluation.systems import Reply, SinglePass, System
from vidence.memory import Memory
from vidence.video import Video


@dataclass(frozen=True, slots=True)
class Asking:
    """Who is asked what: with subtitles where there are `lines`, judged by a judge, with a control beside each."""

    benchmark: Benchmark
    media: Media
    lines: Subtitles | None
    system: System
    judge: Judge | None
    control: bool

    def records(self, items: Sequence[Item], order: Mapping[str, int], memory: Memory) -> Iterator[Record]:
        """Yield a record a question, each video opened once; `order` is the split's."""
        for name, of_video in itertools.groupby(items, key=lambda item: item.video):
            same, path = list(of_video), self.media.of(name)
            if path is None:
                yield from (failed(item, order[item.id], "the video is missing") for item in same)
                continue
            put = 0
            try:
                with vidence.open(path, memory=memory) as video:
                    if video.media.info.video is None:
                        raise MediaError(f"{path}: has no picture")
                    cues = self.lines.of(same[0], video.media) if self.lines else None
                    # Without subtitles means without those inside the file or beside it, too.
                    video.media.subtitle(cues or ())
                    told = {"subtitles": None if cues is None else len(cues)} if self.lines else {}
                    for item in same:
                        yield self._record(item, order[item.id], video) | told
                        put += 1
            except MediaError as fault:
                yield from (failed(item, order[item.id], str(fault)) for item in same[put:])

    def _record(self, item: Item, at: int, video: Video) -> Record:
        key = _key(self.benchmark, item)
        reply = self._answered(item, key, video)
        guess = self.system.guess(item, key) if self.control else None
        found = record(item, at, key, reply, guess)
        if self.judge is not None and reply.answer is not None:
            found["judged"] = judged(reply.answer, video, self.judge)
        return found

    def _answered(self, item: Item, key: str, video: Video) -> Reply:
        """Ask of a video, and of what is shown after it.

        Raises:
            MediaError: that is missing or damaged, or the system looks at one medium alone.
        """
        if not item.also:
            return self.system.answer(item, key, video)
        if not isinstance(self.system, SinglePass):
            raise MediaError("asks about several videos or pictures, which only --single-pass can be shown")
        with ExitStack() as opened:
            also = list[Video]()
            for name in item.also:
                path = self.media.of(name)
                if path is None:
                    raise MediaError(f"{name} is missing")
                also.append(opened.enter_context(vidence.open(path, memory=video.memory)))
            return self.system.answer_of([video, *also], item, key)


def _key(benchmark: Benchmark, item: Item) -> str:
    """Tell how an item is asked and judged: a benchmark may have questions of several forms."""
    if item.options:
        return "choice"
    if item.text:
        return "words" if benchmark.form == "words" else "open"
    if item.number is not None:
        return "number"
    return "grounding" if item.spans else benchmark.form
