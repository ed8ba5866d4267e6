"""Fall-like motion: one that stood upright lies, all at once. The shape of the box tells it: like a fall, no more."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from statistics import median
from typing import TYPE_CHECKING

from vidence.apps.finding import Path
from vidence.apps.watch.happening import Happening
from vidence.apps.watch.place import Opened, check_shape
from vidence.apps.watch.scene import PERSON, THING
from vidence.apps.watch.subjects import Subject
from vidence.mcr.evidence import Verdict
from vidence.senses.observation import Box
from vidence.senses.sense import VisualSense
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from vidence.apps.checking import Checker

UPRIGHT, LYING = 1.35, 0.95  # height by width, in pixels
BEFORE_S, AFTER_S = 1.5, 1.5
SUDDEN_S = 2.0  # from upright to lying
LOW = 0.15  # of its height that the middle comes down
EDGE = 0.01
CLOSER_HZ = 8.0


def falls(subjects: Sequence[Subject], aspect: float) -> list[Happening]:
    """Return what looks like a fall; `aspect` is the picture's width by its height."""
    found = []
    for one in subjects:
        if one.kind not in (PERSON, THING):
            continue
        for start, end in fallen(one.path, aspect):
            why = f"{one.id} is upright at {float(start):.1f} s and lies at {float(end):.1f} s"
            data = {"subjects": [one.id]}
            sure = one.confidence * (0.8 if one.kind == PERSON else 0.6)
            found.append(
                Happening(
                    "fall-like", f"{one.id} falls, it seems", Span(start, end), sure, why, (one,), (), data
                )
            )
    return found


def fallen(path: Path, aspect: float) -> list[tuple[Instant, Instant]]:
    """Return (upright, lying) for each time the shape of a path turns from one to the other and stays so."""
    shapes = [(time, box, box.h / max(box.w * aspect, 1e-6)) for time, box in path if not _cut(box)]
    found: list[tuple[Instant, Instant]] = []
    for at, (time, box, shape) in enumerate(shapes):
        if shape > LYING or (found and float(time - found[-1][1]) < 3):
            continue
        before = [s for s in shapes[:at] if 0 < float(time - s[0]) <= SUDDEN_S + BEFORE_S]
        after = [s for s in shapes[at:] if float(s[0] - time) <= AFTER_S]
        upright = [s for s in before if s[2] >= UPRIGHT]
        if len(upright) < 2 or len(after) < 2 or float(after[-1][0] - time) < 0.75:
            continue
        last = upright[-1]
        sudden = float(time - last[0]) <= SUDDEN_S
        stays = median(s[2] for s in after) <= LYING
        lower = box.centre[1] - median(s[1].centre[1] for s in upright) >= LOW * median(
            s[1].h for s in upright
        )
        if sudden and stays and lower:
            found.append((last[0], time))
    return found


def check_fall(event: Happening, check: Checker, aspect: float) -> Opened | None:
    """Look at a fall again, closer: the same must be seen. None where nothing can look, or the budget is spent."""
    sense = check.actions.senses.get("objects")
    if event.unnamed or not isinstance(sense, VisualSense):
        return check_shape(event, check, UPRIGHT, LYING, aspect)
    if (check.situation.meter.exhausted() or "step limit") != "step limit":
        return None
    span = event.span.padded(Fraction(3)).clipped(check.situation.whole)
    again = [o for o in check.actions.watch([sense], span, CLOSER_HZ, 1.5) if o.track and o.text == PERSON]
    check.situation.meter.actions["verify"] += 1
    seen = any(
        end >= event.span.start - 1 and start <= event.span.end + 1
        for o in again
        for start, end in fallen(o.track, aspect)
    )
    how = f"looked at {span} again, {CLOSER_HZ:g} times a second: {'the same shape' if seen else 'no such turn'}"
    return Verdict("supported" if seen else "unsupported", 0.8 if seen else 0.0, how), None


def _cut(box: Box) -> bool:
    """Say whether a box touches the edge of the picture: its shape tells nothing then."""
    return box.x <= EDGE or box.y <= EDGE or box.x + box.w >= 1 - EDGE or box.y + box.h >= 1 - EDGE
