"""What an application's page shows: key numbers, lanes and cards of findings, sections of its own, coverage, cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vidence.apps.finding import SEVERITIES, Finding
from vidence.apps.report.clips import CLIPS, PICTURES, Draw, clip_of, picture_of
from vidence.apps.report.sections import Figure, Section
from vidence.exports.report import thumbnails
from vidence.exports.report.lanes import Lane, Mark, stack, thin
from vidence.exports.report.thumbnails import Thumbnail
from vidence.senses.observation import Box
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from vidence.apps.result import Result
    from vidence.mcr.budget import Receipt
    from vidence.media import Media, MediaInfo
    from vidence.media.frame import Image
    from vidence.memory import Coverage

MOST_CARDS = 400  # findings drawn as cards, the gravest of them; all are in the JSON


@dataclass(frozen=True, slots=True)
class Card:
    """A finding with its picture and clip; `veiled` ones are shown blurred until somebody asks."""

    finding: Finding
    picture: str | None = None
    clip: str | None = None
    veiled: bool = False
    tags: tuple[str, ...] = ()  # short facts shown on the card


@dataclass(frozen=True, slots=True)
class AppPage:
    """Everything that the template needs."""

    app: str  # "Moderation", as the page's heading says it
    name: str
    info: MediaInfo
    hash: str
    figures: tuple[Figure, ...]
    lanes: tuple[Lane, ...]
    cards: tuple[Card, ...]
    sections: tuple[Section, ...]
    strip: tuple[Thumbnail, ...]
    coverage: Coverage
    receipt: Receipt
    limits: tuple[str, ...]
    problems: tuple[str, ...] = ()
    summary: str = ""
    noun: str = "findings"
    veiled: bool = False
    left_out: int = 0  # findings beyond MOST_CARDS
    lead: tuple[Section, ...] = ()  # sections that stand before the findings

    @property
    def kinds(self) -> dict[str, int]:
        """How many cards there are of each kind."""
        counts: dict[str, int] = {}
        for card in self.cards:
            counts[card.finding.kind] = counts.get(card.finding.kind, 0) + 1
        return counts

    @property
    def severities(self) -> dict[str, int]:
        """How many cards there are of each severity, the gravest first."""
        found = [card.finding.severity for card in self.cards]
        return {severity: found.count(severity) for severity in reversed(SEVERITIES) if severity in found}


def gather(
    media: Media,
    result: Result,
    app: str,
    *,
    figures: Sequence[Figure] = (),
    sections: Sequence[Section] = (),
    lead: Sequence[Section] = (),
    summary: str = "",
    noun: str = "findings",
    lanes: Sequence[Lane] | None = None,
    cards: Sequence[Finding] | None = None,
    tags: dict[str, Sequence[str]] | None = None,
    veil: bool = False,
    clips: int = CLIPS,
    draw: Draw | None = None,
) -> AppPage:
    """Collect a page; opens the file for pictures and clips alone.

    `lead` are sections that stand before the findings; `lanes` replaces one lane a kind of finding; `cards` are the
    findings drawn as cards (default: all); `tags` gives facts by a finding's id; `veil` blurs their pictures and clips
    until somebody asks; `clips` bounds their number; `draw` changes every picture before it is shown (it blurs faces).
    """
    chosen = list(result.findings if cards is None else cards)
    gravest = sorted(chosen, key=lambda f: (-SEVERITIES.index(f.severity), -f.confidence))
    kept = {id(finding) for finding in gravest[:MOST_CARDS]}
    rank = {id(finding): place for place, finding in enumerate(gravest)}
    seen = media.info.video is not None
    made = tuple(
        Card(
            finding,
            picture_of(media, finding, draw) if seen and rank[id(finding)] < PICTURES else None,
            clip_of(media, finding, draw) if rank[id(finding)] < clips and finding.span.duration else None,
            veil and seen,
            tuple((tags or {}).get(finding.id, ())),
        )
        for finding in chosen
        if id(finding) in kept
    )
    whole = media.info.span
    return AppPage(
        app=app,
        name=Path(media.path).name,
        info=media.info,
        hash=media.hash,
        figures=tuple(figures),
        lanes=tuple(lanes_of(result.findings, whole) if lanes is None else lanes),
        cards=made,
        sections=tuple(sections),
        lead=tuple(lead),
        strip=tuple(thumbnails.strip(media, _veiling(chosen) if veil else draw)) if seen else (),
        coverage=result.coverage,
        receipt=result.receipt,
        limits=tuple(result.limits),
        problems=tuple(media.problems),
        summary=summary,
        noun=noun,
        veiled=veil,
        left_out=len(chosen) - len(made),
    )


def _veiling(findings: Sequence[Finding]) -> Draw:
    """Return what blurs the pictures of the strip that show a finding: they have no veil to lift."""
    from vidence.apps.redact import blurred

    def draw(image: Image, time: Instant) -> Image:
        return blurred(image, [Box(0, 0, 1, 1)]) if any(time in one.span for one in findings) else image

    return draw


def lanes_of(findings: Sequence[Finding], whole: Span) -> list[Lane]:
    """Make one lane a kind of finding, in the order in which kinds first appear."""
    kinds: dict[str, list[Finding]] = {}
    for finding in findings:
        kinds.setdefault(finding.kind, []).append(finding)
    return [
        finding_lane(kind, kind.replace("-", " ").replace("_", " "), found, whole)
        for kind, found in kinds.items()
    ]


def finding_lane(name: str, title: str, findings: Sequence[Finding], whole: Span) -> Lane:
    """Make a lane of findings; `name` chooses its colour where the style knows it."""
    marks = [Mark(one.span, one.title, confidence=one.confidence) for one in findings]
    return Lane(name, title, tuple(stack(thin(marks, whole))), len(marks))
