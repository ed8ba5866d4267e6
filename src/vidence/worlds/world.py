"""A world: the plan of a video, any instant of which can be drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidence.errors import UsageError
from vidence.timeline import Instant, Span, TimeLike, instant
from vidence.worlds.captions import Caption, captions
from vidence.worlds.cast import Actor
from vidence.worlds.event import Event, Line
from vidence.worlds.lexicon import Tongue
from vidence.worlds.plot import Plot
from vidence.worlds.question import KINDS, Question
from vidence.worlds.render import WHOLE, Region, draw_scene
from vidence.worlds.scene import Scene
from vidence.worlds.script import write_script
from vidence.worlds.setting import Setting
from vidence.worlds.synopsis import synopsis_of

if TYPE_CHECKING:
    from vidence.worlds.write import Tell, WrittenWorld


def make_world(seed: int, setting: Setting | None = None) -> World:
    """Plan a world; the same seed and setting give the same world everywhere."""
    setting = setting or Setting()
    script = write_script(seed, setting)
    return World(seed, setting, script.actors, script.scenes, script.events, script.lines, script.plots)


@dataclass(frozen=True, slots=True)
class World:
    """A video that is not drawn yet: scenes, events and lines in order of time."""

    seed: int
    setting: Setting
    actors: tuple[Actor, ...]
    scenes: tuple[Scene, ...] = field(repr=False)
    events: tuple[Event, ...] = field(repr=False)
    lines: tuple[Line, ...] = field(repr=False)
    plots: tuple[Plot, ...] = field(repr=False)

    @property
    def span(self) -> Span:
        """From zero to the world's end."""
        return Span(Fraction(0), self.setting.duration)

    def scene_at(self, time: Instant) -> Scene:
        """Return the scene that is shown at an instant."""
        low, high = 0, len(self.scenes) - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.scenes[middle].span.start <= time else (low, middle - 1)
        return self.scenes[low]

    def frame(
        self, time: TimeLike, *, size: tuple[int, int] | None = None, region: Region | None = None
    ) -> np.ndarray:
        """Draw one instant as uint8 RGB (height, width, 3).

        `size` is (width, height). `region` is (left, top, right, bottom) in 0..1 of the picture; it is drawn, not
        enlarged, so that it shows more detail.

        Raises:
            UsageError: the time is outside the world, or the region is none.
        """
        at = instant(time)
        if at not in self.span:
            raise UsageError(
                f"time {float(at):g} s is outside of the world, which lasts {float(self.span.end):g} s"
            )
        if region is not None and not (0 <= region[0] < region[2] <= 1 and 0 <= region[1] < region[3] <= 1):
            raise UsageError(f"region {region} is not left, top, right, bottom in 0..1")
        scene = self.scene_at(at)
        since_s = float(at - scene.span.start)
        return draw_scene(scene, since_s, self.setting.aspect, size or self.setting.size, region or WHOLE)

    def frames(
        self, times: Sequence[TimeLike], *, size: tuple[int, int] | None = None, region: Region | None = None
    ) -> np.ndarray:
        """Draw instants as uint8 RGB (T, height, width, 3); see `frame`."""
        width, height = size or self.setting.size
        frames_THWC = np.empty((len(times), height, width, 3), np.uint8)
        for number, time in enumerate(times):
            frames_THWC[number] = self.frame(time, size=size, region=region)
        return frames_THWC

    def frame_times(self, span: Span | None = None) -> Iterator[Instant]:
        """Give the exact instants of the constant frame rate, all or those within a span, one after the other."""
        whole, rate = span or self.span, Fraction(self.setting.rate_hz)
        number = max(-((-whole.start * rate) // 1), 0)
        while (at := Fraction(number) / rate) < min(whole.end, self.span.end):
            yield at
            number += 1

    def questions(
        self, *, language: str = "en", kinds: Sequence[str] | None = None, most: int | None = None
    ) -> list[Question]:
        """Ask what the world's own timeline can answer; always the same, in a mix of kinds.

        Raises:
            UsageError: the language or a kind is none of this world's.
        """
        from vidence.worlds.questions import ask

        if language not in self.setting.languages:
            raise UsageError(
                f"language {language!r} is none of the setting's: {', '.join(self.setting.languages)}"
            )
        wanted = tuple(kinds or self.setting.kinds or KINDS)
        for kind in wanted:
            if kind not in KINDS:
                raise UsageError(f"question kind {kind!r} is none of {', '.join(KINDS)}")
        return ask(self, language, wanted, most)

    def synopsis(self, language: str = "en") -> str:
        """Tell the whole in a few sentences."""
        return synopsis_of(self, Tongue(language, self.actors))

    def captions(self, language: str = "en") -> list[Caption]:
        """Tell scenes (densely) and events in words, in order of time."""
        return captions(self, language)

    def write(self, path: str | Path, *, sound: bool = True, tell: Tell | None = None) -> WrittenWorld:
        """Write the video as MP4, with NAME.json (questions, captions, timeline) and NAME.srt (lines) beside it.

        Lines are spoken by espeak-ng where it is installed, else hummed; `WrittenWorld.sound` says which.

        Raises:
            UsageError: the name is no .mp4, or the size is odd.
        """
        from vidence.worlds.write import write_world

        return write_world(self, path, sound=sound, tell=tell)
