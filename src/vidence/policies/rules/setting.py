"""Clues about the setting: day or night, indoors or outdoors, the weather. Light, colour and the things about tell it.

A coarse reading, weighed as one: it knows a blue sky from a grey one and white ground from green, not sleet from rain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vidence.mcr.belief import Clue
from vidence.mcr.concepts import mentions
from vidence.mcr.situation import Situation
from vidence.policies.rules.options import concepts_of, contrast
from vidence.policies.rules.tracks import in_window
from vidence.senses.observation import Observation

_STRENGTH = 2.0
_SKY, _GROUND = slice(0, 3), slice(6, 9)  # of the nine cells, rows from the top
_OPEN_AIR = {
    "car", "bus", "truck", "train", "boat", "airplane", "traffic light", "stop sign", "bench", "horse", "sheep", "cow",
    "elephant", "bear", "zebra", "giraffe", "skis", "snowboard", "surfboard", "kite", "bicycle", "motorcycle",
}  # fmt: skip
_ROOM = {
    "couch", "bed", "tv", "toilet", "oven", "microwave", "refrigerator", "sink", "laptop", "keyboard", "dining table",
    "mouse", "book", "vase", "toaster",
}  # fmt: skip


def setting_clues(situation: Situation, options: Sequence[str]) -> list[Clue]:
    """Weigh options that name a setting; or a plain yes and no, where the question names one."""
    language = situation.question.language
    named = [names[:1] for names in concepts_of(options, "settings", language)]
    plain = [option.lower().strip(" .") for option in options]
    stretches = [
        o for o in situation.observations("colour")
        if "regions" in o.data and in_window(o, situation.question.windows)
    ]  # fmt: skip
    if not stretches:
        return []
    scores: list[float | None]
    asked = [] if situation.question.things else mentions(situation.question.text, "settings", language)
    if asked and {"yes", "no"} <= set(plain):
        share = setting_score(asked[0].concept, stretches, situation.observations("objects"))
        named = [[asked[0].concept]] * len(options)
        scores = [share if p == "yes" else 1 - share if p == "no" else None for p in plain]
    elif sum(bool(n) for n in named) >= 2:
        things = situation.observations("objects")
        scores = [setting_score(names[0], stretches, things) if names else None for names in named]
    else:
        return []
    cited = (situation.cite(max(stretches, key=lambda o: o.span.duration)),)
    why = [f"light and colour: {' '.join(names) or 'another setting'}" for names in named]
    return contrast(scores, _STRENGTH, "setting", why, [cited] * len(options))


def setting_score(name: str, stretches: Sequence[Observation], things: Sequence[Observation]) -> float:
    """Score a setting, 0 to 1, over stretches of colour by their length, and over the things seen there.

    `name` is "day", "night", "indoors", "outdoors", "clear", "cloudy", "rain", "fog" or "snow".
    """
    whole = sum(float(o.span.duration) for o in stretches) or 1.0
    seen = sum(_SEEN[name](o) * float(o.span.duration) for o in stretches) / whole
    if name not in ("indoors", "outdoors"):
        return seen
    about = [o for o in things if o.confidence >= 0.5]
    out, room = (sum(o.text in names for o in about) for names in (_OPEN_AIR, _ROOM))
    told = (1 + (out if name == "outdoors" else room)) / (2 + out + room)
    return (seen + told) / 2


def _cells(o: Observation, rows: slice, names: Sequence[str]) -> float:
    cells = [name for row in o.data["regions"] for name in row][rows]
    return sum(name in names for name in cells) / max(len(cells), 1)


def _share(o: Observation, names: Sequence[str]) -> float:
    return sum(float(share) for name, share in o.data["colours"] if name in names)


def _ramp(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)


def _day(o: Observation) -> float:
    return _ramp(float(o.data["brightness"]), 0.25, 0.5) * (1 - _ramp(_share(o, ["black"]), 0.5, 0.9))


def _blue_sky(o: Observation) -> float:
    return _day(o) * _cells(o, _SKY, ["blue", "cyan"])


def _pale_sky(o: Observation) -> float:
    return _day(o) * _cells(o, _SKY, ["grey", "white"])


def _open_air(o: Observation) -> float:
    return max(_blue_sky(o), _ramp(_share(o, ["green"]), 0.1, 0.4), 0.4 * _pale_sky(o))


def _white_ground(o: Observation) -> float:
    return _day(o) * _cells(o, _GROUND, ["white"])


def _pallor(o: Observation) -> float:
    """Say how far nothing is dark and nothing has colour, as in fog."""
    return (1 - _ramp(float(o.data["saturation"]), 0.03, 0.12)) * (1 - _ramp(_share(o, ["black"]), 0.0, 0.08))


_SEEN: dict[str, Callable[[Observation], float]] = {
    "day": _day,
    "night": lambda o: 1 - _day(o),
    "outdoors": _open_air,
    "indoors": lambda o: 1 - _open_air(o),
    "clear": lambda o: (0.3 * _day(o) + 0.7 * _blue_sky(o)) * (1 - 0.6 * _white_ground(o)),
    "cloudy": lambda o: 0.7 * _pale_sky(o),
    "rain": lambda o: 0.5 * _pale_sky(o) * (1 - _ramp(float(o.data["brightness"]), 0.45, 0.65)),
    "fog": lambda o: 0.8 * _day(o) * _pallor(o),
    "snow": _white_ground,
}
