"""What is known of a place beforehand: zones and lines in shares of the picture, and what counts as what there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from vidence.apps.fields import Fields, read_text, read_yaml
from vidence.errors import UsageError
from vidence.senses.objects.coco import LABELS

Way = Literal["left", "right", "up", "down"]
WAYS: tuple[Way, ...] = ("left", "right", "up", "down")
PERSON = "person"
VEHICLES = ("bicycle", "car", "motorcycle", "bus", "truck", "train", "boat")
ANIMALS = ("bird", "cat", "dog", "horse", "sheep", "cow")
THING = "moving thing"  # what moves and no detector names
LOITER_S, LEFT_S, LEAST = 60.0, 5.0, 0.5

Point = tuple[float, float]
"""x, y as shares of the picture's width and height, from the upper left."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of the ground. Its limits are off where they are 0 or None; `kinds` empty means all."""

    name: str
    points: tuple[Point, ...]
    kinds: tuple[str, ...] = ()
    closed: bool = False  # nobody shall be in it
    loiter_s: float = LOITER_S
    crowd: int = 0  # so many at once are a crowd
    flow: Way | None = None  # the way that things move there

    def holds(self, point: Point) -> bool:
        """Say whether a point lies within (even-odd rule)."""
        x, y = point
        inside = False
        for (x0, y0), (x1, y1) in zip(self.points, (*self.points[1:], self.points[0]), strict=True):
            if (y0 > y) != (y1 > y) and x < (x1 - x0) * (y - y0) / (y1 - y0) + x0:
                inside = not inside
        return inside


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is crossed, from `start` to `end`; `allowed` is the one way in which it may be."""

    name: str
    start: Point
    end: Point
    kinds: tuple[str, ...] = ()
    allowed: Way | None = None

    @property
    def ways(self) -> tuple[Way, Way]:
        """The two ways over it, in the picture: left and right over an upright line, else up and down."""
        upright = abs(self.end[1] - self.start[1]) >= abs(self.end[0] - self.start[0])
        return ("left", "right") if upright else ("up", "down")

    def crossed(self, before: Point, after: Point) -> tuple[float, Way] | None:
        """Return how far on the way (0 to 1) a step crosses it, and which way; None where it does not."""
        (ax, ay), (bx, by), (px, py), (qx, qy) = self.start, self.end, before, after
        rx, ry, sx, sy = qx - px, qy - py, bx - ax, by - ay
        cross = rx * sy - ry * sx
        if abs(cross) < 1e-12:
            return None
        t = ((ax - px) * sy - (ay - py) * sx) / cross
        u = ((ax - px) * ry - (ay - py) * rx) / cross
        if not (0 <= t < 1 and 0 <= u <= 1):
            return None
        # The way is that across the line: to the right of an upright one, or down over a level one, is positive.
        first, second = self.ways
        nx, ny = (sy, -sx) if first == "left" else (-sy, sx)
        points_on = nx > 0 if first == "left" else ny > 0
        return t, second if (rx * nx + ry * ny > 0) == points_on else first


WHOLE = Zone("picture", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))


@dataclass(frozen=True, slots=True)
class Scene:
    """What to watch for. `also` says as what other names count here ({"cell phone": "car"} seen from above).

    `movers` is what a moving thing that no detector names counts as; "ignore" leaves such out.
    """

    name: str = "scene"
    kinds: tuple[str, ...] = (PERSON, *VEHICLES, *ANIMALS)
    also: Mapping[str, str] = field(default_factory=dict)
    movers: str = THING
    anchor: Literal["foot", "centre"] = "foot"  # which point of a thing is where it stands
    zones: tuple[Zone, ...] = ()
    lines: tuple[Line, ...] = ()
    left_s: float = LEFT_S  # a thing put down for so long is left
    least: float = LEAST  # confidence of what is followed

    @property
    def places(self) -> tuple[Zone, ...]:
        """Its zones, or the whole picture where none are drawn."""
        return self.zones or (WHOLE,)


FIELDS = ("scene", "kinds", "also", "movers", "anchor", "zones", "lines", "left_s", "least")
ZONE_FIELDS = ("name", "points", "kinds", "closed", "loiter_s", "crowd", "flow")
LINE_FIELDS = ("name", "from", "to", "kinds", "allowed")


def open_scene(path: str | Path) -> Scene:
    """Read a scene from a YAML or JSON file.

    Raises:
        UsageError: there is none, or a field is wrong; file, zone or line, and field are named.
    """
    place = Path(path)
    if not place.is_file():
        raise UsageError(f"there is no scene file {place}; docs/watch.md tells how one is written")
    return read_scene(read_text(place), str(place))


def read_scene(text: str, file: str) -> Scene:
    """Read a scene; `file` names it in errors.

    Raises:
        UsageError: a field is wrong.
    """
    given = read_yaml(text, file, f"a scene is a mapping with the fields {', '.join(FIELDS)}")
    reader = Fields(file)
    reader.known(given, FIELDS)
    also = given.get("also", {})
    if not isinstance(also, dict) or any(not isinstance(v, str) for v in also.values()):
        reader.say("also", f"{also!r} is no mapping of a detector's name to what it counts as here")
        also = {}
    for name in also:
        if name not in LABELS:
            reader.say("also", f"{name!r} is no name that a detector gives; they are those of COCO")
    kinds = reader.texts(given, "kinds", {*LABELS, *also.values(), THING}) or Scene().kinds
    movers = reader.among(given, "movers", (*LABELS, THING, "ignore"), THING)
    anchor = reader.among(given, "anchor", ("foot", "centre"), "foot")
    zones = [_zone(reader, entry, number) for number, entry in _entries(reader, given, "zones")]
    lines = [_line(reader, entry, number) for number, entry in _entries(reader, given, "lines")]
    reader.where = ""
    names = [one.name for one in (*zones, *lines)]
    for twice in sorted({name for name in names if name and names.count(name) > 1}):
        reader.say("name", f"two zones or lines are called {twice!r}")
    scene = Scene(
        reader.text(given, "scene", place_name(file)), tuple(dict.fromkeys((*kinds, *also.values()))), also, movers,
        cast(Any, anchor), tuple(zones), tuple(lines),
        reader.number(given, "left_s", LEFT_S, 0, 86400), reader.number(given, "least", LEAST, 0, 1),
    )  # fmt: skip
    reader.finish()
    return scene


def place_name(file: str) -> str:
    """Name a scene after its file."""
    return Path(file).stem


def _entries(reader: Fields, given: Mapping[str, Any], name: str) -> list[tuple[int, dict[str, Any]]]:
    entries = given.get(name, [])
    if not isinstance(entries, list) or any(not isinstance(entry, dict) for entry in entries):
        reader.say(name, f"is no list of {name} with their fields")
        return []
    return list(enumerate(entries, 1))


def _zone(reader: Fields, given: Mapping[str, Any], number: int) -> Zone:
    reader.where = f"zone {given.get('name', number)!r}"
    reader.known(given, ZONE_FIELDS)
    points = _points(reader, given.get("points"), "points")
    if len(points) < 3:
        reader.say("points", "are too few: a zone has at least three corners")
    flow = None if given.get("flow") is None else reader.among(given, "flow", WAYS, None)
    if given.get("closed", False) not in (True, False):
        reader.say("closed", f"{given['closed']!r} is neither true nor false")
    return Zone(
        reader.text(given, "name", None), points, reader.texts(given, "kinds"), given.get("closed") is True,
        reader.number(given, "loiter_s", LOITER_S, 0, 86400), int(reader.number(given, "crowd", 0, 0, 10000)),
        cast(Any, flow),
    )  # fmt: skip


def _line(reader: Fields, given: Mapping[str, Any], number: int) -> Line:
    reader.where = f"line {given.get('name', number)!r}"
    reader.known(given, LINE_FIELDS)
    ends = [_points(reader, [given.get(name)], name) for name in ("from", "to")]
    start, end = (one[0] if one else (0.0, 0.0) for one in ends)
    if all(ends) and start == end:
        reader.say("to", "is the same point as from")
    line = Line(reader.text(given, "name", None), start, end, reader.texts(given, "kinds"))
    if given.get("allowed") is None or start == end:
        return line
    allowed = reader.among(given, "allowed", line.ways, None)
    return Line(line.name, start, end, line.kinds, cast(Any, allowed))


def _points(reader: Fields, given: Any, field: str) -> tuple[Point, ...]:
    if not isinstance(given, Sequence) or isinstance(given, str):
        reader.say(field, f"{given!r} is no list of points [x, y]")
        return ()
    points = []
    for point in given:
        fits = isinstance(point, list) and len(point) == 2 and all(
            isinstance(side, int | float) and not isinstance(side, bool) and 0 <= side <= 1 for side in point
        )  # fmt: skip
        if not fits:
            reader.say(field, f"{point!r} is no point [x, y] in shares of the picture, from 0 to 1")
            continue
        points.append((float(point[0]), float(point[1])))
    return tuple(points)
