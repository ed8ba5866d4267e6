"""Pictures as the vision tower takes them: sized to whole patches within a pixel budget, then cut into patches.

T pictures, H x W pixels, C = 3 colours, N patches, D = C * patch frames * patch_px * patch_px values a patch.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from vidence.errors import UsageError

MOST_ASPECT = 200  # beyond it the published models were never trained


@dataclass(frozen=True, slots=True)
class PatchShape:
    """How pictures are cut: patches of `frames` x `patch_px` x `patch_px`, of which `merge` x `merge` make a token."""

    patch_px: int = 16
    frames: int = 2
    merge: int = 2
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.5, 0.5, 0.5)

    @property
    def unit_px(self) -> int:
        """Return the side of the square of pixels that becomes one token: both sides are multiples of it."""
        return self.patch_px * self.merge

    def to_json(self) -> dict[str, Any]:
        """Write as plain values, for a processor's file."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }


@dataclass(frozen=True, slots=True)
class Grid:
    """The patches of one picture or video: `frames` x `rows` x `columns` of them."""

    frames: int
    rows: int
    columns: int

    def tokens(self, shape: PatchShape) -> int:
        """Return how many tokens one temporal patch takes."""
        return self.rows * self.columns // shape.merge**2

    def to_list(self) -> list[int]:
        """Write as [T, H, W] in patches."""
        return [self.frames, self.rows, self.columns]


def fitted(
    height: int, width: int, unit_px: int, *, least: int, most: int, frames: int = 1, patch_frames: int = 1
) -> tuple[int, int]:
    """Return the (height, width) to resize to: multiples of `unit_px`, the aspect kept as nearly as that allows.

    `least` and `most` bound frames * height * width in pixels; a side is never below `unit_px`, so a picture near
    200:1 may exceed `most`. Follows the rounding of Qwen3-VL's processor, with which the weights were trained.

    Raises:
        UsageError: the picture has no pixels, or one side is over 200 times the other.
    """
    if min(height, width) < 1:
        raise UsageError(f"a picture of {width}x{height} pixels has nothing to see; leave it out")
    if frames > 1 and min(height, width) < unit_px:
        enlarged = max(unit_px / height, unit_px / width)
        height, width = int(height * enlarged), int(width * enlarged)
    if max(height, width) / min(height, width) > MOST_ASPECT:
        raise UsageError(
            f"a picture of {width}x{height} pixels is {max(height, width) / min(height, width):.0f}:1; "
            f"at most {MOST_ASPECT}:1 can be seen, so crop it or cut it into pieces"
        )
    high, wide = round(height / unit_px) * unit_px, round(width / unit_px) * unit_px
    long = round(frames / patch_frames) * patch_frames
    if long * high * wide > most:
        shrink = math.sqrt(frames * height * width / most)
        high = max(unit_px, math.floor(height / shrink / unit_px) * unit_px)
        wide = max(unit_px, math.floor(width / shrink / unit_px) * unit_px)
    elif long * high * wide < least:
        grow = math.sqrt(least / (frames * height * width))
        high, wide = (math.ceil(side * grow / unit_px) * unit_px for side in (height, width))
    return high, wide


def resized(frames_THWC: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize uint8 pictures to (height, width): bicubic, smoothed when shrinking; rounded back to uint8.

    On bytes rather than floats because the reference does so: the same picture then gives the same patches.
    """
    if frames_THWC.shape[1:3] == size:
        return frames_THWC
    frames_TCHW = _tensor(frames_THWC).permute(0, 3, 1, 2).contiguous()
    small_TCHW = interpolate(frames_TCHW, size=size, mode="bicubic", antialias=True, align_corners=False)
    return small_TCHW.permute(0, 2, 3, 1).contiguous().numpy()


def cut(frames_THWC: np.ndarray, shape: PatchShape) -> tuple[Tensor, Grid]:
    """Cut uint8 pictures of fitted size into patches; return them normalised (N, D) in float32, and their grid.

    Patches lie time first, then in squares of `merge` x `merge`, so that a token's patches are neighbours. A number
    of pictures that does not fill the last temporal patch is filled by repeating the last.
    """
    if missing := -len(frames_THWC) % shape.frames:
        frames_THWC = np.concatenate([frames_THWC, np.repeat(frames_THWC[-1:], missing, 0)])
    count, height, width, colours = frames_THWC.shape
    grid = Grid(count // shape.frames, height // shape.patch_px, width // shape.patch_px)
    rows, columns = grid.rows // shape.merge, grid.columns // shape.merge
    blocks = _tensor(frames_THWC).view(
        grid.frames,
        shape.frames,
        rows,
        shape.merge,
        shape.patch_px,
        columns,
        shape.merge,
        shape.patch_px,
        colours,
    )
    # (T, t, h, m, p, w, n, q, C) -> (T, h, w, m, n | C, t, p, q); still bytes, so the reordering moves a quarter.
    bytes_ND = blocks.permute(0, 2, 5, 3, 6, 8, 1, 4, 7).reshape(
        -1, colours * shape.frames * shape.patch_px * shape.patch_px
    )
    each = shape.frames * shape.patch_px**2
    mean_D = torch.tensor(shape.mean).mul(255).repeat_interleave(each)
    std_D = torch.tensor(shape.std).mul(255).repeat_interleave(each)
    return bytes_ND.to(torch.float32).sub_(mean_D).div_(std_D), grid


def _tensor(frames_THWC: np.ndarray) -> Tensor:
    """Share the pictures' memory; copy where they are read-only, which torch does not know, or not in order."""
    return torch.from_numpy(np.require(frames_THWC, requirements=["C", "W"]))
