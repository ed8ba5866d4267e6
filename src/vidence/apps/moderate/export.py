"""A copy of a video in which its violations are blurred and bleeped, as each suggests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vidence.apps.finding import SEVERITIES, Finding, Severity
from vidence.apps.moderate.moderation import Moderation
from vidence.apps.redact import Cover, redact
from vidence.errors import UsageError
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.media import Media

AROUND_S = 2  # of one violation's clip


def export(
    media: Media,
    found: Moderation,
    place: Path,
    *,
    only: Sequence[str] = (),
    least: Severity = "low",
) -> int:
    """Write the copy; return how many violations were covered in it.

    Covered are those of at least the severity `least` whose action is blur, bleep, mute or review; an action of warn or
    none is left. `only` names violations by id: then the copy is the clip around them, and they are covered whatever
    their severity.

    Raises:
        UsageError: a name is none, or the copy cannot be written.
    """
    chosen = chosen_of(found, only, least)
    span = None
    if only:
        hull = Span(min(one.span.start for one in chosen), max(one.span.end for one in chosen))
        span = hull.padded(AROUND_S).clipped(media.info.span)
    covers = [cover for one in chosen for cover in covers_of(one)]
    hush = [span for one in chosen for span in hush_of(one)]
    how = "mute" if chosen and all(one.data["action"] == "mute" for one in chosen) else "bleep"
    redact(media, place, covers=covers, hush=hush, how=how, span=span)
    return len(chosen)


def chosen_of(found: Moderation, only: Sequence[str], least: Severity) -> list[Finding]:
    """Return the violations that are to be covered."""
    known = {one.id: one for one in found.violations}
    for name in only:
        if name not in known:
            raise UsageError(f"there is no violation {name!r}; there are {', '.join(known) or 'none'}")
    if only:
        return [known[name] for name in only]
    return [
        one
        for one in known.values()
        if SEVERITIES.index(one.severity) >= SEVERITIES.index(least)
        and one.data["action"] in ("blur", "bleep", "mute", "cut", "review")
    ]


def covers_of(finding: Finding) -> list[Cover]:
    """Return what of the picture to blur: the boxes of what was seen or read, else the whole picture."""
    seen = [m for m in finding.data["matches"] if m["modality"] in ("visual", "text")]
    if not seen:
        return []
    covers = [Cover(Span(path[0][0], path[-1][0]), path) for path in finding.paths]
    whole = [m for m in seen if m["sense"] in ("looks", "captions")]  # without boxes: the picture as a whole
    return covers + [Cover(Span.of(m["start_s"], m["end_s"])) for m in whole]


def hush_of(finding: Finding) -> list[Span]:
    """Return what of the sound to cover: the words that were said, or the sound itself."""
    heard = [m for m in finding.data["matches"] if m["modality"] in ("speech", "audio")]
    return [Span.of(m["start_s"], m["end_s"]) for m in heard]
