"""The picture itself, sample by sample: how sharp, how light, how far clipped, and how it is laid out.

For applications: it is not among the default senses. One observation a segment, without words; `data`: "times_s", and
for each sample "blur" (0 sharp, 1 blurred: Crete and others 2007, "The blur effect"), "light" (mean luma, 0 to 1),
"contrast" (its standard deviation), "white" and "black" (shares of the picture at the ends of the scale) and
"layouts", [[sample, cells], ...] where the picture changed: grey means of 16 x 9 cells, base64 of uint8.
"""

from __future__ import annotations

import base64
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidence.senses.observation import Observation, Producer
from vidence.senses.sense import Cost, Sampling
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from vidence.media import Frame, Image, Media

RATE_HZ = 2.0
SIDE = 480
CELLS = (16, 9)  # columns, rows
CHANGED = 2.0  # grey levels of 255, in one cell
MEASURES = ("blur", "light", "contrast", "white", "black")
WHITE, BLACK = 250, 6  # of 255: from here on nothing is drawn any more


class PictureSense:
    """Measures pictures."""

    name = "picture"
    producer = Producer("picture", "1", parameters=f"rate={RATE_HZ:g},side={SIDE}")
    cost = Cost(cpu_s_per_minute=0.5, memory_mb=10)
    sampling = Sampling(rate_hz=RATE_HZ, max_side=SIDE)

    def watch(self, media: Media, segment: Span) -> PictureWatcher:
        """Start on a segment."""
        return PictureWatcher(self.producer, segment)

    def join(self, left: Observation, right: Observation) -> Observation | None:
        """Never join: each segment keeps its samples."""
        return None


class PictureWatcher:
    """Measures the samples of one segment."""

    def __init__(self, producer: Producer, segment: Span) -> None:
        self.producer, self.segment = producer, segment
        self._samples: list[Sample] = []

    def see(self, frame: Frame) -> None:
        """Measure one picture."""
        if frame.time in self.segment:
            self._samples.append(measure(frame.image, frame.time))

    def finish(self) -> list[Observation]:
        """Return what was measured."""
        if not self._samples:
            return []
        layouts, last = [], None
        for at, sample in enumerate(self._samples):
            if last is None or np.abs(sample.layout - last).max() >= CHANGED:
                last = sample.layout
                coded = base64.b64encode(last.round().astype(np.uint8).tobytes()).decode("ascii")
                layouts.append([at, coded])
        data = {
            "times_s": [round(float(sample.time), 3) for sample in self._samples],
            **{name: [round(getattr(sample, name), 3) for sample in self._samples] for name in MEASURES},
            "layouts": layouts,
        }
        return [Observation(self.segment, "visual", self.producer, data=data)]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One picture, measured; `layout` is grey, float32 (rows, columns), 0 to 255."""

    time: Instant
    blur: float
    light: float
    contrast: float
    white: float
    black: float
    layout: np.ndarray


def measure(image: Image, time: Instant) -> Sample:
    """Measure a picture, uint8 RGB."""
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return Sample(
        time,
        blur_of(grey),
        float(grey.mean()) / 255,
        float(grey.std()) / 255,
        float((image.min(axis=2) >= WHITE).mean()),
        float((image.max(axis=2) <= BLACK).mean()),
        layout_of(grey),
    )


def layout_of(grey: np.ndarray) -> np.ndarray:
    """Return the mean of each cell, float32 (9, 16)."""
    import cv2

    return np.asarray(cv2.resize(grey, CELLS, interpolation=cv2.INTER_AREA), np.float32)


def blur_of(grey: np.ndarray) -> float:
    """Say how blurred a grey picture is, 0 to 1: how little of its steps a further blur takes away."""
    import cv2

    wide = np.asarray(grey, np.float32)
    worst = 0.0
    for kernel, axis in (((1, 9), 0), ((9, 1), 1)):
        steps = np.abs(np.diff(wide, axis=axis))
        left = np.abs(np.diff(cv2.blur(wide, kernel), axis=axis))
        whole = float(steps.sum())
        if whole > 0:
            worst = max(worst, 1 - float(np.maximum(steps - left, 0).sum()) / whole)
    return worst


def samples(observations: Sequence[Observation]) -> list[Sample]:
    """Return the samples that observations of this sense hold, in order of time."""
    found = []
    for seen in observations:
        data = seen.data
        starts = [at for at, _ in data["layouts"]]
        layouts = [
            np.frombuffer(base64.b64decode(cells), np.uint8).reshape(CELLS[::-1]).astype(np.float32)
            for _, cells in data["layouts"]
        ]
        for at, time_s in enumerate(data["times_s"]):
            blur, light, contrast, white, black = (data[name][at] for name in MEASURES)
            time = Instant(repr(time_s)) if isinstance(time_s, float) else Instant(time_s)
            layout = layouts[bisect_right(starts, at) - 1]
            found.append(Sample(time, blur, light, contrast, white, black, layout))
    return sorted(found, key=lambda sample: sample.time)
