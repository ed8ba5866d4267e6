"""Colour and light: stretches in which a picture keeps its colours and its brightness.

`Observation.data`: "monochrome" (bool: black-and-white or tinted in one hue, as old film is), "tint" (name of
that hue, or null), "brightness" 0 to 1 (mean OKLCh lightness), "saturation" 0 to 1 (mean chroma over 0.25),
"colours" [[name, share], ...] and "regions", the leading name in each cell of a 3x3 grid, rows from the top.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from vidence.senses.colour_names import NAMES, code_colours, likeness, name_colours, rank, to_oklch
from vidence.senses.colour_regions import Blob, colours_of, find_colour, salient_colours
from vidence.senses.observation import Observation, Producer
from vidence.senses.sense import Cost, Sampling
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from vidence.media import Frame, Image, Media

__all__ = ["Blob", "Colour", "colours_of", "find_colour", "likeness", "name_colours", "salient_colours"]

RATE_HZ = 2.0
SIDE = 64
GRID = 3
SPLIT = 0.11  # mean OKLab distance over the cells
COLOURED_CHROMA = 0.045  # 0.5 % of the pixels above this: black-and-white film reaches 0.025, a far car 0.11
COLOURED_SPREAD = (
    0.022  # 1 % of the pixels off the one tint by this: tinted film reaches 0.017, a table 0.031
)
GREY_LEAST_S = 8  # a colourless stretch this long is black and white even between coloured ones


@dataclass(frozen=True, slots=True)
class Palette:
    """Colour and light of one picture: name shares and mean OKLab in each of the G cells, and the whole."""

    names_GN: np.ndarray
    lab_G3: np.ndarray
    brightness: float
    saturation: float
    vivid: float  # chroma that 0.5 % of the pixels exceed
    spread: float  # distance from the one tint that 1 % of the pixels exceed

    @property
    def coloured(self) -> bool:
        """Say whether anything in the picture has a colour of its own, be it small."""
        return self.vivid > COLOURED_CHROMA and self.spread > COLOURED_SPREAD


def palette(image: Image) -> Palette:
    """Measure one picture (uint8 RGB; 64 px on the longer side is enough)."""
    lch = to_oklch(image)
    light, chroma, hue = lch[..., 0], lch[..., 1], np.radians(lch[..., 2])
    lab = np.stack([light, chroma * np.cos(hue), chroma * np.sin(hue)], axis=-1)
    codes, cells = code_colours(image), _cells(*image.shape[:2])
    names = np.bincount((cells * len(NAMES) + codes).ravel(), minlength=GRID * GRID * len(NAMES))
    count = np.bincount(cells.ravel(), minlength=GRID * GRID)[:, None]
    sums = np.stack([np.bincount(cells.ravel(), lab[..., k].ravel(), GRID * GRID) for k in range(3)], axis=-1)
    return Palette(
        names_GN=names.reshape(GRID * GRID, len(NAMES)) / np.maximum(count, 1),
        lab_G3=sums / np.maximum(count, 1),
        brightness=float(light.mean()),
        saturation=float(min(chroma.mean() / 0.25, 1.0)),
        vivid=float(np.quantile(chroma, 0.995)),
        spread=_tint_spread(lab.reshape(-1, 3)),
    )


def _cells(height: int, width: int) -> np.ndarray:
    """Number the grid's cells over the picture, row by row."""
    rows, columns = np.arange(height) * GRID // height, np.arange(width) * GRID // width
    return rows[:, None] * GRID + columns


def _tint_spread(lab_N3: np.ndarray) -> float:
    """Measure how far colour strays from what lightness alone predicts (99th percentile distance in a, b)."""
    bins = np.minimum((lab_N3[:, 0] * 16).astype(int), 15)
    count = np.maximum(np.bincount(bins, minlength=16), 1)
    means = np.stack([np.bincount(bins, lab_N3[:, k], 16) / count for k in (1, 2)], axis=-1)
    return float(np.quantile(np.linalg.norm(lab_N3[:, 1:] - means[bins], axis=-1), 0.99))


class Colour:
    """Perceives stretches of similar colour and light."""

    name = "colour"
    producer = Producer("colour", "1", parameters=f"rate={RATE_HZ:g},side={SIDE},split={SPLIT}")
    sampling = Sampling(rate_hz=RATE_HZ, max_side=SIDE)
    cost = Cost(cpu_s_per_minute=0.2, memory_mb=5)

    def watch(self, media: Media, segment: Span) -> ColourWatcher:
        """Start on a segment."""
        return ColourWatcher(self.producer, segment)

    def join(self, left: Observation, right: Observation) -> Observation | None:
        """Join two stretches that look alike across a segment boundary."""
        a, b = left.data, right.data
        if a["monochrome"] != b["monochrome"] or abs(a["brightness"] - b["brightness"]) > SPLIT:
            return None
        first, second = dict(a["colours"]), dict(b["colours"])
        if sum(min(first.get(name, 0), second.get(name, 0)) for name in NAMES) < 0.7:
            return None
        return _blend(left, right)


