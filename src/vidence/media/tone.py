"""High dynamic range (PQ and HLG) to 8-bit standard range, so that a sense trained on web pictures sees a usual one."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from vidence.media.frame import Image

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

PQ, HLG, BT2020 = 16, 18, 9  # AVCOL_TRC_SMPTE2084, AVCOL_TRC_ARIB_STD_B67, AVCOL_PRI_BT2020
_WHITE_NITS, _PEAK_NITS = 203.0, 1000.0  # reference white and peak of ITU-R BT.2408
_KNEE = 0.5  # of reference white; white itself then lands at 225 of 255
_BT2020_TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)  # ITU-R BT.2087


def is_hdr(frame: VideoFrame) -> bool:
    """Say whether a frame is coded with the PQ or HLG curve."""
    return frame.color_trc in (PQ, HLG)


def to_sdr(pixels: np.ndarray, curve: int, primaries: int) -> Image:
    """Map uint16 pixels (height, width, 3) coded with `curve` to uint8 with the sRGB curve and BT.709 primaries."""
    linear = _to_linear(curve)[pixels >> 4]
    if primaries == BT2020:
        linear = np.clip(linear @ _BT2020_TO_709.T, 0, None)
    return _to_srgb()[(_rolled(linear) * 4095 + 0.5).astype(np.uint16)]


def _rolled(linear: np.ndarray) -> np.ndarray:
    """Bend light above the knee under 1.0: extended Reinhard (Reinhard et al. 2002, eq. 4) on the brightest channel, so
    that hue is kept; below the knee, where most of a picture lies, nothing changes."""
    bright = linear.max(axis=2, keepdims=True)
    over = np.maximum(bright - _KNEE, 0) / (1 - _KNEE)
    peak = (_PEAK_NITS / _WHITE_NITS - _KNEE) / (1 - _KNEE)
    bent = _KNEE + (1 - _KNEE) * over * (1 + over / peak**2) / (1 + over)
    scale = np.where(bright > _KNEE, bent / np.maximum(bright, _KNEE), 1)
    return np.clip(linear * scale, 0, 1)


@lru_cache(maxsize=2)
def _to_linear(curve: int) -> np.ndarray:
    """Table of 4096 code values to linear light, 1.0 at reference white (SMPTE ST 2084; ARIB STD-B67)."""
    code = np.linspace(0, 1, 4096)
    if curve == PQ:
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        power = code ** (1 / m2)
        nits = 10_000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    else:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
        nits = _PEAK_NITS * scene**1.2
    return (nits / _WHITE_NITS).astype(np.float32)


@lru_cache(maxsize=1)
def _to_srgb() -> np.ndarray:
    """Table of 4096 linear values to 8-bit sRGB (IEC 61966-2-1)."""
    linear = np.linspace(0, 1, 4096)
    coded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(coded * 255).astype(np.uint8)
