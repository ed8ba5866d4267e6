"""Whether claims are found where they cite: a judge sees their words and the cited spans, and nothing else.

It knows neither question nor options, neither reasoning nor verdict. The control shows it as long a span from
elsewhere: what it supports there, it supports by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

from vidence.mcr.gate import MAX_CHECKS
from vidence.timeline import Span, subtract

if TYPE_CHECKING:
    from vidence.mcr.answer import Answer
    from vidence.mcr.evidence import Claim, Evidence
    from vidence.video import Video


@dataclass(frozen=True, slots=True)
class Piece:
    """What is put before a judge: a cited piece of evidence, the span that is opened, and what its sense gave there.

    `span` is the cited one, or in the control another.
    """

    evidence: Evidence
    span: Span
    quote: str


class Judge(Protocol):
    """Says whether a claim is found in what is put before it."""

    @property
    def name(self) -> str:
        """What it is called in manifests."""
        ...

    def finds(self, claim: str, pieces: Sequence[Piece], video: Video) -> bool | None:
        """Tell whether any of the pieces shows the claim to be true; None where they cannot be looked at."""
        ...


def judged(answer: Answer, video: Video, judge: Judge) -> list[dict[str, Any]]:
    """Judge each claim of an answer by what it cites, and by spans from elsewhere."""
    return [{"claim": claim.text, **_judged(claim, video, judge)} for claim in answer.claims]


def elsewhere(span: Span, whole: Span, taken: Sequence[Span], draw: Random) -> Span | None:
    """Draw a span as long as another, of which no part is taken; None where there is no room for it."""
    gaps = subtract(whole, list(taken))
    rooms = [(gap.start, gap.duration - span.duration) for gap in gaps if gap.duration > span.duration]
    if not rooms:
        return None
    at = sum((room for _, room in rooms), Fraction(0)) * Fraction(draw.random())
    for start, room in rooms:
        if at <= room:
            return Span(start + at, start + at + span.duration)
        at -= room
    return None


def _judged(claim: Claim, video: Video, judge: Judge) -> dict[str, bool | None]:
    cited = claim.evidence[:MAX_CHECKS]
    if not cited:
        return {"found": False, "elsewhere": None}  # what cites nothing is found nowhere
    here = [Piece(one, one.span, one.quote) for one in cited]
    there = _moved(claim, cited, video)
    return {
        "found": judge.finds(claim.text, here, video),
        "elsewhere": judge.finds(claim.text, there, video) if there else None,
    }


def _moved(claim: Claim, cited: Sequence[Evidence], video: Video) -> list[Piece]:
    """Move all pieces of a claim elsewhere, the same way in every run; none where one of them fits nowhere else."""
    whole, taken = video.media.info.span, [one.span for one in claim.evidence]
    draw = Random(f"{video.media.hash} {claim.text}")
    moved = list[Piece]()
    for one in cited:
        span = elsewhere(one.span, whole, taken, draw)
        if span is None:
            return []
        moved.append(Piece(one, span, _perceived(one.sense, span, video)))
    return moved


def _perceived(sense: str, span: Span, video: Video) -> str:
    return " ".join(one.text for one in video.observations(sense) if one.text and one.span.overlaps(span))
