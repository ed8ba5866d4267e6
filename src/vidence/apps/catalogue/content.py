"""Who and what is in a shot, and what is heard in it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from vidence.apps.catalogue.trait import Trait
from vidence.senses.observation import Observation
from vidence.timeline import Instant, Span, total

LEAST_THING = 0.5
LEAST_LOOK = 0.6
MOST_THINGS = 8
PERSON = 0.4  # from which a person or face counts in the number of people
CROWD = 6


def people_of(shot: Span, seen: Sequence[Observation], *, looked: bool) -> list[Trait]:
    """Tell how many people are seen at once; `looked` says that somebody looked for people at all."""
    bodies = [o for o in seen if o.sense == "objects" and o.text == "person" and o.confidence >= PERSON]
    faces = [o for o in seen if o.sense == "faces" and o.confidence >= PERSON]
    found = max((bodies, faces), key=lambda group: _at_once(group, shot))
    count = _at_once(found, shot)
    if not count:
        return [Trait("people", "nobody", 0.6, "no person or face was detected")] if looked else []
    best = max(found, key=lambda o: o.confidence)
    name = "one" if count == 1 else "two" if count == 2 else "group" if count < CROWD else "crowd"
    return [Trait("people", name, best.confidence, f"{count} at once", best)]


def things_of(shot: Span, seen: Sequence[Observation]) -> list[Trait]:
    """Name what is seen: things that were detected, then what the picture looks like."""
    best: dict[str, Trait] = {}
    for o in seen:
        if o.sense == "objects" and o.text != "person" and o.confidence >= LEAST_THING:
            if o.text not in best or best[o.text].confidence < o.confidence:
                best[o.text] = Trait("thing", o.text, o.confidence, "detected", o)
        elif o.sense == "looks" and (inside := o.span.intersection(shot)) is not None:
            part = float(inside.duration / min(shot.duration, o.span.duration)) if inside.duration else 0.0
            for name, chance in (*o.data.get("kinds", ()), *o.data.get("classes", ())):
                if chance >= LEAST_LOOK and part >= 0.5:
                    known = best.get(str(name))
                    if known is None or known.confidence < chance:
                        best[str(name)] = Trait("thing", str(name), float(chance), "looks like it", o)
    return sorted(best.values(), key=lambda one: -one.confidence)[:MOST_THINGS]


def sound_of(shot: Span, seen: Sequence[Observation], *, recorded: bool) -> list[Trait]:
    """Tell what is heard: speech, silence, how loud it is; "no sound" where none was recorded."""
    if not recorded:
        return [Trait("sound", "no sound", 1.0, "the file has no sound")]
    told = []
    speech = [o for o in seen if o.sense == "speech" and o.text]
    share = _share(speech, shot)
    if speech and share >= 0.1:
        longest = max(speech, key=lambda o: o.span.duration)
        told.append(Trait("sound", "speech", min(0.6 + share, 0.95), f"{share:.0%} of the shot", longest))
    stretches = [o for o in seen if o.sense == "sound" and o.data.get("kind") == "stretch"]
    for name in ("silence", "quiet", "loud"):
        named = [o for o in stretches if o.text == name]
        if _share(named, shot) >= 0.6:
            told.append(Trait("sound", name, 0.9, f"{named[0].data['level_db']:.0f} dBFS", named[0]))
    if not told and _share([o for o in stretches if o.text == "sound"], shot) >= 0.5:
        told.append(Trait("sound", "sound without speech", 0.6, "loud enough, and nothing was understood"))
    return told


def _at_once(found: Sequence[Observation], shot: Span) -> int:
    """Return the largest number that are there at one time, for at least a quarter of a second."""
    spans = [
        inside
        for o in found
        if (inside := o.span.intersection(shot)) is not None and inside.duration * 4 >= 1
    ]
    edges: list[tuple[Instant, int]] = sorted(
        [(s.start, 1) for s in spans] + [(s.end, -1) for s in spans], key=lambda edge: (edge[0], edge[1])
    )
    count = most = 0
    for (_, step), _ in pairwise([*edges, (shot.end, 0)]):
        count += step
        most = max(most, count)
    return most


def _share(found: Sequence[Observation], shot: Span) -> float:
    inside = [part for o in found if (part := o.span.intersection(shot)) is not None]
    return float(total(inside) / shot.duration) if shot.duration else 0.0
