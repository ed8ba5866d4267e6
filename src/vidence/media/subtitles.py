"""Subtitles that come with a medium: text streams inside it, or else files beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from vidence.errors import MediaError
from vidence.media.demux import keep_streams, packets, reason
from vidence.media.info import MediaInfo, SubtitleStream
from vidence.media.problems import Problems
from vidence.media.source import Source, open_container
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from av.packet import Packet

_ENDINGS = (".srt", ".vtt", ".ass", ".ssa")
_LANGUAGE = re.compile(r"^[a-z]{2,3}(?:[-_][a-z0-9]{2,4})?$", re.IGNORECASE)
_ROLES = {"sdh", "cc", "hi", "sub", "subs", "forced", "full", "srt", "vtt", "ass"}
_ENCODINGS = ("utf-8-sig", "utf-16", "cp1252", "latin-1")  # tried in order; the last reads any bytes
_MOST_BYTES = 32 << 20  # a subtitle file beyond this is something else


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle: when it is shown, its plain text (lines parted by a line break), and where it comes from."""

    span: Span
    text: str
    language: str  # as the stream or file name says, "" where it does not
    source: str  # "stream 2 (mov_text)" or the file's name


def read(source: Source, info: MediaInfo, problems: Problems) -> list[Cue]:
    """Return embedded cues, or else sidecar cues, in time order; one track a language."""
    cues = _embedded(source, info, problems)
    if not cues and source.path is not None:
        cues = [
            cue for path in sidecars(source.path) for cue in _from_file(path, source.path, info, problems)
        ]
    return sorted(_one_a_language(cues), key=lambda cue: (cue.span, cue.language))


def _one_a_language(cues: list[Cue]) -> list[Cue]:
    """Keep the fullest track of each language: the others are forced signs or copies."""
    size: dict[tuple[str, str], int] = {}
    for cue in cues:
        size[cue.language, cue.source] = size.get((cue.language, cue.source), 0) + len(cue.text)
    best: dict[str, str] = {}
    for language, track in size:
        if language not in best or size[language, track] > size[language, best[language]]:
            best[language] = track
    return [cue for cue in cues if best[cue.language] == cue.source]


def _embedded(source: Source, info: MediaInfo, problems: Problems) -> list[Cue]:
    tracks = {stream.index: stream for stream in info.subtitles if stream.text_based}
    cues: list[Cue] = []
    if not tracks:
        return cues
    with open_container(source) as container:
        keep_streams(container, list(tracks))
        streams = [container.streams[index] for index in tracks]
        for packet in packets(container, streams, lambda what: problems.note(None, f"subtitles: {what}")):
            cues += _decoded(packet, tracks[packet.stream.index], problems)
    return cues


def _decoded(packet: Packet, stream: SubtitleStream, problems: Problems) -> list[Cue]:
    from av.error import FFmpegError

    if packet.pts is None:
        return []
    start = packet.pts * packet.time_base
    try:
        decoded = packet.stream.codec_context.decode2(packet)  # type: ignore[attr-defined]
    except (FFmpegError, OSError) as error:
        problems.note(start, f"subtitles: {reason(error)}")
        return []
    if not decoded:
        return []
    shown_s = Fraction(decoded.end_display_time, 1000)
    length = (packet.duration or 0) * packet.time_base or (shown_s if shown_s < 3600 else Fraction(0))
    name = f"stream {stream.index} ({stream.codec})"
    texts = [
        _plain(rect.ass.decode("utf-8", "replace")) for rect in decoded if rect.type in (b"ass", b"text")
    ]
    return [Cue(Span(start, start + length), text, stream.language, name) for text in texts if text]


def _plain(ass: str) -> str:
    """Take the words out of an ASS event: eight fields, then text with {\\codes} and \\N line breaks."""
    import pysubs2

    parts = ass.split(",", 8)
    return _tidy(pysubs2.SSAEvent(text=parts[-1]).plaintext)


def _tidy(text: str) -> str:
    lines = (" ".join(line.replace("\u200e", "").replace("\u200f", "").split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def sidecars(path: Path) -> list[Path]:
    """Find subtitle files beside a medium: same name, then optionally tags such as ".en" or ".pt-BR.forced"."""
    try:
        beside = sorted(path.parent.iterdir())
    except OSError:
        return []
    return [
        other
        for other in beside
        if other.suffix.lower() in _ENDINGS and _belongs(other.stem, path.stem) and other.is_file()
    ]


def _belongs(stem: str, medium: str) -> bool:
    """Say whether a name is the medium's own, followed by nothing but language and role tags."""
    if stem == medium:
        return True
    tags = stem.removeprefix(medium)
    return (
        stem.startswith(medium)
        and tags[0] in "._ "
        and all(tag.lower() in _ROLES or _LANGUAGE.match(tag) for tag in _tags(tags))
    )


def _tags(text: str) -> list[str]:
    return [tag for tag in re.split(r"[. _]", text) if tag]


def language_of(sidecar: Path, medium: Path) -> str:
    """Read the language out of a sidecar's name ("film.pt-BR.forced.srt": "pt-BR"), "" when there is none."""
    tags = _tags(sidecar.stem[len(medium.stem) :])
    found = [tag for tag in tags if _LANGUAGE.match(tag) and tag.lower() not in _ROLES]
    return found[0] if found else ""


def _from_file(path: Path, medium: Path, info: MediaInfo, problems: Problems) -> list[Cue]:
    try:
        return read_file(path, info.span.start, language_of(path, medium))
    except MediaError as error:
        problems.note(None, f"subtitles: {error}")
        return []


def read_file(path: Path, start: Instant, language: str = "") -> list[Cue]:
    """Read a subtitle file. Its zero is where the medium begins, whatever the container's clock says there.

    Raises:
        MediaError: it cannot be read.
    """
    import pysubs2

    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"larger than {_MOST_BYTES >> 20} MiB")
        events = pysubs2.SSAFile.from_string(_decode(path.read_bytes()))
    except (OSError, ValueError, pysubs2.exceptions.Pysubs2Error) as error:
        raise MediaError(f"{path.name} cannot be read ({error})") from error
    cues = []
    for event in events:
        text = _tidy(event.plaintext)
        if text and not event.is_comment and event.end >= event.start:
            cues.append(Cue(Span(_at(start, event.start), _at(start, event.end)), text, language, path.name))
    return cues


def _at(start: Instant, ms: int) -> Instant:
    return start + Fraction(ms, 1000)


def _decode(data: bytes) -> str:
    # UTF-16 is only believed with its mark: plain text of even length would decode as it.
    for encoding in _ENCODINGS:
        if encoding == "utf-16" and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
            continue
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError("its encoding is not known")
