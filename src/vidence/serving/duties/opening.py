"""Open what a task names: a medium whose content is the one that was added, the senses and who decides, kept warm."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from vidence.errors import MediaError
from vidence.media import Media, open_media

if TYPE_CHECKING:
    from vidence.mcr.policy import Policy
    from vidence.senses.sense import Sense
    from vidence.serving.worker import Task

CONTAINERS = (
    "mov,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,wav,w64,aiff,mp3,aac,ac3,flac,caf,gif,mxf,rm,dv,ivf,m4v,"
    "h264,hevc,mpegvideo,nut,yuv4mpegpipe"
)
"""FFmpeg's demuxers that read one file and nothing besides. Playlists and lists of pictures are not among them."""


@contextmanager
def opened(task: Task) -> Iterator[Media]:
    """Yield the medium of a task.

    Raises:
        MediaError: it cannot be read, or holds something else now.
    """
    with open_media(task["path"], containers=CONTAINERS if task["ours"] else None) as media:
        if media.hash != task["medium"]:
            raise MediaError("the file is not what it was when it was added; add it again")
        yield media


def senses_of(task: Task) -> list[Sense]:
    """Return the senses of a task, with what they have loaded for the one before."""
    names = task.get("senses")
    return _senses(None if names is None else tuple(names), task.get("tier"), task.get("language") or "auto")


def policy_of(task: Task) -> Policy:
    """Return who decides, with what it has loaded for the task before."""
    return _policy(**task["policy"])


@cache
def _policy(
    name: str, model: str | None = None, api_base: str | None = None, key: str | None = None
) -> Policy:
    from vidence.policies import open_policy

    if key is not None:
        os.environ["OPENAI_API_KEY"] = key
    return open_policy(name, model, api_base=api_base)


@cache
def _senses(names: tuple[str, ...] | None, tier: str | None, language: str) -> list[Sense]:
    from vidence.senses import default_senses

    return default_senses(names, tier=tier, language=language)