@dataclass(slots=True)
class ColourWatcher:
    """Collects palettes and cuts them into stretches."""

    producer: Producer
    segment: Span
    seen: list[tuple[Instant, Palette]] = field(default_factory=list)

    def see(self, frame: Frame) -> None:
        """Measure one frame."""
        self.seen.append((frame.time, palette(frame.image)))

    def finish(self) -> list[Observation]:
        """Describe each stretch; together they cover the segment from its first frame on."""
        starts = _splits([palette for _, palette in self.seen])
        colourless = not any(palette.coloured for _, palette in self.seen)
        found = []
        for first, last in zip(starts, [*starts[1:], len(self.seen)], strict=True):
            start = self.seen[first][0] if first else self.segment.start
            end = self.seen[last][0] if last < len(self.seen) else self.segment.end
            span = Span(start, max(start, end)).clipped(self.segment)
            part = [palette for _, palette in self.seen[first:last]]
            # An empty road or a fade has no colour either, so a short stretch is judged by its neighbours.
            alone = span.duration >= GREY_LEAST_S and not any(palette.coloured for palette in part)
            found.append(_describe(span, part, colourless or alone, self.producer))
        return found


def _splits(palettes: list[Palette]) -> list[int]:
    """Find where a stretch begins: a picture that lies far from the mean of the stretch so far."""
    starts: list[int] = []
    mean, count = np.zeros(0), 0
    for index, now in enumerate(palettes):
        if not count or np.linalg.norm(now.lab_G3 - mean, axis=-1).mean() > SPLIT:
            starts.append(index)
            mean, count = now.lab_G3, 1
        else:
            mean, count = (mean * count + now.lab_G3) / (count + 1), count + 1
    return starts


def _describe(span: Span, palettes: list[Palette], monochrome: bool, producer: Producer) -> Observation:
    """Average a stretch and put it into words."""
    names_GN = np.mean([p.names_GN for p in palettes], axis=0)
    grey = float(np.median([p.vivid for p in palettes])) < COLOURED_CHROMA
    lab = np.mean([p.lab_G3 for p in palettes], axis=(0, 1))
    data: dict[str, Any] = {
        "monochrome": monochrome,
        "tint": _hue_name(lab) if monochrome and not grey else None,
        "brightness": round(float(np.mean([p.brightness for p in palettes])), 3),
        "saturation": round(float(np.mean([p.saturation for p in palettes])), 3),
        "colours": [[name, round(share, 3)] for name, share in rank(names_GN.sum(axis=0)) if share >= 0.01],
        "regions": np.array(NAMES)[names_GN.argmax(axis=1)].reshape(GRID, GRID).tolist(),
    }
    return Observation(span, "visual", producer, text=_words(data), data=data)


def _hue_name(lab: np.ndarray) -> str:
    """Name a faint tint by its hue alone."""
    hue = np.degrees(np.arctan2(lab[2], lab[1])) % 360
    if 20 <= hue < 115:
        return "brown"
    return "green" if hue < 180 else "blue" if hue < 290 else "purple"


def _words(data: dict[str, Any]) -> str:
    """Say it as a person would: "black and white, bright", "mostly green and grey, dark"."""
    if data["monochrome"]:
        head = f"one colour ({data['tint']} tint)" if data["tint"] else "black and white"
    else:
        leading = [name for name, share in data["colours"][:3] if share >= 0.15] or [data["colours"][0][0]]
        head = "in colour, mostly " + " and ".join(leading)
    light = "dark" if data["brightness"] < 0.35 else "bright" if data["brightness"] > 0.65 else ""
    depth = "vivid" if data["saturation"] > 0.4 else ""
    return ", ".join(part for part in (head, light, depth) if part)


def _blend(left: Observation, right: Observation) -> Observation:
    """Average two stretches by their length."""
    total = left.span.duration + right.span.duration
    share = float(left.span.duration / total) if total else Fraction(1, 2)
    a, b = left.data, right.data
    first, second = dict(a["colours"]), dict(b["colours"])
    mixed = {n: first.get(n, 0) * share + second.get(n, 0) * (1 - share) for n in {**first, **second}}
    data: dict[str, Any] = {
        "monochrome": a["monochrome"],
        "tint": a["tint"],
        "brightness": round(a["brightness"] * share + b["brightness"] * (1 - share), 3),
        "saturation": round(a["saturation"] * share + b["saturation"] * (1 - share), 3),
        "colours": [[n, round(v, 3)] for n, v in sorted(mixed.items(), key=lambda item: -item[1])],
        "regions": (a if share >= 0.5 else b)["regions"],
    }
    return Observation(left.span.hull(right.span), "visual", left.producer, text=_words(data), data=data)
