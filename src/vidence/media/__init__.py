"""Open a video, know it, and take exact frames and sound from it."""

from vidence.media.frame import Frame, Image, Picture
from vidence.media.info import AudioStream, MediaInfo, SubtitleStream, VideoStream
from vidence.media.media import Media, open_media
from vidence.media.subtitles import Cue

__all__ = [
    "AudioStream",
    "Cue",
    "Frame",
    "Image",
    "Media",
    "MediaInfo",
    "Picture",
    "SubtitleStream",
    "VideoStream",
    "open_media",
]
