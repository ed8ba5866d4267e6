"""Look into a medium: its streams, its exact clock, how its pictures lie, and whether anything in it decodes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from vidence.errors import MediaError
from vidence.media.info import AudioStream, MediaInfo, SubtitleStream, VideoStream
from vidence.media.picture import View, display_matrix, has_alpha, view_of
from vidence.media.source import Source, keep_streams, open_container
from vidence.media.timing import Timing, Trust
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    import av.stream
    from av.container import InputContainer
    from av.video.frame import VideoFrame

_FIRST_PACKETS = 600  # read at most so many packets in search of the first picture or sound
_SANE_SAR = 8  # pixel shapes beyond 8:1 are damage, not intent
_MICRO = Fraction(1, 1_000_000)


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
            warnings.append(f"video stream {stream.index} ({_codec(stream)}) has no picture that can be decoded")
        audio = tuple(_audio(s) for s in container.streams.audio if s.codec_context)
        if first is None and not (audio and _hears(source)):
            raise MediaError(f"{source.name}: {_nothing(container, warnings)}")
        timing = _timing(container, stream, first) if stream and first else None
        view = _view(stream, first.frame, warnings) if stream and first else None
        video = _video(stream, first.frame, view) if stream and first and view else None
        span = _span(container, source, video, timing, first, warnings)
        info = MediaInfo(
            path=source.name,
            format=container.format.name,
            bytes=size,
            span=span,
            video=video,
            audio=audio,
            subtitles=tuple(_subtitle(s) for s in container.streams.subtitles),
            metadata=dict(container.metadata),
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
    import av

    ticks: tuple[int | None, int | None] | None = None
    try:
        for count, packet in enumerate(container.demux(stream)):
            if packet.size and not packet.is_discard and ticks is None:
                ticks = packet.pts, packet.dts
            try:
                frames = packet.decode()
            except (av.FFmpegError, OSError):
                frames = []
            if frames:
                return _First(frames[0], *(ticks or (None, None)))
            if count > _FIRST_PACKETS:
                break
    except (av.FFmpegError, OSError):
        return None
    return None


def _hears(source: Source) -> bool:
    """Say whether any sound decodes."""
    import av

    with open_container(source) as container:
        try:
            for count, packet in enumerate(container.demux(audio=0)):
                try:
                    if packet.decode():
                        return True
                except (av.FFmpegError, OSError):
                    continue
                if count > _FIRST_PACKETS:
                    break
        except (av.FFmpegError, OSError):
            return False
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


def _codec(stream: av.stream.Stream) -> str:
    return stream.codec_context.codec.canonical_name if stream.codec_context else "unknown"


def _language(stream) -> str:
    language = stream.language or stream.metadata.get("language", "")
    return "" if language in ("und", "unk", "mis", "zxx") else language


def _span(container, source: Source, video, timing: Timing | None, first: _First | None, warnings) -> Span:
    """Measure the clock: from the first picture or sound to the end of the last, as the packets say."""
    starts = [s.start_time * s.time_base for s in container.streams.audio if s.start_time is not None]
    if timing and first:
        starts.append(timing.of_frame(first.frame, None))
    start = min(starts, default=Fraction(0))
    claimed = _claimed_end(container, start)
    end = _packets_end(source, video, timing, claimed)
    if end is None or end <= start:
        end = claimed if claimed is not None and claimed > start else start + (timing.step if timing else 0)
    elif claimed is not None and claimed - end > 1:
        warnings.append(f"container says {float(claimed):.1f} s, but what can be read ends at {float(end):.1f} s")
    return Span(start, end)


def _claimed_end(container: InputContainer, start: Instant) -> Instant | None:
    if not container.duration or container.duration < 0:
        return None
    # Matroska counts its length from zero, the others from the first time stamp.
    return container.duration * _MICRO + (0 if "matroska" in container.format.name else max(start, Fraction(0)))


def _packets_end(source: Source, video: VideoStream | None, timing: Timing | None, claimed: Instant | None) -> Instant | None:
    """Read the packets after the last key frame to find where pictures and sound really end; when that leads nowhere
    (a damaged or growing file), read all of them. Nothing is decoded."""
    if timing and not timing.seekable:
        return _last_end(source, video, timing, None)
    end = _last_end(source, video, timing, claimed) if claimed else None
    return end if end is not None else _last_end(source, video, timing, None)


def _last_end(source: Source, video: VideoStream | None, timing: Timing | None, near: Instant | None) -> Instant | None:
    import av

    with open_container(source) as container:
        streams = [s for s in container.streams if s.type == "audio" or (video and s.index == video.index)]
        keep_streams(container, [stream.index for stream in streams])
        ends: list[Instant] = []
        counted = 0
        try:
            if near is not None:
                container.seek(max(0, int((near + 1) * 1_000_000)))
            for packet in container.demux(*streams):
                if not packet.size or packet.is_discard:
                    continue
                if video and timing and packet.stream.index == video.index:
                    counted += 1
                    time, step = timing.of_packet(packet), timing.step
                    time = (counted - 1) * step if time is None and timing.trust == "count" else time
                else:
                    time, step = (None if packet.pts is None else packet.pts * packet.time_base), Fraction(0)
                if time is not None:
                    ends.append(time + ((packet.duration or 0) * packet.time_base or step))
                    ends = [max(ends)]
        except (av.FFmpegError, OSError):
            pass
        return ends[0] if ends else None
