"""A world's story in a few sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidence.worlds.lexicon import Tongue, table
from vidence.worlds.places import Place
from vidence.worlds.plot import Plot

if TYPE_CHECKING:
    from vidence.worlds.world import World

MOST_PLACES = 6


def synopsis_of(world: World, tongue: Tongue) -> str:
    """Tell the plots, or where there is none the beginning, the middle and the end."""
    stop = "。" if tongue.language == "zh" else ". "
    told = [tongue.sentence(story(tongue, plot, found_at(world, plot))) for plot in world.plots]
    if not told:
        events = [event for event in world.events if event.verb not in ("enter", "leave", "flag")]
        chosen = sorted({0, len(events) // 2, len(events) - 1}) if events else []
        told = [
            tongue.sentence(tongue.clause(events[at]), tongue.where(world.scenes[events[at].scene].place))
            for at in chosen
        ]
    if not told:
        told = [tongue.sentence(tongue.where(scene.place)) for scene in world.scenes[:MOST_PLACES]]
    return (stop.join(told) + stop).strip()


def story(tongue: Tongue, plot: Plot, place: Place) -> str:
    """Tell a plot in one sentence."""
    form = table("templates")["story"][tongue.language][0]
    return tongue.say(
        form,
        a=tongue.actor(plot.lead),
        t=tongue.thing(plot.thing),
        p=tongue.where(place),
        o=tongue.actor(plot.receiver),
    )


def found_at(world: World, plot: Plot) -> Place:
    """Return where a plot's thing is found."""
    return next(world.scenes[number].place for number, step in plot.scenes if step == "find")
