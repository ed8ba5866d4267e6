"""Subtitles as speech: what somebody already wrote down, with times, is better than what we would hear."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidence.timeline import Instant, Span, total

if TYPE_CHECKING:
    from vidence.media import Cue, Media

_MARKUP = re.compile(r"<[^>]*>|\{\\[^}]*\}")
_SPACES = re.compile(r"\s+")
# ISO 639-2 codes, as Matroska and MP4 write them, whose first two letters are not the ISO 639-1 code
_TWO_LETTERS = {
    "spa": "es", "ger": "de", "deu": "de", "por": "pt", "pol": "pl", "chi": "zh", "zho": "zh", "jpn": "ja",
    "tur": "tr", "swe": "sv", "dut": "nl", "nld": "nl", "gre": "el", "ell": "el", "cze": "cs", "ces": "cs",
    "rum": "ro", "ron": "ro", "ukr": "uk", "ind": "id", "fil": "tl", "per": "fa", "fas": "fa", "und": "",
    "dan": "da", "kor": "ko", "slo": "sk", "slk": "sk", "slv": "sl", "srp": "sr", "est": "et", "cat": "ca",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One subtitle as it is read: markup removed, lines joined."""

    span: Span
    text: str
    language: str


def lines(media: Media, language: str) -> list[Line]:
    """Return the subtitles of one track: that of the language asked for, else the one that says most."""
    tracks: dict[tuple[str, str], list[Cue]] = {}
    for cue in media.cues():
        tracks.setdefault((cue.language, cue.source), []).append(cue)
    if not tracks:
        return []

    def rank(track: tuple[str, str]) -> tuple[bool, int]:
        return two_letters(track[0]) == language, sum(len(cue.text) for cue in tracks[track])

    chosen = tracks[max(tracks, key=rank)]
    bounds = media.info.span  # the last subtitle often outlasts the picture
    read = [Line(cue.span.clipped(bounds), plain(cue.text), two_letters(cue.language)) for cue in chosen]
    return sorted((line for line in read if line.text), key=lambda line: line.span)


def two_letters(code: str) -> str:
    """Return the ISO 639-1 code of a language as containers name it ("eng", "pt-BR"), "" for none."""
    plain_code = code.replace("_", "-").split("-")[0].lower()
    return _TWO_LETTERS.get(plain_code, plain_code[:2])


def plain(text: str) -> str:
    """Remove markup and join the lines of one subtitle."""
    return _SPACES.sub(" ", _MARKUP.sub("", text).replace("\\N", " ")).strip()


def starting_in(read: Sequence[Line], start: Instant, end: Instant) -> list[Line]:
    """Return the lines that start in [start, end): each belongs to one segment only."""
    return [line for line in read if start <= line.span.start < end]


def covered(span: Span, read: Sequence[Line]) -> float:
    """Return the share of `span` during which a line is shown, 0 to 1."""
    shown = [shared for line in read if (shared := line.span.intersection(span))]
    return float(total(shown) / span.duration) if span.duration else 0.0
