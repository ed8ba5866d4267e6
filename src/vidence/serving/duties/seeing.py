"""Take the pictures of a video that a model is shown."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidence.media import Media, open_media
from vidence.serving.duties.opening import CONTAINERS, opened

if TYPE_CHECKING:
    from vidence.serving.worker import Task, Tell


def see(task: Task, tell: Tell) -> dict[str, Any]:
    """Write the pictures as an array into `place`; return their times as exact fractions.

    The video is a medium of the library, or a file that is none (`medium` is null).
    """
    import numpy as np

    from vidence.models.internvideo3.limits import VideoLimits
    from vidence.models.internvideo3.patches import PatchShape
    from vidence.models.internvideo3.video import load

    del tell
    shape = PatchShape(**task["shape"])
    with _medium(task) as media:
        clip = load(media, VideoLimits(**task["limits"]), shape)
    np.save(Path(task["place"]), clip.frames_THWC, allow_pickle=False)
    return {"times": [str(time) for time in clip.times]}


def _medium(task: Task) -> AbstractContextManager[Media]:
    if task["medium"] is None:
        return open_media(task["path"], containers=CONTAINERS)
    return opened(task)
