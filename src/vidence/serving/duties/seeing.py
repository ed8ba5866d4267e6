"""Take the pictures that a model is shown: of a video, or those that are sent one by one."""

from __future__ import annotations

import base64
import binascii
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidence.errors import UsageError
from vidence.media import Media, open_media
from vidence.media.frame import Image
from vidence.serving.duties.opening import CONTAINERS, opened
from vidence.serving.picture_size import picture_size

if TYPE_CHECKING:
    from vidence.serving.worker import Task, Tell

MOST_PIXELS = 64_000_000  # of one picture


def see(task: Task, tell: Tell) -> dict[str, Any]:
    """Write the pictures of a video as an array into `place`; return their times as exact fractions.

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


def see_pictures(task: Task, tell: Tell) -> dict[str, Any]:
    """Write pictures, which the file `path` holds in base64 divided by commas, as one array into `place`.

    Raises:
        UsageError: one cannot be decoded, or is too large, or they differ in size.
    """
    import numpy as np

    del tell
    pictures = [
        _picture(one) for one in Path(task["path"]).read_text(encoding="ascii", errors="replace").split(",")
    ]
    if len({one.shape for one in pictures}) > 1:
        raise UsageError("the frames of a video differ in size")
    np.save(Path(task["place"]), np.stack(pictures), allow_pickle=False)
    return {}


def _picture(encoded: str) -> Image:
    """Decode a JPEG or PNG, whose size is read before, as uint8 RGB (H, W, 3)."""
    import cv2
    import numpy as np

    try:
        data = base64.b64decode(encoded, validate=True)
    except binascii.Error as fault:
        raise UsageError(f"a picture is no base64: {fault}") from fault
    size = picture_size(data)
    if size is not None and size[0] * size[1] > MOST_PIXELS:
        raise UsageError(f"a picture has {size[0]} x {size[1]} pixels; {MOST_PIXELS:,} are allowed")
    image = None if size is None else cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise UsageError("a picture cannot be decoded; send JPEG or PNG")
    return image[:, :, ::-1].astype(np.uint8)


def _medium(task: Task) -> AbstractContextManager[Media]:
    if task["medium"] is None:
        return open_media(task["path"], containers=CONTAINERS)
    return opened(task)
