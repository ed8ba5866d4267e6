"""How much of a picture or a video is seen: pixels, pictures a second, and limits written by other processors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from vidence.errors import UsageError
from vidence.models.internvideo3.patches import PatchShape, fitted
from vidence.timeline import instant

SECONDS = "seconds"  # how a processor tells times to a model whose positions count them
_WINDOWED_FRAME_PX = 768 * 28**2  # Qwen2.5-VL's most pixels a picture of a video

Limits = TypeVar("Limits", "ImageLimits", "VideoLimits", PatchShape)


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """How many pixels an image is resized to; the defaults are those the published model was fine-tuned with."""

    min_pixels: int = 4 * 1024
    max_pixels: int = 16_384 * 1024

    def __post_init__(self) -> None:
        if not 1 <= self.min_pixels <= self.max_pixels:
            raise UsageError(f"cannot fit an image to {self.min_pixels} to {self.max_pixels} pixels")

    def size(self, height: int, width: int, shape: PatchShape) -> tuple[int, int]:
        """Return the (height, width) that an image is resized to.

        Raises:
            UsageError: as `fitted`.
        """
        return fitted(height, width, shape.unit_px, least=self.min_pixels, most=self.max_pixels)


@dataclass(frozen=True, slots=True)
class VideoLimits:
    """How much of a video is seen. The defaults are those the published model was fine-tuned with.

    `fps` pictures a second, but `min_frames` to `max_frames` of them; all together `min_pixels` to `max_pixels`, and
    each at most `max_frame_pixels` (None: no limit but the total).
    """

    fps: float = 2.0
    min_frames: int = 4
    max_frames: int = 768
    min_pixels: int = 16 * 1024
    max_pixels: int = 32_768 * 4 * 1024
    max_frame_pixels: int | None = 768 * 1024

    def __post_init__(self) -> None:
        if not (self.fps > 0 and 1 <= self.min_frames <= self.max_frames):
            raise UsageError(
                f"cannot sample {self.fps} pictures a second, {self.min_frames} to {self.max_frames} in all"
            )
        if not 1 <= self.min_pixels <= self.max_pixels or (self.max_frame_pixels or 1) < 1:
            raise UsageError(
                f"cannot fit a video to {self.min_pixels} to {self.max_pixels} pixels, "
                f"{self.max_frame_pixels} a picture"
            )

    def count(self, available: int, duration_s: Fraction) -> int:
        """Return how many of `available` pictures to see of a video of this length."""
        wanted = int(duration_s * instant(self.fps))
        return min(max(wanted, self.min_frames), self.max_frames, available)

    def size(self, frames: int, height: int, width: int, shape: PatchShape) -> tuple[int, int]:
        """Return the (height, width) that each of `frames` pictures is resized to.

        Raises:
            UsageError: as `fitted`.
        """
        frames = max(frames, shape.frames)  # a single picture is repeated to fill its temporal patch
        most = self.max_pixels
        if self.max_frame_pixels is not None:
            # Like the reference, never below the least the whole video may have, so that short clips stay sharp.
            share = max(min(self.max_frame_pixels, most // frames), int(self.min_pixels * 1.05))
            most = min(most, share * frames)
        return fitted(
            height,
            width,
            shape.unit_px,
            least=self.min_pixels,
            most=most,
            frames=frames,
            patch_frames=shape.frames,
        )


def changed(limits: Limits, changes: Mapping[str, Any] | None) -> Limits:
    """Return limits with some of them replaced, by name.

    Raises:
        UsageError: a name or a value is none of a limit.
    """
    unknown = set(changes or ()) - set(asdict(limits))
    if unknown:
        raise UsageError(
            f"no limit is named {', '.join(sorted(unknown))}; there are {', '.join(asdict(limits))}"
        )
    return replace(limits, **(changes or {}))


def translated(folder: Path, nested: Mapping[str, Any]) -> dict[str, Any]:
    """Read the limits that Qwen3-VL's or Qwen2.5-VL's processors left in a folder, or in their part of `nested`."""
    image = nested.get("image_processor") or _json(folder / "preprocessor_config.json")
    video = nested.get("video_processor") or _json(folder / "video_preprocessor_config.json")
    names = {"patch_size": "patch_px", "temporal_patch_size": "frames", "merge_size": "merge"}
    names |= {"image_mean": "mean", "image_std": "std"}
    patches = {ours: image[theirs] for theirs, ours in names.items() if image.get(theirs) is not None}
    kept = {name: video[name] for name in ("fps", "min_frames", "max_frames") if video.get(name) is not None}
    if (tokens := video.get("max_video_tokens")) is not None or "cap_pixels_per_frame" in video:
        unit = changed(PatchShape(), patches).unit_px
        capped = video.get("cap_pixels_per_frame") is not False
        kept["max_frame_pixels"] = (tokens or 768) * unit**2 if capped else None
    limits = {"patches": patches, "image_limits": _pixels(image)}
    if _counts_seconds(_json(folder / "config.json")):
        # Its limits are those of each picture; how few pixels one may have is not enforced.
        kept["max_frame_pixels"] = _pixels(video).get("max_pixels", _WINDOWED_FRAME_PX)
        return limits | {"video_limits": kept, "timed": SECONDS}
    return limits | {"video_limits": kept | _pixels(video)}


def _counts_seconds(config: Mapping[str, Any]) -> bool:
    kinds = (config.get("model_type"), (config.get("vision_config") or {}).get("model_type"))
    return any(str(kind).startswith("qwen2_5_vl") for kind in kinds)


def _pixels(settings: Mapping[str, Any]) -> dict[str, int]:
    size = settings.get("size") or {}
    least = settings.get("min_pixels") or size.get("shortest_edge")
    most = settings.get("max_pixels") or size.get("longest_edge")
    return ({"min_pixels": least} if least else {}) | ({"max_pixels": most} if most else {})


def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}
