"""Have a worker open what a chat shows, as arrays of pixels: the server itself decodes nothing."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vidence.errors import UsageError
from vidence.models.internvideo3.video import Clip
from vidence.serving.bringing import data_of, fetched, find, read_data
from vidence.serving.completions.speaker import Caller

FRAMES = "data:video/jpeg;base64,"
FRAMES_HZ = 2  # of frames that come without times


async def image(url: str, caller: Caller) -> np.ndarray:
    """Return the picture of a data URL as uint8 RGB (H, W, 3).

    Raises:
        UsageError: it is none, or too large.
    """
    return (await _pictures(data_of(url), caller))[0]


async def video(url: str, times: Any, sight: Mapping[str, Any], caller: Caller) -> Clip:
    """Return the frames that the model takes of a video: frames that are sent, a file that is sent, named or fetched.

    Raises:
        UsageError, MediaError: it cannot be read.
        Refused: it is not there, or may not be fetched.
    """
    if url.startswith(FRAMES):
        frames_THWC = await _pictures(url.removeprefix(FRAMES), caller)
        if times is None:
            return Clip.at_rate(frames_THWC, FRAMES_HZ)
        if not (isinstance(times, list) and all(isinstance(one, (int, float, str)) for one in times)):
            raise UsageError("the times of frames are a list of seconds")
        return Clip.of(frames_THWC, times)
    with tempfile.TemporaryDirectory(prefix="vidence-") as name:
        kept = Path(name) / "video"  # where it is no part of the library
        task: dict[str, Any] = {"task": "see", "path": str(kept), "medium": None}
        if url.startswith("data:"):
            await asyncio.to_thread(lambda: kept.write_bytes(read_data(url)))
        elif url.startswith(("http:", "https:")):
            async for _ in fetched(caller.site, await caller.library(), url, kept):
                pass
        else:
            library = await caller.library()
            task = caller.site.task_on(library, await asyncio.to_thread(find, library, url), "see")
        frames_THWC, told = await _opened(
            task | {key: sight[key] for key in ("limits", "shape")}, caller, name
        )
    return Clip.of(frames_THWC, told["times"])


async def _pictures(encoded: str, caller: Caller) -> np.ndarray:
    """Return pictures in base64, divided by commas, as (T, H, W, 3)."""
    with tempfile.TemporaryDirectory(prefix="vidence-") as name:
        place = Path(name) / "pictures"
        await asyncio.to_thread(place.write_text, encoded)
        return (await _opened({"task": "see_pictures", "path": str(place)}, caller, name))[0]


async def _opened(task: Mapping[str, Any], caller: Caller, folder: str) -> tuple[np.ndarray, dict[str, Any]]:
    pixels = Path(folder) / "pixels.npy"
    limit_s = caller.site.settings.limits.view_s
    told = await caller.site.pools["view"].do(caller.user, {**task, "place": str(pixels)}, limit_s)
    return await asyncio.to_thread(np.load, pixels), told
