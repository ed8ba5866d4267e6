"""Look into what came in, and take pictures of what is there: frames, and the sheet of thumbnails."""

from __future__ import annotations

import base64
import os
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidence.errors import MediaError
from vidence.media import Media, open_media
from vidence.media.frame import Image
from vidence.media.source import open_container, resolve
from vidence.memory import Memory
from vidence.serving.duties.opening import CONTAINERS, opened
from vidence.serving.sheet import Sheet
from vidence.timeline import instant

if TYPE_CHECKING:
    from vidence.serving.worker import Task, Tell

KEPT_OPEN = 4  # media, so that the next frame of one costs no opening
QUALITY = 82
_open: OrderedDict[tuple[str, str], Media] = OrderedDict()


def admit(task: Task, tell: Tell) -> dict[str, Any]:
    """See what an uploaded or fetched file is, by its content alone, and take it into the library's memory.

    Returns {"medium": content hash}, or {"refused": [HTTP status, why]}.
    """
    del tell
    path, files = Path(task["path"]), Path(task["files"])
    try:
        if too_large := _too_large(path, task["pixels"]):
            return {"refused": [422, too_large]}
        with open_media(path, containers=CONTAINERS) as media:
            info, hash = media.info, media.hash
    except MediaError as error:
        return {"refused": [415, str(error).replace(f"{path}: ", "the file ").replace(str(path), "the file")]}
    if float(info.duration) > task["duration_s"]:
        limit = f"{task['duration_s']:.0f} s are allowed"
        return {"refused": [422, f"the video lasts {float(info.duration):.0f} s; {limit}"]}
    if info.video is not None and info.video.width * info.video.height > task["pixels"]:
        return {"refused": [422, _size(info.video.width, info.video.height, task["pixels"])]}
    with Memory.open(task["memory"]) as memory:
        known = [one.path for one in memory.media() if one.hash == hash]
        if not (known and Path(known[0]).is_file()):
            place = files / hash.split(":")[-1]
            os.replace(path, place)
            with open_media(place, containers=CONTAINERS) as media:
                memory.add(media)
    return {"medium": hash}


def frame(task: Task, tell: Tell) -> dict[str, Any]:
    """Take the picture on screen at a time, as JPEG of a height."""
    del tell
    media = _kept(task)
    video = media.info.video
    if video is None:
        raise MediaError("it has no pictures, only sound")
    side = max(task["height"], round(task["height"] * video.width / video.height))
    (found,) = media.frames_at([instant(task["at"])], max_side=side)
    jpeg = base64.b64encode(_jpeg(found.image)).decode()
    return {"time": float(found.time), "jpeg": jpeg}


def sprite(task: Task, tell: Tell) -> dict[str, Any]:
    """Write the sheet of thumbnails of a medium."""
    import numpy as np

    del tell
    with opened(task) as media:
        sheet = Sheet.of(media.info)
        if sheet is None:
            raise MediaError("it has no pictures, only sound")
        pixels = np.zeros((sheet.rows * sheet.height, sheet.columns * sheet.width, 3), np.uint8)
        side = max(sheet.width, sheet.height)
        frames = media.frames_at(sheet.times, max_side=side, mode="keyframe")
        for number, shown in enumerate(frames):
            x, y = sheet.place(number)
            image = _fit(shown.image, sheet.width, sheet.height)
            pixels[y : y + sheet.height, x : x + sheet.width] = image
    place = Path(task["place"])
    partial = place.with_suffix(f".{os.getpid()}.part")
    partial.write_bytes(_jpeg(pixels))
    partial.replace(place)
    return {}


def _too_large(path: Path, pixels: int) -> str | None:
    """Say of pictures that they are too large, before one is decoded."""
    with open_container(resolve(path, CONTAINERS)) as container:
        for stream in container.streams.video:
            if stream.codec_context and stream.width * stream.height > pixels:
                return _size(stream.width, stream.height, pixels)
    return None


def _size(width: int, height: int, pixels: int) -> str:
    return f"the pictures are {width} x {height}; {pixels:,} pixels are allowed"


def _kept(task: Task) -> Media:
    key = task["path"], task["medium"]
    if key not in _open:
        with opened(task) as media:
            _open[key] = media
        while len(_open) > KEPT_OPEN:
            _open.popitem(last=False)[1].close()
    _open.move_to_end(key)
    return _open[key]


def _fit(image: Image, width: int, height: int) -> Image:
    import cv2
    import numpy as np

    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _jpeg(image: Image) -> bytes:
    import cv2

    done, data = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise MediaError("the picture cannot be written as JPEG")
    return data.tobytes()
