"""Cut-out pictures with names, from the Debian package tuxpaint-stamps-default where it is installed.

Nothing of them is in this repository; a world's record names package, licence and file of each picture it shows.
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from random import Random

import cv2
import numpy as np

from vidence.errors import UsageError
from vidence.worlds.cast import Thing
from vidence.worlds.drawing import held_out, pick
from vidence.worlds.pen import Pen

STAMPS = Path("/usr/share/tuxpaint/stamps")
PACKAGE, LICENCE = "tuxpaint-stamps-default", "GPL-2"
MARK = "picture/"
"""Begins the nouns of things that are pictures."""
LEFT_OUT = ("symbols", "military", "people", "seasonal", "space")
_ENGLISH = re.compile(r"^An? ([a-z][a-z -]{2,18})\.?$")
_SPANISH = re.compile(r"^(Una?) ([a-záéíóúñü][a-záéíóúñü ]{2,20})\.?$")
_CHINESE = re.compile(r"^(?:一[只个条朵把颗棵辆头匹块片])?([\u4e00-\u9fff]{1,6})。?$")
LARGEST_PX = 512


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: its noun (`MARK` and where it lies) and its names, the Spanish one with /m or /f."""

    noun: str
    path: Path
    names: tuple[tuple[str, str], ...]


@cache
def shelf() -> dict[str, Picture]:
    """Return the pictures with a short name of their own in all languages, by noun.

    Raises:
        UsageError: the package is not installed.
    """
    found: dict[str, Picture] = {}
    known: set[str] = set()
    for path in sorted(STAMPS.rglob("*.png")):
        place = path.relative_to(STAMPS)
        names = _names(path.with_suffix(".txt")) if place.parts[0] not in LEFT_OUT else None
        if names is not None and not known & {name for _, name in names}:
            known |= {name for _, name in names}
            noun = MARK + place.with_suffix("").as_posix()
            found[noun] = Picture(noun, path, names)
    if len(found) < 20:
        raise UsageError(
            f"cast 'pictures' needs cut-out pictures in {STAMPS}, of which {len(found)} are there; "
            f"install them (Debian, Ubuntu: apt-get install {PACKAGE}) or use the cast 'drawn'"
        )
    return found


def name(noun: str, language: str) -> str:
    """Return a picture's name."""
    return dict(shelf()[noun].names)[language]


def draw_pictures(
    rng: Random, split: str, count: int, first_key: int, avoid: Set[str] = frozenset(), size: float = 0.16
) -> list[Thing]:
    """Draw different pictures of a split as things."""
    left = [noun for noun in shelf() if noun not in avoid and held_out("picture", noun) == (split == "test")]
    things = []
    for number in range(count):
        noun = pick(rng, left)
        left.remove(noun)
        things.append(Thing(first_key + number, noun, "", "plain", size))
    return things


def paste(pen: Pen, noun: str, x: float, y: float, size: float) -> None:
    """Draw a picture whose foot stands at (x, y), `size` wide or high, whichever is more."""
    pyramid = _pyramid(noun)
    height, width = pyramid[0].shape[:2]
    scale = size / max(height, width)  # stage units a pixel of the source
    wide, tall = width * scale, height * scale
    left, top = pen.place(x - wide / 2, y - tall)
    right, bottom = pen.place(x + wide / 2, y)
    level = 0
    while level + 1 < len(pyramid) and (right - left) * 2 <= pyramid[level].shape[1]:
        level += 1
    source = pyramid[level]
    rows, columns = pen.image_HWC.shape[:2]
    x0, x1 = max(int(left), 0), min(int(right) + 2, columns)
    y0, y1 = max(int(top), 0), min(int(bottom) + 2, rows)
    if x0 >= x1 or y0 >= y1:
        return
    sx, sy = (right - left) / source.shape[1], (bottom - top) / source.shape[0]
    matrix = np.array([[sx, 0, left - x0 + sx / 2 - 0.5], [0, sy, top - y0 + sy / 2 - 0.5]])
    patch = cv2.warpAffine(source, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR).astype(np.int32)
    alpha = patch[..., 3:]
    under = pen.image_HWC[y0:y1, x0:x1].astype(np.int32)  # colours are multiplied by alpha already
    pen.image_HWC[y0:y1, x0:x1] = np.clip(patch[..., :3] + (under * (255 - alpha) + 127) // 255, 0, 255)


@lru_cache(maxsize=128)
def _pyramid(noun: str) -> list[np.ndarray]:
    """Read a picture as RGBA, multiplied by alpha, cut to what is not clear; then halved again and again."""
    raw = cv2.imread(str(shelf()[noun].path), cv2.IMREAD_UNCHANGED)
    if raw is None or raw.ndim != 3 or raw.shape[2] != 4:
        raise UsageError(f"{shelf()[noun].path}: is no picture with a clear ground")
    rgba = cv2.cvtColor(raw if raw.dtype == np.uint8 else (raw // 257).astype(np.uint8), cv2.COLOR_BGRA2RGBA)
    rows, columns = np.where(rgba[..., 3].max(1) > 24)[0], np.where(rgba[..., 3].max(0) > 24)[0]
    rgba = rgba[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    colours = rgba[..., :3].astype(np.uint16) * rgba[..., 3:] // 255
    rgba = np.concatenate([colours.astype(np.uint8), rgba[..., 3:]], axis=2)
    shrink = LARGEST_PX / max(rgba.shape[:2])
    if shrink < 1:
        rgba = cv2.resize(rgba, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    levels = [rgba]
    while min(levels[-1].shape[:2]) >= 16:
        height, width = levels[-1].shape[:2]
        levels.append(cv2.resize(levels[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA))
    return levels


def _names(path: Path) -> tuple[tuple[str, str], ...] | None:
    """Read the names beside a picture; None where one is missing or long."""
    if not path.is_file():
        return None
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    table = dict(line.split(".utf8=", 1) for line in lines[1:] if ".utf8=" in line)
    english = _ENGLISH.match(lines[0].strip()) if lines else None
    spanish = _SPANISH.match(table.get("es", "").strip())
    chinese = _CHINESE.match(table.get("zh_CN", "").strip())
    if not (english and spanish and chinese):
        return None
    gender = "f" if spanish[1] == "Una" else "m"
    return (("en", english[1]), ("zh", chinese[1]), ("es", f"{spanish[2]}/{gender}"))
