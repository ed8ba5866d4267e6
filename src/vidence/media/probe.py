"""Look into a medium: its streams, its exact clock, how its pictures lie, and whether anything in it decodes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from typing import TYPE_CHECKING

from vidence.errors import MediaError
from vidence.media.demux import packets
from vidence.media.extent import measure
from vidence.media.info import AudioStream, MediaInfo, SubtitleStream, VideoStream
from vidence.media.picture import View, display_matrix, has_alpha, view_of
from vidence.media.source import Source, open_container
from vidence.media.timing import Timing, Trust

if TYPE_CHECKING:
    import av.stream
    from av.container import InputContainer
    from av.video.frame import VideoFrame

_FIRST_PACKETS = 600  # read at most so many packets in search of the first picture or sound
_SANE_SAR = 8  # pixel shapes beyond 8:1 are damage, not intent


@dataclass(frozen=True, slots=True)
class Probe:
    """What was found: the public `info`, and how to decode the pictures (None without video)."""

    info: MediaInfo
    timing: Timing | None
    view: View | None


@dataclass(frozen=True, slots=True)
class _First:
    """The first picture that decodes, and the first packet's ticks."""

    frame: VideoFrame
    pts: int | None
    dts: int | None


def probe(source: Source, size: int) -> Probe:
    """Open a source, decode its first picture or sound, and measure its clock.

    Raises:
        MediaError: nothing in it can be decoded.
    """
    with open_container(source) as container:
        warnings: list[str] = []
        stream = _video_stream(container)
        first = _first_picture(container, stream) if stream else None
        if stream and first is None:
            warnings.append(
                f"video stream {stream.index} ({_codec(stream)}) has no picture that can be decoded"
            )
        audio = tuple(_audio(s) for s in container.streams.audio if s.codec_context)
        if first is None and not (audio and _hears(source)):
            raise MediaError(f"{source.name}: {_nothing(container, warnings)}")
        timing = _timing(container, stream, first) if stream and first else None
        view = _view(stream, first.frame, warnings) if stream and first else None
        video = _video(stream, first.frame, view) if stream and first and view else None
        begin = timing.of_frame(first.frame, None) if timing and first else None
        span = measure(container, source, video, timing, begin, warnings)
        info = MediaInfo(
            path=source.name,
            format=container.format.name,
            bytes=size,
            span=span,
            video=video,
            audio=audio,
            subtitles=tuple(_subtitle(s) for s in container.streams.subtitles),
            metadata={**_timecode(container), **container.metadata},
            warnings=tuple(warnings),
        )
        return Probe(info, timing, view)


def _video_stream(container: InputContainer):
    """Choose the stream a player would show: never cover art, the default one, then the largest."""
    from av.stream import Disposition

    art = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
    real = [s for s in container.streams.video if s.codec_context and not s.disposition & art]
    rank = lambda s: (bool(s.disposition & Disposition.default), s.width * s.height, -s.index)  # noqa: E731
    return max(real, key=rank, default=None)


def _first_picture(container: InputContainer, stream) -> _First | None:
    from av.error import FFmpegError

    ticks: tuple[int | None, int | None] | None = None
    for packet in chain(islice(packets(container, [stream]), _FIRST_PACKETS), [None]):
        if packet is not None and not packet.is_discard and ticks is None:
            ticks = packet.pts, packet.dts
        try:
            frames = stream.decode(packet)
        except (FFmpegError, OSError):
            continue
        if frames:
            return _First(frames[0], *(ticks or (None, None)))
    return None


def _hears(source: Source) -> bool:
    """Say whether any sound decodes."""
    from av.error import FFmpegError

    with open_container(source) as container:
        for packet in islice(packets(container, container.streams.audio), _FIRST_PACKETS):
            try:
                if packet.decode():
                    return True
            except (FFmpegError, OSError):
                continue
    return False


def _nothing(container: InputContainer, warnings: list[str]) -> str:
    kinds = sorted({s.type for s in container.streams})
    if warnings:
        return f"{warnings[0]}; the file is damaged or its codec unknown: try to convert or download it again"
    if kinds == ["subtitle"]:
        return "holds only subtitles; name the video, and keep the subtitles beside it"
    return f"holds no video or sound that can be decoded (streams: {', '.join(kinds) or 'none'}); is it a video at all?"


def _timing(container: InputContainer, stream, first: _First) -> Timing:
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    step = 1 / rate if 0 < rate <= 1000 else Fraction(1, 25)
    trust: Trust = "pts"
    delay = 0
    if container.format.name == "avi":
        trust = "dts"
        if first.frame.dts is None or first.dts is None:
            trust = "count"
        else:
            delay = first.frame.dts - first.dts
    elif first.frame.pts is None and first.pts is None:
        trust = "count"
    # A program stream stamps a few of its packets, and after a seek FFmpeg gives those stamps to the wrong pictures.
    seekable = trust != "count" and container.format.name != "mpeg"
    return Timing(trust, stream.time_base, step, seekable, delay)


def _view(stream, frame: VideoFrame, warnings: list[str]) -> View:
    sar = float(stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or 1)
    if not 1 / _SANE_SAR <= sar <= _SANE_SAR:
        warnings.append(f"pixel shape {sar:g}:1 makes no sense and is ignored")
        sar = 1.0
    return view_of(frame.width, frame.height, sar, display_matrix(frame))


def _video(stream, frame: VideoFrame, view: View) -> VideoStream:
    return VideoStream(
        index=stream.index,
        codec=_codec(stream),
        width=view.width,
        height=view.height,
        rotation=view.rotation,
        fps=stream.average_rate or stream.guessed_rate,
        constant_rate=None,
        time_base=stream.time_base,
        pixel_format=frame.format.name,
        bit_depth=max(component.bits for component in frame.format.components),
        interlaced=bool(frame.interlaced_frame),
        alpha=has_alpha(frame),
    )


def _audio(stream) -> AudioStream:
    context = stream.codec_context
    return AudioStream(stream.index, _codec(stream), context.sample_rate, context.channels, _language(stream))


def _subtitle(stream) -> SubtitleStream:
    codec = stream.codec_context.codec if stream.codec_context else None
    return SubtitleStream(stream.index, _codec(stream), _language(stream), bool(codec and codec.text_sub))


def _timecode(container: InputContainer) -> dict[str, str]:
    """Return the timecode of the first frame where a stream carries it (QuickTime keeps it in a track of its own)."""
    labels = (stream.metadata.get("timecode") for stream in container.streams)
    return next(({"timecode": label} for label in labels if label), {})


def _codec(stream: av.stream.Stream) -> str:
    return stream.codec_context.codec.canonical_name if stream.codec_context else "unknown"


def _language(stream) -> str:
    language = stream.language or stream.metadata.get("language", "")
    return "" if language in ("und", "unk", "mis", "zxx") else language
