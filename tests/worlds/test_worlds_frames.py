"""Frames: the same everywhere and in any order, and what is said to be seen is in the picture."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest

from vidence.errors import UsageError
from vidence.timeline import Span
from vidence.worlds import Setting, World, make_world
from vidence.worlds.questions.facts import Facts
from vidence.worlds.render import draw_scene

LEVELS = (0, 1, 2, 3)
HASHES = """
import hashlib, numpy as np
from vidence.worlds import Setting, make_world
for level in (0, 1, 2, 3):
    world = make_world(11, Setting(duration_s=12, level=level))
    print(hashlib.sha256(world.frames(list(world.frame_times())[::5]).tobytes()).hexdigest())
    print(hashlib.sha256(repr(world.questions()).encode()).hexdigest())
"""


def some_times(world: World, count: int) -> list[Fraction]:
    return [world.span.end * Fraction(number, count) for number in range(count)]


def test_two_processes_draw_and_ask_the_same() -> None:
    command = [sys.executable, "-c", HASHES]
    runs = [
        subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed})
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout
    assert len(set(runs[0].stdout.split())) == 8


@pytest.mark.parametrize("level", LEVELS)
def test_any_instant_alone_is_what_it_is_in_order(level: int) -> None:
    setting = Setting(duration_s=40, level=level)
    times = some_times(make_world(5, setting), 60)
    in_order = make_world(5, setting).frames(times)
    mixed = np.random.default_rng(0).permutation(len(times))
    world = make_world(5, setting)
    for number in mixed:
        assert np.array_equal(world.frame(times[number]), in_order[number])


def test_frames_are_rgb_of_the_size_asked_for() -> None:
    world = make_world(1, Setting(level=1))
    frames = world.frames([0, 1.5, "0:02"], size=(64, 48))
    assert frames.shape == (3, 48, 64, 3)
    assert frames.dtype == np.uint8


def test_frame_times_are_exact_and_lazy() -> None:
    world = make_world(1, Setting(duration_s=3600, rate_hz=Fraction(30000, 1001), level=0))
    times = world.frame_times()
    assert [next(times) for _ in range(3)] == [0, Fraction(1001, 30000), Fraction(2002, 30000)]
    inside = list(world.frame_times(Span.of(10, 11)))
    assert all(10 <= time < 11 for time in inside)
    assert len(inside) == 30


def test_a_time_outside_is_refused() -> None:
    world = make_world(1, Setting(duration_s=4))
    with pytest.raises(UsageError, match="outside"):
        world.frame(4)
    with pytest.raises(UsageError, match="region"):
        world.frame(1, region=(0.5, 0, 0.2, 1))


def test_a_region_is_drawn_and_not_enlarged() -> None:
    """A small sign has sharper edges in a region than in the same part of the picture made larger."""
    checked = 0
    for seed in range(40):
        world = make_world(seed, Setting(level=3, duration_s=20))
        for scene in world.scenes:
            if scene.sign is None or scene.sign.height > 0.06 or not scene.camera.still:
                continue
            x, y = scene.sign.x / world.setting.aspect, scene.sign.y
            region = (max(x - 0.15, 0), y - 0.15, min(x + 0.15, 1), y + 0.15)
            time = scene.span.middle
            near = world.frame(time, region=region)
            whole = world.frame(time)
            left, top, right, bottom = (
                round(edge * side) for edge, side in zip(region, (128, 96, 128, 96), strict=True)
            )
            enlarged = cv2.resize(whole[top:bottom, left:right], (128, 96), interpolation=cv2.INTER_CUBIC)
            assert cv2.Laplacian(near, cv2.CV_64F).var() > 1.5 * cv2.Laplacian(enlarged, cv2.CV_64F).var()
            checked += 1
    assert checked >= 5


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_said_to_be_seen_is_in_the_picture(level: int) -> None:
    """Without the thing, pixels within its span differ."""
    for seed in range(8):
        world = make_world(seed, Setting(level=level, duration_s=40))
        facts = Facts(world)
        for scene in world.scenes:
            for part in scene.parts:
                span = facts.seen(scene, part)
                if span is None or part.entity.noun == "hand":
                    continue
                without = replace(scene, parts=tuple(one for one in scene.parts if one is not part))
                since = float(span.start - scene.span.start)
                times = [since + float(span.duration) * (step + 0.5) / 6 for step in range(6)]
                changed = [_differing(scene, without, time) for time in times]
                assert max(changed) >= 12, (seed, scene.index, part.entity)


def _differing(scene, without, time_s: float) -> int:  # type: ignore[no-untyped-def]
    shown = draw_scene(scene, time_s, 4 / 3, (128, 96)).astype(int)
    bare = draw_scene(without, time_s, 4 / 3, (128, 96)).astype(int)
    return int((abs(shown - bare).max(axis=-1) > 16).sum())


def test_scenes_of_one_world_look_different() -> None:
    world = make_world(2, Setting(duration_s=60))
    hashes = {hashlib.sha256(world.frame(scene.span.middle).tobytes()).digest() for scene in world.scenes}
    assert len(hashes) == len(world.scenes)
