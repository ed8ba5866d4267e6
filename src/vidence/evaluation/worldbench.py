"""WorldBench: questions about generated videos, from a minute to three hours, that no training can have seen.

Videos and truth come from a seed. Tasks: a banner shown for two seconds, by depth and length ("needle"); a banner that
is never shown ("unseen"), whose right answer is that of all needles' last option; small letters on a sign ("small
text"); a voice that says another word than the sign shows ("conflict"); order and counting.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from vidence.evaluation.item import Item
from vidence.evaluation.made import write_items
from vidence.timeline import Instant, Span
from vidence.worlds import Question, Setting, World, make_world
from vidence.worlds.cast import THING_COLOURS
from vidence.worlds.lexicon import Tongue
from vidence.worlds.needles import every, with_banner, with_line, without_banners
from vidence.worlds.scene import Scene
from vidence.worlds.special import words

DEPTHS = (5, 25, 50, 75, 95)  # percent of the whole at which needles lie
LENGTHS_S = (60, 600, 3600)
FIRST_SEED = 40_000_000  # training counts from 0 and does not come so far
SMALL = 0.06  # letters of a sign below so many heights of the picture are small
NOT_SHOWN = "No such banner is shown"
EACH = 4  # questions of every other task about a video
SETTING = Setting(size=(640, 360), rate_hz=4, level=2, split="test")
Told = Callable[[str, float, float | None], None]


@dataclass(frozen=True, slots=True)
class Written:
    """A planned world with what is asked about it."""

    name: str
    world: World
    items: tuple[Item, ...]


def make_worldbench(
    out: Path, *, lengths_s: Sequence[Instant], worlds: int, seed: int = 0, told: Told | None = None
) -> int:
    """Write `worlds` videos of each length with their questions; return how many there are. Videos that lie there stay.

    Raises:
        UsageError: a length is none that a world can have.
    """
    planned = [written(seed + at, Fraction(length)) for length in lengths_s for at in range(worlds)]
    out.mkdir(parents=True, exist_ok=True)
    for one in planned:
        path = out / f"{one.name}.mp4"
        if not path.is_file():
            one.world.write(path, tell=told)
    items = [item for one in planned for item in one.items]
    write_items(out / "worldbench.jsonl", items)
    return len(items)


def written(number: int, length_s: Fraction) -> Written:
    """Plan a world of a length and what is asked about it."""
    seed = FIRST_SEED + number
    world = without_banners(make_world(seed, replace(SETTING, duration_s=length_s)))
    rng = random.Random(f"worldbench {seed} {length_s}")
    name = f"world-{_clock(length_s).replace(' ', '')}-{number}"
    world, hidden, unseen = _with_needles(world, rng)
    world, contradicted = _with_conflicts(world, rng)
    items = [
        *_needles(world, hidden, unseen, rng),
        *_small(world, rng),
        *contradicted,
        *(_some(world, "order", rng)),
        *(_some(world, "counting", rng)),
    ]
    groups = {"length": _clock(length_s)}
    return Written(
        name,
        world,
        tuple(
            replace(item, id=f"{name}-{at}", video=f"{name}.mp4", groups=dict(item.groups) | groups)
            for at, item in enumerate(items)
        ),
    )


def _with_needles(world: World, rng: random.Random) -> tuple[World, dict[str, int], str]:
    """Fly a banner at every depth; return their words with the depths, and a colour of which there is none."""
    colours = rng.sample(THING_COLOURS, len(DEPTHS) + 1)
    codes = rng.sample(words(world.setting.split, "codes"), len(DEPTHS))
    for depth, colour, code in zip(DEPTHS, colours, codes, strict=False):
        world = with_banner(world, world.setting.duration * depth / 100, code, colour)
    return world, dict(zip(codes, DEPTHS, strict=True)), colours[-1]


def _needles(world: World, depths: dict[str, int], unseen: str, rng: random.Random) -> Iterator[Item]:
    for question in every(world, "needle"):
        if "-needle_word-" in question.id:
            groups = {"task": "needle", "depth": f"{depths[question.answer]:02d} %"}
            yield _item(question, groups, last=NOT_SHOWN)
    colour = Tongue("en", world.actors).plain("colours", unseen)
    options = (*rng.sample(list(depths), 4), NOT_SHOWN)
    text = f"For a moment a {colour} banner appears. Which word is on it?"
    yield Item("", "", text, options, len(options) - 1, groups={"task": "unseen"})


def _small(world: World, rng: random.Random) -> Iterator[Item]:
    small = {scene.span for scene in world.scenes if _readable(scene) and _height(scene) < SMALL}
    found = [one for one in every(world, "text") if "-text_sign-" in one.id and one.evidence[0] in small]
    for question in _drawn(found, rng):
        yield _item(question, {"task": "small text"})


def _with_conflicts(world: World, rng: random.Random) -> tuple[World, list[Item]]:
    """Let a voice say another word than a sign shows; what is asked for is what is shown."""
    shown = {scene.span: scene for scene in world.scenes if _readable(scene) and _height(scene) >= SMALL}
    silent = [span for span in shown if not any(line.span.overlaps(span) for line in world.lines)]
    asked = [one for one in every(world, "text") if "-text_sign-" in one.id and one.evidence[0] in silent]
    items = list[Item]()
    for question in _drawn(asked, rng):
        said = rng.choice([option for option in question.options if option != question.answer])
        world = with_line(world, shown[question.evidence[0]], f"The sign says {said}.")
        items.append(_item(question, {"task": "conflict"}))
    return world, items


def _readable(scene: Scene) -> bool:
    """Tell whether a scene has a sign in Latin letters: what is tested here is not how many scripts are known."""
    letters = [one for one in scene.sign.text if one.isalpha()] if scene.sign else []
    return bool(letters) and all(unicodedata.name(one).startswith("LATIN") for one in letters)


def _height(scene: Scene) -> float:
    return scene.sign.height if scene.sign else 0.0


def _some(world: World, kind: str, rng: random.Random) -> Iterator[Item]:
    for question in _drawn([one for one in every(world, kind) if one.options], rng):
        yield _item(question, {"task": kind})


def _drawn(questions: Sequence[Question], rng: random.Random) -> list[Question]:
    return rng.sample(list(questions), min(EACH, len(questions)))


def _item(question: Question, groups: dict[str, str], *, last: str | None = None) -> Item:
    options = question.options if last is None else (*question.options, last)
    evidence: tuple[Span, ...] = question.evidence
    return Item("", "", question.text, options, question.correct, evidence=evidence, groups=groups)


def _clock(length_s: Fraction) -> str:
    if length_s % 3600 == 0:
        return f"{length_s // 3600} h"
    return f"{length_s // 60} min" if length_s % 60 == 0 else f"{float(length_s):g} s"
