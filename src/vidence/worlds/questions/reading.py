"""Text and needle: what is written, and what shows for a moment only."""

from __future__ import annotations

from collections.abc import Iterator

from vidence.worlds.cast import THING_COLOURS
from vidence.worlds.lexicon import table
from vidence.worlds.question import Question
from vidence.worlds.questions.asker import Asker
from vidence.worlds.questions.facts import Facts
from vidence.worlds.questions.wrong import other_places
from vidence.worlds.special import words

READ = ("frames", "text")


def text(facts: Facts, asker: Asker) -> Iterator[Question]:
    """Ask what a sign or a name's bubble says, and where a word stands."""
    world, tongue = facts.world, asker.tongue
    split = world.setting.split
    signs = [scene.sign.text for scene in facts.scenes if scene.sign]
    for scene in facts.scenes:
        if scene.sign is None:
            continue
        alike = table("words")[split]["signs"][scene.sign.language]
        scope = "" if len(signs) == 1 else asker.only(facts, scene.index)
        if scope is not None:
            yield from asker.made(
                "text_sign", scene.sign.text, [one for one in alike if one != scene.sign.text], str, [scene.span],
                scope=scope, needs=READ,
            )  # fmt: skip
        if world.setting.level and signs.count(scene.sign.text) == 1:
            yield from asker.made(
                "text_where", scene.place, other_places(facts, scene.index), tongue.where, [scene.span], needs=READ,
                n=scene.sign.text,
            )  # fmt: skip
    for event in world.events:
        if event.verb == "greet" and any(
            overlay.text for overlay in facts.scenes[event.scene].overlays if overlay.kind == "speech"
        ):
            women = event.subject.noun in ("woman", "girl")
            names = [name for name in words(split, "women" if women else "men") if name != event.value]
            yield from asker.made(
                "text_name", event.value, names, str, [event.span], needs=READ, a=tongue.name(event.subject)
            )


def needle(facts: Facts, asker: Asker) -> Iterator[Question]:
    """Ask for the word, the colour and the place of a banner."""
    world, tongue = facts.world, asker.tongue
    for event in world.events:
        if event.verb != "flag":
            continue
        scene = facts.scenes[event.scene]
        colour = event.subject.colour
        codes = [code for code in words(world.setting.split, "codes") if code != event.value]
        yield from asker.made(
            "needle_word",
            event.value,
            codes,
            str,
            [event.span],
            needs=READ,
            v=tongue.plain("colours", colour),
        )
        colours = [one for one in THING_COLOURS if one != colour]
        yield from asker.made(
            "needle_colour", colour, colours, lambda one: tongue.plain("colours", one), [event.span], needs=READ,
            n=event.value,
        )  # fmt: skip
        yield from asker.made(
            "needle_where", scene.place, other_places(facts, event.scene), tongue.where, [event.span], needs=READ,
            n=event.value,
        )  # fmt: skip
