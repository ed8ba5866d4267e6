"""Find the things a question is about among what was followed through the picture, and describe how they moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vidence.mcr.question import Question
from vidence.mcr.situation import Situation
from vidence.senses.colour_names import likeness
from vidence.senses.observation import Box, Observation
from vidence.timeline import Span

SIDE = {
    "left": (-1.0, 0.0),
    "right": (1.0, 0.0),
    "top": (0.0, -1.0),
    "bottom": (0.0, 1.0),
    "middle": (0.0, 0.0),
}
"""Sides of the picture as directions from its middle (x to the right, y down)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A followed thing that may be meant, and how well it fits the question (0 to 1)."""

    observation: Observation
    fit: float

    @property
    def colours(self) -> dict[str, float]:
        """Colour name → share of the thing."""
        return {str(name): float(share) for name, share in self.observation.data.get("colours", ())}

    @property
    def start(self) -> Box:
        """Where it was first seen."""
        return self.observation.track[0][1]

    @property
    def end(self) -> Box:
        """Where it was last seen."""
        return self.observation.track[-1][1]

    @property
    def shift(self) -> tuple[float, float]:
        """Displacement from first to last sight, in picture widths and heights."""
        (x0, y0), (x1, y1) = self.start.centre, self.end.centre
        return x1 - x0, y1 - y0


def candidates(
    situation: Situation, *, colours: Sequence[str] | None = None, movers: bool = True
) -> list[Candidate]:
    """List the tracks that may be what the question is about, best first.

    Detected things whose label the question names come first; moving blobs stand in for what no detector knows.
    """
    question = situation.question
    wanted = question.colours if colours is None else colours
    found = [Candidate(o, o.confidence) for o in _detected(situation, question)]
    if movers:
        discount = 0.6 if found else 0.9
        blobs = [o for o in situation.observations("motion") if o.data.get("kind") == "mover" and o.track]
        found += [Candidate(o, o.confidence * discount) for o in blobs]
    fitting = [
        Candidate(c.observation, c.fit * _in_windows(c, question) * _in_colour(c, wanted)) for c in found
    ]
    return sorted((c for c in fitting if c.fit > 0.05), key=lambda c: -c.fit)


def _detected(situation: Situation, question: Question) -> list[Observation]:
    tracks = [o for o in situation.observations("objects") if o.track]
    if "person" in question.things:
        tracks += [o for o in situation.observations("faces") if o.track]
    return [
        o for o in tracks if o.text in question.things or (o.text == "face" and "person" in question.things)
    ]


def _in_windows(candidate: Candidate, question: Question) -> float:
    if not question.windows:
        return 1.0
    return 1.0 if any(candidate.observation.span.overlaps(w) for w in question.windows) else 0.15


def _in_colour(candidate: Candidate, wanted: Sequence[str]) -> float:
    """Weigh by the colours the question gives the thing; clothes are a part of a person, so a small share suffices."""
    if not wanted:
        return 1.0
    enough = 0.12 if candidate.observation.text == "person" else 0.3
    shares = list(candidate.colours.items())
    return max(0.15, min(1.0, max(likeness(colour, shares) for colour in wanted) / enough))


def in_window(observation: Observation, windows: Sequence[Span]) -> bool:
    """Say whether an observation falls in the stretches a question names (or it names none)."""
    return not windows or any(observation.span.overlaps(w) for w in windows)
