"""Name colours as people do: the eleven basic terms of Berlin and Kay (1969), and cyan.

The rule works in OKLCh (Ottosson 2020): lightness L 0 to 1, chroma C 0 to 0.37, hue h in degrees. There hue
is even enough that one set of borders serves light and dark, which CIE Lab does not give for blue against
purple. Borders were set on the public-domain survey of 954 named colours (xkcd.com/color/rgb), with which the
rule agrees for 86 % of those that end in a basic term, and on pictures of skin, wood and sky.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np

NAMES = (
    "black",
    "white",
    "grey",
    "red",
    "orange",
    "yellow",
    "green",
    "cyan",
    "blue",
    "purple",
    "pink",
    "brown",
)
"""Every name that can be given; its place here is its code in `code_colours`."""

ACHROMATIC = frozenset({"black", "white", "grey"})

_CODE = {name: code for code, name in enumerate(NAMES)}
_STEP = 4  # the table holds one entry per 4x4x4 block of RGB: 64^3 = 262144 bytes

# First hue (degrees) of each family; red wraps round zero.
_HUES = (
    (13.0, "red"),
    (38.5, "orange"),
    (86.0, "yellow"),
    (113.0, "green"),
    (178.0, "cyan"),
    (232.0, "blue"),
    (289.0, "purple"),
    (336.0, "pink"),
)


def to_oklch(rgb_N3: np.ndarray) -> np.ndarray:
    """Convert uint8 sRGB, shape (..., 3), to float32 lightness, chroma and hue in degrees (Ottosson 2020)."""
    srgb = np.asarray(rgb_N3, np.float32) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    lms = np.cbrt(linear @ _TO_LMS)
    lab = lms @ _TO_LAB
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1])) % 360
    return np.stack([lab[..., 0], chroma, hue], axis=-1).astype(np.float32)


_TO_LMS = np.array(
    [
        [0.4122214708, 0.2119034982, 0.0883024619],
        [0.5363325363, 0.6806995451, 0.2817188376],
        [0.0514459929, 0.1073969566, 0.6299787005],
    ],
    np.float32,
)
_TO_LAB = np.array(
    [
        [0.2104542553, 1.9779984951, 0.0259040371],
        [0.7936177850, -2.4285922050, 0.7827717662],
        [-0.0040720468, 0.4505937099, -0.8086757660],
    ],
    np.float32,
)


def code_colours(pixels_rgb: np.ndarray) -> np.ndarray:
    """Name every pixel: uint8 RGB of shape (..., 3) to uint8 places in `NAMES`, shape (...)."""
    r, g, b = (np.asarray(pixels_rgb, np.uint8)[..., axis].astype(np.int32) // _STEP for axis in range(3))
    side = 256 // _STEP
    return _table()[(r * side + g) * side + b]


def name_colours(pixels_rgb: np.ndarray) -> list[tuple[str, float]]:
    """Name the colours of pixels, uint8 (N, 3), as (name, share), greatest first; shares sum to one."""
    pixels = np.asarray(pixels_rgb).reshape(-1, 3)
    if not len(pixels):
        return []
    return rank(np.bincount(code_colours(pixels), minlength=len(NAMES)))


_COUSINS = {
    frozenset(pair): share
    for share, pairs in (
        (0.5, "red-pink cyan-blue"),
        (
            0.4,
            "red-orange orange-yellow orange-brown yellow-green green-cyan blue-purple purple-pink grey-white",
        ),
        (0.3, "red-brown yellow-brown grey-black blue-black blue-grey"),
        (0.2, "yellow-white pink-white cyan-grey cyan-white brown-black brown-grey"),
    )
    for pair in (text.split("-") for text in pairs.split())
}


def likeness(name: str, colours: Iterable[tuple[str, float]]) -> float:
    """Say how well one name describes named shares, 0 to 1: its own share, and part of those of its neighbours.

    A red car in the sun is pink where it shines and brown in the shade; a white shoe in the shade is grey.
    """
    return sum(
        share * (1.0 if other == name else _COUSINS.get(frozenset((name, other)), 0.0))
        for other, share in colours
    )


def rank(weights: np.ndarray) -> list[tuple[str, float]]:
    """Turn one weight a name into (name, share), greatest first; names without weight are left out."""
    total = float(weights.sum())
    order = np.argsort(-weights, kind="stable")
    return [(NAMES[k], float(weights[k]) / total) for k in order if weights[k] > 0]


@cache
def _table() -> np.ndarray:
    """Name the middle of every RGB block."""
    middle = np.arange(256 // _STEP) * _STEP + (_STEP - 1) / 2
    grid = np.stack(np.meshgrid(middle, middle, middle, indexing="ij"), axis=-1).reshape(-1, 3)
    return _name(to_oklch(grid))


def _name(lch_N3: np.ndarray) -> np.ndarray:
    """Apply the rule: family by hue, then what lightness and chroma make of it, then the colourless."""
    light, chroma, hue = lch_N3[:, 0], lch_N3[:, 1], lch_N3[:, 2]
    starts = np.array([start for start, _ in _HUES])
    families = np.array([_CODE[name] for _, name in _HUES], np.uint8)
    code = families[
        np.searchsorted(starts, hue, side="right") - 1
    ]  # -1 wraps hues below the first border to pink

    def put(name: str, where: np.ndarray) -> None:
        code[where] = _CODE[name]

    # Dark or dull warm colours are brown: wood, soil, leather, darker skin.
    put("brown", (hue >= 24) & (hue < 42) & (light < 0.50) & (chroma < 0.125))
    put("brown", (hue >= 6) & (hue < 24) & (light < 0.46) & (chroma < 0.07))
    put("brown", (hue >= 36) & (hue < 70) & (light < 0.62) & (chroma < 0.155))
    put("brown", (hue >= 36) & (hue < 92) & (light < 0.80) & (chroma < 0.10))
    put("brown", (hue >= 70) & (hue < 92) & (light < 0.66) & (chroma < 0.14))
    put("brown", (hue >= 92) & (hue < 108) & (light < 0.54))
    put("green", (hue >= 104) & (hue < 113) & (light < 0.60))  # olive
    put("yellow", (hue >= 113) & (hue < 118) & (light > 0.85))  # lemon
    # Light reds are pink, and so are pale oranges of skin; strong light purples are pink (magenta).
    put("pink", ((hue < 36) | (hue >= 336)) & (light > 0.70) & (chroma < 0.17))
    put("pink", ((hue < 28) | (hue >= 336)) & (light > 0.69) & (chroma < 0.20))
    put("pink", (hue < 36) & (light > 0.60) & (chroma < 0.11))
    put("pink", (hue >= 36) & (hue < 58) & (light > 0.80) & (chroma < 0.09))
    put("pink", (hue >= 327) & (hue < 336) & (light > 0.58) & (chroma > 0.14))
    put("purple", ((hue >= 336) | (hue < 3)) & (light < 0.45))
    put("red", (hue >= 3) & (hue < 13) & (light < 0.56) & (chroma > 0.10))
    # Dark turquoise is green; below the lightness of a sky its bluer half is blue.
    put("green", (hue >= 178) & (hue < 195) & (light < 0.52))
    put("blue", (hue >= 215) & (hue < 232) & (light < 0.62))
    # Little colour: grey, with a wider margin in the dark, where camera noise makes colour of nothing.
    dull = chroma < np.interp(light, [0.0, 0.25, 0.6, 0.8, 1.0], [0.08, 0.048, 0.042, 0.032, 0.022])
    put("grey", dull)
    put("white", (light > 0.88) & (chroma < 0.028))
    put("black", (light < 0.235) & (chroma < 0.09))
    put("black", dull & (light < 0.32))
    return code
